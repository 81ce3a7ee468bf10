"""What lies around a clean-up: sizes before and after, fresh statistics, and what `airflow db clean` has left."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mwaa_provider.metadata.cleanup.schema import Schema
from mwaa_provider.metadata.cleanup.sessions import ask

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

log = logging.getLogger(__name__)


#: The first of the names that ``airflow db clean`` gives its archive tables.
_LEFTOVER = "_airflow_deleted__"

_SIZES = """
SELECT c.relname, pg_total_relation_size(c.oid), COALESCE(s.n_dead_tup, 0)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
WHERE n.nspname = %s AND c.relname = ANY(%s::text[]) ORDER BY c.relname
"""


@dataclass(frozen=True)
class TableSize:
    """How large a table is.

    :param size: Bytes, with its indexes.
    :param dead_rows: Rows that are gone and still take room, as PostgreSQL counts them; vacuum gives their room to new rows.
    """

    size: int
    dead_rows: int


def sizes_of(engine: Engine, schema: Schema, tables: Collection[str]) -> dict[str, TableSize]:
    """Tell how large tables are.

    :param engine: Opens a connection.
    :param schema: The schema.
    :param tables: The tables.
    """
    with engine.connect() as connection:
        return {row[0]: TableSize(row[1], row[2]) for row in ask(connection, _SIZES, (schema.name, list(tables)))}


def sizes_told(before: Mapping[str, TableSize], after: Mapping[str, TableSize]) -> dict[str, dict[str, int]]:
    """Put sizes side by side, for a report.

    :param before: Table to its size before; all tables.
    :param after: Table to its size after; those that lost rows.
    """
    return {
        table: {
            "bytes_before": before[table].size,
            "bytes_after": now.size,
            "dead_rows_before": before[table].dead_rows,
            "dead_rows_after": now.dead_rows,
        }
        for table, now in after.items()
    }


def note_of_leftovers(found: Collection[str]) -> str:
    """Say that there are archive tables.

    :param found: Their names.
    """
    return f"`airflow db clean` has left {len(found)} archive tables; drop_leftovers=True drops them"


def leftovers(schema: Schema) -> list[str]:
    """Name the archive tables that ``airflow db clean`` has left.

    :param schema: The schema.
    """
    return sorted(table for table in schema.columns if table.startswith(_LEFTOVER))


def drop_leftovers(
    engine: Engine, schema: Schema, only: Collection[str] | None = None, seconds: float = 300.0
) -> tuple[list[str], list[str]]:
    """Drop the archive tables that ``airflow db clean`` has left; return the dropped ones, and what could not be done as sentences.

    :param engine: Opens a connection.
    :param schema: The schema.
    :param only: Only these of them.
    :param seconds: How long one of them may take.
    """
    dropped, notes = [], []
    for table in leftovers(schema):
        if only is not None and table not in only:
            continue
        found = _run_alone(engine, f"DROP TABLE {schema.qualified(table)}", f"DROP of {table!r}", seconds)
        notes += found
        if not found:
            dropped.append(table)
    return dropped, notes


def analyze(
    engine: Engine, schema: Schema, tables: Collection[str], *, vacuum: bool = False, seconds: float | None = None
) -> list[str]:
    """Run ``ANALYZE`` on tables, or ``VACUUM (ANALYZE)``; return what could not be done, as sentences.

    PostgreSQL only warns where the user does not own the table, so its notices are read.

    :param engine: Opens a connection.
    :param schema: The schema.
    :param tables: The tables that lost rows.
    :param vacuum: Whether to vacuum too, which reads all of a table and may take long.
    :param seconds: How long one table may take (default five minutes, an hour with vacuum).
    """
    word = "VACUUM (ANALYZE)" if vacuum else "ANALYZE"
    most = seconds or (3600.0 if vacuum else 300.0)
    return [
        note
        for table in tables
        for note in _run_alone(engine, f"{word} {schema.qualified(table)}", f"{word} of {table!r}", most)
    ]


def _run_alone(engine: Engine, statement: str, what: str, seconds: float) -> list[str]:
    """Run a statement in no transaction but its own; return what PostgreSQL says to it."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        try:
            connection.exec_driver_sql("SET lock_timeout = '2s'")
            connection.exec_driver_sql(f"SET statement_timeout = {int(seconds * 1000)}")
            heard = _listen(connection)
            connection.exec_driver_sql(statement.replace("%%", "%"))
        except Exception as error:
            notes = [f"{what} failed: {_first_line(error)}"]
        else:
            notes = [f"{what}: {notice}" for notice in heard()]
    for note in notes:
        log.warning("%s", note)
    return notes


def _listen(connection: Connection) -> Callable[[], list[str]]:
    """Begin to collect the server's notices; the function that is returned gives them."""
    driver_connection: Any = connection.connection.dbapi_connection
    heard: list[str] = []
    if hasattr(driver_connection, "add_notice_handler"):  # psycopg 3

        def handler(notice: Any) -> None:
            heard.append(str(notice.message_primary))

        driver_connection.add_notice_handler(handler)

        def taken() -> list[str]:
            driver_connection.remove_notice_handler(handler)
            return heard

        return taken
    driver_connection.notices = sink = _Notices()
    return lambda: sink.heard


class _Notices:
    """What psycopg2 appends the server's notices to; a list of its own SQLAlchemy would empty after each statement."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def append(self, notice: str) -> None:
        self.heard.append(notice.partition(":")[2].strip() or notice.strip())


def _first_line(error: Exception) -> str:
    return (str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__])[0]
