"""Many rows of a table of the metadata database, made of a real one, whatever columns the release has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def clone(cursor: Any, table: str, changes: Mapping[str, str | None], where: str, count: int) -> None:
    """Insert copies of rows.

    :param cursor: A cursor of psycopg2.
    :param table: The table.
    :param changes: Column to what it is to hold instead, as SQL, where ``n`` is the number of the copy; ``None`` for the column's default.
    :param where: Which rows to copy.
    :param count: How many copies.
    """
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", (table,)
    )
    columns = [name for (name,) in cursor.fetchall()]
    kept = [name for name in columns if changes.get(name, "") is not None]
    values = ", ".join(changes.get(name) or f'one."{name}"' for name in kept)
    names = ", ".join(f'"{name}"' for name in kept)
    cursor.execute(
        f'INSERT INTO "{table}" ({names}) SELECT {values} FROM "{table}" one CROSS JOIN generate_series(1, {count}) n WHERE {where}'
    )
