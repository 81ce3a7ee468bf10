"""MwaaTriggerDagRunOperator: start a DAG run in another MWAA environment, and wait for it."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from mwaa_provider.airflow_compat import RunningTask, is_deferrable_by_default
from mwaa_provider.client.clock import SystemClock
from mwaa_provider.client.looks import Look
from mwaa_provider.client.models import DagRun
from mwaa_provider.client.queueing import QueueReasons
from mwaa_provider.client.waiting import wait
from mwaa_provider.client.watching import RunWatch, States, ended_well
from mwaa_provider.client.which_runs import WhichRuns
from mwaa_provider.exceptions import DagNotFoundError, DagPausedError, DagRunCancelledError, DagRunFailedError
from mwaa_provider.links import MwaaDagRunLink
from mwaa_provider.operators import story
from mwaa_provider.operators.base import MwaaBaseOperator
from mwaa_provider.operators.cancelling import Cancelling
from mwaa_provider.operators.one_run import OneRun
from mwaa_provider.operators.remote_xcoms import bring_home
from mwaa_provider.operators.run_identity import RunIdentity
from mwaa_provider.operators.trigger_input import TriggerInput
from mwaa_provider.operators.xcom_size import MAX_RESULT_BYTES, check_size

if TYPE_CHECKING:
    from mwaa_provider.airflow_compat import Context


class MwaaTriggerDagRunOperator(MwaaBaseOperator):
    """Start a DAG run in another MWAA environment, and wait for it.

    A local task instance has one run over there. Its id is derived from the local DAG, run, task and map index, so a retry finds
    the run that an earlier try began: active, it is adopted; succeeded, the task is done; failed, it is cleared and runs again.
    When a person clears the local task, the run over there is cleared and runs again too.

    When a person kills, clears or marks the local task while it waits, the run over there is marked failed (``cancel_on_kill``). A time-out
    or the restart of a triggerer leaves it alone. docs/trigger.md says what happens on which release.

    The result (XCom) is a plain dict: ``environment_name``, ``dag_id``, ``run_id``, ``state``, ``logical_date``, ``start_date``,
    ``end_date`` (ISO 8601 or ``None``), ``url``, ``xcoms``. It is the same whether the task waited or was deferred.

    IAM actions: ``airflow:GetEnvironment`` on the environment; ``airflow:InvokeRestApi`` or ``airflow:CreateWebLoginToken`` on
    ``arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE``.
    https://docs.aws.amazon.com/mwaa/latest/userguide/access-mwaa-apache-airflow-rest-api.html

    :param environment_name: The other environment's name. (templated)
    :param trigger_dag_id: The id of the DAG to run there. (templated)
    :param trigger_run_id: The run's id (default: derived from the local task instance). (templated)
    :param conf: The run's configuration: a dict that JSON can hold, or text of a JSON object. (templated)
    :param logical_date: The date the run is for, with time zone, as datetime or ISO 8601 text (default: Airflow 2 takes now,
        Airflow 3 takes none). (templated)
    :param data_interval_start: The start of the run's data interval; with ``data_interval_end``, from Airflow 2.9.2 over there
        on. (templated)
    :param data_interval_end: The end of the run's data interval. (templated)
    :param run_after: When the run may begin at the earliest (default: at once); from Airflow 3 over there on. (templated)
    :param partition_key: The run's partition key; from Airflow 3.2 over there on. (templated)
    :param note: A note on the run, below the line that says who started it. (templated)
    :param wait_for_completion: Whether to wait for the run's end (default false).
    :param poke_interval: Seconds between two looks while waiting (default 60). (templated)
    :param timeout: Seconds to wait at most (default: no limit but the task's own ``execution_timeout``). The run
        goes on over there. (templated)
    :param allowed_states: States of the run that end the wait well (default ``["success"]``). (templated)
    :param failed_states: States of the run that fail the task (default ``["failed"]``). A run that ended in a state of neither list fails
        it too. (templated)
    :param when_run_exists: What to do about a run of the id ``trigger_run_id`` that somebody else started: ``adopt`` it (default),
        ``clear`` it so that it runs again, ``skip`` this task, or ``fail`` it. (templated)
    :param unpause: Whether to unpause the DAG over there (default false: waiting for a run of a paused DAG is an error).
    :param cancel_on_kill: Whether the run over there ends with a task that is killed, cleared or marked while it waits (default true).
    :param return_xcoms: XComs of the run to bring home: task ids, or a dict of task id to key or keys (default: none). (templated)
    :param deferrable: Whether to wait in the triggerer and not in a worker (default: ``[operators] default_deferrable``).
    :param kwargs: ``aws_conn_id``, ``region_name``, ``verify``, ``botocore_config``, ``transport`` (see
        :class:`mwaa_provider.operators.base.MwaaBaseOperator`), and what every operator takes.
    :raises InvalidInputError: naming every problem of the arguments, before anything is done.
    :raises DagNotFoundError: if the environment has no such DAG; it tells the import errors.
    :raises DagPausedError: if the DAG is paused and the task would wait for ever.
    :raises DagRunExistsError: if a run is in the way that is not this task's.
    :raises DagRunFailedError: if the run failed; it tells which tasks, and the end of their logs.
    :raises DagRunTimeoutError: if time was up; the run goes on.
    """

    template_fields: Sequence[str] = (
        *MwaaBaseOperator.template_fields,
        "trigger_dag_id",
        "trigger_run_id",
        "conf",
        "logical_date",
        "data_interval_start",
        "data_interval_end",
        "run_after",
        "partition_key",
        "note",
        "poke_interval",
        "timeout",
        "allowed_states",
        "failed_states",
        "when_run_exists",
        "return_xcoms",
    )
    template_fields_renderers = {"conf": "json"}
    operator_extra_links = (MwaaDagRunLink(),)

    def __init__(
        self,
        *,
        environment_name: str,
        trigger_dag_id: str,
        trigger_run_id: str | None = None,
        conf: dict[str, Any] | str | None = None,
        logical_date: datetime | str | None = None,
        data_interval_start: datetime | str | None = None,
        data_interval_end: datetime | str | None = None,
        run_after: datetime | str | None = None,
        partition_key: str | None = None,
        note: str | None = None,
        wait_for_completion: bool = False,
        poke_interval: float | str = 60.0,
        timeout: float | str | None = None,
        allowed_states: Collection[str] = ("success",),
        failed_states: Collection[str] = ("failed",),
        when_run_exists: str = "adopt",
        unpause: bool = False,
        cancel_on_kill: bool = True,
        return_xcoms: Collection[str] | Mapping[str, str | Collection[str]] | None = None,
        deferrable: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(environment_name=environment_name, **kwargs)
        self.trigger_dag_id = trigger_dag_id
        self.trigger_run_id = trigger_run_id
        self.conf = conf
        self.logical_date = logical_date
        self.data_interval_start = data_interval_start
        self.data_interval_end = data_interval_end
        self.run_after = run_after
        self.partition_key = partition_key
        self.note = note
        self.wait_for_completion = wait_for_completion
        self.poke_interval = poke_interval
        self.timeout = timeout
        self.allowed_states = allowed_states
        self.failed_states = failed_states
        self.when_run_exists = when_run_exists
        self.unpause = unpause
        self.cancel_on_kill = cancel_on_kill
        self.return_xcoms = return_xcoms
        self.deferrable = is_deferrable_by_default() if deferrable is None else deferrable
        self._cancelling: Cancelling | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Start the run, or take up the one an earlier try began, and wait for it if asked to."""
        task = RunningTask(context)
        identity = RunIdentity.of(task)
        asked = TriggerInput.of(self, identity)
        client = self.hook.client
        one_run = OneRun(
            client, self.environment_name, self.trigger_dag_id, asked, task, identity, SystemClock(), self.log
        )
        is_paused = self._check_dag(one_run)
        run = one_run.start_or_take_up()
        MwaaDagRunLink.keep(context, client.dag_run_url(self.environment_name, run.dag_id, run.run_id))
        if is_paused and self.unpause:
            client.set_dag_paused(self.environment_name, self.trigger_dag_id, False)
            self.log.info("Unpaused DAG %s in environment %s", self.trigger_dag_id, self.environment_name)
        if not self.wait_for_completion:
            return self._result(run, asked)
        if self.deferrable:
            self._defer(run, asked, task)
        self._cancelling = Cancelling(client, self.environment_name, run, task.key, self.log)
        return self._ended(self._wait(run, asked), asked)

    def execute_complete(
        self, context: Context, event: dict[str, Any], try_number: int | None = None
    ) -> dict[str, Any]:
        """Go on where a deferred wait ended.

        ``dag.test()`` of Airflow 3 hands the event over and nothing else.

        :param try_number: The try that was deferred.
        """
        from mwaa_provider.triggers import events

        task = RunningTask(context)
        if try_number is not None and task.try_number > try_number:
            return self.execute(context)  # Airflow 3.0 lets a retry begin where the try before it ended
        return self._ended(events.read(event), TriggerInput.of(self, RunIdentity.of(task)))

    def on_kill(self) -> None:
        """End the run over there, unless this is a shutdown or a time-out."""
        if self._cancelling is not None and self.cancel_on_kill:
            self._cancelling.when_killed()

    def _check_dag(self, one_run: OneRun) -> bool:
        """Tell whether the DAG is paused, if that may be: a run of it would not begin."""
        client = self.hook.client
        try:
            dag = client.get_dag(self.environment_name, self.trigger_dag_id)
        except DagNotFoundError as error:
            raise story.of_missing_dag(error, client, self.environment_name) from error
        if dag.is_paused and not self.unpause and not one_run.is_done():
            if self.wait_for_completion:
                raise DagPausedError(
                    f"DAG {self.trigger_dag_id!r} in environment {self.environment_name!r} is paused, so a run of it would stay queued "
                    "and this task would wait for ever. No run was started. Unpause the DAG there, set unpause=True, or "
                    "wait_for_completion=False.",
                    environment_name=self.environment_name,
                    dag_id=self.trigger_dag_id,
                )
            self.log.warning(
                "DAG %s in environment %s is paused: the run will stay queued",
                self.trigger_dag_id,
                self.environment_name,
            )
        return dag.is_paused

    def _defer(self, run: DagRun, asked: TriggerInput, task: RunningTask) -> None:
        from mwaa_provider.triggers.dag_run import MwaaDagRunTrigger

        self.warn_without_triggerer()
        seconds = self._seconds(asked)
        self.defer(
            trigger=MwaaDagRunTrigger(
                **self.way,
                dag_id=run.dag_id,
                run_ids=[run.run_id],
                allowed_states=asked.allowed_states,
                failed_states=asked.failed_states,
                check_existence=True,
                cancel_on_kill=self.cancel_on_kill,
                poke_interval=asked.poke_interval,
                since=datetime.now(timezone.utc).isoformat(),
                deadline=None if seconds is None else time.time() + seconds,
            ),
            method_name="execute_complete",
            kwargs={"try_number": task.try_number},
        )

    def _seconds(self, asked: TriggerInput) -> float | None:
        """Return how long to wait at most; Airflow 3 forgets a task's ``execution_timeout`` while it is deferred."""
        own = None if self.execution_timeout is None else self.execution_timeout.total_seconds()
        return min((seconds for seconds in (asked.timeout, own) if seconds is not None), default=None)

    def _wait(self, run: DagRun, asked: TriggerInput) -> Look:
        client, clock = self.hook.client, SystemClock()
        states = States(asked.allowed_states, asked.failed_states)
        watch = RunWatch(WhichRuns(run.dag_id, run_ids=(run.run_id,)), states, check_existence=True)
        reasons, began = QueueReasons(self.environment_name, clock), clock.monotonic()

        def look() -> Look:
            return reasons.explain(watch.look(client, self.environment_name), client, clock.monotonic() - began)

        cancelling = self._cancelling
        seen = wait(
            look,
            poke_interval=asked.poke_interval,
            timeout=asked.timeout,
            clock=clock,
            is_called_off=lambda: cancelling is not None and cancelling.was_killed,
        )
        if seen.verdict == "wait" and cancelling is not None and cancelling.was_killed:
            raise DagRunCancelledError(
                f"This task was killed while it waited for run {run.run_id!r} of DAG {run.dag_id!r} in environment "
                f"{self.environment_name!r}.",
                environment_name=self.environment_name,
                dag_id=run.dag_id,
                run_id=run.run_id,
            )
        return seen

    def _ended(self, seen: Look, asked: TriggerInput) -> dict[str, Any]:
        try:
            run = ended_well(
                seen,
                self.environment_name,
                allowed_states=asked.allowed_states,
                timeout=self._seconds(asked),
            )
        except DagRunFailedError as error:
            raise story.of_failed_run(error, seen.runs[0], self.hook.client, self.environment_name) from error
        return self._result(run, asked)

    def _result(self, run: DagRun, asked: TriggerInput) -> dict[str, Any]:
        client = self.hook.client
        xcoms = bring_home(client, self.environment_name, run.dag_id, run.run_id, asked.return_xcoms, self.log)
        result = {
            "environment_name": self.environment_name,
            "dag_id": run.dag_id,
            "run_id": run.run_id,
            "state": run.state,
            **{
                name: date.isoformat() if (date := getattr(run, name)) else None
                for name in ("logical_date", "start_date", "end_date")
            },
            "url": client.dag_run_url(self.environment_name, run.dag_id, run.run_id),
            "xcoms": xcoms,
        }
        if self.do_xcom_push:
            check_size(result, MAX_RESULT_BYTES, ask_for_less="Bring fewer XComs home (return_xcoms)")
        return result
