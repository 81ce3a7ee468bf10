"""The tasks that are waited for in one environment, read with few calls."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from mwaa_provider.client.models import DagRun, TaskInstance
from mwaa_provider.client.retry import is_passing
from mwaa_provider.client.watching import RunWatch, TaskWatch
from mwaa_provider.exceptions import MwaaError

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient

#: Runs whose tasks are asked for in one call.
_RUNS_AT_ONCE = 100

#: A run: the DAG's id and its own.
Key = tuple[str, str]
#: Task instances by task group (``None`` for those that were asked for by their ids) and run.
Tasks = dict[tuple[str | None, str, str], list[TaskInstance]]


def keys_of(watch: RunWatch | TaskWatch) -> list[Key]:
    """Return the runs that are waited for, or whose tasks are.

    :param watch: What is waited for.
    """
    return [(watch.which.dag_id, run_id) for run_id in watch.which.run_ids]


class SeenTasks:
    """The tasks that are waited for, as one look saw them.

    :param environment_name: The environment's name.
    :param client: The client.
    """

    def __init__(self, environment_name: str, client: MwaaClient) -> None:
        self._environment_name = environment_name
        self._client = client
        self._tasks: Tasks = {}
        self._troubles: dict[tuple[str | None, str], MwaaError] = {}

    def read(self, watches: Sequence[TaskWatch], there: Collection[Key]) -> None:
        """Read them, those of each task group by themselves.

        :param watches: What is waited for.
        :param there: The runs that there are.
        :raises MwaaError: if nothing could be seen, and that passes.
        """
        by_group: dict[tuple[str | None, str | None], list[TaskWatch]] = {}
        for watch in watches:
            group = watch.task_group_id
            by_group.setdefault((group, None if group is None else watch.which.dag_id), []).append(watch)
        for (group, _), of_group in by_group.items():
            self._read(group, of_group, there)

    def _read(self, group: str | None, watches: Sequence[TaskWatch], there: Collection[Key]) -> None:
        dag_ids = sorted({watch.which.dag_id for watch in watches})
        run_ids = sorted({key[1] for watch in watches for key in keys_of(watch) if key in there})
        task_ids = sorted({task_id for watch in watches for task_id in watch.task_ids}) or None
        read: Tasks = {}
        try:
            for first in range(0, len(run_ids), _RUNS_AT_ONCE):
                for task in self._client.list_task_instances(
                    self._environment_name,
                    dag_ids,
                    run_ids[first : first + _RUNS_AT_ONCE],
                    task_ids=task_ids,
                    task_group_id=group,
                ):
                    read.setdefault((group, task.dag_id, task.run_id), []).append(task)
        except MwaaError as error:
            if is_passing(error):
                raise
            if len(dag_ids) == 1:
                self._troubles[group, dag_ids[0]] = error
                return
            for dag_id in dag_ids:  # one of them may be nothing for us to see
                self._read(group, [watch for watch in watches if watch.which.dag_id == dag_id], there)
        else:
            self._tasks |= read

    def of(self, watch: TaskWatch, runs: Sequence[DagRun]) -> list[TaskInstance]:
        """Return those of some runs that are meant.

        :param watch: What is waited for.
        :param runs: The runs.
        :raises MwaaError: if they could not be seen.
        """
        group = watch.task_group_id
        if trouble := self._troubles.get((group, watch.which.dag_id)):
            raise trouble
        of_runs = (self._tasks.get((group, run.dag_id, run.run_id), []) for run in runs)
        return [task for of_run in of_runs for task in of_run if watch.means(task)]
