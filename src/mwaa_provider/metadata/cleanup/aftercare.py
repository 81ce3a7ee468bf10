"""What follows a clean-up: fresh statistics of what lost rows, and what PostgreSQL says to that."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from mwaa_provider.metadata.cleanup.schema import Schema

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

log = logging.getLogger(__name__)


def analyze(engine: Engine, schema: Schema, tables: Collection[str]) -> list[str]:
    """Run ``ANALYZE`` on tables; return what could not be done, as sentences.

    PostgreSQL only warns where the user does not own the table, so its notices are read.

    :param engine: Opens a connection.
    :param schema: The schema.
    :param tables: The tables that lost rows.
    """
    notes = []
    with engine.connect() as connection:
        for table in tables:
            heard = _listen(connection)
            try:
                with connection.begin():
                    connection.exec_driver_sql("SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '5min'")
                    connection.exec_driver_sql(f"ANALYZE {schema.qualified(table).replace('%%', '%')}")
            except Exception as error:
                notes.append(f"ANALYZE of {table!r} failed: {_first_line(error)}")
                continue
            notes += [f"ANALYZE of {table!r}: {notice}" for notice in heard()]
    for note in notes:
        log.warning("%s", note)
    return notes


def _listen(connection: Connection) -> Any:
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
