"""Reading the metadata database for the metadata API: short transactions, each for one question.

Every call here runs in a thread, opens one connection, asks within the limits of ``work``, and closes it again.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from mwaa_provider import airflow_compat
from mwaa_provider.exceptions import InvalidInputError, MetadataDatabaseError
from mwaa_provider.metadata import policy
from mwaa_provider.metadata.api import planning
from mwaa_provider.metadata.api.framing import Framer, failure
from mwaa_provider.metadata.api.questions import PlanQuestion, RangeQuestion
from mwaa_provider.metadata.api.rows import Rows
from mwaa_provider.metadata.api.tally import Tally
from mwaa_provider.metadata.api.work import STATEMENT_SECONDS, NobodyWaitsError, Pipe
from mwaa_provider.metadata.catalog import Catalog, Column, Table
from mwaa_provider.metadata.copying import copy_to
from mwaa_provider.metadata.database import MetadataDatabase, TimeLimits, by_airflows_settings
from mwaa_provider.metadata.export.source import Asked, TableSelection
from mwaa_provider.metadata.selecting import copy_rows

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

log = logging.getLogger(__name__)

#: The form of questions and answers; a client that knows another one says so.
PROTOCOL = 1
#: Rows younger than this, in seconds, are left to the next export: a transaction that is still open may add others of their age.
CUT_SECONDS = 60
#: For so many seconds the catalog is believed, unless the database has another revision.
_BELIEVE_SECONDS = 60
#: A COPY hands over a row at a time; so many bytes of them are compressed together. More would hold Python's lock for longer at a time.
_CHUNK_BYTES = 64 * 1024
#: Seconds that the transaction may lie idle, or wait for a lock.
_LIMITS = TimeLimits(statement=STATEMENT_SECONDS, idle=STATEMENT_SECONDS, lock=2)
_NO_LIMIT_OF_WORKERS = "SET LOCAL max_parallel_workers_per_gather = 0"


class AnswerError(Exception):
    """There is no answer to the question.

    :param status: The HTTP status.
    :param code: Why, in one word.
    :param detail: The same in a sentence.
    """

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


class Reader:
    """Answers questions from the database.

    :param database: The database (default: this Airflow's own).
    :param now: Gives the seconds of the monotonic clock.
    """

    def __init__(self, database: MetadataDatabase | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._now = now
        self._known: tuple[Catalog, float] | None = None

    def facts(self) -> dict[str, Any]:
        """Tell what this is, and which tables can be had."""
        with self._snapshot() as connection:
            catalog = self._catalog(connection)
            tables = [name for name, table in catalog.tables.items() if is_served(table)]
            return {**self._about(connection, catalog), "served": tables}

    def plan(self, question: PlanQuestion) -> dict[str, Any]:
        """Tell for each table its columns, and the ranges in which its rows can be had.

        :param question: Which tables are wanted.
        :raises InvalidInputError: if there are none such.
        :raises AnswerError: if they are not served.
        """
        with self._snapshot() as connection:
            catalog = self._catalog(connection)
            asked = Asked(question.tables, question.since, question.until, question.age_columns)
            selections = catalog.selections(asked)
            refused = [one.table for one in selections if not is_served(catalog.tables[one.table])]
            if refused:
                raise AnswerError(403, "secret", _secret(*refused))
            about = self._about(connection, catalog)
            cut = datetime.fromisoformat(about["cut"])
            plans = [self._planned(connection, catalog.tables[one.table], one, cut) for one in selections]
            return {**about, "tables": plans}

    def cuts(self, question: RangeQuestion) -> dict[str, Any]:
        """Cut a range that was too large into smaller ones, a quarter of its rows each about.

        :param question: The range.
        """
        with self._snapshot() as connection:
            rows, _ = self._found(connection, question)
            size = self._size(connection, rows.table)
            return {"ranges": self._ranges(connection, rows, max(1, size.rows_of_a_range // 4), percent=100.0)}

    def rows(self, question: RangeQuestion, pipe: Pipe) -> tuple[int, int] | None:
        """Read the rows of a range into a pipe, framed; return how many there were and the bytes of their CSV, or ``None`` for a failure.

        The transaction ends when the rows are read, or after the limit, however fast they are taken.

        :param question: The range.
        :param pipe: Takes the frames.
        """
        try:
            return self._copied(question, pipe)
        except BaseException as error:
            told = _as_answer(error)
            pipe.close(failure(told.code, told.detail), failure=told)
            return None

    def _copied(self, question: RangeQuestion, pipe: Pipe) -> tuple[int, int]:
        until = self._now() + STATEMENT_SECONDS
        framer = Framer()
        with self._snapshot() as connection:
            rows, columns = self._found(connection, question)
            # A row of one column is quoted in ways of its own; its age, if that is it, is the row.
            has_age = rows.age_column is not None and len(columns) > 1
            first = (rows.table.column(rows.age_column),) if rows.age_column is not None and has_age else ()
            statement = copy_rows(rows.table, (*first, *columns), rows.where)
            tally = Tally(has_age=has_age)
            sink = _Sink(lambda rows: pipe.put(framer.add(tally.passed(rows)), until=until), until, self._now)
            driver_connection: Any = connection.connection.dbapi_connection
            try:
                counted = copy_to(driver_connection, statement, sink.write)
                sink.flush()
            except BaseException:
                _break(connection, driver_connection)
                raise
        if counted != tally.rows:
            raise AnswerError(500, "failed", f"PostgreSQL counts {counted} rows, {tally.rows} came.")
        pipe.close(framer.end(tally.rows, tally.first_age, tally.last_age))
        return tally.rows, framer.csv_bytes

    @contextmanager
    def _snapshot(self) -> Iterator[Connection]:
        database = self._database or by_airflows_settings()
        if database is None:
            raise AnswerError(503, "no_database", "This process of Airflow has no metadata database.")
        try:
            with database.snapshot(_LIMITS) as connection:
                # One core of the database for each of the two requests, not more.
                connection.exec_driver_sql(_NO_LIMIT_OF_WORKERS)
                yield connection
        except (AnswerError, InvalidInputError, NobodyWaitsError, _LateError):
            raise
        except Exception as error:
            raise _as_answer(error) from error

    def _catalog(self, connection: Connection) -> Catalog:
        """Return the catalog, read anew after a minute, or when the database has another revision."""
        known = self._known
        if known is not None and self._now() < known[1] and _revision_now(connection, known[0]) == known[0].revision:
            return known[0]
        catalog = Catalog.read(connection)
        self._known = (catalog, self._now() + _BELIEVE_SECONDS)
        return catalog

    def _about(self, connection: Connection, catalog: Catalog) -> dict[str, Any]:
        now = connection.exec_driver_sql("SELECT transaction_timestamp()").scalar()
        moment = now.astimezone(timezone.utc) if isinstance(now, datetime) else datetime.now(timezone.utc)
        return {
            "protocol": PROTOCOL,
            "environment": os.environ.get("AIRFLOW_ENV_NAME"),
            "airflow_version": airflow_compat.airflow_version(),
            "schema_revision": catalog.revision,
            "snapshot_time": moment.isoformat(),
            "cut": (moment - timedelta(seconds=CUT_SECONDS)).isoformat(),
        }

    def _planned(
        self, connection: Connection, table: Table, selection: TableSelection, cut: datetime
    ) -> dict[str, Any]:
        age, since, until = selection.age_column, selection.since, selection.until
        # What is younger than the cut is left to the next export; a row without an age belongs to whoever asks for all there is.
        undated = age is not None and since is None and until is None
        if age is not None:
            until = cut if until is None else min(cut, until)
        size = self._size(connection, table)
        rows = Rows(table, age, since, until, undated)
        ranges: list[dict[str, Any]] = [{"after": None, "up_to": None}]
        if size.rows > size.rows_of_a_range:
            wanted = max(size.rows_of_a_range, size.rows // planning.MOST_RANGES)
            ranges = self._ranges(connection, rows, wanted, percent=planning.sample_percent(size.rows))
        return {
            "table": table.name,
            "columns": [asdict(column) for column in selection.columns],
            "left_out": list(selection.left_out),
            "age_column": age,
            "since": _iso(since),
            "until": _iso(until),
            "undated": undated,
            "estimated_rows": size.rows,
            "primary_key": list(table.primary_key),
            "ranges": ranges,
        }

    def _size(self, connection: Connection, table: Table) -> planning.Size:
        rows, size = connection.exec_driver_sql(planning.SIZE_STATEMENT, (table.qualified,)).one()
        return planning.Size(int(rows), int(size))

    def _ranges(self, connection: Connection, rows: Rows, wanted: int, *, percent: float) -> list[dict[str, Any]]:
        cuts: list[tuple[str, ...]] = []
        if rows.has_key:
            statement = planning.cuts_statement(rows, percent, wanted)
            # A key may hold a percent sign.
            plain = connection.execution_options(no_parameters=True)
            cuts = [tuple(row) for row in plain.exec_driver_sql(statement)]
        starts, ends = [rows.after, *cuts], [*cuts, rows.up_to]
        return [{"after": _listed(after), "up_to": _listed(up_to)} for after, up_to in zip(starts, ends, strict=True)]

    def _found(self, connection: Connection, question: RangeQuestion) -> tuple[Rows, tuple[Column, ...]]:
        """Find what is meant in the database's own words: no name that was sent becomes part of a statement."""
        catalog = self._catalog(connection)
        table = catalog.tables.get(question.table)
        if table is None:
            raise AnswerError(404, "no_table", f"There is no table {question.table!r} in this release.")
        if not is_served(table):
            raise AnswerError(403, "secret", _secret(table.name))
        if question.revision != catalog.revision:
            raise AnswerError(
                409,
                "changed",
                f"The database's schema is {catalog.revision}, not {question.revision}. Ask for a new plan.",
            )
        rows = Rows(
            table,
            question.age_column,
            question.since,
            question.until,
            question.undated,
            question.after,
            question.up_to,
        )
        columns = {column.name: column for column in table.columns}
        problems = [
            f"columns: {name!r} is no column of {table.name!r} that is served"
            for name in question.columns
            if name not in columns
        ]
        if question.age_column is not None and not (
            question.age_column in columns and columns[question.age_column].is_moment
        ):
            problems.append(f"age_column: {question.age_column!r} is no column of {table.name!r} with dates")
        for field, key in (("after", question.after), ("up_to", question.up_to)):
            if key is not None and not (rows.has_key and len(key) == len(table.primary_key)):
                problems.append(
                    f"{field}: a key of {table.name!r} has {len(table.primary_key)} columns, not {len(key)}"
                )
        if problems:
            raise InvalidInputError(problems)
        return rows, tuple(columns[name] for name in question.columns)


class _LateError(Exception):
    """The range took too long."""


class _Sink:
    """Takes rows one by one, and hands them on many at a time."""

    def __init__(self, pass_on: Callable[[list[bytes]], None], until: float, now: Callable[[], float]) -> None:
        self._pass_on = pass_on
        self._until = until
        self._now = now
        self._rows: list[bytes] = []
        self._bytes = 0

    def write(self, row: Any) -> None:
        self._rows.append(bytes(row))
        self._bytes += len(row)
        if self._bytes >= _CHUNK_BYTES:
            self.flush()

    def flush(self) -> None:
        if self._now() > self._until:
            raise _LateError
        rows, self._rows, self._bytes = self._rows, [], 0
        self._pass_on(rows)


def _secret(*tables: str) -> str:
    return f"The metadata API never serves {', '.join(tables)}: such tables are there to hold credentials."


def _revision_now(connection: Connection, catalog: Catalog) -> str | None:
    table = catalog.tables.get("alembic_version")
    if table is None:
        return None
    revision: str | None = connection.exec_driver_sql(
        f"SELECT min(version_num) FROM {table.qualified}"  # noqa: S608 - of the catalog
    ).scalar()
    return revision


def is_served(table: Table) -> bool:
    """Tell whether a table's rows may leave at all.

    :param table: The table.
    """
    return bool(table.columns) and not policy.holds_credentials(table.name)


def _listed(key: tuple[str, ...] | None) -> list[str] | None:
    return None if key is None else list(key)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _break(connection: Connection, driver_connection: Any) -> None:
    """End a COPY that is under way, and the connection with it: an orderly end would read what is left."""
    try:
        driver_connection.cancel()
    except Exception:
        log.debug("A connection was gone before its COPY could be cancelled", exc_info=True)
    connection.invalidate()


def _as_answer(error: BaseException) -> AnswerError:
    """Say what went wrong without quoting the database, whose messages hold values."""
    if isinstance(error, AnswerError):
        return error
    if isinstance(error, NobodyWaitsError):
        return AnswerError(413, "too_slow", "The rows were not taken in time. Ask for a smaller range.")
    if isinstance(error, _LateError):
        return _too_large()
    if isinstance(error, InvalidInputError):
        return AnswerError(422, "invalid", error.message)
    if isinstance(error, MetadataDatabaseError):
        log.warning("The metadata API has no database: %s", error)
        return AnswerError(503, "no_database", "The web server cannot reach its metadata database.")
    source = getattr(error, "orig", None) or error
    state = str(getattr(source, "sqlstate", None) or getattr(source, "pgcode", None) or "")
    if state == "57014":
        return _too_large()
    if state.startswith("22"):
        return AnswerError(
            422, "invalid", "A value of 'after', 'up_to', 'since' or 'until' is not of its column's type."
        )
    if state in ("42P01", "42703"):
        return AnswerError(409, "changed", "The database's schema has changed. Ask for a new plan.")
    log.warning("The metadata API could not read the database (%s %s)", type(source).__name__, state)
    return AnswerError(
        503, "failed", f"The web server could not read its metadata database ({type(source).__name__} {state})."
    )


def _too_large() -> AnswerError:
    return AnswerError(413, "too_large", "The range took too long. Ask for a smaller one.")
