"""What changes a DAG run of an environment that is there already: its state, its note, and running again."""

from __future__ import annotations

from mwaa_provider.client import input_checks
from mwaa_provider.client.core import ClientCore, raise_problems
from mwaa_provider.client.models import DagRun
from mwaa_provider.client.time_limit import TimeLimit, within
from mwaa_provider.client.waiting import CANCEL_SECONDS
from mwaa_provider.exceptions import ConnectionFailedError, MwaaError, UnknownOutcomeError


class DagRunChangeCalls(ClientCore):
    """Calls that change DAG runs."""

    def set_dag_run_state(self, environment_name: str, dag_id: str, run_id: str, state: str) -> DagRun:
        """Set the state of a run, with what Airflow then does to its tasks, and return it.

        ``success`` and ``failed`` end it: tasks under way are stopped. ``queued`` lets the scheduler look at it again.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param state: ``success``, ``failed`` or ``queued``.
        :raises InvalidInputError: naming every problem of the arguments.
        :raises NotFoundError: if there is no such run.
        """
        raise_problems(
            [
                *input_checks.check_environment_name(environment_name),
                *input_checks.check_dag_id("dag_id", dag_id),
                *input_checks.check_existing_run_id("run_id", run_id),
                *input_checks.check_one_of("state", state, ("success", "failed", "queued")),
            ]
        )
        airflow = self._airflow(environment_name)
        # Queued twice, a run that has ended in between would run once more.
        send = self._retry.once if state == "queued" else self._retry.repeat
        return send(lambda: airflow.set_dag_run_state(dag_id, run_id, state))

    def cancel_dag_run(
        self, environment_name: str, dag_id: str, run_id: str, *, timeout: float = CANCEL_SECONDS
    ) -> DagRun:
        """End a run at once by marking it failed, and return it, for those who have little time.

        A request that fails for a passing reason is repeated while time is left. All that has to be waited for counts, a log-in too: where
        the environment is not known to the client yet, that may be all the time there is. A run that has just ended by itself is marked
        failed all the same.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param timeout: Seconds that it may take (default 3).
        :raises InvalidInputError: naming every problem of the arguments.
        :raises NotFoundError: if there is no such run.
        :raises ConnectionFailedError: if time was up before the request was sent: nothing was done, and it is not sent later.
        :raises UnknownOutcomeError: if time was up before the answer came: the run may have been ended, or may be in a moment.
        :raises MwaaError: if the request failed, whatever for.
        """
        raise_problems(
            [
                *input_checks.check_environment_name(environment_name),
                *input_checks.check_dag_id("dag_id", dag_id),
                *input_checks.check_existing_run_id("run_id", run_id),
                *input_checks.check_seconds("timeout", timeout),
            ]
        )

        def late(was_sent: bool) -> MwaaError:
            facts = {"environment_name": environment_name, "dag_id": dag_id, "run_id": run_id, "timeout": timeout}
            about = f"run {run_id!r} of DAG {dag_id!r} in environment {environment_name!r}"
            if was_sent:
                return UnknownOutcomeError(
                    f"The request to end {about} had no answer within {timeout:g} seconds; it may have been ended. Look at it.",
                    **facts,
                )
            return ConnectionFailedError(
                f"The request to end {about} could not be sent within {timeout:g} seconds, so the run goes on. End it with "
                "set_dag_run_state, or in the UI over there.",
                host="",
                **facts,
            )

        def end(limit: TimeLimit) -> DagRun:
            return self._airflow(environment_name).set_dag_run_state(dag_id, run_id, "failed", limit=limit)

        return within(timeout, lambda limit: limit.repeat(lambda: end(limit)), late)

    def set_dag_run_note(self, environment_name: str, dag_id: str, run_id: str, note: str) -> DagRun:
        """Replace the note on a run, and return the run.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param note: The note; Airflow keeps 1,000 characters.
        :raises InvalidInputError: naming every problem of the arguments.
        :raises NotFoundError: if there is no such run.
        :raises MwaaError: if the request failed, whatever for.
        """
        raise_problems(
            [
                *input_checks.check_environment_name(environment_name),
                *input_checks.check_dag_id("dag_id", dag_id),
                *input_checks.check_existing_run_id("run_id", run_id),
                *input_checks.check_text("note", note),
            ]
        )
        airflow = self._airflow(environment_name)
        return self._retry.repeat(lambda: airflow.set_dag_run_note(dag_id, run_id, note))

    def clear_dag_run(self, environment_name: str, dag_id: str, run_id: str) -> DagRun:
        """Clear all tasks of a run, so that the same run runs again (with the ``conf`` it has).

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        """
        raise_problems(
            [*input_checks.check_dag_id("dag_id", dag_id), *input_checks.check_existing_run_id("run_id", run_id)]
        )
        airflow = self._airflow(environment_name)
        return self._retry.once(lambda: airflow.clear_dag_run(dag_id, run_id))
