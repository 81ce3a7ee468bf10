"""The road through the metadata API: a clean-up that an environment's own web server does, in short requests."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mwaa_provider.exceptions import CleanupError, InvalidInputError, MetadataApiOffError, MwaaError
from mwaa_provider.metadata.api.client import MetadataApi, TooLargeError
from mwaa_provider.metadata.cleanup.aftercare import TableSize, note_of_leftovers, sizes_told
from mwaa_provider.metadata.cleanup.api_archive import ApiArchive
from mwaa_provider.metadata.cleanup.archive_target import Target
from mwaa_provider.metadata.cleanup.cleaning import Progress, tell
from mwaa_provider.metadata.cleanup.pace import Settings, Stop
from mwaa_provider.metadata.cleanup.plan import Wanted
from mwaa_provider.metadata.cleanup.preview import Preview, TablePreview, joined
from mwaa_provider.metadata.cleanup.preview import tell as tell_preview
from mwaa_provider.metadata.cleanup.report import Left, Report
from mwaa_provider.metadata.cleanup.request import CleanupRequest
from mwaa_provider.metadata.cleanup.waiting import Place

if TYPE_CHECKING:
    from mwaa_provider.client.clock import Clock
    from mwaa_provider.client.mwaa import MwaaClient

log = logging.getLogger(__name__)


class ApiCleaner:
    """Cleans an environment's metadata database by its metadata API.

    Every request is short and may be sent twice, so that a lost answer, a busy or a restarted web server costs time and no more.

    :param client: The client.
    :param environment_name: The environment's name.
    :param archive_to: Where what goes is archived (default: nowhere).
    :param clock: The clock to pause by while the web server does not answer.
    :raises MetadataApiOffError: if the web server has no metadata API, or one that only reads.
    :raises MwaaError: if it does not answer, or does not admit the caller.
    """

    road = "metadata_api"

    def __init__(
        self, client: MwaaClient, environment_name: str, archive_to: Target | None = None, *, clock: Clock | None = None
    ) -> None:
        self._archive_to = archive_to
        self._api = MetadataApi(client, environment_name, clock=clock)
        self._facts = self._api.facts()
        if self._facts.get("cleanup") is not True:
            raise MetadataApiOffError(
                f"The metadata API of environment {environment_name!r} only reads. Set the Airflow configuration option "
                "mwaa_provider.metadata_api_cleanup to True there, beside mwaa_provider.metadata_api: see docs/clean-up.md.",
                environment_name=environment_name,
            )

    def check(self, wanted: Wanted, *, is_dry_run: bool = False) -> None:
        """Find out whether it can be cleaned.

        :param wanted: Which rows.
        :param is_dry_run: Whether nothing is to be removed.
        :raises InvalidInputError: naming every table that cannot be cleaned and every right that is missing.
        """
        self._plan(wanted, is_dry_run=is_dry_run)

    def clean(self, request: CleanupRequest, stop: Stop | None = None, progress: Progress | None = None) -> Report:
        """Clean.

        :param request: What was asked for.
        :param stop: Ends it between two requests.
        :param progress: Is told how far it is.
        :raises InvalidInputError: naming everything that cannot be cleaned; nothing was removed.
        :raises CleanupError: The web server failed half-way.
        """
        plan = self._plan(request.wanted)
        log.info("Rows older than %s go from %s", request.wanted.before.isoformat(), ", ".join(plan["tables"]))
        archive = self._archive(request.wanted)
        run = _Run(self._api, request, stop or Stop(), progress, archive)
        try:
            stays = plan["not_archived"] if archive is not None else []
            if stays:
                run.report.notes.append(
                    f"Not cleaned: {', '.join(stays)}. The metadata API never serves such rows, so they cannot be archived."
                )
            run.work_through([work for work in plan["works"] if work not in stays])
            self._take_care(request, run.report, plan)
        except (MwaaError, TooLargeError) as error:
            raise CleanupError(
                f"The clean-up failed at {run.reached}: {error} {run.report.total:,} rows were removed before that; run it again to "
                "go on.",
                rows=dict(run.report.rows),
            ) from error
        finally:
            run.end()
            if archive is not None:
                archive.close()
                run.report.archive, run.report.notes = archive.address, [*archive.notes, *run.report.notes]
        tell(run.report)
        return run.report

    def preview(self, request: CleanupRequest) -> Preview:
        """Tell what would go, and write nothing; each table at a moment of its own.

        :param request: What was asked for.
        :raises InvalidInputError: naming everything that cannot be cleaned.
        :raises CleanupError: A table takes the web server too long.
        """
        plan = self._plan(request.wanted, is_dry_run=True)
        before = request.wanted.before.isoformat()
        parts = []
        for table in dict.fromkeys(plan["tables"]):
            try:
                told = self._api.ask("/cleanup/count", {**_said(request.wanted), "table": table})
            except TooLargeError as error:
                raise CleanupError(
                    f"{table} has too many rows for the web server to count them in its time ({error}). Nothing was removed. Leave the "
                    "table out of the dry run, or take route='database'.",
                    rows={},
                ) from error
            tables = {name: TablePreview(**one) for name, one in told["tables"].items()}
            parts.append(Preview(before, tables, told["stays"], {}, told["seconds"]))
        found = joined(parts, before, plan["not_cleaned"])
        tell_preview(found)
        return found

    def _plan(self, wanted: Wanted, *, is_dry_run: bool = False) -> dict[str, Any]:
        problems = self._archive_to.check() if self._archive_to is not None and not is_dry_run else []
        try:
            plan = self._api.ask("/cleanup/plan", {**_said(wanted), "dry_run": is_dry_run})
        except InvalidInputError as error:
            raise InvalidInputError([*error.facts["problems"], *problems]) from error
        if problems:
            raise InvalidInputError(problems)
        return plan

    def _archive(self, wanted: Wanted) -> ApiArchive | None:
        if self._archive_to is None:
            return None
        archive = ApiArchive(self._archive_to, wanted.before, self._api, self._facts)
        archive.settle()
        return archive

    def _take_care(self, request: CleanupRequest, report: Report, plan: Mapping[str, Any]) -> None:
        """Do what follows a clean-up; one that was ended early leaves it."""
        lost = [table for table in plan["sizes"] if report.rows.get(table)]
        if not report.stopped:
            for table in lost if request.analyze else ():
                report.notes += self._api.ask("/cleanup/analyze", {"table": table})["notes"]
            for table in plan["leftovers"] if request.drop_leftovers else ():
                told = self._api.ask("/cleanup/drop", {"table": table})
                report.dropped += told["dropped"]
                report.notes += told["notes"]
            if request.vacuum:
                report.notes.append(
                    "VACUUM was left out: it takes longer than a request may. PostgreSQL vacuums by itself in time."
                )
        if plan["leftovers"] and not (request.drop_leftovers and not report.stopped):
            report.notes.append(note_of_leftovers(plan["leftovers"]))
        if lost and not report.stopped:
            now = self._plan(request.wanted)["sizes"]
            report.sizes = sizes_told(_sizes(plan["sizes"]), _sizes({table: now[table] for table in lost}))


class _Run:
    """One clean-up on its way."""

    def __init__(
        self,
        api: MetadataApi,
        request: CleanupRequest,
        stop: Stop,
        progress: Progress | None,
        archive: ApiArchive | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._wanted = _said(request.wanted)
        self._settings = request.settings
        self._stop = stop
        self._archive = archive
        self._progress = progress
        self._clock = clock
        self._began = clock()
        self._in_doubt = api.times_in_doubt
        self.report = Report(request.wanted.before.isoformat())
        self.reached = "its beginning"
        if request.settings.parallel > 1:
            self.report.notes.append("parallel was left out: the web server is asked for one batch at a time.")

    def work_through(self, works: list[str]) -> None:
        """Do one piece of work after the other; what was locked is tried once more when all else is done."""
        left: dict[str, list[Left]] = {}
        for work in works:
            before = self.report.total
            left[work] = self._work_on(work)
            if self.report.total > before:
                log.info("%s: %s rows removed", work, f"{self.report.total - before:,}")
        for work in [work for work in works if left[work]]:
            if not self._is_to_end():
                again = self._work_on(work, is_again=True)
                left[work] = again if not self._stop.is_asked else left[work]
        self.report.left += [one for work in works for one in left[work]]
        self.report.stopped = self._stop.why
        self.report.reached = self.reached if self.report.stopped else ""

    def end(self) -> None:
        """Sum up."""
        self.report.seconds = self._clock() - self._began
        if doubts := self._api.times_in_doubt - self._in_doubt:
            self.report.notes.append(
                f"{doubts} answers of the web server were lost. Their batches were asked for again; what had been removed by then is not "
                "counted in rows."
            )

    def _work_on(self, work: str, *, is_again: bool = False) -> list[Left]:
        place, left = Place(), []
        while not self._is_to_end():
            question = {**self._wanted, **self._how(), **_placed(work, place)}
            told = self._api.ask("/cleanup/batch", question) if self._archive is None else self._archive.next(question)
            place = Place(
                None if told["place"]["after"] is None else tuple(told["place"]["after"]),
                told["place"]["rows"],
                told["place"]["per_run"],
            )
            self.reached = told["reached"]
            self.report.add_many(
                told["rows"], told["batches"], told["longest_batch"], 0 if is_again else told["kept_runs"]
            )
            left += [Left(**one) for one in told["left"]]
            if self._progress is not None:
                self._progress(self.reached, self.report)
            if told["is_end"]:
                return left
            self._stop.wait(self._settings.pause_between_batches)
        return left

    def _is_to_end(self) -> bool:
        limit = self._settings.max_duration
        if limit is not None and self._clock() - self._began >= limit:
            self._stop.ask(f"max_duration ({limit:g} s) has passed")
        return self._stop.is_asked

    def _how(self) -> dict[str, Any]:
        settings: Settings = self._settings
        limit = settings.max_duration
        # With pauses in between each request does one batch; else as many as fit into its time, which the web server limits.
        seconds = 0.0 if settings.pause_between_batches else None
        if seconds is None and limit is not None:
            seconds = max(0.0, limit - (self._clock() - self._began))
        return {
            "batch_size": settings.batch_size,
            "statement_timeout": settings.limits.statement,
            "lock_timeout": settings.limits.lock,
            "seconds": seconds,
        }


def _said(wanted: Wanted) -> dict[str, Any]:
    return {
        "before": wanted.before.isoformat(),
        "tables": _listed(wanted.tables),
        "dag_ids": _listed(wanted.dag_ids),
        "exclude_dag_ids": _listed(wanted.exclude_dag_ids),
    }


def _placed(work: str, place: Place) -> dict[str, Any]:
    return {"work": work, **asdict(place), "after": _listed(place.after)}


def _listed(of: tuple[str, ...] | None) -> list[str] | None:
    return None if of is None else list(of)


def _sizes(told: Mapping[str, Mapping[str, int]]) -> dict[str, TableSize]:
    return {table: TableSize(**one) for table, one in told.items()}
