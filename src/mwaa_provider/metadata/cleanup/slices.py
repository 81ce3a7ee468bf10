"""A clean-up in short slices, with nothing kept in between: whoever has the place where one ended can go on from there."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mwaa_provider.metadata.cleanup.pace import Settings
from mwaa_provider.metadata.cleanup.plan import Plan
from mwaa_provider.metadata.cleanup.removing import PLAIN, Removals
from mwaa_provider.metadata.cleanup.report import Report
from mwaa_provider.metadata.cleanup.sessions import BatchBlockedError
from mwaa_provider.metadata.cleanup.waiting import Place
from mwaa_provider.metadata.cleanup.work import RUN_WORK, AgedWork, RunWork

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


@dataclass(frozen=True)
class Slice:
    """What a slice did, and where to go on.

    :param report: What it did.
    :param place: Where to go on.
    :param is_end: Whether there is nothing left to do there.
    :param reached: How far it is, for people.
    """

    report: Report
    place: Place
    is_end: bool
    reached: str


def works_of(plan: Plan) -> tuple[str, ...]:
    """Name the pieces of work of a plan, in their order.

    :param plan: What will be cleaned.
    """
    return (*((RUN_WORK,) if plan.run_tables else ()), *(table.name for table in plan.aged))


def clean_slice(
    connection: Connection,
    plan: Plan,
    settings: Settings,
    name: str,
    place: Place,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    removals: Removals = PLAIN,
) -> Slice:
    """Work on one piece of work for some seconds, one batch at least; it can be made twice, or by two at once.

    A batch that was split and is not done in time is left where it is, and the next slice begins before it with fewer rows. So each slice
    removes something, comes further, or has a smaller batch before it.

    :param connection: The connection; nothing may be under way in it.
    :param plan: What will be cleaned.
    :param settings: How.
    :param name: The piece of work, one of :func:`works_of`.
    :param place: Where to begin.
    :param seconds: After so many no further batch begins.
    :param clock: Seconds.
    :param removals: How rows are removed.
    :raises BatchBlockedError: Something stands in the way of finding the first batch.
    """
    report = Report(plan.wanted.before.isoformat())
    work = _work(plan, settings, report, name, place, removals)
    until = clock() + seconds
    while True:
        begin, left, kept = work.place, len(report.left), report.kept_runs
        try:
            job = work.next(connection)
        except BatchBlockedError:
            if not report.batches:
                raise
            return Slice(report, begin, is_end=False, reached=work.reached)
        if job is None:
            return Slice(report, work.place, is_end=True, reached=work.reached)
        job(connection)
        # The smallest batch is done to its end, unless something went: else nothing would ever change.
        while work.is_split and (clock() < until or (begin.rows == 1 and not report.total)):
            part = work.next(connection)
            assert part is not None  # noqa: S101 - one waits
            part(connection)
        if work.is_split:
            del report.left[left:]
            report.kept_runs = kept
            return Slice(
                report, replace(begin, rows=max(1, (begin.rows or 4) // 4)), is_end=False, reached=work.reached
            )
        if clock() >= until:
            return Slice(report, work.place, is_end=False, reached=work.reached)


def _work(
    plan: Plan, settings: Settings, report: Report, name: str, place: Place, removals: Removals
) -> RunWork | AgedWork:
    if name == RUN_WORK:
        return RunWork(plan, settings, report, place, tries_again=False, removals=removals)
    table = next(table for table in plan.aged if table.name == name)
    return AgedWork(plan, table, settings, report, place, tries_again=False, removals=removals)
