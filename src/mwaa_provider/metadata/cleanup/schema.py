"""What a clean-up has to know of the schema beyond the catalog: every column, keys, indexes, and what becomes of children."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mwaa_provider.metadata.selecting import quoted

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_COLUMNS = """
SELECT n.nspname, c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = COALESCE(%s, current_schema()) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
  AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY c.relname, a.attnum
"""

_INDEXES = """
SELECT c.relname, i.indexrelid::bigint, i.indisprimary, a.attname
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k(attnum, position)
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
WHERE n.nspname = COALESCE(%s, current_schema()) AND i.indisvalid AND i.indpred IS NULL
ORDER BY c.relname, i.indexrelid, k.position
"""

_FOREIGN_KEYS = """
SELECT f.oid::bigint, child.relname, parent.relname, f.confdeltype::text, ca.attname, pa.attname
FROM pg_catalog.pg_constraint f
JOIN pg_catalog.pg_class child ON child.oid = f.conrelid
JOIN pg_catalog.pg_class parent ON parent.oid = f.confrelid
JOIN pg_catalog.pg_namespace n ON n.oid = child.relnamespace
CROSS JOIN LATERAL unnest(f.conkey, f.confkey) WITH ORDINALITY AS k(child_column, parent_column, position)
JOIN pg_catalog.pg_attribute ca ON ca.attrelid = child.oid AND ca.attnum = k.child_column
JOIN pg_catalog.pg_attribute pa ON pa.attrelid = parent.oid AND pa.attnum = k.parent_column
WHERE n.nspname = COALESCE(%s, current_schema()) AND f.contype = 'f'
ORDER BY child.relname, f.oid, k.position
"""

#: What PostgreSQL writes for ``ON DELETE CASCADE`` and for ``ON DELETE SET NULL``.
CASCADE, SET_NULL = "c", "n"


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key.

    :param child: The table that refers.
    :param parent: The table that is referred to.
    :param columns: The child's columns.
    :param referenced: The parent's columns, in the same order.
    :param on_delete: What becomes of the child's row when the parent's goes, as PostgreSQL writes it.
    """

    child: str
    parent: str
    columns: tuple[str, ...]
    referenced: tuple[str, ...]
    on_delete: str = CASCADE

    def joined(self, child: str, parent: str) -> str:
        """Write the condition that joins the two.

        :param child: The child's name in the statement.
        :param parent: The parent's.
        """
        pairs = zip(self.columns, self.referenced, strict=True)
        return " AND ".join(f"{child}.{name(one)} = {parent}.{name(other)}" for one, other in pairs)


@dataclass(frozen=True)
class Schema:
    """The schema, reflected.

    :param name: Its name.
    :param columns: Table to its columns and their types, secret ones too.
    :param primary_keys: Table to the columns of its primary key.
    :param indexes: Table to the columns of each of its whole indexes; an expression is an empty name.
    :param foreign_keys: All foreign keys.
    :param required: Table to its columns that are never ``NULL``.
    """

    name: str
    columns: Mapping[str, Mapping[str, str]]
    primary_keys: Mapping[str, tuple[str, ...]]
    indexes: Mapping[str, tuple[tuple[str, ...], ...]]
    foreign_keys: tuple[ForeignKey, ...]
    required: Mapping[str, frozenset[str]]

    @classmethod
    def read(cls, connection: Connection, schema: str | None = None) -> Schema:
        """Ask the database.

        :param connection: An SQLAlchemy connection to PostgreSQL.
        :param schema: The schema (default: the one that the connection finds first).
        """

        def ask(query: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.exec_driver_sql(query, (schema,))]

        described = ask(_COLUMNS)
        columns: dict[str, dict[str, str]] = {}
        required: dict[str, frozenset[str]] = {}
        for _, table, column, kind, is_required in described:
            columns.setdefault(table, {})[column] = kind
            required[table] = required.get(table, frozenset()) | ({column} if is_required else frozenset())
        indexes: dict[tuple[str, int, bool], tuple[str, ...]] = {}
        for table, number, is_primary, column in ask(_INDEXES):
            key = (table, number, is_primary)
            indexes[key] = (*indexes.get(key, ()), column or "")
        return cls(
            described[0][0] if described else schema or "",
            columns,
            {table: of for (table, _, is_primary), of in indexes.items() if is_primary},
            {table: tuple(of for (one, _, _), of in indexes.items() if one == table) for table in columns},
            _foreign_keys(ask(_FOREIGN_KEYS)),
            required,
        )

    def qualified(self, table: str) -> str:
        """Give a table's name with that of the schema, quoted for SQL with parameters.

        :param table: The table.
        """
        return f"{name(self.name)}.{name(table)}"

    def is_indexed(self, table: str, columns: tuple[str, ...]) -> bool:
        """Tell whether an index begins with these columns, in any order.

        :param table: The table.
        :param columns: The columns.
        """
        return any(set(index[: len(columns)]) == set(columns) for index in self.indexes.get(table, ()))

    def referring_to(self, table: str) -> tuple[ForeignKey, ...]:
        """Give the foreign keys of other tables that point to a table.

        :param table: The table.
        """
        return tuple(key for key in self.foreign_keys if key.parent == table and key.child != table)


def name(of: str) -> str:
    """Quote a name for a statement that is sent with parameters.

    :param of: The name, as the database gives it.
    """
    return quoted(of).replace("%", "%%")


def _foreign_keys(rows: list[tuple[Any, ...]]) -> tuple[ForeignKey, ...]:
    found: dict[int, ForeignKey] = {}
    for number, child, parent, on_delete, column, referenced in rows:
        known = found.get(number, ForeignKey(child, parent, (), (), on_delete))
        found[number] = ForeignKey(
            child, parent, (*known.columns, column), (*known.referenced, referenced), known.on_delete
        )
    return tuple(dict.fromkeys(found.values()))
