"""The batches of runs, and those of a table by age: which is next, and what becomes of one that something stands in the way of."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from mwaa_provider.metadata.cleanup import aged_batches, run_batches
from mwaa_provider.metadata.cleanup.aged_batches import Key
from mwaa_provider.metadata.cleanup.pace import Pace, Settings
from mwaa_provider.metadata.cleanup.plan import AgedTable, Plan
from mwaa_provider.metadata.cleanup.removing import PLAIN, Removals
from mwaa_provider.metadata.cleanup.report import Left, Report
from mwaa_provider.metadata.cleanup.rules import RUNS, TASKS
from mwaa_provider.metadata.cleanup.sessions import BatchBlockedError, batch
from mwaa_provider.metadata.cleanup.waiting import Job, Place, WaitingBatches

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

#: The most task instances, or rows by age, that a batch takes; what it holds of them in memory is small.
MOST_TASKS, MOST_ROWS = 20_000, 50_000
#: What the work on runs is called; that on a table by age is called as the table.
RUN_WORK = "runs"


class RunWork:
    """Runs with all that hangs on them.

    :param plan: What will be cleaned.
    :param settings: How.
    :param report: Is told of every batch.
    :param place: Where to begin.
    :param tries_again: Whether what is locked is tried once more when all else is done (default true); else it is listed at once.
    :param removals: How rows are removed.
    """

    name = RUN_WORK

    def __init__(
        self,
        plan: Plan,
        settings: Settings,
        report: Report,
        place: Place | None = None,
        *,
        tries_again: bool = True,
        removals: Removals = PLAIN,
    ) -> None:
        place = place or Place()
        self._removals = removals
        self._plan = plan
        self._settings = settings
        self._report = report
        self._pace = Pace(settings.batch_size or MOST_TASKS, settings.batch_seconds, place.rows or 1000)
        self._waiting = WaitingBatches(report)
        self._lock = threading.Lock()
        self._newest: list[int] | None = None
        self._after, self._is_end = int(place.after[0]) if place.after else -1, False
        self._tasks_per_run = place.per_run
        self._tries_again = tries_again

    @property
    def reached(self) -> str:
        """How far it is, for people."""
        return f"dag_run, id {max(self._after, 0)}"

    @property
    def place(self) -> Place:
        """Where it is, when no batch is under way and none was split."""
        return Place(None if self._after < 0 else (str(self._after),), self._pace.rows, self._tasks_per_run)

    @property
    def is_split(self) -> bool:
        """Whether parts of a batch that was split wait to be done."""
        return self._waiting.has_next

    def next(self, connection: Connection) -> Job | None:
        """Give the next batch; ``None`` at the end.

        :param connection: Finds it.
        """
        while True:
            if job := self._waiting.take():
                return job
            with self._lock:
                if self._is_end:
                    return self._waiting.take_again()
                most = self._pace.rows
                with batch(connection, self._settings.limits, by_index=True):
                    if self._newest is None:
                        self._newest = run_batches.newest_runs(connection, self._plan)
                    found = run_batches.next_runs(
                        connection, self._plan, self._newest, self._after, most, self._tasks_per_run
                    )
                self._after, self._is_end = found.after, found.is_end
            if found.ids:
                ids = found.ids
                return self._job(ids, most, is_last=not self._tries_again)

    def finish(self) -> None:
        """List what was put back and not tried once more."""
        self._waiting.finish()

    def _job(self, ids: tuple[int, ...], most: int, *, is_last: bool = False) -> Job:
        return lambda connection: self._clean(connection, ids, most, is_last=is_last)

    def _clean(self, connection: Connection, ids: tuple[int, ...], most: int, *, is_last: bool) -> None:
        began = time.monotonic()
        try:
            with self._removals.begin() as removal, batch(connection, self._settings.limits, by_index=True):
                done = run_batches.clean_runs(connection, self._plan, self._newest or [], ids, most, removal)
                removal.finish(connection)
        except BatchBlockedError as blocked:
            self._split(ids, most, blocked, is_last=is_last)
            return
        seconds = time.monotonic() - began
        self._report.add(done.rows, seconds, done.kept)
        seconds -= removal.waited
        tasks = done.rows.get(TASKS, 0)
        if tasks:
            self._tasks_per_run = 0.5 * self._tasks_per_run + 0.5 * tasks / len(ids)
        self._pace.learn(most, seconds, is_full=done.is_partial or tasks >= most // 2)
        for one in done.put_back:
            self._put_back(one, most, "locked by another transaction", is_last=is_last)
        if done.is_partial:
            self._waiting.do_next(self._job(ids, self._pace.rows, is_last=is_last))

    def _split(self, ids: tuple[int, ...], most: int, blocked: BatchBlockedError, *, is_last: bool) -> None:
        if len(ids) > 1:
            middle = len(ids) // 2
            self._waiting.do_next(
                self._job(ids[:middle], most, is_last=is_last), self._job(ids[middle:], most, is_last=is_last)
            )
        elif blocked.is_slow and most > 1:
            self._pace.learn(most, self._settings.batch_seconds * 4)
            self._waiting.do_next(self._job(ids, max(1, most // 4), is_last=is_last))
        else:
            self._put_back(ids[0], most, blocked.why, is_last=is_last)

    def _put_back(self, one: int, most: int, why: str, *, is_last: bool) -> None:
        self._waiting.put_back(Left(RUNS, str(one), why), None if is_last else self._job((one,), most, is_last=True))


class AgedWork:
    """A table whose rows go by an age of their own.

    :param plan: What will be cleaned.
    :param table: The table.
    :param settings: How.
    :param report: Is told of every batch.
    :param place: Where to begin.
    :param tries_again: Whether what is locked is tried once more when all else is done (default true); else it is listed at once.
    :param removals: How rows are removed.
    """

    def __init__(
        self,
        plan: Plan,
        table: AgedTable,
        settings: Settings,
        report: Report,
        place: Place | None = None,
        *,
        tries_again: bool = True,
        removals: Removals = PLAIN,
    ) -> None:
        place = place or Place()
        self._removals = removals
        self.name = table.name
        self._plan = plan
        self._table = table
        self._settings = settings
        self._report = report
        self._pace = Pace(settings.batch_size or MOST_ROWS, settings.batch_seconds, start=place.rows or 5000)
        self._waiting = WaitingBatches(report)
        self._lock = threading.Lock()
        self._after: Key | None = place.after
        self._is_end = False
        self._tries_again = tries_again

    @property
    def reached(self) -> str:
        """How far it is, for people."""
        key = ", ".join(f"{column} {value}" for column, value in zip(self._table.key, self._after or (), strict=False))
        return f"{self.name}, {key or 'its beginning'}"

    @property
    def place(self) -> Place:
        """Where it is, when no batch is under way and none was split."""
        return Place(self._after, self._pace.rows)

    @property
    def is_split(self) -> bool:
        """Whether parts of a batch that was split wait to be done."""
        return self._waiting.has_next

    def next(self, connection: Connection) -> Job | None:
        """Give the next batch; ``None`` at the end.

        :param connection: Finds it.
        """
        if job := self._waiting.take():
            return job
        with self._lock:
            if self._is_end:
                return self._waiting.take_again()
            count, after = self._pace.rows, self._after
            with batch(connection, self._settings.limits, by_index=True):
                up_to, self._is_end = aged_batches.next_key(connection, self._plan, self._table, after, count)
            if up_to is None:
                return self._waiting.take_again()
            self._after = up_to
        return self._job(after, up_to, count, is_last=not self._tries_again)

    def finish(self) -> None:
        """List what was put back and not tried once more."""
        self._waiting.finish()

    def _job(self, after: Key | None, up_to: Key, count: int, *, is_last: bool = False) -> Job:
        return lambda connection: self._clean(connection, after, up_to, count, is_last=is_last)

    def _clean(self, connection: Connection, after: Key | None, up_to: Key, count: int, *, is_last: bool) -> None:
        began = time.monotonic()
        skipped = 0
        try:
            with self._removals.begin() as removal, batch(connection, self._settings.limits):
                gone = aged_batches.clean_range(connection, self._plan, self._table, after, up_to, removal)
                removal.finish(connection)
        except BatchBlockedError as first:
            try:
                began = time.monotonic()
                with self._removals.begin() as removal, batch(connection, self._settings.limits):
                    gone, skipped = aged_batches.clean_range_around_locks(
                        connection, self._plan, self._table, after, up_to, removal
                    )
                    removal.finish(connection)
            except BatchBlockedError as blocked:
                self._split(connection, after, up_to, count, blocked if blocked.is_slow else first, is_last=is_last)
                return
        seconds = time.monotonic() - began
        self._report.add({self.name: gone} if gone else {}, seconds)
        self._pace.learn(count, seconds - removal.waited)
        if skipped:
            why = f"{skipped} rows up to this key are locked by another transaction"
            self._put_back(after, up_to, count, why, is_last=is_last)

    def _split(
        self,
        connection: Connection,
        after: Key | None,
        up_to: Key,
        count: int,
        blocked: BatchBlockedError,
        *,
        is_last: bool,
    ) -> None:
        self._pace.learn(count, self._settings.batch_seconds * 2)
        try:
            with batch(connection, self._settings.limits):
                middle = aged_batches.middle_key(connection, self._plan, self._table, after, up_to)
        except BatchBlockedError:
            middle = None
        if middle is None:
            self._put_back(after, up_to, count, blocked.why, is_last=is_last)
        else:
            half = max(1, count // 2)
            self._waiting.do_next(
                self._job(after, middle, half, is_last=is_last), self._job(middle, up_to, half, is_last=is_last)
            )

    def _put_back(self, after: Key | None, up_to: Key, count: int, why: str, *, is_last: bool) -> None:
        again = None if is_last else self._job(after, up_to, count, is_last=True)
        self._waiting.put_back(Left(self.name, ", ".join(up_to), why), again)
