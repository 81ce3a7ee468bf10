"""Runs with a row in every table that hangs on them, and rows of every age in all other tables, in the release's real schema."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import UUID

from mwaa_provider.metadata.cleanup.plan import Wanted, make_plan
from mwaa_provider.metadata.cleanup.rules import RUNS, TASKS
from mwaa_provider.metadata.cleanup.schema import Schema
from mwaa_provider.metadata.database import by_airflows_settings
from tests.support.metadata import Rows

if TYPE_CHECKING:
    from mwaa_provider.metadata.cleanup.plan import Plan
    from tests.support.environment import TestHome

NOW = datetime(2026, 6, 30, 12, tzinfo=timezone.utc)
CUT = NOW - timedelta(days=30)
#: What is no history.
_STAYS = re.compile("ab_.*|alembic_version.*|connection|dag_bundle|log_template|slot_pool|team|variable")


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


@dataclass
class History:
    """Writes history.

    :param rows: Writes rows.
    :param schema: The schema.
    """

    rows: Rows
    schema: Schema
    runs: dict[str, int] = field(default_factory=dict)
    number: int = 0

    @classmethod
    def emptied(cls, rows: Rows, schema: Schema) -> History:
        """Begin with an empty one: what Airflow and other tests have left goes first."""
        for table in schema.columns:
            if not _STAYS.fullmatch(table):
                rows.execute(f'DELETE FROM "{table}"')
                rows.tables[table] = None
        return cls(rows, schema)

    @classmethod
    @contextmanager
    def of_this_airflow(cls, home: TestHome) -> Iterator[History]:
        """An empty one in the database of the Airflow in this process."""
        way = by_airflows_settings()
        assert way is not None
        with way.snapshot() as connection:
            schema = Schema.read(connection)
        with Rows.opened(home) as rows:
            yield cls.emptied(rows, schema)

    def plan(self, **wanted: Any) -> Plan:
        return make_plan(self.schema, Wanted(wanted.pop("before", CUT), **wanted))

    def run(
        self,
        run_id: str,
        days: float | None,
        *,
        dag_id: str = "nightly",
        state: str | None = "success",
        run_type: str = "scheduled",
        tasks: tuple[tuple[str | None, float | None], ...] = (),
        task_count: int = 2,
    ) -> int:
        """Add a run that began so many days ago, with task instances (state, days ago) and a row in every table below."""
        self.dag(dag_id)
        self.number += 1
        number = self.runs[run_id] = 100_000 + self.number
        began = None if days is None else days_ago(days)
        self.rows.add(
            RUNS,
            id=number,
            dag_id=dag_id,
            run_id=run_id,
            start_date=began,
            end_date=began,
            state=state,
            run_type=run_type,
            external_trigger=run_type == "manual",
            execution_date=NOW + timedelta(seconds=self.number),
            logical_date=NOW + timedelta(seconds=self.number),
            run_after=began or NOW,
        )
        of_run = {
            "dag_id": dag_id,
            "run_id": run_id,
            "dag_run_id": number,
            "dagrun_id": number,
            "created_dag_run_id": number,
            "map_index": -1,
            "event_id": self._event(),
            "callback_id": self._callback(),
        }
        for table in self.plan().run_tables:
            if table.of_tasks is None and table.name != RUNS:
                self.rows.add(
                    table.name, task_id="first", key="k", deadline_time=began or NOW, expires_at=None, **of_run
                )
        for position, (its_state, its_days) in enumerate(tasks or ((state, days),) * task_count):
            self._task(
                {**of_run, "task_id": f"task_{position}"}, its_state, None if its_days is None else days_ago(its_days)
            )
        return number

    def dag(self, dag_id: str) -> None:
        """Add the DAG, if it is not there."""
        bundles = "dag_bundle" in self.schema.columns
        if bundles and not self.rows.execute("SELECT 1 FROM dag_bundle WHERE name = 'history'"):
            self.rows.add("dag_bundle", name="history")
        if not self.rows.execute("SELECT 1 FROM dag WHERE dag_id = %s", (dag_id,)):
            self.rows.add("dag", dag_id=dag_id, bundle_name="history", last_parsed_time=NOW)

    def _task(self, of_run: dict[str, Any], state: str | None, began: datetime | None) -> None:
        self.number += 1
        number = UUID(int=(1 << 96) + self.number)
        given = {
            **of_run,
            "id": number if self.schema.columns[TASKS].get("id") == "uuid" else None,
            "start_date": began,
            "end_date": began,
            "state": state,
        }
        self.rows.add(TASKS, **{name: _text(value) for name, value in given.items()})
        below = {
            **of_run,
            "ti_id": str(number),
            "ti_history_id": str(number),
            "task_instance_id": str(number),
            "key": "k",
            "try_number": 1,
            "start_date": began or NOW,
            "timestamp": began or NOW,
            "dag_version_id": None,
        }
        for table in reversed(self.plan().run_tables):
            if table.of_tasks is not None and table.name not in (RUNS, TASKS):
                self.rows.add(table.name, **below)

    def _event(self) -> int:
        """An event that a run consumed is one that the run refers to."""
        self.number += 1
        table = "asset_event" if "asset_event" in self.schema.columns else "dataset_event"
        self.rows.add(table, id=self.number, timestamp=days_ago(200), source_dag_id="source", source_run_id="none")
        return self.number

    def _callback(self) -> str | None:
        if "callback" not in self.schema.columns:
            return None
        self.number += 1
        number = str(UUID(int=(2 << 96) + self.number))
        self.rows.add("callback", id=number, created_at=days_ago(200), state="success", trigger_id=None)
        return number

    def aged(self, table: str, days: float, **given: Any) -> None:
        """Add a row of a table that goes by its own age."""
        (found,) = [one for one in self.plan(tables=(table,)).aged if one.name == table]
        self.rows.add(table, **{found.age: days_ago(days), **given})

    def run_ids(self, table: str = RUNS) -> list[str]:
        """The run ids in a table, in order."""
        columns = self.schema.columns[table]
        if "run_id" in columns:
            found = self.rows.execute(f'SELECT DISTINCT run_id FROM "{table}"')
        else:
            (one,) = [one for one in self.plan().run_tables if one.name == table]
            using, condition = one.of_runs or one.of_tasks or ("", "")
            joined = condition.rpartition(" AND ")[0]
            last = using.rpartition(" AS ")[2]
            found = self.rows.execute(f'SELECT DISTINCT {last}.run_id FROM "{table}" c, {using} WHERE {joined}')
        return sorted(row[0] for row in found)

    def count(self, table: str) -> int:
        count: int = self.rows.execute(f'SELECT count(*) FROM "{table}"')[0][0]
        return count

    def violations(self) -> list[str]:
        """Every foreign key that a row breaks; the rows were written without a check."""
        broken = []
        for key in self.schema.foreign_keys:
            columns = " AND ".join(f'c."{column}" IS NOT NULL' for column in key.columns)
            count = self.rows.execute(
                f'SELECT count(*) FROM "{key.child}" c WHERE {columns} AND NOT EXISTS '
                f'(SELECT FROM "{key.parent}" p WHERE {key.joined("c", "p")})'
            )[0][0]
            if count:
                broken.append(f"{key.child} -> {key.parent}: {count}")
        return broken


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, UUID) else value
