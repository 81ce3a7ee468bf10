"""One batch of a table whose rows go by an age of their own: functions of a connection, bounded by a range of keys, and harmless twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mwaa_provider.metadata.cleanup.plan import AgedTable, Plan, Sql
from mwaa_provider.metadata.cleanup.removing import PLAIN, Removal
from mwaa_provider.metadata.cleanup.schema import CASCADE, name
from mwaa_provider.metadata.cleanup.sessions import ask

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

#: A primary key's values, as text.
Key = tuple[str, ...]


def next_key(
    connection: Connection, plan: Plan, table: AgedTable, after: Key | None, count: int
) -> tuple[Key | None, bool]:
    """Find where the next rows of a table end by its primary key; and whether that is its end.

    :param connection: A connection in a transaction.
    :param plan: What will be cleaned.
    :param table: The table.
    :param after: Where to begin; ``None`` for the first row.
    :param count: How many rows, those that stay included.
    """
    # With its table's name, for a bare one in ORDER BY would be the text beside SELECT.
    names = ", ".join(f"t.{name(column)}" for column in table.key)
    behind = ", ".join(f"t.{name(column)} DESC" for column in table.key)
    texts = ", ".join(f"t.{name(column)}::text" for column in table.key)
    begin = _after(table, after, "t")
    rest = f"FROM {plan.schema.qualified(table.name)} t WHERE {begin.text} ORDER BY"
    full = ask(connection, f"SELECT {texts} {rest} {names} OFFSET %s LIMIT 1", (*begin.values, count - 1)).first()
    if full is not None:
        return tuple(full), False
    last = ask(connection, f"SELECT {texts} {rest} {behind} LIMIT 1", begin.values).first()
    return (None if last is None else tuple(last)), True


def clean_range(
    connection: Connection, plan: Plan, table: AgedTable, after: Key | None, up_to: Key, removal: Removal = PLAIN
) -> int:
    """Remove the rows of a range of keys that are to go; return how many they were.

    :param connection: A connection in a transaction.
    :param plan: What will be cleaned.
    :param table: The table.
    :param after: Where the range begins, exclusive; ``None`` for the first row.
    :param up_to: Where it ends, inclusive.
    :param removal: Removes the rows.
    """
    return _remove(connection, plan, table, Sql.all_of((range_of(table, after, up_to), table.doomed)), removal)


def _remove(connection: Connection, plan: Plan, table: AgedTable, where: Sql, removal: Removal) -> int:
    qualified = plan.schema.qualified(table.name)
    if removal.is_explicit and table.parts:
        # Of the rows as they are at this moment: one that is locked gets no further part.
        where = _places(_locked(connection, plan, table, where))
        for key in plan.schema.referring_to(table.name):
            if key.child in table.parts and key.on_delete == CASCADE:
                child = plan.schema.qualified(key.child)
                text = f"DELETE FROM {child} AS c USING {qualified} AS t WHERE {key.joined('c', 't')} AND {where.text}"  # noqa: S608
                removal.remove(connection, key.child, "c", Sql(text, where.values))
    text = f"DELETE FROM {qualified} AS t WHERE {where.text}"  # noqa: S608
    return removal.remove(connection, table.name, "t", Sql(text, where.values))


def _locked(connection: Connection, plan: Plan, table: AgedTable, where: Sql, *, skip: bool = False) -> list[str]:
    """Lock rows, and give their places."""
    query = f"SELECT t.ctid::text FROM {plan.schema.qualified(table.name)} t WHERE {where.text} FOR UPDATE OF t"  # noqa: S608
    return [row[0] for row in ask(connection, query + (" SKIP LOCKED" if skip else ""), where.values)]


def _places(places: list[str]) -> Sql:
    return Sql("t.ctid = ANY(%s::text[]::tid[])", (places,))


def clean_range_around_locks(
    connection: Connection, plan: Plan, table: AgedTable, after: Key | None, up_to: Key, removal: Removal = PLAIN
) -> tuple[int, int]:
    """Do the same, passing over rows that others have locked; return how many went and how many were passed over.

    :param connection: A connection in a transaction.
    :param plan: What will be cleaned.
    :param table: The table.
    :param after: Where the range begins, exclusive; ``None`` for the first row.
    :param up_to: Where it ends, inclusive.
    :param removal: Removes the rows.
    """
    where = Sql.all_of((range_of(table, after, up_to), table.doomed))
    qualified = plan.schema.qualified(table.name)
    if removal.is_explicit:
        gone = _remove(connection, plan, table, _places(_locked(connection, plan, table, where, skip=True)), removal)
        rest = ask(connection, f"SELECT count(*) FROM {qualified} t WHERE {where.text}", where.values)  # noqa: S608
        return gone, rest.scalar() or 0
    row = ask(
        connection,
        f"WITH free AS MATERIALIZED (SELECT t.ctid AS place FROM {qualified} t WHERE {where.text} FOR UPDATE OF t SKIP LOCKED), "  # noqa: S608
        f"gone AS (DELETE FROM {qualified} AS t USING free WHERE t.ctid = free.place RETURNING 1) "
        f"SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM {qualified} t WHERE {where.text})",
        (*where.values, *where.values),
    ).one()
    return row[0], row[1] - row[0]


def middle_key(connection: Connection, plan: Plan, table: AgedTable, after: Key | None, up_to: Key) -> Key | None:
    """Find the key in the middle of a range's rows that are to go; ``None`` if there is one at most.

    :param connection: A connection in a transaction.
    :param plan: What will be cleaned.
    :param table: The table.
    :param after: Where the range begins, exclusive; ``None`` for the first row.
    :param up_to: Where it ends, inclusive.
    """
    where = Sql.all_of((range_of(table, after, up_to), table.doomed))
    keys = ", ".join(f"t.{name(column)}" for column in table.key)
    texts = ", ".join(f"t.{name(column)}::text" for column in table.key)
    qualified = plan.schema.qualified(table.name)
    rows = ask(
        connection,
        f"SELECT {texts} FROM {qualified} t WHERE {where.text} ORDER BY {keys} "  # noqa: S608
        f"OFFSET (SELECT (count(*) - 1) / 2 FROM {qualified} t WHERE {where.text}) LIMIT 2",
        (*where.values, *where.values),
    ).all()
    return tuple(rows[0]) if len(rows) == 2 else None


def range_of(table: AgedTable, after: Key | None, up_to: Key) -> Sql:
    """Write the condition for a row ``t`` to lie in a range of keys.

    :param table: The table.
    :param after: Where the range begins, exclusive; ``None`` for the first row.
    :param up_to: Where it ends, inclusive.
    """
    return Sql.all_of((_after(table, after, "t"), _compared(table, "<=", up_to, "t")))


def _after(table: AgedTable, after: Key | None, alias: str) -> Sql:
    return Sql("true") if after is None else _compared(table, ">", after, alias)


def _compared(table: AgedTable, sign: str, key: Key, alias: str) -> Sql:
    columns = ", ".join(f"{alias}.{name(column)}" for column in table.key)
    values = ", ".join(f"%s::text::{kind}" for kind in table.key.values())
    given: tuple[Any, ...] = tuple(key)
    return Sql(f"({columns}) {sign} ({values})", given)
