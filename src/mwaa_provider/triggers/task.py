"""MwaaTaskTrigger: wait for tasks of runs in another MWAA environment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from mwaa_provider.client.watching import States, TaskWatch
from mwaa_provider.triggers.base import MwaaBaseTrigger
from mwaa_provider.triggers.dag_run import which_runs


class MwaaTaskTrigger(MwaaBaseTrigger):
    """Wait for tasks of runs of a DAG in another MWAA environment.

    The event tells the last look, or the error that ended the wait (:mod:`mwaa_provider.triggers.events`).

    :param dag_id: The DAG's id.
    :param run_ids: The ids of the runs whose tasks to wait for; or else
    :param logical_dates: their logical dates, as ISO 8601 text with time zone; or else
    :param window: the first logical date and the one before which the last lies; none of the three: the latest run.
    :param task_ids: The ids of the tasks; or else
    :param task_group_id: the id of a task group.
    :param map_index: Only this mapped instance (default: all).
    :param allowed_states: States that end the wait well.
    :param failed_states: States that end it with an error.
    :param skipped_states: States that skip the local task.
    :param check_existence: Whether a run that is not there is an error (default: it is waited for).
    :param kwargs: As for :class:`mwaa_provider.triggers.base.MwaaBaseTrigger`.
    """

    def __init__(
        self,
        *,
        dag_id: str,
        run_ids: Collection[str] = (),
        logical_dates: Collection[str] = (),
        window: Sequence[str] | None = None,
        task_ids: Collection[str] = (),
        task_group_id: str | None = None,
        map_index: int | None = None,
        allowed_states: Collection[str] = ("success",),
        failed_states: Collection[str] = ("failed", "upstream_failed", "removed"),
        skipped_states: Collection[str] = ("skipped",),
        check_existence: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.dag_id = dag_id
        self.run_ids = list(run_ids)
        self.logical_dates = list(logical_dates)
        self.window = None if window is None else list(window)
        self.task_ids = list(task_ids)
        self.task_group_id = task_group_id
        self.map_index = map_index
        self.allowed_states = list(allowed_states)
        self.failed_states = list(failed_states)
        self.skipped_states = list(skipped_states)
        self.check_existence = check_existence

    def watched(self) -> dict[str, Any]:
        """Return the arguments that say what is waited for, as JSON can hold them."""
        return {
            "dag_id": self.dag_id,
            "run_ids": self.run_ids,
            "logical_dates": self.logical_dates,
            "window": self.window,
            "task_ids": self.task_ids,
            "task_group_id": self.task_group_id,
            "map_index": self.map_index,
            "allowed_states": self.allowed_states,
            "failed_states": self.failed_states,
            "skipped_states": self.skipped_states,
            "check_existence": self.check_existence,
        }

    @property
    def watch(self) -> TaskWatch:
        """What is waited for."""
        return TaskWatch(
            which_runs(self.dag_id, self.run_ids, self.logical_dates, self.window),
            States(self.allowed_states, self.failed_states, self.skipped_states),
            task_ids=tuple(self.task_ids),
            task_group_id=self.task_group_id,
            map_index=self.map_index,
            check_existence=self.check_existence,
        )
