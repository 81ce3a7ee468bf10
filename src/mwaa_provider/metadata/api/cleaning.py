"""Cleaning the metadata database for the metadata API: the clean-up's own engine, in slices that nothing is kept between."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mwaa_provider.exceptions import InvalidInputError, MetadataDatabaseError
from mwaa_provider.metadata.api.cleanup_questions import (
    BatchQuestion,
    CountQuestion,
    GoneQuestion,
    PlanQuestion,
    RemovalQuestion,
)
from mwaa_provider.metadata.api.reading import PROTOCOL, AnswerError, is_served
from mwaa_provider.metadata.api.taking import (
    MOST_BYTES,
    MOST_BYTES_OF_THE_SMALLEST,
    LargeBatchError,
    TakenError,
    Taking,
)
from mwaa_provider.metadata.api.work import STATEMENT_SECONDS
from mwaa_provider.metadata.catalog import Catalog
from mwaa_provider.metadata.cleanup.aftercare import analyze, drop_leftovers, leftovers, sizes_of
from mwaa_provider.metadata.cleanup.looking import are_gone
from mwaa_provider.metadata.cleanup.plan import Plan, Wanted, make_plan, try_plan
from mwaa_provider.metadata.cleanup.preview import preview
from mwaa_provider.metadata.cleanup.removing import PLAIN, Removals
from mwaa_provider.metadata.cleanup.report import Report
from mwaa_provider.metadata.cleanup.rights import missing_rights
from mwaa_provider.metadata.cleanup.schema import Schema
from mwaa_provider.metadata.cleanup.sessions import BatchBlockedError
from mwaa_provider.metadata.cleanup.slices import Slice, clean_slice, works_of
from mwaa_provider.metadata.cleanup.work import RUN_WORK
from mwaa_provider.metadata.database import MetadataDatabase, TimeLimits, by_airflows_settings

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine

log = logging.getLogger(__name__)

_LIMITS = TimeLimits(statement=STATEMENT_SECONDS, idle=STATEMENT_SECONDS, lock=2)


class WebServerCleaner:
    """Answers the questions of a clean-up; every call is short, opens connections of its own, and closes them.

    :param database: The database (default: this Airflow's own).
    """

    def __init__(self, database: MetadataDatabase | None = None) -> None:
        self._given = database

    def plan(self, question: PlanQuestion) -> dict[str, Any]:
        """Tell what will be cleaned: the pieces of work, in their order, and the tables with their sizes.

        :param question: Which rows.
        :raises InvalidInputError: naming every table that cannot be cleaned and every right that is missing.
        """
        with self._opened() as (database, engine, schema):
            plan, problems = try_plan(schema, question.wanted)
            if not question.is_dry_run:
                with database.snapshot(_LIMITS) as connection:
                    problems += missing_rights(connection, plan)
            if problems:
                raise InvalidInputError(problems)
            with database.snapshot(_LIMITS) as connection:
                catalog = Catalog.read(connection, database.schema)
            sizes = sizes_of(engine, schema, plan.touched)
            return {
                "protocol": PROTOCOL,
                "works": list(works_of(plan)),
                "tables": list(plan.tables),
                "sizes": {table: asdict(size) for table, size in sizes.items()},
                "not_cleaned": dict(plan.not_cleaned),
                "not_archived": _secret_works(plan, catalog),
                "leftovers": leftovers(schema),
            }

    def count(self, question: CountQuestion) -> dict[str, Any]:
        """Tell how many rows of a table would go.

        :param question: Which rows, of which table.
        :raises AnswerError: It takes too long.
        """
        with self._opened() as (database, _, schema):
            plan = make_plan(schema, question.wanted)
            if question.table not in plan.tables:
                raise InvalidInputError([f"table: {question.table!r} is none of those that would be cleaned"])
            with database.snapshot(_LIMITS) as connection:
                found = preview(connection, plan, question.table)
            return {
                "tables": {table: asdict(one) for table, one in found.tables.items()},
                "stays": dict(found.stays),
                "seconds": found.seconds,
            }

    def batch(self, question: BatchQuestion) -> dict[str, Any]:
        """Remove what is next, for a moment; it can be asked twice.

        :param question: Which rows, and where to begin.
        :raises AnswerError: Something stands in the way; come again.
        """
        with self._opened() as (_, engine, schema):
            plan = make_plan(schema, question.wanted)
            return _done(engine, plan, question, question.seconds)

    def take(self, question: BatchQuestion) -> dict[str, Any]:
        """Give the rows that are next to be removed, and remove nothing; it can be asked twice.

        :param question: Which rows, and where to begin.
        :raises AnswerError: Something stands in the way, or the smallest batch is too large.
        """
        return self._by_taking(question, None, None)

    def remove(self, question: RemovalQuestion) -> dict[str, Any]:
        """Remove a batch that was taken, as it was taken or not at all.

        :param question: What was taken.
        :raises AnswerError: It has changed, is gone, or was taken too long ago.
        """
        return self._by_taking(question.batch, question.digests, question.until)

    def _by_taking(
        self, question: BatchQuestion, digests: Mapping[str, str] | None, until: datetime | None
    ) -> dict[str, Any]:
        with self._opened() as (database, engine, schema):
            plan = make_plan(schema, question.wanted)
            with database.snapshot(_LIMITS) as connection:
                catalog = Catalog.read(connection, database.schema)
            if question.work in _secret_works(plan, catalog):
                raise InvalidInputError([f"work: {question.work} holds what never leaves, and cannot be archived"])
            place = question.place
            most = MOST_BYTES_OF_THE_SMALLEST if place.rows == 1 else MOST_BYTES
            taking = Taking(catalog, digests, until, most)
            try:
                answer = _done(engine, plan, question, 0.0, taking)
            except TakenError as taken:
                return taken.answer
            except LargeBatchError:
                if place.rows == 1:
                    text = (
                        f"The smallest batch of {question.work}, one row with what hangs on it, has more than {most:,} bytes. "
                        "Archive by route='database', or leave archive_to out."
                    )
                    raise AnswerError(413, "too_large", text) from None
                smaller = replace(place, rows=max(1, (place.rows or 1000) // 4))
                return _answered(Slice(Report(""), smaller, is_end=False, reached=question.work))
            if digests is not None and not taking.is_removed:
                raise AnswerError(409, "changed_batch", "The batch is not as it was taken. Take it anew.")
            return answer

    def gone(self, question: GoneQuestion) -> dict[str, Any]:
        """Tell whether a batch that was taken is gone.

        :param question: Which.
        :raises AnswerError: It cannot be told yet; come again.
        """
        with self._opened() as (database, engine, _):
            with database.snapshot(_LIMITS) as connection:
                table = Catalog.read(connection, database.schema).tables.get(question.table)
            if (
                table is None
                or not is_served(table)
                or any(len(key) != len(table.primary_key) for key in question.keys)
            ):
                raise InvalidInputError([f"table, keys: {question.table!r} has no such keys"])
            try:
                with engine.connect() as connection:
                    gone = are_gone(connection, table, question.keys, question.until)
            except BatchBlockedError as blocked:
                raise AnswerError(503, "blocked", f"It cannot be told yet: {blocked.why}.") from blocked
        if gone is None:
            raise AnswerError(503, "pending", f"Until {question.until.isoformat()} it may still be removed.")
        return {"gone": gone}

    def analyze(self, table: str) -> dict[str, Any]:
        """Run ``ANALYZE`` on a table.

        :param table: The table.
        """
        with self._opened() as (_, engine, schema):
            if table not in schema.columns:
                raise InvalidInputError([f"table: there is no table {table!r} in this release"])
            return {"notes": analyze(engine, schema, [table], seconds=STATEMENT_SECONDS)}

    def drop(self, table: str) -> dict[str, Any]:
        """Drop an archive table that ``airflow db clean`` has left.

        :param table: The table; any other stays, and is not named in the answer.
        """
        with self._opened() as (_, engine, schema):
            dropped, notes = drop_leftovers(engine, schema, [table], STATEMENT_SECONDS)
            return {"dropped": dropped, "notes": notes}

    @contextmanager
    def _opened(self) -> Iterator[tuple[MetadataDatabase, Engine, Schema]]:
        database = self._given or by_airflows_settings()
        if database is None:
            raise AnswerError(503, "no_database", "This process of Airflow has no metadata database.")
        try:
            with database.snapshot(_LIMITS) as connection:
                schema = Schema.read(connection, database.schema)
            engine = database.engine()
            try:
                yield database, engine, schema
            finally:
                engine.dispose()
        except (AnswerError, InvalidInputError):
            raise
        except Exception as error:
            raise _as_answer(error) from error


def _secret_works(plan: Plan, catalog: Catalog) -> list[str]:
    """Name the pieces of work whose rows never leave: they are there to hold credentials."""
    tables = {RUN_WORK: [table.name for table in plan.run_tables]}
    tables |= {table.name: [table.name, *table.parts] for table in plan.aged}
    return [work for work in works_of(plan) if not all(is_served(catalog.tables[one]) for one in tables[work])]


def _done(
    engine: Engine, plan: Plan, question: BatchQuestion, seconds: float, removals: Removals = PLAIN
) -> dict[str, Any]:
    _check_place(plan, question)
    try:
        with engine.connect() as connection:
            return _answered(
                clean_slice(
                    connection, plan, question.settings, question.work, question.place, seconds, removals=removals
                )
            )
    except BatchBlockedError as blocked:
        raise AnswerError(503, "blocked", f"The next batch cannot be found: {blocked.why}.") from blocked


def _answered(done: Slice) -> dict[str, Any]:
    return {
        "rows": dict(done.report.rows),
        "left": [asdict(one) for one in done.report.left],
        "kept_runs": done.report.kept_runs,
        "batches": done.report.batches,
        "longest_batch": done.report.longest_batch,
        "place": asdict(done.place),
        "is_end": done.is_end,
        "reached": done.reached,
    }


def told_of(wanted: Wanted, answer: Mapping[str, Any]) -> str:
    """Say for the web server's log what a batch removed; empty if nothing.

    :param wanted: Which rows were to go.
    :param answer: What the batch answered.
    """
    rows = ", ".join(f"{count} of {table}" for table, count in answer["rows"].items())
    return f"{rows} (older than {wanted.before.isoformat()})" if rows else ""


def _check_place(plan: Plan, question: BatchQuestion) -> None:
    if question.work not in works_of(plan):
        raise InvalidInputError([f"work: {question.work!r} is none of {', '.join(works_of(plan))}"])
    after = question.place.after
    if after is None:
        return
    keys = {table.name: len(table.key) for table in plan.aged}
    columns = keys.get(question.work, 1)
    if len(after) != columns:
        raise InvalidInputError([f"after: a key of {question.work!r} has {columns} columns, not {len(after)}"])
    if question.work not in keys and not (after[0].isascii() and after[0].isdigit() and len(after[0]) < 19):
        raise InvalidInputError([f"after: {after[0][:40]!r} is no id of a run"])


def _as_answer(error: Exception) -> AnswerError:
    """Say what went wrong without quoting the database, whose messages hold values."""
    if isinstance(error, MetadataDatabaseError):
        log.warning("The metadata API has no database: %s", error)
        return AnswerError(503, "no_database", "The web server cannot reach its metadata database.")
    source = getattr(error, "orig", None) or error
    state = str(getattr(source, "sqlstate", None) or getattr(source, "pgcode", None) or "")
    if state == "57014":
        return AnswerError(413, "too_large", f"It took longer than {STATEMENT_SECONDS} seconds.")
    if state.startswith("22"):
        return AnswerError(422, "invalid", "A value of 'after' is not of its column's type.")
    log.warning("The metadata API could not clean the database (%s %s)", type(source).__name__, state)
    return AnswerError(
        503, "failed", f"The web server could not clean its metadata database ({type(source).__name__} {state})."
    )
