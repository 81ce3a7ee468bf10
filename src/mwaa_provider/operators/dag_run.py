"""MwaaTriggerDagRunOperator: start a DAG run in another MWAA environment, and wait for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mwaa_provider.airflow_compat import RunningTask
from mwaa_provider.client import input_checks
from mwaa_provider.client.models import DagRun
from mwaa_provider.exceptions import ConflictError, DagPausedError, DagRunError, InvalidInputError
from mwaa_provider.operators.base import MwaaBaseOperator
from mwaa_provider.operators.run_identity import RunIdentity

if TYPE_CHECKING:
    from mwaa_provider.airflow_compat import Context


class MwaaTriggerDagRunOperator(MwaaBaseOperator):
    """Start a DAG run in another MWAA environment.

    A local task instance has one run over there. Its id is derived from the local DAG, run, task and map index, so a retry finds
    the run that an earlier try began: active, it is adopted; succeeded, the task is done; failed, it is cleared and runs again.
    When a person clears the local task, the run over there is cleared and runs again too.

    The result (XCom) is a plain dict: ``environment_name``, ``dag_id``, ``run_id``, ``state``, ``logical_date`` (ISO 8601 or ``None``).

    IAM actions: ``airflow:GetEnvironment`` on the environment; ``airflow:InvokeRestApi`` or ``airflow:CreateWebLoginToken`` on
    ``arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE``.
    https://docs.aws.amazon.com/mwaa/latest/userguide/access-mwaa-apache-airflow-rest-api.html

    :param environment_name: The other environment's name. (templated)
    :param trigger_dag_id: The id of the DAG to run there. (templated)
    :param trigger_run_id: The run's id (default: derived from the local task instance). (templated)
    :param conf: The run's configuration: a dict that JSON can hold, or text of a JSON object. (templated)
    :param logical_date: The date the run is for, with time zone, as datetime or ISO 8601 text (default: Airflow 2 takes now,
        Airflow 3 takes none). (templated)
    :param wait_for_completion: Whether to wait for the run's end (default false).
    :param poke_interval: Seconds between two looks while waiting (default 60).
    :param timeout: Seconds to wait at most (default: no limit but the task's own ``execution_timeout``). The run
        goes on over there.
    :param allowed_states: States of the run that end the wait well (default ``["success"]``). (templated)
    :param failed_states: States of the run that fail the task (default ``["failed"]``). A run that ended in a state of neither list fails
        it too. (templated)
    :param aws_conn_id: The Airflow connection to AWS (default ``aws_default``); ``None`` for the worker's own role. (templated)
    :param region_name: AWS region of the other environment (default: the connection's). (templated)
    :param verify: The CA bundle's path, or ``False`` to trust any certificate (default: the connection's). (templated)
    :param botocore_config: Settings of botocore as a dict (default: the connection's).
    :raises InvalidInputError: naming every problem of the arguments, before anything is done.
    :raises DagNotFoundError: if the environment has no such DAG.
    :raises DagPausedError: if the DAG is paused and the task would wait for ever.
    :raises DagRunFailedError: if the run failed.
    :raises DagRunTimeoutError: if time was up; the run goes on.
    """

    template_fields: Sequence[str] = (
        *MwaaBaseOperator.template_fields,
        "trigger_dag_id",
        "trigger_run_id",
        "conf",
        "logical_date",
        "allowed_states",
        "failed_states",
    )
    template_fields_renderers = {"conf": "json"}

    def __init__(
        self,
        *,
        environment_name: str,
        trigger_dag_id: str,
        trigger_run_id: str | None = None,
        conf: dict[str, Any] | str | None = None,
        logical_date: datetime | str | None = None,
        wait_for_completion: bool = False,
        poke_interval: float = 60.0,
        timeout: float | None = None,
        allowed_states: Collection[str] = ("success",),
        failed_states: Collection[str] = ("failed",),
        **kwargs: Any,
    ) -> None:
        super().__init__(environment_name=environment_name, **kwargs)
        self.trigger_dag_id = trigger_dag_id
        self.trigger_run_id = trigger_run_id
        self.conf = conf
        self.logical_date = logical_date
        self.wait_for_completion = wait_for_completion
        self.poke_interval = poke_interval
        self.timeout = timeout
        self.allowed_states = allowed_states
        self.failed_states = failed_states

    def execute(self, context: Context) -> dict[str, Any]:
        """Start the run, or take up the one an earlier try began, and wait for it if asked to."""
        asked = self._checked_input()
        self._check_dag()
        run = self._start_or_take_up(asked, RunningTask(context))
        if self.wait_for_completion:
            run = self.hook.client.wait_for_dag_run(
                self.environment_name,
                self.trigger_dag_id,
                run.run_id,
                poke_interval=self.poke_interval,
                timeout=self.timeout,
                allowed_states=self.allowed_states,
                failed_states=self.failed_states,
            )
        return self._result(run)

    def _checked_input(self) -> _Input:
        """Convert what templates rendered to text, and name every problem at once."""
        conf, conf_problems = input_checks.read_conf("conf", self.conf)
        logical_date, logical_date_problems = input_checks.read_moment("logical_date", self.logical_date)
        problems = [
            *input_checks.check_environment_name(self.environment_name),
            *input_checks.check_dag_id("trigger_dag_id", self.trigger_dag_id),
            *input_checks.check_run_id("trigger_run_id", self.trigger_run_id),
            *conf_problems,
            *logical_date_problems,
            *input_checks.check_wait(
                poke_interval=self.poke_interval,
                timeout=self.timeout,
                allowed_states=self.allowed_states,
                failed_states=self.failed_states,
            ),
        ]
        if problems:
            raise InvalidInputError(problems)
        return _Input(conf, logical_date)

    def _check_dag(self) -> None:
        dag = self.hook.client.get_dag(self.environment_name, self.trigger_dag_id)
        if not dag.is_paused:
            return
        if self.wait_for_completion:
            raise DagPausedError(
                f"DAG {self.trigger_dag_id!r} in environment {self.environment_name!r} is paused, so a run of it would stay queued and "
                "this task would wait for ever. No run was started. Unpause the DAG there, or set wait_for_completion=False.",
                environment_name=self.environment_name,
                dag_id=self.trigger_dag_id,
            )
        self.log.warning(
            "DAG %s in environment %s is paused: the run will stay queued", self.trigger_dag_id, self.environment_name
        )

    def _start_or_take_up(self, asked: _Input, task: RunningTask) -> DagRun:
        identity = RunIdentity.of(task)
        run_id = self.trigger_run_id or identity.run_id
        try:
            run = self.hook.client.trigger_dag_run(
                self.environment_name,
                self.trigger_dag_id,
                run_id=run_id,
                conf=asked.conf,
                logical_date=asked.logical_date,
                note=identity.note,
            )
        except ConflictError:
            existing = self.hook.client.find_dag_run(self.environment_name, self.trigger_dag_id, run_id)
            if existing is None:  # the clash is not about our run, but about another with the same logical date
                raise
            return self._take_up(existing, asked, task)
        self.log.info("Started run %s of DAG %s in environment %s", run.run_id, run.dag_id, self.environment_name)
        return run

    def _take_up(self, run: DagRun, asked: _Input, task: RunningTask) -> DagRun:
        where = (run.run_id, run.dag_id, self.environment_name)
        if run.is_active:
            self.log.info("Run %s of DAG %s in environment %s is %s already: taking it up", *where, run.state)
            return run
        is_somebody_elses = self.trigger_run_id is not None and task.try_number == 1
        is_done = run.state in self.allowed_states and not task.is_first_try_since_clear
        if is_somebody_elses or is_done:
            self.log.info("Run %s of DAG %s in environment %s has ended already as %s", *where, run.state)
            return run
        if asked.conf is not None and dict(run.conf) != asked.conf:
            raise DagRunError(
                f"Run {run.run_id!r} of DAG {run.dag_id!r} in environment {self.environment_name!r} would have to run again with "
                "another conf, but a cleared run keeps the one it had. Give a trigger_run_id of its own to the new conf, or delete "
                "the run there.",
                environment_name=self.environment_name,
                dag_id=run.dag_id,
                run_id=run.run_id,
            )
        self.log.info("Run %s of DAG %s in environment %s ended as %s: clearing it to run again", *where, run.state)
        return self.hook.client.clear_dag_run(self.environment_name, run.dag_id, run.run_id)

    def _result(self, run: DagRun) -> dict[str, Any]:
        return {
            "environment_name": self.environment_name,
            "dag_id": run.dag_id,
            "run_id": run.run_id,
            "state": run.state,
            "logical_date": run.logical_date.isoformat() if run.logical_date else None,
        }


@dataclass(frozen=True)
class _Input:
    """What was asked for, converted and checked."""

    conf: dict[str, Any] | None
    logical_date: datetime | None
