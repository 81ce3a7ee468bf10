"""What is known of the runs that are waited for in one environment, kept up to date with few calls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, cast

from mwaa_provider.client.clock import Clock
from mwaa_provider.client.models import ACTIVE_STATES, ENDED_STATES, DagRun, TaskInstance
from mwaa_provider.client.queueing import QueueReasons
from mwaa_provider.client.watching import Look, RunWatch, TaskWatch, Watch
from mwaa_provider.exceptions import MwaaError

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient

#: So many runs are looked up one by one; a list of the DAG's runs would cost about as much.
_FEW = 2
#: How far the clock of the environment may be behind ours, and how long a run that has ended may take to show up in a list.
_CLOCKS_DIFFER = timedelta(minutes=5)
_LATE_TO_SHOW = timedelta(seconds=10)
#: Seconds between two looks at what is active, to notice a run that was deleted, or cleared after it had ended.
_CENSUS_SECONDS = 300.0
#: Runs whose tasks are asked for in one call.
_RUNS_AT_ONCE = 100

#: A run: the DAG's id and its own.
Key = tuple[str, str]
#: Task instances by task group (``None`` for those that were asked for by their ids) and run.
Tasks = dict[tuple[str | None, str, str], list[TaskInstance]]


class RunBoard:
    """The runs that are waited for by their ids, and their tasks.

    :param environment_name: The environment's name.
    :param clock: The clock.
    """

    def __init__(self, environment_name: str, clock: Clock) -> None:
        self._environment_name = environment_name
        self._clock = clock
        self._runs: dict[Key, DagRun] = {}
        self._ended_after: datetime | None = None
        self._next_census = 0.0
        self._queue_reasons = QueueReasons(environment_name, clock)

    @staticmethod
    def can_show(watch: Watch) -> bool:
        """Tell whether something is waited for that lists of runs can show: runs with known ids, and their tasks.

        :param watch: What is waited for.
        """
        return isinstance(watch, (RunWatch, TaskWatch)) and bool(watch.which.run_ids)

    def look(self, client: MwaaClient, wanted: Sequence[tuple[Watch, datetime]]) -> list[Look | MwaaError]:
        """Look at everything at once.

        :param client: The client.
        :param wanted: What is waited for, and since when.
        :raises MwaaError: if nothing could be seen.
        """
        watches = [(cast("RunWatch | TaskWatch", watch), since) for watch, since in wanted]
        since_of: dict[Key, datetime] = {}
        for watch, since in watches:
            for key in _keys(watch):
                since_of[key] = min(since, since_of.get(key, since))
        try:
            self._bring_up_to_date(client, since_of, wants_active=any(_wants_active(watch) for watch, _ in watches))
            tasks = self._tasks(client, [watch for watch, _ in watches if isinstance(watch, TaskWatch)])
        except MwaaError as error:
            return [error] * len(wanted)
        now = self._clock.time()
        judged = [(self._judge(watch, tasks), now - since.timestamp()) for watch, since in watches]
        return [
            self._queue_reasons.explain(look, client, waited) if isinstance(look, Look) else look
            for look, waited in judged
        ]

    def _bring_up_to_date(self, client: MwaaClient, since_of: dict[Key, datetime], *, wants_active: bool) -> None:
        for gone in set(self._runs) - set(since_of):
            del self._runs[gone]
        new = set(since_of) - set(self._runs)
        old = set(since_of) - new
        is_census = bool(old) and (wants_active or self._clock.monotonic() >= self._next_census)
        if len(new) > _FEW or is_census:
            self._take_census(client, set(since_of), since_of)
            return
        if old:
            self._note_ended(client, {dag_id for dag_id, _ in old}, cast("datetime", self._ended_after))
        for key in new:
            self._look_up(client, key)

    def _take_census(self, client: MwaaClient, keys: set[Key], since_of: dict[Key, datetime]) -> None:
        """See which are active, then which have ended, then ask for those that are in neither list."""
        began = datetime.fromtimestamp(self._clock.time(), timezone.utc) - _CLOCKS_DIFFER
        dag_ids = sorted({dag_id for dag_id, _ in keys})
        missing = set(keys)
        for run in client.list_dag_runs(self._environment_name, dag_ids, states=sorted(ACTIVE_STATES)):
            if (key := (run.dag_id, run.run_id)) in keys:
                self._runs[key] = run
                missing.discard(key)
        if len(missing) > _FEW:
            from_then_on = min(since_of[key] for key in missing) - _CLOCKS_DIFFER
            missing -= self._note_ended(client, {dag_id for dag_id, _ in missing}, from_then_on)
        for key in missing:
            self._look_up(client, key)
        if self._ended_after is None:
            self._ended_after = began
        self._next_census = self._clock.monotonic() + _CENSUS_SECONDS

    def _note_ended(self, client: MwaaClient, dag_ids: Iterable[str], after: datetime) -> set[Key]:
        """Read the runs of these DAGs that ended after this moment, and return them."""
        seen: set[Key] = set()
        newest: datetime | None = None
        for run in client.list_dag_runs(
            self._environment_name,
            sorted(dag_ids),
            states=sorted(ENDED_STATES),
            end_date_gte=after,
            order_by="end_date",
        ):
            key = (run.dag_id, run.run_id)
            self._runs[key] = run
            seen.add(key)
            if run.end_date is not None:
                newest = run.end_date if newest is None else max(newest, run.end_date)
        if newest is not None and self._ended_after is not None:
            self._ended_after = max(self._ended_after, newest - _LATE_TO_SHOW)
        return seen

    def _look_up(self, client: MwaaClient, key: Key) -> None:
        if self._ended_after is None:
            self._ended_after = datetime.fromtimestamp(self._clock.time(), timezone.utc) - _CLOCKS_DIFFER
            self._next_census = self._clock.monotonic() + _CENSUS_SECONDS
        run = client.find_dag_run(self._environment_name, *key)
        if run is None:
            self._runs.pop(key, None)
        else:
            self._runs[key] = run

    def _tasks(self, client: MwaaClient, watches: Sequence[TaskWatch]) -> Tasks:
        """Read the tasks that are waited for, those of each task group by themselves."""
        tasks: Tasks = {}
        by_group: dict[tuple[str | None, str | None], list[TaskWatch]] = {}
        for watch in watches:
            group = watch.task_group_id
            by_group.setdefault((group, None if group is None else watch.which.dag_id), []).append(watch)
        for (group, _), of_group in by_group.items():
            run_ids = sorted(
                {run_id for watch in of_group for run_id in watch.which.run_ids if self._has(watch, run_id)}
            )
            task_ids = sorted({task_id for watch in of_group for task_id in watch.task_ids}) or None
            dag_ids = sorted({watch.which.dag_id for watch in of_group})
            for first in range(0, len(run_ids), _RUNS_AT_ONCE):
                for task in client.list_task_instances(
                    self._environment_name,
                    dag_ids,
                    run_ids[first : first + _RUNS_AT_ONCE],
                    task_ids=task_ids,
                    task_group_id=group,
                ):
                    tasks.setdefault((group, task.dag_id, task.run_id), []).append(task)
        return tasks

    def _has(self, watch: TaskWatch, run_id: str) -> bool:
        return (watch.which.dag_id, run_id) in self._runs

    def _judge(self, watch: RunWatch | TaskWatch, tasks: Tasks) -> Look | MwaaError:
        runs = [self._runs[key] for key in _keys(watch) if key in self._runs]
        try:
            if isinstance(watch, RunWatch):
                return watch.judge(runs, self._environment_name)
            of_runs = (tasks.get((watch.task_group_id, run.dag_id, run.run_id), []) for run in runs)
            seen = [task for of_run in of_runs for task in of_run if watch.means(task)]
            return watch.judge(runs, seen, self._environment_name)
        except MwaaError as error:
            return error


def _keys(watch: RunWatch | TaskWatch) -> list[Key]:
    return [(watch.which.dag_id, run_id) for run_id in watch.which.run_ids]


def _wants_active(watch: RunWatch | TaskWatch) -> bool:
    """Tell whether the wait may end while the run is still active, so that ended runs are not all there is to see."""
    states = watch.states
    return isinstance(watch, RunWatch) and bool(ACTIVE_STATES & {*states.allowed, *states.failed, *states.skipped})
