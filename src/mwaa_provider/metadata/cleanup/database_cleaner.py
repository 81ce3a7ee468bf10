"""The road through the database: a clean-up by this process's own connections."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mwaa_provider.exceptions import InvalidInputError, MetadataDatabaseError
from mwaa_provider.metadata.catalog import Catalog
from mwaa_provider.metadata.cleanup.aftercare import (
    TableSize,
    analyze,
    drop_leftovers,
    leftovers,
    note_of_leftovers,
    sizes_of,
    sizes_told,
)
from mwaa_provider.metadata.cleanup.archive import Archive
from mwaa_provider.metadata.cleanup.archive_settling import settle
from mwaa_provider.metadata.cleanup.archive_target import Target
from mwaa_provider.metadata.cleanup.cleaning import Progress, clean
from mwaa_provider.metadata.cleanup.pace import Stop
from mwaa_provider.metadata.cleanup.plan import Plan, Wanted, try_plan
from mwaa_provider.metadata.cleanup.preview import Preview, preview, tell
from mwaa_provider.metadata.cleanup.removing import PLAIN
from mwaa_provider.metadata.cleanup.report import Report
from mwaa_provider.metadata.cleanup.request import CleanupRequest
from mwaa_provider.metadata.cleanup.rights import missing_rights
from mwaa_provider.metadata.cleanup.schema import Schema
from mwaa_provider.metadata.database import MetadataDatabase

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

log = logging.getLogger(__name__)


class DatabaseCleaner:
    """Cleans by a way to the database.

    :param database: The way.
    :param archive_to: Where what goes is archived (default: nowhere).
    :raises MetadataDatabaseError: It does not lead there, or there are no tables of Airflow.
    """

    road = "database"

    def __init__(self, database: MetadataDatabase, archive_to: Target | None = None) -> None:
        self._database = database
        self._archive_to = archive_to
        with database.snapshot() as connection:
            self.schema = Schema.read(connection, database.schema)
        if "dag_run" not in self.schema.columns:
            raise MetadataDatabaseError(
                f"{database.origin} leads to a database without Airflow's tables (no table 'dag_run' in schema {self.schema.name!r}).",
                origin=database.origin,
            )

    def plan(self, wanted: Wanted, *, is_dry_run: bool = False) -> Plan:
        """Find out what will be cleaned, and whether it may be.

        :param wanted: Which rows.
        :param is_dry_run: Whether nothing is to be removed, so that reading is enough.
        :raises InvalidInputError: naming every table that cannot be cleaned and every right that is missing, on the archive too.
        """
        plan, problems = try_plan(self.schema, wanted)
        if not is_dry_run:
            with self._database.snapshot() as connection:
                problems += missing_rights(connection, plan)
            problems += self._archive_to.check() if self._archive_to is not None else []
        if problems:
            raise InvalidInputError(problems)
        return plan

    def check(self, wanted: Wanted, *, is_dry_run: bool = False) -> None:
        """Find out whether it can be cleaned.

        :param wanted: Which rows.
        :param is_dry_run: Whether nothing is to be removed.
        :raises InvalidInputError: naming every table that cannot be cleaned and every right that is missing.
        """
        self.plan(wanted, is_dry_run=is_dry_run)

    def clean(self, request: CleanupRequest, stop: Stop | None = None, progress: Progress | None = None) -> Report:
        """Clean.

        :param request: What was asked for.
        :param stop: Ends it between two batches.
        :param progress: Is told how far it is.
        :raises InvalidInputError: naming everything that cannot be cleaned; nothing was removed.
        :raises CleanupError: The database failed half-way.
        """
        plan = self.plan(request.wanted)
        log.info("Rows older than %s go from %s", plan.wanted.before.isoformat(), ", ".join(plan.tables))
        engine = self._database.engine()
        try:
            before = sizes_of(engine, self.schema, plan.touched)
            with self._archive(plan) as archive:
                report = clean(engine, plan, request.settings, stop=stop, progress=progress, removals=archive or PLAIN)
            if archive is not None:
                report.archive, report.notes = archive.address, [*archive.notes, *report.notes]
            self._take_care(engine, request, report, before)
            return report
        finally:
            engine.dispose()

    @contextmanager
    def _archive(self, plan: Plan) -> Iterator[Archive | None]:
        """Open the archive, if there is to be one; at the end, whatever it is, it gets its manifest."""
        if self._archive_to is None:
            yield None
            return
        with self._database.snapshot() as connection:
            catalog = Catalog.read(connection, self._database.schema)
            archive = Archive(self._archive_to, plan, catalog, os.environ.get("AIRFLOW_ENV_NAME") or None)
            archive.notes += settle(self._archive_to, connection)
        try:
            yield archive
        finally:
            archive.close()

    def _take_care(
        self, engine: Engine, request: CleanupRequest, report: Report, before: Mapping[str, TableSize]
    ) -> None:
        """Do what follows a clean-up; one that was ended early only tells the sizes, for it has to go."""
        lost = [table for table in before if report.rows.get(table)]
        if not report.stopped and (request.analyze or request.vacuum):
            report.notes += analyze(engine, self.schema, lost, vacuum=request.vacuum)
        if not report.stopped and request.drop_leftovers:
            report.dropped, notes = drop_leftovers(engine, self.schema)
            report.notes += notes
        elif found := leftovers(self.schema):
            report.notes.append(note_of_leftovers(found))
        report.sizes = sizes_told(before, sizes_of(engine, self.schema, lost))

    def preview(self, request: CleanupRequest) -> Preview:
        """Tell what would go, and write nothing.

        :param request: What was asked for.
        :raises InvalidInputError: naming everything that cannot be cleaned.
        """
        plan = self.plan(request.wanted, is_dry_run=True)
        with self._database.snapshot() as connection:
            found = preview(connection, plan)
        tell(found)
        return found
