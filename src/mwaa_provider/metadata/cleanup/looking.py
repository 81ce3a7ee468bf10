"""Whether rows that were archived are gone, found out by looking for them by their keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from mwaa_provider.metadata.catalog import Table
from mwaa_provider.metadata.cleanup.aged_batches import Key
from mwaa_provider.metadata.cleanup.sessions import Limits, ask, batch
from mwaa_provider.metadata.selecting import quoted

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def are_gone(
    connection: Connection, table: Table, keys: Sequence[Key], until: datetime, limits: Limits | None = None
) -> bool | None:
    """Find out whether a batch is gone: it went in one transaction, so where one of its rows is there it was not removed.

    It waits for a removal that is under way. ``None`` says that rows are there, and that a removal may still begin.

    :param connection: The connection; nothing may be under way in it.
    :param table: A table that the batch has rows of.
    :param keys: Primary keys of some of them.
    :param until: No removal of the batch ends well after this moment of the database's clock.
    :param limits: How long it may take.
    :raises BatchBlockedError: Somebody has locked the rows.
    """
    types = {column.name: column.type for column in table.columns}
    one = " AND ".join(f"t.{quoted(name)} = %s::text::{types[name]}" for name in table.primary_key)
    where = " OR ".join(f"({one})" for _ in keys)
    with batch(connection, limits or Limits()):
        # The clock first: what is seen to be there after that moment stays.
        is_over = ask(connection, "SELECT clock_timestamp() > %s::timestamptz", (until,)).scalar()
        text = f"SELECT 1 FROM {table.qualified} t WHERE {where} FOR UPDATE OF t"  # noqa: S608 - of the catalog
        if ask(connection, text, [value for key in keys for value in key]).first() is None:
            return True
    return False if is_over else None
