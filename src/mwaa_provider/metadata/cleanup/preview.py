"""What a clean-up would do, counted in one read-only snapshot; nothing is written."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mwaa_provider.metadata.cleanup.plan import Plan, Sql
from mwaa_provider.metadata.cleanup.rules import FINISHED_RUNS, FINISHED_TASKS, RUNS, TASKS
from mwaa_provider.metadata.cleanup.run_batches import newest_runs
from mwaa_provider.metadata.cleanup.run_tables import RunTable
from mwaa_provider.metadata.cleanup.schema import name
from mwaa_provider.metadata.cleanup.sessions import ask
from mwaa_provider.metadata.policy import age_columns_of

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

log = logging.getLogger(__name__)

#: Rows a second that the estimate of the time goes by. Task instances take ten times as long as other rows: PostgreSQL looks for what
#: refers to each in every table that may. Measured by benchmarks/cleanup.py on two cores; yours will differ.
_ROWS_A_SECOND = {TASKS: 10_000.0}
_OTHER_ROWS_A_SECOND = 100_000.0


@dataclass(frozen=True)
class TablePreview:
    """What would go of one table.

    :param rows: How many rows.
    :param size: How many bytes they take, about: their share of the table's with its indexes; ``None`` where that cannot be seen.
    :param total_rows: How many rows the table has; ``None`` where that cannot be seen.
    :param oldest: The smallest age of what would go, ISO 8601; ``None`` if there is none, or the table has no age.
    :param newest: The largest one.
    """

    rows: int
    size: int | None = None
    total_rows: int | None = None
    oldest: str | None = None
    newest: str | None = None


@dataclass(frozen=True)
class Preview:
    """What a clean-up would do.

    :param before: The cut-off, ISO 8601.
    :param tables: Table to what would go of it.
    :param stays: Old rows that would stay: the reason to their number.
    :param not_cleaned: Table to the reason why it is not cleaned.
    :param seconds: How long it would take, about.
    """

    before: str
    tables: Mapping[str, TablePreview]
    stays: Mapping[str, int] = field(default_factory=dict)
    not_cleaned: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def xcom(self) -> dict[str, Any]:
        """Return it as what a task gives back: JSON, and small."""
        return {
            "dry_run": True,
            "before": self.before,
            "rows": {table: found.rows for table, found in self.tables.items() if found.rows},
            "bytes": {
                table: found.size for table, found in self.tables.items() if found.rows and found.size is not None
            },
            "oldest": {table: found.oldest for table, found in self.tables.items() if found.oldest},
            "newest": {table: found.newest for table, found in self.tables.items() if found.newest},
            "stays": dict(self.stays),
            "estimated_seconds": round(self.seconds, 1),
        }


def preview(connection: Connection, plan: Plan, only: str | None = None) -> Preview:
    """Count what would go.

    :param connection: A connection in a read-only transaction; each table is read once, which may take long.
    :param plan: What will be cleaned.
    :param only: One of its tables (default: all of them). The old runs that stay are told with the first table of runs.
    """
    tables: dict[str, TablePreview] = {}
    stays: dict[str, int] = {}
    of_runs = [table for table in plan.run_tables if only in (None, table.name)]
    if of_runs:
        newest = newest_runs(connection, plan)
        doomed = _doomed_runs(plan, newest)
        for table in of_runs:
            tables[table.name] = _of_run_table(connection, plan, table, doomed)
        if of_runs[0] == plan.run_tables[0]:
            stays |= _old_runs_that_stay(connection, plan, newest)
    for aged in (table for table in plan.aged if only in (None, table.name)):
        source = f"{plan.schema.qualified(aged.name)} t"
        found = _counted(
            connection, plan, aged.name, Sql(f"{source} WHERE {aged.doomed.text}", aged.doomed.values), aged.age
        )
        before = tables.get(aged.name)
        tables[aged.name] = found if before is None else _together(before, found)
        held = ask(
            connection,
            f"SELECT count(*) FROM {source} WHERE {aged.old.text} AND NOT ({aged.free.text})",  # noqa: S608 - of the catalog
            (*aged.old.values, *aged.free.values),
        ).scalar()
        if held:
            stays[f"{aged.name}: something that stays refers to it, or it still is in use"] = held
    seconds = sum(one.rows / _ROWS_A_SECOND.get(table, _OTHER_ROWS_A_SECOND) for table, one in tables.items())
    return Preview(plan.wanted.before.isoformat(), tables, stays, plan.not_cleaned, seconds)


def joined(parts: Sequence[Preview], before: str, not_cleaned: Mapping[str, str]) -> Preview:
    """Join previews of single tables.

    :param parts: The previews.
    :param before: The cut-off, ISO 8601.
    :param not_cleaned: Table to the reason why it is not cleaned.
    """
    tables = {table: one for part in parts for table, one in part.tables.items()}
    stays = {why: count for part in parts for why, count in part.stays.items()}
    return Preview(before, tables, stays, not_cleaned, sum(part.seconds for part in parts))


def tell(found: Preview) -> None:
    """Log it.

    :param found: What would go.
    """
    for table, one in found.tables.items():
        if one.rows and one.size is not None:
            log.info(
                "%s: %s of %s rows would go (about %s bytes), from %s to %s",
                table,
                f"{one.rows:,}",
                f"{one.total_rows:,}",
                f"{one.size:,}",
                one.oldest or "?",
                one.newest or "?",
            )
        elif one.rows:
            log.info("%s: %s rows would go", table, f"{one.rows:,}")
    for why, count in found.stays.items():
        log.info("Old, and would stay: %s %s", f"{count:,}", why)
    for table, why in found.not_cleaned.items():
        log.info("Not cleaned: %s: %s", table, why)
    log.info("It would take about %.0f seconds", found.seconds)


def _tasks_that_stay(plan: Plan) -> Sql:
    return Sql(
        f"EXISTS (SELECT FROM {plan.schema.qualified(TASKS)} s WHERE s.dag_id = r.dag_id AND s.run_id = r.run_id AND "
        "((s.state IS NOT NULL AND s.state <> ALL(%s::text[])) OR s.start_date >= %s::timestamptz OR s.end_date >= %s::timestamptz))",
        (list(FINISHED_TASKS), plan.wanted.before, plan.wanted.before),
    )


def _doomed_runs(plan: Plan, newest: list[int]) -> Sql:
    doomed, stay = plan.doomed_runs(newest), _tasks_that_stay(plan)
    return Sql(
        f"(SELECT r.id FROM {plan.schema.qualified(RUNS)} r WHERE {doomed.text} AND NOT {stay.text})",  # noqa: S608
        (*doomed.values, *stay.values),
    )


def _of_run_table(connection: Connection, plan: Plan, table: RunTable, doomed: Sql) -> TablePreview:
    source = f"{plan.schema.qualified(table.name)} c"
    columns = plan.schema.columns[table.name]
    age = next((column for column in age_columns_of(table.name) if column in columns), None)
    ids, places = "ANY(%s::bigint[])", "ANY(%s::text[]::tid[])"
    if table.name == RUNS:
        found = Sql(f"{source} WHERE c.id IN {doomed.text}", doomed.values)
    elif table.of_runs is not None:
        using, condition = table.of_runs
        joined, _, last = condition.removesuffix(f" = {ids}").rpartition(" AND ")
        found = Sql(f"{source}, {using} WHERE {joined} AND {last} IN {doomed.text}", doomed.values)
    else:
        using, condition = table.of_tasks or ("", "")
        joined, _, last = condition.removesuffix(f".ctid = {places}").rpartition(" AND ")
        runs = f"{plan.schema.qualified(RUNS)} run"
        found = Sql(
            f"{source}, {using}, {runs} WHERE {joined} AND run.dag_id = {last}.dag_id AND run.run_id = {last}.run_id "
            f"AND run.id IN {doomed.text}",
            doomed.values,
        )
    return _counted(connection, plan, table.name, found, age, alias="c")


def _counted(
    connection: Connection, plan: Plan, table: str, source: Sql, age: str | None, alias: str = "t"
) -> TablePreview:
    ends = f"min({alias}.{name(age)}), max({alias}.{name(age)})" if age else "NULL, NULL"
    rows, oldest, newest = ask(
        connection,
        f"SELECT count(*), {ends} FROM {source.text}",  # noqa: S608 - of the catalog
        source.values,
    ).one()
    qualified = plan.schema.qualified(table)
    total, size = ask(
        connection,
        f"SELECT count(*), pg_total_relation_size(%s::regclass) FROM {qualified}",  # noqa: S608
        (qualified.replace("%%", "%"),),
    ).one()
    return TablePreview(rows, int(size * rows / total) if total else 0, total, _iso(oldest), _iso(newest))


def _together(one: TablePreview, other: TablePreview) -> TablePreview:
    ends = [end for end in (one.oldest, other.oldest, one.newest, other.newest) if end]
    return TablePreview(
        one.rows + other.rows,
        (one.size or 0) + (other.size or 0),
        one.total_rows,
        min(ends, default=None),
        max(ends, default=None),
    )


def _old_runs_that_stay(connection: Connection, plan: Plan, newest: list[int]) -> dict[str, int]:
    old, stay = plan.old_runs(), _tasks_that_stay(plan)
    is_over = "(r.state IS NOT NULL AND r.state = ANY(%s::text[]))"
    is_newest = "r.id IN (SELECT unnest(%s::bigint[]))"
    over = list(FINISHED_RUNS)
    row = ask(
        connection,
        f"SELECT count(*) FILTER (WHERE NOT {is_over}), count(*) FILTER (WHERE {is_over} AND {is_newest}), "  # noqa: S608
        f"count(*) FILTER (WHERE {is_over} AND NOT {is_newest} AND {stay.text}) FROM {plan.schema.qualified(RUNS)} r WHERE {old.text}",
        (over, over, newest, over, newest, *stay.values, *old.values),
    ).one()
    reasons = (
        "dag_run: active",
        "dag_run: the newest of its DAG that is not manual",
        "dag_run: a task instance is active, or younger than the cut-off",
    )
    return {reason: count for reason, count in zip(reasons, row, strict=True) if count}


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()
