"""One local task instance, one run over there: started, or taken up, whatever was lost or killed on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mwaa_provider.airflow_compat import RunningTask, skip_exception, without_retry
from mwaa_provider.client.clock import Clock
from mwaa_provider.client.models import DagRun
from mwaa_provider.client.retry import UNKNOWN_OUTCOME
from mwaa_provider.client.waiting import HOLD_BACK_SECONDS
from mwaa_provider.exceptions import ConflictError, DagRunError, DagRunExistsError
from mwaa_provider.operators.cleared import has_run_since, is_noted, note_to_run_again
from mwaa_provider.operators.run_identity import RunIdentity
from mwaa_provider.operators.trigger_input import TriggerInput

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient

#: A clear is sent so many times at most, if nobody answers.
_CLEARS = 3


class OneRun:
    """The run of one task instance.

    :param client: The client.
    :param environment_name: The environment's name.
    :param dag_id: The DAG's id over there.
    :param asked: What was asked for.
    :param task: The running task instance.
    :param identity: Who it is over there.
    :param clock: The clock.
    :param log: The operator's logger, of logging or of structlog.
    """

    def __init__(
        self,
        client: MwaaClient,
        environment_name: str,
        dag_id: str,
        asked: TriggerInput,
        task: RunningTask,
        identity: RunIdentity,
        clock: Clock,
        log: Any,
    ) -> None:
        self._client = client
        self._environment_name = environment_name
        self._dag_id = dag_id
        self._asked = asked
        self._task = task
        self._clock = clock
        self._log = log
        self._identity = identity
        self._run_id = asked.run_id or identity.run_id

    def start_or_take_up(self) -> DagRun:
        """Return the run: started now, or that of an earlier try, or, as ``when_run_exists`` says, somebody else's.

        :raises DagRunExistsError: if a run is in the way that is not to be taken up.
        :raises DagRunError: if a run would have to run again with another conf.
        """
        existing = self._find() if self._must_look_first else None
        if existing is None:
            try:
                return self._start()
            except ConflictError as conflict:
                existing = self._find()
                if existing is None:
                    return self._out_of_the_way(conflict)
        return self._take_up(existing)

    def is_done(self) -> bool:
        """Tell whether the run of an earlier try has ended as is wanted, so that nothing has to begin any more."""
        run = self._find() if self._task.may_follow_another_try else None
        return run is not None and self._is_ours(run) and self._has_ended_well(run)

    @property
    def _must_look_first(self) -> bool:
        """Whether it has to be known if the run was there before.

        If the word that it is there already is lost, the run that is looked up then seems to have been started just now. What is to be
        adopted as it is may seem so.
        """
        return self._task.may_follow_another_try or self._asked.when_run_exists != "adopt"

    def _start(self) -> DagRun:
        asked = self._asked
        run = self._client.trigger_dag_run(
            self._environment_name,
            self._dag_id,
            run_id=self._run_id,
            conf=asked.conf,
            logical_date=asked.logical_date,
            data_interval_start=asked.data_interval_start,
            data_interval_end=asked.data_interval_end,
            run_after=asked.run_after,
            partition_key=asked.partition_key,
            note=asked.note,
        )
        self._say("Started run %s of DAG %s in environment %s", run)
        return run

    def _find(self) -> DagRun | None:
        return self._client.find_dag_run(self._environment_name, self._dag_id, self._run_id)

    def _out_of_the_way(self, conflict: ConflictError) -> DagRun:
        """Deal with a clash that is not about the run's id: Airflow 2 has one run for a logical date."""
        if self._asked.logical_date is None:
            # Airflow 2 took this very moment for the logical date, and so did somebody else.
            return self._start()
        in_the_way = next(
            self._client.list_dag_runs(
                self._environment_name,
                self._dag_id,
                logical_date_gte=self._asked.logical_date,
                logical_date_lte=self._asked.logical_date,
            ),
            None,
        )
        if in_the_way is None:
            raise conflict
        raise DagRunExistsError(
            f"DAG {self._dag_id!r} in environment {self._environment_name!r} has a run for {self._asked.logical_date.isoformat()} already: "
            f"{in_the_way.run_id!r} ({in_the_way.state}), which is not this task's. No run was started. Give another logical_date, or "
            f"trigger_run_id={in_the_way.run_id!r} to take that run up.",
            environment_name=self._environment_name,
            dag_id=self._dag_id,
            run_id=in_the_way.run_id,
        ) from conflict

    def _take_up(self, run: DagRun) -> DagRun:
        if not self._is_ours(run):
            return self._deal_with_another_s(run)
        if run.is_active and self._asked.ends_when_killed:
            # When a person clears this task, the earlier try ends the run, perhaps at this very moment.
            self._clock.sleep(HOLD_BACK_SECONDS)
            run = self._find() or run
        if self._task.was_cleared and (self._task.is_first_try_since_clear or not is_noted(run, self._task.max_tries)):
            # Before anything else: if this try dies now, the next one knows what is left to do.
            note = note_to_run_again(run, self._task.max_tries)
            self._client.set_dag_run_note(self._environment_name, run.dag_id, run.run_id, note)
        if run.is_active:
            self._say("Run %s of DAG %s in environment %s is %s already: taking it up", run, run.state)
            return run
        if self._has_ended_well(run):
            self._say("Run %s of DAG %s in environment %s has ended already as %s", run, run.state)
            return run
        return self._run_again(run)

    def _has_ended_well(self, run: DagRun) -> bool:
        return not run.is_active and run.state in self._asked.allowed_states and not self._must_run_again(run)

    def _must_run_again(self, run: DagRun) -> bool:
        """Tell whether a person wants the run to run again, and that has not been done by an earlier try."""
        task = self._task
        return task.is_first_try_since_clear or (task.was_cleared and not has_run_since(run, task.max_tries))

    def _is_ours(self, run: DagRun) -> bool:
        return self._asked.run_id is None or (run.note or "").split("\n", 1)[0] == self._identity.note

    def _deal_with_another_s(self, run: DagRun) -> DagRun:
        choice = self._asked.when_run_exists
        where = f"Run {run.run_id!r} of DAG {run.dag_id!r} in environment {self._environment_name!r} exists already ({run.state})"
        if choice == "skip":
            raise skip_exception(f"{where}, and when_run_exists says 'skip'.")
        if choice == "fail":
            error = DagRunExistsError(
                f"{where}, and when_run_exists says 'fail'. It was left as it is.",
                environment_name=self._environment_name,
                dag_id=run.dag_id,
                run_id=run.run_id,
            )
            raise without_retry(error) from error
        if choice == "clear":
            return self._run_again(run)
        self._say("Run %s of DAG %s in environment %s exists already (%s): taking it up", run, run.state)
        return run

    def _run_again(self, run: DagRun) -> DagRun:
        wanted = {} if self._asked.conf is None and self._is_ours(run) else self._asked.conf
        if wanted is not None and dict(run.conf) != wanted:
            raise DagRunError(
                f"Run {run.run_id!r} of DAG {run.dag_id!r} in environment {self._environment_name!r} would have to run again with "
                "another conf, but a cleared run keeps the one it had. Give a trigger_run_id of its own to the new conf, or delete "
                "the run there.",
                environment_name=self._environment_name,
                dag_id=run.dag_id,
                run_id=run.run_id,
            )
        self._say("Run %s of DAG %s in environment %s is %s: clearing it to run again", run, run.state)
        return self._clear(run)

    def _clear(self, run: DagRun) -> DagRun:
        """Clear a run; if the answer is lost, what became of the run tells whether that was done."""
        for sent in range(1, _CLEARS + 1):
            try:
                return self._client.clear_dag_run(self._environment_name, run.dag_id, run.run_id)
            except UNKNOWN_OUTCOME:
                self._clock.sleep(HOLD_BACK_SECONDS)  # the request may be under way still
                now = self._find()
                if now is not None and _has_run_since(now, run):
                    return now
                if now is None or sent == _CLEARS:
                    raise
        raise AssertionError("unreachable")

    def _say(self, message: str, run: DagRun, *more: str) -> None:
        self._log.info(message, run.run_id, run.dag_id, self._environment_name, *more)


def _has_run_since(now: DagRun, before: DagRun) -> bool:
    """Tell whether a run was certainly cleared in between; of one that was active nobody can tell."""
    return not before.is_active and (
        now.is_active or (now.start_date, now.end_date) != (before.start_date, before.end_date)
    )
