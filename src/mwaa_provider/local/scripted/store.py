"""What a scripted Airflow remembers, and how its runs live: by the clock, when somebody looks."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mwaa_provider.local.clock import Clock, SystemClock
from mwaa_provider.local.scripted.records import (
    ScriptedAsset,
    ScriptedAssetEvent,
    ScriptedConnection,
    ScriptedDag,
    ScriptedImportError,
    ScriptedPool,
    ScriptedRun,
    ScriptedTaskInstance,
    ScriptedVariable,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FINISHED_RUN_STATES = frozenset({"success", "failed"})
FINISHED_TASK_STATES = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})
#: In these a task has no end: it waits, before a try or in one.
WAITING_TASK_STATES = frozenset({"scheduled", "queued", "deferred", "restarting", "awaiting_input"})
#: In Airflow's order; the last came with 3.3.
TASK_STATES = (
    "removed",
    "scheduled",
    "queued",
    "running",
    "success",
    "restarting",
    "failed",
    "up_for_retry",
    "up_for_reschedule",
    "upstream_failed",
    "skipped",
    "deferred",
    "awaiting_input",
)


class Store:
    """The memory. Use it inside ``with store.settled():``, which holds its lock and brings every run up to the present.

    :param clock: The clock runs live by.
    :param release: The release it plays, as numbers.
    """

    def __init__(self, clock: Clock | None, release: tuple[int, ...]) -> None:
        self.clock: Clock = clock or SystemClock()
        self.release = release
        self.dags: dict[str, ScriptedDag] = {}
        self.runs: dict[tuple[str, str], ScriptedRun] = {}
        self.variables: dict[str, ScriptedVariable] = {}
        self.pools: dict[str, ScriptedPool] = {"default_pool": ScriptedPool(1, "default_pool", 128, "Default pool")}
        self.connections: dict[str, ScriptedConnection] = {}
        self.assets: list[ScriptedAsset] = []
        self.import_errors: list[ScriptedImportError] = []
        self._lock = threading.RLock()
        self._numbers = 1
        self._last_moment: datetime | None = None

    @contextmanager
    def settled(self) -> Iterator[None]:
        """Hold the lock, with every run as it is now."""
        with self._lock:
            now = self.clock.now()
            # There may be thousands of runs, and this is done for every request: those that wait for a word are left alone.
            by_hand = {dag_id for dag_id, dag in self.dags.items() if dag.run_takes is None}
            for run in self.runs.values():
                if run.state == "queued" or (run.state == "running" and run.dag_id not in by_hand):
                    self._live(run, self.dags[run.dag_id], now)
            yield

    def move_to(self, clock: Clock) -> None:
        """Live by another clock; what has happened keeps its distance from the present.

        :param clock: The clock.
        """
        with self._lock:
            shift = clock.now() - self.clock.now()
            self.clock, self._last_moment = clock, None
            for run in self.runs.values():
                run.queued_at += shift
                run.run_after += shift
                rows: list[ScriptedRun | ScriptedTaskInstance] = [run, *run.task_instances]
                for row in rows:
                    row.start_date = row.start_date and row.start_date + shift
                    row.end_date = row.end_date and row.end_date + shift

    def number(self) -> int:
        """Return the next id of a row."""
        self._numbers += 1
        return self._numbers

    def moment(self) -> datetime:
        """Return the present, but later than before: on a clock that stands still, two triggers need two run ids."""
        now = self.clock.now()
        if self._last_moment is not None and now <= self._last_moment:
            now = self._last_moment + timedelta(microseconds=1)
        self._last_moment = now
        return now

    def run_at(self, dag_id: str, logical_date: datetime | None) -> ScriptedRun | None:
        """Return the run of a logical date.

        :param dag_id: The DAG.
        :param logical_date: The logical date; None matches no run.
        """
        if logical_date is None:
            return None
        return next(
            (run for run in self.runs.values() if run.dag_id == dag_id and run.logical_date == logical_date), None
        )

    def add_run(
        self,
        dag: ScriptedDag,
        run_id: str,
        *,
        logical_date: datetime | None,
        run_after: datetime,
        data_interval: tuple[datetime, datetime] | None,
        conf: dict[str, Any],
        note: str | None,
        run_type: str = "manual",
        triggered_by: str = "rest_api",
        partition_key: str | None = None,
    ) -> ScriptedRun:
        """Queue a run; whether it may be is for the caller to say.

        :param dag: Its DAG.
        :param run_id: Its run id.
        :param logical_date: Its logical date.
        :param run_after: When it may start at the earliest.
        :param data_interval: Its data interval.
        :param conf: Its configuration.
        :param note: Its note.
        :param run_type: ``manual`` or ``scheduled``.
        :param triggered_by: What triggered it, as Airflow 3 names it.
        :param partition_key: The partition it is for.
        """
        run = ScriptedRun(
            self.number(),
            dag.dag_id,
            run_id,
            logical_date,
            run_after,
            data_interval,
            conf,
            note,
            run_type,
            triggered_by,
            self.clock.now(),
            partition_key,
            task_instances=dag.task_instances(run_id),
        )
        self.runs[dag.dag_id, run_id] = run
        return run

    def set_variable(self, key: str, value: str, description: str | None) -> ScriptedVariable:
        """Set a variable, new or not.

        :param key: Its key.
        :param value: Its value.
        :param description: Its description.
        """
        number = self.variables[key].number if key in self.variables else self.number()
        self.variables[key] = ScriptedVariable(number, key, value, description)
        return self.variables[key]

    def set_pool(
        self, name: str, slots: int, description: str | None, *, include_deferred: bool = False
    ) -> ScriptedPool:
        """Set a pool, new or not.

        :param name: Its name.
        :param slots: Its slots.
        :param description: Its description.
        :param include_deferred: Whether deferred tasks count.
        """
        number = self.pools[name].number if name in self.pools else self.number()
        self.pools[name] = ScriptedPool(number, name, slots, description, include_deferred)
        return self.pools[name]

    def set_connection(
        self, connection_id: str, conn_type: str, fields: Mapping[str, Any] | None = None
    ) -> ScriptedConnection:
        """Set a connection, new or not.

        :param connection_id: Its id.
        :param conn_type: Its type.
        :param fields: Its other fields.
        """
        self.connections[connection_id] = ScriptedConnection(
            self.number(), connection_id, conn_type, dict(fields or {})
        )
        return self.connections[connection_id]

    def add_asset_event(self, asset: ScriptedAsset, extra: dict[str, Any]) -> ScriptedAssetEvent:
        """Add an event of an asset, and a run of each DAG that it schedules.

        :param asset: The asset.
        :param extra: What goes with the event.
        """
        now = self.moment()
        event = ScriptedAssetEvent(self.number(), now, extra)
        kind = "dataset_triggered" if self.release < (3,) else "asset_triggered"
        for dag_id in asset.dag_ids:
            run_id = f"{kind}__{now.isoformat()}"
            self.add_run(
                self.dags[dag_id],
                run_id,
                logical_date=now if self.release < (3,) else None,
                run_after=now,
                data_interval=None,
                conf={},
                note=None,
                run_type=kind,
                triggered_by="asset",
            )
            event.run_ids[dag_id] = run_id
        asset.events.append(event)
        return event

    def pause(self, dag: ScriptedDag, paused: bool) -> None:
        """Pause or unpause a DAG. Runs of a paused DAG stay queued; those under way go on, as in Airflow.

        :param dag: The DAG.
        :param paused: Whether to pause.
        """
        if dag.is_paused and not paused:
            dag.unpaused_at = self.clock.now()
        dag.is_paused = paused

    def end_run(self, run: ScriptedRun, state: str) -> None:
        """Set a run's state by hand, with what Airflow then does to its tasks.

        :param run: The run.
        :param state: ``success``, ``failed``, ``queued`` or ``running``.
        """
        now = self.clock.now()
        if state == "queued":
            self.requeue(run)
            return
        if state == "running":
            self._begin(run, now)
            return
        for task in run.task_instances:
            self._mark(task, state, now)
        run.state, run.end_date = state, now

    def _mark(self, task: ScriptedTaskInstance, state: str, now: datetime) -> None:
        if state == "success" and self.release < (3, 3):
            # Every task becomes a success, whatever it was; from 3.3 on a success is treated as a failure always was.
            if task.state != "success":
                task.end("success", now)
        elif task.state in ("running", "deferred", "up_for_reschedule", "awaiting_input"):
            task.end(state, now)
        elif task.state not in FINISHED_TASK_STATES:
            task.end("skipped", now)

    def requeue(self, run: ScriptedRun) -> None:
        """Queue a run anew.

        :param run: The run.
        """
        run.state, run.queued_at, run.start_date, run.end_date = "queued", self.clock.now(), None, None

    def clear_run(self, run: ScriptedRun, *, only_failed: bool = False) -> list[ScriptedTaskInstance]:
        """Clear a run and queue it anew.

        :param run: The run.
        :param only_failed: Whether tasks that did not fail stay as they are.
        :return: The task instances that were cleared.
        """
        cleared = self.tasks_to_clear(run, only_failed=only_failed)
        for task in cleared:
            task.clear()
        if cleared:
            self.requeue(run)
        return cleared

    @staticmethod
    def tasks_to_clear(run: ScriptedRun, *, only_failed: bool = False) -> list[ScriptedTaskInstance]:
        """Return the task instances that a clear would reach.

        :param run: The run.
        :param only_failed: Whether only those that failed.
        """
        return [task for task in run.task_instances if not only_failed or task.state in ("failed", "upstream_failed")]

    def _live(self, run: ScriptedRun, dag: ScriptedDag, now: datetime) -> None:
        if run.state == "queued":
            if dag.is_paused:
                return
            since = max(run.queued_at, run.run_after, dag.unpaused_at or run.queued_at)
            begins = since + timedelta(seconds=dag.queued_for)
            if now < begins:
                return
            self._begin(run, begins)
        if dag.run_takes is None or run.start_date is None:
            return
        ends = run.start_date + timedelta(seconds=dag.run_takes)
        if now >= ends:
            self._end_by_itself(run, dag, ends)

    @staticmethod
    def _begin(run: ScriptedRun, when: datetime) -> None:
        run.state, run.start_date, run.end_date, run.last_scheduling_decision = "running", when, None, when
        for task in run.task_instances:
            if task.state not in FINISHED_TASK_STATES:
                task.begin(when)

    @staticmethod
    def _end_by_itself(run: ScriptedRun, dag: ScriptedDag, when: datetime) -> None:
        unfinished = [task for task in run.task_instances if task.state not in FINISHED_TASK_STATES]
        for task in unfinished:
            task.end("failed" if dag.run_ends_in == "failed" and task is unfinished[-1] else "success", when)
            if task.state == "success":
                _push(run, task, dag, when)
        run.state, run.end_date, run.last_scheduling_decision = dag.run_ends_in, when, when


def _push(run: ScriptedRun, task: ScriptedTaskInstance, dag: ScriptedDag, when: datetime) -> None:
    pushed = dict(dag.task_pushes.get(task.task_id, {}))
    if task.task_id in dag.task_returns:
        returned = dag.task_returns[task.task_id]
        pushed["return_value"] = returned[task.map_index] if task.map_index >= 0 else returned
    for key, value in pushed.items():
        run.set_xcom(key, value, task.task_id, task.map_index, when)


def pages(rows: Sequence[Any], offset: int, limit: int) -> list[Any]:
    """Return one page of rows.

    :param rows: All rows, sorted.
    :param offset: How many to leave out.
    :param limit: How many at most.
    """
    return list(rows[offset : offset + limit])
