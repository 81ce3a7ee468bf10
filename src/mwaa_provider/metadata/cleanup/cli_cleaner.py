"""The road through the CLI endpoint: `airflow db clean` over there, table by table and step by step, where nothing of ours is installed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mwaa_provider.client.clock import Clock, SystemClock
from mwaa_provider.exceptions import CleanupError, InvalidInputError, MwaaError
from mwaa_provider.metadata.cleanup import db_clean
from mwaa_provider.metadata.cleanup.cleaning import Progress, tell
from mwaa_provider.metadata.cleanup.cli_run import CliPlan, CliRun
from mwaa_provider.metadata.cleanup.pace import Stop
from mwaa_provider.metadata.cleanup.plan import Wanted
from mwaa_provider.metadata.cleanup.preview import Preview, TablePreview
from mwaa_provider.metadata.cleanup.preview import tell as tell_preview
from mwaa_provider.metadata.cleanup.report import Report
from mwaa_provider.metadata.cleanup.request import CleanupRequest

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient

#: Where the oldest rows are believed to be if there are no runs.
_A_YEAR = timedelta(days=365)


class CliCleaner:
    """Cleans an environment's metadata database by its CLI endpoint.

    Rows of active runs stay: `airflow db clean` would remove the old ones among them, so nothing of runs goes that is younger than the
    oldest active run. All else is by its own rules.

    :param client: The client.
    :param environment_name: The environment's name.
    :param clock: The clock that commands are timed by.
    :param wait: Waits so many seconds (default: for those, or until it is to end).
    :raises MwaaError: if its REST API does not answer: without it nobody knows which runs are active.
    """

    road = "cli"

    def __init__(
        self,
        client: MwaaClient,
        environment_name: str,
        *,
        clock: Clock | None = None,
        wait: Callable[[float], None] | None = None,
    ) -> None:
        self._client = client
        self._environment_name = environment_name
        self._clock = clock or SystemClock()
        self._wait = wait
        self._version = client.get_version(environment_name)

    def check(self, wanted: Wanted, *, is_dry_run: bool = False) -> None:
        """Find out whether it can be cleaned.

        :param wanted: Which rows.
        :param is_dry_run: Whether nothing is to be removed; the same can be counted that can be cleaned.
        :raises InvalidInputError: naming every table that `airflow db clean` of that release does not clean.
        """
        _, problems = db_clean.tables_of(wanted, self._version)
        if problems:
            raise InvalidInputError(problems)

    def clean(self, request: CleanupRequest, stop: Stop | None = None, progress: Progress | None = None) -> Report:
        """Clean.

        :param request: What was asked for.
        :param stop: Ends it between two steps.
        :param progress: Is told how far it is.
        :raises InvalidInputError: naming everything that cannot be cleaned; nothing was removed.
        :raises CleanupError: The CLI endpoint failed half-way.
        """
        self.check(request.wanted)
        run = self._run(request, stop or Stop())
        try:
            run.work_through(lambda: self._plan(request.wanted), self._begin(request.wanted), progress)
        except MwaaError as error:
            raise CleanupError(
                f"The clean-up failed at {run.reached}: {error} {run.report.total:,} rows were removed before that; run it again to "
                "go on.",
                rows=dict(run.report.rows),
            ) from error
        tell(run.report)
        return run.report

    def preview(self, request: CleanupRequest) -> Preview:
        """Tell what would go, and write nothing.

        :param request: What was asked for.
        :raises InvalidInputError: naming everything that cannot be cleaned.
        :raises CleanupError: The CLI endpoint did not count in its time.
        """
        self.check(request.wanted, is_dry_run=True)
        run = self._run(request, Stop())
        plan = self._plan(request.wanted)
        counts = run.count(plan)
        missing = [table for table, count in counts.items() if count is None]
        if missing:
            raise CleanupError(
                f"`airflow db clean --dry-run` did not come to an end for {', '.join(missing)}. Nothing was removed.",
                rows={},
            )
        stays = {plan.why_earlier: 1} if plan.why_earlier else {}
        tables = {table: TablePreview(count or 0) for table, count in counts.items()}
        seconds = sum(20.0 + (count or 0) / 10_000 for count in counts.values() if count)
        found = Preview(request.wanted.before.isoformat(), tables, stays, {}, seconds)
        tell_preview(found)
        return found

    def _plan(self, wanted: Wanted) -> CliPlan:
        tables, _ = db_clean.tables_of(wanted, self._version)
        cut, why = wanted.before, ""
        active = self._client.list_dag_runs(self._environment_name, wanted.dag_ids, states=("queued", "running"))
        for run in (one for one in active if one.dag_id not in (wanted.exclude_dag_ids or ())):
            # Tasks of a run that was cleared began before it began anew.
            begins = [moment for moment in (run.start_date, run.logical_date, run.run_after) if moment is not None]
            if begins and min(begins) < cut:
                cut = min(begins)
                why = (
                    f"Of runs only what is older than {cut.isoformat()} goes: run {run.run_id!r} of {run.dag_id!r} is active, and "
                    "`airflow db clean` would remove its rows"
                )
        return CliPlan(tables, wanted.before, cut, why)

    def _run(self, request: CleanupRequest, stop: Stop) -> CliRun:
        return CliRun(self._client, self._environment_name, self._version, self._clock, request, stop, self._wait)

    def _begin(self, wanted: Wanted) -> datetime:
        """Tell where the oldest rows are, about."""
        for run in self._client.list_dag_runs(self._environment_name, order_by="start_date"):
            if run.start_date is not None:
                return run.start_date
        return wanted.before - _A_YEAR
