"""The tables of the metadata database, as the database itself describes them, with what the policy says of each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metadata import policy

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from mwaa_provider.metadata.export.source import Asked, TableSelection

_TABLES = """
SELECT n.nspname, c.relname, GREATEST(c.reltuples, 0)::bigint, c.oid::bigint
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = COALESCE(%s, current_schema()) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
ORDER BY c.relname
"""

_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = COALESCE(%s, current_schema()) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""

_KEYS = """
SELECT c.relname, a.attname
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k(attnum, position)
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
WHERE n.nspname = COALESCE(%s, current_schema()) AND i.indisprimary
ORDER BY c.relname, k.position
"""

_REFERENCES = """
SELECT child.relname, parent.relname
FROM pg_catalog.pg_constraint f
JOIN pg_catalog.pg_class child ON child.oid = f.conrelid
JOIN pg_catalog.pg_class parent ON parent.oid = f.confrelid
JOIN pg_catalog.pg_namespace n ON n.oid = child.relnamespace
WHERE n.nspname = COALESCE(%s, current_schema()) AND f.contype = 'f'
GROUP BY 1, 2 ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Column:
    """A column.

    :param name: Its name.
    :param type: PostgreSQL's name of its type, such as ``timestamp with time zone`` or ``character varying(250)``.
    :param is_base64: Whether it holds bytes (pickles, in Airflow 2), which are written as base64 text and never unpickled.
    """

    name: str
    type: str
    is_base64: bool = False

    @property
    def is_moment(self) -> bool:
        """Whether it holds a date with time."""
        return self.type.startswith("timestamp")


@dataclass(frozen=True)
class Table:
    """A table.

    :param schema: The schema it lies in.
    :param name: Its name.
    :param columns: The columns that may leave the database.
    :param left_out: The columns that are kept secret.
    :param primary_key: The columns of its primary key, in order.
    :param age_column: The column that tells a row's age; ``None`` if it has none.
    :param row_estimate: How many rows it has, as PostgreSQL's statistics say; 0 if they have not been made.
    :param references: The tables that its foreign keys point to.
    """

    schema: str
    name: str
    columns: tuple[Column, ...]
    left_out: tuple[str, ...] = ()
    primary_key: tuple[str, ...] = ()
    age_column: str | None = None
    row_estimate: int = 0
    references: tuple[str, ...] = ()

    @property
    def qualified(self) -> str:
        """Its name with that of its schema, quoted for SQL."""
        from mwaa_provider.metadata.selecting import quoted

        return f"{quoted(self.schema)}.{quoted(self.name)}"

    def column(self, name: str) -> Column:
        """Give one of the columns that may leave the database.

        :param name: Its name.
        :raises KeyError: There is none of that name.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True)
class Catalog:
    """All tables of one schema.

    :param tables: Name to table.
    :param revision: The revision of the schema (Alembic's); ``None`` if it says none.
    """

    tables: Mapping[str, Table] = field(default_factory=dict)
    revision: str | None = None

    @classmethod
    def read(cls, connection: Connection, schema: str | None = None) -> Catalog:
        """Ask the database.

        :param connection: An SQLAlchemy connection to PostgreSQL.
        :param schema: The schema (default: the one that the connection finds first).
        """

        def ask(query: str) -> list[tuple[object, ...]]:
            return [tuple(row) for row in connection.exec_driver_sql(query, (schema,))]

        columns: dict[str, list[Column]] = {}
        for table, name, kind, _ in ask(_COLUMNS):
            columns.setdefault(str(table), []).append(Column(str(name), str(kind), is_base64=kind == "bytea"))
        keys = _by_first(ask(_KEYS))
        references = _by_first(ask(_REFERENCES))
        tables = {}
        for where, name, estimate, _ in ask(_TABLES):
            tables[str(name)] = _with_policy(
                str(where),
                str(name),
                columns.get(str(name), []),
                keys.get(str(name), ()),
                int(str(estimate)),
                references.get(str(name), ()),
            )
        return cls(tables, _revision(connection, tables.get("alembic_version")))

    def selections(self, asked: Asked) -> tuple[TableSelection, ...]:
        """Find out which tables and columns are meant.

        :param asked: Which rows are wanted.
        :raises InvalidInputError: naming every table and column that is not there, with the nearest names.
        """
        from mwaa_provider.metadata.export.source import TableSelection

        names, problems = self._names(asked.tables)
        problems += self._problems_of_age_columns(asked.age_columns)
        if problems:
            raise InvalidInputError(problems)
        selections = []
        for name in names:
            table = self.tables[name]
            age = asked.age_columns.get(name, table.age_column)
            bounds = (asked.since, asked.until) if age is not None else (None, None)
            selections.append(TableSelection(name, table.columns, age, *bounds, left_out=table.left_out))
        return tuple(selections)

    def _names(self, asked: tuple[str, ...] | None) -> tuple[list[str], list[str]]:
        if asked is None:
            return [name for name in policy.GUIDE_TABLES if name in self.tables], []
        names: dict[str, None] = {}
        problems = []
        for name in asked:
            if name == "history":
                names.update(dict.fromkeys(one for one in policy.HISTORY if one in self.tables))
            elif name not in self.tables:
                problems.append(f"tables: there is no table {name!r} in this release{_nearest(name, self.tables)}")
            elif not self.tables[name].columns:
                problems.append(f"tables: every column of {name!r} is kept secret; nothing of it can be exported")
            else:
                names[name] = None
        return list(names), problems

    def _problems_of_age_columns(self, asked: Mapping[str, str]) -> list[str]:
        problems = []
        for name, column in asked.items():
            if name not in self.tables:
                problems.append(f"age_columns: there is no table {name!r} in this release{_nearest(name, self.tables)}")
                continue
            moments = [one.name for one in self.tables[name].columns if one.is_moment]
            if column not in moments:
                there = f"give one of {', '.join(moments)}" if moments else "it has none"
                problems.append(f"age_columns: {column!r} is not a column of {name!r} with dates; {there}")
        return problems


def _with_policy(
    schema: str, name: str, columns: list[Column], key: tuple[str, ...], estimate: int, references: tuple[str, ...]
) -> Table:
    open_columns = tuple(column for column in columns if not policy.is_secret(name, column.name))
    moments = {column.name for column in open_columns if column.is_moment}
    return Table(
        schema,
        name,
        open_columns,
        left_out=tuple(column.name for column in columns if column not in open_columns),
        primary_key=key,
        age_column=next((one for one in policy.age_columns_of(name) if one in moments), None),
        row_estimate=estimate,
        references=references,
    )


def _by_first(rows: Iterable[tuple[object, ...]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for first, second in rows:
        found[str(first)] = (*found.get(str(first), ()), str(second))
    return found


def _revision(connection: Connection, table: Table | None) -> str | None:
    if table is None:
        return None
    row = connection.exec_driver_sql(f"SELECT min(version_num) FROM {table.qualified}").first()  # noqa: S608 - of the catalog
    return None if row is None else row[0]


def _nearest(name: str, tables: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(tables), n=3, cutoff=0.5)
    return f"; did you mean {' or '.join(repr(one) for one in near)}?" if near else "; `\\dt` in psql shows them all"
