"""A clean-up by `airflow db clean` on its way: table by table, step by step, through what goes wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from mwaa_provider.exceptions import CliCommandError, ThrottledError, UnknownOutcomeError
from mwaa_provider.metadata.cleanup import db_clean
from mwaa_provider.metadata.cleanup.cleaning import Progress
from mwaa_provider.metadata.cleanup.cli_steps import Steps
from mwaa_provider.metadata.cleanup.db_clean import CleanTable
from mwaa_provider.metadata.cleanup.pace import Stop
from mwaa_provider.metadata.cleanup.report import Left, Report
from mwaa_provider.metadata.cleanup.request import CleanupRequest

if TYPE_CHECKING:
    from mwaa_provider.client.cli_answer import CliResult
    from mwaa_provider.client.clock import Clock
    from mwaa_provider.client.mwaa import MwaaClient

log = logging.getLogger(__name__)

#: Seconds that a command may take. AWS says that one that uses the database for more than five minutes may be cut off.
COMMAND_SECONDS = 300.0
#: Seconds to leave to what a lost answer has left running over there, and to an endpoint that is busy.
_BREATH_SECONDS = 15.0
#: Seconds for which a busy endpoint is asked again.
_BUSY_SECONDS = 900.0
#: How many rows one transaction of `airflow db clean` takes, where it can tell that.
_BATCH_SIZE = 10_000
_RULES = "`airflow db clean` did it, by its own rules: see docs/clean-up.md."


@dataclass(frozen=True)
class CliPlan:
    """What will be cleaned, and up to when.

    :param tables: The tables, children first.
    :param cut: The cut-off.
    :param cut_of_runs: That of runs and what hangs on them: nothing younger than the oldest active run goes.
    :param why_earlier: Why that is another one; empty if it is not.
    """

    tables: tuple[CleanTable, ...]
    cut: datetime
    cut_of_runs: datetime
    why_earlier: str = ""

    def cut_for(self, table: CleanTable) -> datetime:
        """Give a table's cut-off.

        :param table: The table.
        """
        return self.cut_of_runs if table.is_of_runs else self.cut


class CliRun:
    """One clean-up on its way.

    :param client: The client.
    :param environment_name: The environment's name.
    :param airflow_version: The release over there.
    :param clock: The clock that commands are timed by.
    :param request: What was asked for.
    :param stop: Ends it between two steps.
    :param wait: Waits so many seconds (default: for those, or until it is to end).
    """

    def __init__(
        self,
        client: MwaaClient,
        environment_name: str,
        airflow_version: str,
        clock: Clock,
        request: CleanupRequest,
        stop: Stop,
        wait: Callable[[float], None] | None = None,
    ) -> None:
        self._client = client
        self._environment_name = environment_name
        self._version = airflow_version
        self._clock = clock
        self._request = request
        self._stop = stop
        self._began = clock.monotonic()
        self._doubts = 0
        self._wait = wait or stop.wait
        self.report = Report(request.wanted.before.isoformat())
        self.reached = "its beginning"

    def count(self, plan: CliPlan) -> dict[str, int | None]:
        """Count the rows of each table that is there; ``None`` where that did not come to an end.

        :param plan: What will be cleaned.
        """
        counts: dict[str, int | None] = {}
        cuts = {plan.cut_for(table) for table in plan.tables}
        for cut in sorted(cuts):
            names = [table.name for table in plan.tables if plan.cut_for(table) == cut]
            found = self._counted(names, cut)
            if found is None:
                for name in names:
                    found = self._counted([name], cut)
                    counts |= {name: None} if found is None else {one: found[one] for one in (name,) if one in found}
            else:
                counts |= {name: found[name] for name in names if name in found}
        return counts

    def work_through(self, look: Callable[[], CliPlan], begin: datetime, progress: Progress | None) -> None:
        """Do one table after the other.

        :param look: Tells what will be cleaned; before each step, for a run may have become active.
        :param begin: Where the oldest rows are, about.
        :param progress: Is told how far it is.
        """
        plan = look()
        if plan.why_earlier:
            log.warning("%s", plan.why_earlier)
        counts = self.count(plan)
        named = self._request.wanted.tables or ()
        self.report.notes += [_RULES, *([f"{plan.why_earlier}."] if plan.why_earlier else [])]
        self.report.notes += [f"There is no table {name!r} over there." for name in named if name not in counts]
        for table in plan.tables:
            if counts.get(table.name, 0) != 0 and not self._is_to_end():
                before = self.report.total
                self._work_on(table, Steps(begin, plan.cut_for(table), counts[table.name]), look, progress)
                if self.report.total > before:
                    log.info("%s: %s rows removed", table.name, f"{self.report.total - before:,}")
        self.report.seconds = self._clock.monotonic() - self._began
        self.report.stopped = self._stop.why
        self.report.reached = self.reached if self.report.stopped else ""
        if self._doubts:
            self.report.notes.append(
                f"{self._doubts} answers of the CLI endpoint were lost. What their commands removed is not counted in rows."
            )

    def _work_on(self, table: CleanTable, steps: Steps, look: Callable[[], CliPlan], progress: Progress | None) -> None:
        while not steps.is_end and not self._is_to_end():
            if table.is_of_runs:
                steps.limit(look().cut_of_runs)
            target = steps.target
            self.reached = f"{table.name}, older than {target.isoformat()}"
            began = self._clock.monotonic()
            why, said = self._step([table.name], target)
            seconds = self._clock.monotonic() - began
            if not why and (said is None or table.name not in said.done):
                why = "`airflow db clean` could not clean it, or was ended before it was done"
            if said is not None and table.name in said.missing:
                return
            if said is not None:
                self.report.add({name: said.rows[name] for name in said.done if said.rows[name]}, seconds)
            if why:
                log.warning("%s: a step to %s did not come to its end: %s", table.name, target.isoformat(), why)
                if not steps.failed():
                    self.report.left.append(Left(table.name, f"older than {target.isoformat()}", why))
                    return
                self._wait(_BREATH_SECONDS)
                continue
            steps.done(seconds)
            log.info("%s: older than %s is gone, in %.0f s", table.name, target.isoformat(), seconds)
            if progress is not None:
                progress(self.reached, self.report)
            self._wait(self._request.settings.pause_between_batches)

    def _step(self, tables: Sequence[str], before: datetime) -> tuple[str, db_clean.Said | None]:
        """Do one step; tell what went wrong, and what it printed."""
        line = db_clean.command(
            self._request.wanted,
            tables,
            before,
            self._version,
            batch_size=self._request.settings.batch_size or _BATCH_SIZE,
        )
        try:
            return "", db_clean.read(self._sent(line))
        except UnknownOutcomeError as error:
            self._doubts += 1
            return str(error), None
        except CliCommandError as error:
            return _last_line(error), None

    def _counted(self, tables: Sequence[str], before: datetime) -> dict[str, int] | None:
        line = db_clean.command(self._request.wanted, tables, before, self._version, dry_run=True)
        try:
            return db_clean.read(self._sent(line, is_idempotent=True)).rows
        except CliCommandError as error:
            if "No tables selected" in str(error):  # it knows none of them
                return {}
            log.warning("%s could not be counted: %s", ", ".join(tables), _last_line(error))
        except UnknownOutcomeError as error:
            log.warning("%s could not be counted: %s", ", ".join(tables), error)
        return None

    def _sent(self, line: Sequence[str], *, is_idempotent: bool = False) -> CliResult:
        until = self._clock.monotonic() + _BUSY_SECONDS
        while True:
            try:
                return self._client.run_cli(
                    self._environment_name, line, timeout=COMMAND_SECONDS, is_idempotent=is_idempotent
                )
            except ThrottledError:
                if self._is_to_end() or self._clock.monotonic() > until:
                    raise
                log.warning("The CLI endpoint of environment %s is busy", self._environment_name)
                self._wait(_BREATH_SECONDS)

    def _is_to_end(self) -> bool:
        limit = self._request.settings.max_duration
        if limit is not None and self._clock.monotonic() - self._began >= limit:
            self._stop.ask(f"max_duration ({limit:g} s) has passed")
        return self._stop.is_asked


def _last_line(error: CliCommandError) -> str:
    said = (error.stderr.strip() or error.stdout.strip() or str(error)).splitlines()
    return said[-1][:500] if said else "it printed nothing"
