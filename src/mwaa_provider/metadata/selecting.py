"""The SQL of one table's rows. Names come from the catalog, that is from the database itself; values are quoted here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from mwaa_provider.metadata.catalog import Column, Table

if TYPE_CHECKING:
    from mwaa_provider.metadata.export.source import TableSelection

#: What the text of values hangs on; without it dates would come out as the server, or a role's settings, like them.
SETTINGS = (
    "SET LOCAL DateStyle = 'ISO, YMD'",
    "SET LOCAL IntervalStyle = 'iso_8601'",
    "SET LOCAL TimeZone = 'UTC'",
    "SET LOCAL standard_conforming_strings = on",
    "SET LOCAL bytea_output = 'hex'",
    "SET LOCAL extra_float_digits = 1",
)


@dataclass(frozen=True)
class KeyRange:
    """A part of a table by the first column of its primary key.

    :param column: The column.
    :param after: Rows with a larger value; ``None`` for no bound.
    :param up_to: Rows with this value or a smaller one; ``None`` for no bound.
    """

    column: Column
    after: str | None = None
    up_to: str | None = None


def copy_statement(table: Table, selection: TableSelection, keys: KeyRange | None = None) -> str:
    """Write the ``COPY`` of the rows that are wanted.

    :param table: The table, from the catalog.
    :param selection: Which rows and columns of it.
    :param keys: Which part of it (default: all of it).
    """
    return copy_rows(table, selection.columns, _where(table, selection, keys).removeprefix(" WHERE "))


def copy_rows(table: Table, columns: Iterable[Column], condition: str = "") -> str:
    """Write the ``COPY`` of the rows that meet a condition.

    :param table: The table, from the catalog.
    :param columns: Columns of it, from the catalog too.
    :param condition: The condition as SQL (default: none).
    """
    values = ", ".join(_value_of(column) for column in columns)
    where = f" WHERE {condition}" if condition else ""
    return f"COPY (SELECT {values} FROM {table.qualified}{where}) TO STDOUT WITH (FORMAT csv, ENCODING 'UTF8')"


def summary_statement(table: Table, selection: TableSelection, keys: KeyRange | None = None) -> str:
    """Write the query of the number of rows and of the smallest and the largest age, as text in UTC.

    :param table: The table, from the catalog.
    :param selection: Which rows of it.
    :param keys: Which part of it (default: all of it).
    """
    ends = "NULL, NULL"
    if selection.age_column is not None:
        age = quoted(selection.age_column)
        ends = f"{_iso(f'min({age})')}, {_iso(f'max({age})')}"
    return f"SELECT count(*), {ends} FROM {table.qualified}{_where(table, selection, keys)}"


def estimate_statement(table: Table, selection: TableSelection) -> str:
    """Write the query of PostgreSQL's plan, as JSON, whose ``Plan Rows`` is about the number of rows; it reads none.

    :param table: The table, from the catalog.
    :param selection: Which rows of it.
    """
    return f"EXPLAIN (FORMAT JSON) SELECT 1 FROM {table.qualified}{_where(table, selection, None)}"


def histogram_statement(table: Table, selection: TableSelection, slices: int) -> str:
    """Write the query of how many rows lie in each of some equal slices of the interval, numbered from 1.

    :param table: The table, from the catalog.
    :param selection: Which rows of it; with both bounds and an age column.
    :param slices: How many slices.
    """
    if selection.age_column is None or selection.since is None or selection.until is None:
        raise ValueError("a histogram needs an age column and both bounds")
    age = table.column(selection.age_column)
    begin, end = moment(selection.since, age), moment(selection.until, age)
    epochs = ", ".join(f"extract(epoch FROM {one})::float8" for one in (quoted(age.name), begin, end))
    return f"SELECT width_bucket({epochs}, {int(slices)}), count(*) FROM {table.qualified}{_where(table, selection, None)} GROUP BY 1"


def _iso(expression: str) -> str:
    # The settings make it UTC; a column without a zone holds UTC anyway.
    return f'to_char({expression}, \'YYYY-MM-DD"T"HH24:MI:SS.US"Z"\')'


def _value_of(column: Column) -> str:
    if column.is_base64:
        # encode() breaks its lines after 76 characters.
        return f"replace(encode({quoted(column.name)}, 'base64'), chr(10), '') AS {quoted(column.name)}"
    return quoted(column.name)


def _where(table: Table, selection: TableSelection, keys: KeyRange | None) -> str:
    conditions = []
    if selection.age_column is not None:
        age = table.column(selection.age_column)
        if selection.since is not None:
            conditions.append(f"{quoted(age.name)} >= {moment(selection.since, age)}")
        if selection.until is not None:
            conditions.append(f"{quoted(age.name)} < {moment(selection.until, age)}")
    if keys is not None:
        if keys.after is not None:
            conditions.append(f"{quoted(keys.column.name)} > {literal(keys.after)}::{keys.column.type}")
        if keys.up_to is not None:
            conditions.append(f"{quoted(keys.column.name)} <= {literal(keys.up_to)}::{keys.column.type}")
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def moment(value: datetime, column: Column) -> str:
    """Write a moment as SQL, of the kind that a column holds.

    :param value: A datetime with time zone.
    :param column: The column it is compared with.
    """
    utc = value.astimezone(timezone.utc)
    if column.type.startswith("timestamp") and "with time zone" in column.type:
        return f"TIMESTAMPTZ '{utc.isoformat()}'"
    return f"TIMESTAMP '{utc.replace(tzinfo=None).isoformat()}'"


def quoted(name: str) -> str:
    """Quote a name of the database.

    :param name: The name, as the catalog gives it.
    """
    if "\x00" in name:
        raise ValueError("a name in PostgreSQL holds no NUL")
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """Quote a text; ``standard_conforming_strings`` is to be on, see :data:`SETTINGS`.

    :param value: The text.
    """
    if "\x00" in value:
        raise ValueError("a text in PostgreSQL holds no NUL")
    return "'" + value.replace("'", "''") + "'"
