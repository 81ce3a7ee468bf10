"""A waiting task that is killed ends its run over there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mwaa_provider.airflow_compat import LocalTask
from mwaa_provider.client.models import DagRun
from mwaa_provider.client.waiting import CANCEL_SECONDS
from mwaa_provider.exceptions import MwaaError

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient

#: How long Airflow is asked how the task stands; Airflow 3 kills the process 5 seconds after it was told to end.
_ASK_SECONDS = 1.0


class Cancelling:
    """What to do when a task that waits is killed.

    :param client: The client.
    :param environment_name: The environment's name.
    :param run: The run over there.
    :param task: The local task instance.
    :param log: The operator's logger, of logging or of structlog.
    """

    def __init__(self, client: MwaaClient, environment_name: str, run: DagRun, task: LocalTask, log: Any) -> None:
        self._client = client
        self._environment_name = environment_name
        self._run = run
        self._task = task
        self._log = log
        self.was_killed = False
        """Whether the wait is to end."""

    def when_killed(self) -> None:
        """End the run if somebody killed, cleared or marked the task; leave it if its worker is shut down or its time is up.

        Airflow calls this in a signal handler, so in the middle of anything: what it asks for is asked in a thread, with a limit.
        """
        self.was_killed = True
        answer: list[bool] = []
        _within(_ASK_SECONDS, lambda: answer.append(self._was_killed_by_somebody()))
        if answer == [False]:
            self._log.info(
                "Run %s goes on: nobody killed this task, its worker ends or its time is up", self._run.run_id
            )
            return
        # Where Airflow does not tell in time, a kill is what on_kill is called for.
        _within(CANCEL_SECONDS, self._cancel)

    def _was_killed_by_somebody(self) -> bool:
        try:
            return self._task.now().was_killed
        except Exception as error:
            self._log.info("Airflow does not tell how this task stands: %s", error)
            return True

    def _cancel(self) -> None:
        where = (self._run.run_id, self._run.dag_id, self._environment_name)
        try:
            self._client.cancel_dag_run(
                self._environment_name, self._run.dag_id, self._run.run_id, timeout=CANCEL_SECONDS
            )
        except MwaaError as error:
            self._log.warning("Run %s of DAG %s in environment %s may go on: %s", *where, error)
        else:
            self._log.info("Ended run %s of DAG %s in environment %s, as this task was killed", *where)


def _within(seconds: float, call: Callable[[], object]) -> None:
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(seconds)
