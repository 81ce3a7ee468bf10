"""Rows in the installed Airflow's real schema, whatever its columns are: what is not given and must be there is made up."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.environment import TestHome

EPOCH = datetime(2026, 1, 1, tzinfo=timezone.utc)


@dataclass
class Rows:
    """Writes rows.

    :param connection: A connection of psycopg2, every statement by itself.
    """

    connection: Any
    tables: dict[str, None] = field(default_factory=dict)
    number: int = 0

    @classmethod
    @contextmanager
    def opened(cls, home: TestHome) -> Iterator[Rows]:
        import psycopg2

        connection = psycopg2.connect(host=str(home.postgres_data), user="postgres", dbname="airflow")
        connection.autocommit = True
        rows = cls(connection)
        # Foreign keys are of no matter here, and a row of every table would need ten others.
        rows.execute("SET session_replication_role = replica")
        try:
            yield rows
        finally:
            for table in rows.tables:
                rows.execute(f'DELETE FROM "{table}"')
            connection.close()

    def execute(self, statement: str, values: Any = None) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def columns(self, table: str) -> list[tuple[str, str, bool]]:
        """Name, type and whether it must be given of each column, as PostgreSQL says."""
        return self.execute(
            """SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull AND NOT a.atthasdef
            FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum""",
            (f'"{table}"',),
        )

    def has_table(self, table: str) -> bool:
        return bool(self.execute("SELECT 1 FROM pg_class WHERE relname = %s AND relkind = 'r'", (table,)))

    def add(self, table: str, **given: Any) -> None:
        """Add a row; names that the release does not have are left out."""
        self.number += 1
        self.tables[table] = None
        values: dict[str, Any] = {}
        for name, kind, is_needed in self.columns(table):
            if name in given:
                values[name] = given[name]
            elif is_needed:
                values[name] = self._made_up(kind)
        names = ", ".join(f'"{name}"' for name in values)
        if not values:
            self.execute(f'INSERT INTO "{table}" DEFAULT VALUES')
            return
        self.execute(
            f'INSERT INTO "{table}" ({names}) VALUES ({", ".join(["%s"] * len(values))})',
            [self._sendable(value) for value in values.values()],
        )

    def add_task_instance(self, start_date: datetime | None = EPOCH, **given: Any) -> None:
        self.add(
            "task_instance", **{"task_id": f"task_{self.number}", "start_date": start_date, "map_index": -1, **given}
        )

    def add_many_task_instances(self, count: int, *, value: str = "") -> None:
        """Add rows by the database itself, fast."""
        self.tables["task_instance"] = None
        self.number += 1
        columns, expressions = [], []
        for name, kind, is_needed in self.columns("task_instance"):
            made = {
                "task_id": f"'many_{self.number}_' || g",
                "start_date": "TIMESTAMPTZ '2026-01-01' + g * interval '1 second'",
                "hostname": f"'{value}' || md5(g::text)",
            }.get(name)
            if made is None and is_needed:
                made = {"uuid": "gen_random_uuid()", "integer": "g", "timestamp with time zone": "now()"}.get(
                    kind, "'x'"
                )
            if made is not None:
                columns.append(f'"{name}"')
                expressions.append(made)
        self.execute(
            f"INSERT INTO task_instance ({', '.join(columns)}) SELECT {', '.join(expressions)} FROM generate_series(1, {count}) g"
        )

    def _made_up(self, kind: str) -> Any:
        if kind.startswith("timestamp"):
            return EPOCH + timedelta(seconds=self.number)
        if kind.startswith("json"):
            return json.dumps({"number": self.number})
        return {
            "uuid": str(UUID(int=self.number)),
            "integer": self.number,
            "bigint": self.number,
            "boolean": False,
            "double precision": 1.5,
            "bytea": b"\x80\x04N.",
        }.get(kind, f"x{self.number}")

    @staticmethod
    def _sendable(value: Any) -> Any:
        return json.dumps(value) if isinstance(value, dict) else value
