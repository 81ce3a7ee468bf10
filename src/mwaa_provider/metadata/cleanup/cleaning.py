"""The engine: works through the batches with one connection or several, until all is done or it is to end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mwaa_provider.exceptions import CleanupError
from mwaa_provider.metadata.cleanup.pace import Settings, Stop
from mwaa_provider.metadata.cleanup.plan import Plan
from mwaa_provider.metadata.cleanup.removing import PLAIN, Removals
from mwaa_provider.metadata.cleanup.report import Report
from mwaa_provider.metadata.cleanup.work import AgedWork, RunWork

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

log = logging.getLogger(__name__)

#: Is told how far it is: what is being cleaned, and the report so far.
Progress = Callable[[str, Report], None]


def clean(
    engine: Engine,
    plan: Plan,
    settings: Settings | None = None,
    *,
    stop: Stop | None = None,
    progress: Progress | None = None,
    removals: Removals = PLAIN,
    clock: Callable[[], float] = time.monotonic,
) -> Report:
    """Remove what the plan says, in short transactions; nothing of it is kept anywhere but in the database.

    :param engine: Opens connections.
    :param plan: What will be cleaned.
    :param settings: How.
    :param stop: Ends it between two batches.
    :param progress: Is told how far it is.
    :param removals: How rows are removed.
    :param clock: Seconds, for ``max_duration``.
    :raises CleanupError: The database failed. What was removed before is gone; the next run goes on.
    """
    settings, stop = settings or Settings(), stop or Stop()
    report = Report(plan.wanted.before.isoformat())
    began = clock()
    works: list[RunWork | AgedWork] = [RunWork(plan, settings, report, removals=removals)] if plan.run_tables else []
    works += [AgedWork(plan, table, settings, report, removals=removals) for table in plan.aged]
    try:
        for work in works:
            if stop.is_asked:
                break
            before = report.total
            _Crew(engine, work, settings, report, stop, progress, lambda: clock() - began).run()
            if report.total > before:
                log.info("%s: %s rows removed", work.name, f"{report.total - before:,}")
            if stop.is_asked:
                report.stopped, report.reached = stop.why, work.reached
    finally:
        report.seconds = clock() - began
    if stop.is_asked:
        report.stopped = stop.why
    tell(report)
    return report


class _Crew:
    """The connections that share one piece of work."""

    def __init__(
        self,
        engine: Engine,
        work: RunWork | AgedWork,
        settings: Settings,
        report: Report,
        stop: Stop,
        progress: Progress | None,
        passed: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._work = work
        self._settings = settings
        self._report = report
        self._stop = stop
        self._progress = progress
        self._passed = passed
        self._failed: BaseException | None = None

    def run(self) -> None:
        helpers = [
            threading.Thread(target=self._caught, name=f"clean-{number}", daemon=True)
            for number in range(1, self._settings.parallel)
        ]
        for helper in helpers:
            helper.start()
        self._caught()
        for helper in helpers:
            helper.join()
        self._work.finish()
        if isinstance(self._failed, Exception):
            raise CleanupError(
                f"The clean-up failed at {self._work.reached}: {_first_line(self._failed)}. {self._report.total:,} rows were removed "
                "before that; run it again to go on.",
                rows=dict(self._report.rows),
            ) from self._failed
        if self._failed is not None:
            raise self._failed

    def _caught(self) -> None:
        try:
            with connected(self._engine) as connection:
                self._work_through(connection)
        except BaseException as error:
            self._failed = self._failed or error
            self._stop.ask("the clean-up failed")

    def _work_through(self, connection: Connection) -> None:
        limit = self._settings.max_duration
        while not self._stop.is_asked:
            if limit is not None and self._passed() >= limit:
                self._stop.ask(f"max_duration ({limit:g} s) has passed")
                return
            job = self._work.next(connection)
            if job is None:
                return
            job(connection)
            if self._progress is not None:
                self._progress(self._work.reached, self._report)
            self._stop.wait(self._settings.pause_between_batches)


@contextmanager
def connected(engine: Engine) -> Iterator[Connection]:
    """Open a connection, and close it.

    :param engine: Opens it.
    """
    with engine.connect() as connection:
        yield connection


def tell(report: Report) -> None:
    """Log what a clean-up did.

    :param report: The report.
    """
    if report.stopped:
        log.warning(
            "The clean-up ended early: %s. It came to %s; the next run goes on.", report.stopped, report.reached
        )
    if report.left:
        log.warning(
            "%d rows, or ranges of rows, are still there: %s", len(report.left), "; ".join(map(str, report.left[:10]))
        )
    log.info(
        "Removed %s rows in %.1f s and %d transactions, the longest of %.2f s",
        f"{report.total:,}",
        report.seconds,
        report.batches,
        report.longest_batch,
    )


def _first_line(error: BaseException) -> str:
    return (str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__])[0]
