"""MwaaDagRunTrigger: wait for runs in another MWAA environment, and end the run over there when a person takes the task away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Coroutine, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from mwaa_provider.airflow_compat import LocalTask, has_on_kill
from mwaa_provider.client.waiting import CANCEL_SECONDS, HOLD_BACK_SECONDS
from mwaa_provider.client.watching import RunWatch, States
from mwaa_provider.client.which_runs import WhichRuns
from mwaa_provider.exceptions import MwaaError
from mwaa_provider.triggers.base import MwaaBaseTrigger
from mwaa_provider.triggers.poller import in_a_thread

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient


class MwaaDagRunTrigger(MwaaBaseTrigger):
    """Wait for runs of a DAG in another MWAA environment.

    The event tells the last look, or the error that ended the wait (:mod:`mwaa_provider.triggers.events`).

    :param dag_id: The DAG's id.
    :param run_ids: The ids of the runs to wait for; or else
    :param logical_dates: their logical dates, as ISO 8601 text with time zone; or else
    :param window: the first logical date and the one before which the last lies; none of the three: the latest run.
    :param allowed_states: States that end the wait well.
    :param failed_states: States that end it with an error.
    :param skipped_states: States that skip the local task.
    :param check_existence: Whether a run that is not there is an error (default: it is waited for).
    :param cancel_on_kill: Whether the run over there ends when a person kills, clears or marks the task (default: it goes on).
    :param kwargs: As for :class:`mwaa_provider.triggers.base.MwaaBaseTrigger`.
    """

    def __init__(
        self,
        *,
        dag_id: str,
        run_ids: Collection[str] = (),
        logical_dates: Collection[str] = (),
        window: Sequence[str] | None = None,
        allowed_states: Collection[str] = ("success",),
        failed_states: Collection[str] = ("failed",),
        skipped_states: Collection[str] = (),
        check_existence: bool = False,
        cancel_on_kill: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dag_id = dag_id
        self.run_ids = list(run_ids)
        self.logical_dates = list(logical_dates)
        self.window = None if window is None else list(window)
        self.allowed_states = list(allowed_states)
        self.failed_states = list(failed_states)
        self.skipped_states = list(skipped_states)
        self.check_existence = check_existence
        self.cancel_on_kill = cancel_on_kill

    def watched(self) -> dict[str, Any]:
        """Return the arguments that say what is waited for, as JSON can hold them."""
        return {
            "dag_id": self.dag_id,
            "run_ids": self.run_ids,
            "logical_dates": self.logical_dates,
            "window": self.window,
            "allowed_states": self.allowed_states,
            "failed_states": self.failed_states,
            "skipped_states": self.skipped_states,
            "check_existence": self.check_existence,
            "cancel_on_kill": self.cancel_on_kill,
        }

    @property
    def watch(self) -> RunWatch:
        """What is waited for."""
        states = States(self.allowed_states, self.failed_states, self.skipped_states)
        return RunWatch(
            which_runs(self.dag_id, self.run_ids, self.logical_dates, self.window), states, self.check_existence
        )

    async def on_kill(self) -> None:
        """End the run over there: a person has taken the task away. Airflow 3.3 calls this."""
        await self._when_taken_away()

    async def when_cancelled(self) -> None:
        """End the run over there if a person has taken the task away, and not a restart, a hand-over or a time-out."""
        if not has_on_kill():
            await self._when_taken_away()

    async def _when_taken_away(self) -> None:
        if self.cancel_on_kill and self.run_ids:
            await _to_its_end(self._cancel_if_taken_away())

    async def _cancel_if_taken_away(self) -> None:
        task = LocalTask.of_trigger(self)
        if task is None:
            return
        from asgiref.sync import sync_to_async

        try:
            client = (
                await self.client()
            )  # first, as it may take its time, and what became of the task is to be news then
            for _ in range(_ASK_TIMES):
                asked_at = time.monotonic()
                now = await sync_to_async(task.now, thread_sensitive=False)()
                left = HOLD_BACK_SECONDS - CANCEL_SECONDS - _CLOCKS_DIFFER - (time.monotonic() - asked_at)
                if left > 0:
                    break
        except Exception as error:  # at its end, Airflow 3's triggerer answers nothing any more
            self.log.info("The run goes on: this triggerer cannot tell what became of the task (%s)", error)
            return
        if left <= 0:
            self.log.warning("The run goes on: what became of the task was told too late to end it safely")
        elif now.was_taken_from_its_trigger(left):
            await self._cancel(client)

    async def _cancel(self, client: MwaaClient) -> None:
        for run_id in self.run_ids:
            where = (run_id, self.dag_id, self.environment_name)
            end = partial(client.cancel_dag_run, self.environment_name, self.dag_id, run_id, timeout=CANCEL_SECONDS)
            try:
                await in_a_thread(end)
            except MwaaError as error:
                self.log.warning("Run %s of DAG %s in environment %s may go on: %s", *where, error)
            else:
                self.log.info("Ended run %s of DAG %s in environment %s, as its task was taken away", *where)


#: How often Airflow is asked what became of a task, if it takes its time to tell.
_ASK_TIMES = 3
#: Seconds that the clocks of a worker and of the triggerer may differ by.
_CLOCKS_DIFFER = 1.0
#: What must come to its end; the event loop itself keeps no task alive.
_UNDER_WAY: set[asyncio.Task[None]] = set()


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Wait for work that goes on when the waiting is cancelled: Airflow cancels a trigger every second until it has ended.

    :param work: The work.
    """
    task = asyncio.create_task(work)
    _UNDER_WAY.add(task)
    task.add_done_callback(_UNDER_WAY.discard)
    await asyncio.shield(task)


def which_runs(
    dag_id: str, run_ids: Collection[str], logical_dates: Collection[str], window: Sequence[str] | None
) -> WhichRuns:
    """Return which runs are meant, from the plain arguments of a trigger.

    :param dag_id: The DAG's id.
    :param run_ids: Ids.
    :param logical_dates: Logical dates as text.
    :param window: The first logical date, and the one before which the last lies, as text.
    """
    return WhichRuns(
        dag_id,
        run_ids=tuple(run_ids),
        logical_dates=tuple(datetime.fromisoformat(date) for date in logical_dates),
        window=None if window is None else (datetime.fromisoformat(window[0]), datetime.fromisoformat(window[1])),
        latest=not (run_ids or logical_dates or window),
    )
