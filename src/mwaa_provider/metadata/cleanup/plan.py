"""From what was asked for and the schema as it is to what will be cleaned: the statements' parts, table by table."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, NamedTuple

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metadata.cleanup.rules import AGED, FINISHED_RUNS, RUNS, AgedRule, why_kept
from mwaa_provider.metadata.cleanup.run_tables import RunTable, run_tables
from mwaa_provider.metadata.cleanup.schema import CASCADE, Schema, name


@dataclass(frozen=True)
class Wanted:
    """Which rows are to go.

    :param before: Rows older than this, with time zone.
    :param tables: The tables; ``None`` for all that are cleaned without being named.
    :param dag_ids: Only rows of these DAGs; ``None`` for all.
    :param exclude_dag_ids: No rows of these DAGs.
    """

    before: datetime
    tables: tuple[str, ...] | None = None
    dag_ids: tuple[str, ...] | None = None
    exclude_dag_ids: tuple[str, ...] | None = None

    @property
    def is_by_dag(self) -> bool:
        """Whether DAGs are told apart."""
        return self.dag_ids is not None or self.exclude_dag_ids is not None


class Sql(NamedTuple):
    """A piece of SQL with ``%s`` for its values.

    :param text: The piece.
    :param values: The values.
    """

    text: str
    values: tuple[Any, ...] = ()

    @classmethod
    def all_of(cls, pieces: Iterable[Sql]) -> Sql:
        """Join conditions of which every one must hold.

        :param pieces: The conditions.
        """
        of = list(pieces)
        return cls(" AND ".join(one.text for one in of), tuple(value for one in of for value in one.values))


@dataclass(frozen=True)
class AgedTable:
    """A table whose rows go by their own age.

    :param name: Its name.
    :param age: The column of its rows' age.
    :param key: Its primary key's columns and their types.
    :param old: The condition for a row ``t`` to be old enough, and of the DAGs that are meant.
    :param free: The condition for an old row ``t`` that nothing holds.
    :param parts: The tables whose rows go along.
    """

    name: str
    age: str
    key: Mapping[str, str]
    old: Sql
    free: Sql
    parts: tuple[str, ...] = ()

    @property
    def doomed(self) -> Sql:
        """The condition for a row ``t`` to go."""
        return Sql.all_of((self.old, self.free))


@dataclass(frozen=True)
class Plan:
    """What will be cleaned.

    :param schema: The schema.
    :param wanted: Which rows.
    :param run_tables: The tables of runs that are cleaned, children first; none if runs are not touched.
    :param aged: The tables whose rows go by their own age, in order.
    :param not_cleaned: Table to the reason why it is not cleaned.
    """

    schema: Schema
    wanted: Wanted
    run_tables: tuple[RunTable, ...] = ()
    aged: tuple[AgedTable, ...] = ()
    not_cleaned: Mapping[str, str] = field(default_factory=dict)

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of all tables that are cleaned, in the order in which they are."""
        return (*(table.name for table in self.run_tables), *(table.name for table in self.aged))

    @property
    def touched(self) -> tuple[str, ...]:
        """The names of all tables that may lose rows, parts too."""
        return tuple(dict.fromkeys((*self.tables, *(part for table in self.aged for part in table.parts))))

    @property
    def not_manual(self) -> str:
        """The condition for a run to be one of those of which the newest stays, as ``airflow db clean`` has it."""
        return "external_trigger = false" if "external_trigger" in self.schema.columns[RUNS] else "run_type <> 'manual'"

    def old_runs(self) -> Sql:
        """Write the condition for a run ``r`` to be old enough, and of the DAGs that are meant."""
        return Sql.all_of(_old(self.schema, self.wanted, RUNS, "start_date", "dag_id", "r"))

    def doomed_runs(self, newest: list[int]) -> Sql:
        """Write the condition for a run ``r`` to go, as far as its own row tells; its task instances have a say too.

        :param newest: The ids of the runs that stay because they are their DAGs' newest.
        """
        return Sql.all_of(
            (
                self.old_runs(),
                Sql("r.state = ANY(%s::text[])", (list(FINISHED_RUNS),)),
                Sql("r.id NOT IN (SELECT unnest(%s::bigint[]))", (newest,)),
            )
        )


def make_plan(schema: Schema, wanted: Wanted) -> Plan:
    """Find out what will be cleaned.

    :param schema: The schema.
    :param wanted: Which rows.
    :raises InvalidInputError: naming every table that is not there, or is never cleaned, or has no DAG where DAGs are told apart.
    """
    plan, problems = try_plan(schema, wanted)
    if problems:
        raise InvalidInputError(problems)
    return plan


def try_plan(schema: Schema, wanted: Wanted) -> tuple[Plan, list[str]]:
    """Find out what can be cleaned, and what cannot although it is wanted, as sentences.

    :param schema: The schema.
    :param wanted: Which rows.
    """
    tree = run_tables(schema)
    in_tree = {table.name for table in tree}
    aged = {
        table: rule
        for table, rule in AGED.items()
        if table in schema.columns and schema.primary_keys.get(table) and _first(schema, table, rule.ages)
    }
    problems: list[str] = []
    chosen = _chosen(schema, wanted, in_tree, aged, problems)
    named = wanted.tables is not None
    runs = tuple(table for table in tree if table.name in _with_all_below(tree, chosen))
    by_age = tuple(
        _aged_table(schema, wanted, table, rule)
        for table, rule in aged.items()
        if table in chosen and (named or not wanted.is_by_dag or _first(schema, table, rule.dag_columns))
    )
    plan = Plan(schema, wanted, runs, by_age)
    return Plan(schema, wanted, runs, by_age, _not_cleaned(schema, plan, in_tree, aged)), problems


def _chosen(
    schema: Schema, wanted: Wanted, in_tree: set[str], aged: Mapping[str, AgedRule], problems: list[str]
) -> set[str]:
    if wanted.tables is None:
        return in_tree | {table for table, rule in aged.items() if rule.is_default}
    for table in wanted.tables:
        if table not in schema.columns:
            near = difflib.get_close_matches(table, [*in_tree, *aged], n=3, cutoff=0.5)
            hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
            problems.append(f"tables: there is no table {table!r} in this release{hint}")
        elif table not in in_tree and table not in aged:
            why = why_kept(table) or "nothing is known of it; a plugin's own tables are left to the plugin"
            problems.append(f"tables: {table!r} is not cleaned: {why}")
        elif wanted.is_by_dag and table not in in_tree and not _first(schema, table, aged[table].dag_columns):
            problems.append(
                f"tables: the rows of {table!r} belong to no DAG; leave it out, or give neither dag_ids nor exclude_dag_ids"
            )
    return set(wanted.tables)


def _with_all_below(tree: tuple[RunTable, ...], chosen: set[str]) -> set[str]:
    found = {table.name for table in tree} & chosen
    for table in reversed(tree):  # parents first
        if found & set(table.hangs_on):
            found.add(table.name)
    return found


def _not_cleaned(schema: Schema, plan: Plan, in_tree: set[str], aged: Mapping[str, AgedRule]) -> Mapping[str, str]:
    found = {}
    for table in sorted(set(schema.columns) - set(plan.tables)):
        why = why_kept(table)
        if table in in_tree or table in aged:
            is_by_name = table in aged and not aged[table].is_default
            why = "only when it is named" if is_by_name else "not one of the tables that were named"
            if plan.wanted.tables is None and not is_by_name:
                why = "its rows belong to no DAG"
        found[table] = why or "nothing is known of it; a plugin's own tables are left to the plugin"
    return found


def _aged_table(schema: Schema, wanted: Wanted, table: str, rule: AgedRule) -> AgedTable:
    age = _first(schema, table, rule.ages) or ""
    dag = _first(schema, table, rule.dag_columns)
    columns = schema.columns[table]
    return AgedTable(
        table,
        age,
        {column: columns[column] for column in schema.primary_keys[table]},
        Sql.all_of(_old(schema, wanted, table, age, dag, "t")),
        Sql.all_of(_free(schema, table, rule, age)),
        tuple(part for part in rule.parts if part in schema.columns),
    )


def _old(schema: Schema, wanted: Wanted, table: str, age: str, dag: str | None, alias: str) -> list[Sql]:
    column = f"{alias}.{name(age)}"
    utc = wanted.before.astimezone(timezone.utc)
    if "without time zone" in schema.columns[table][age]:
        pieces = [Sql(f"{column} < %s::timestamp", (utc.replace(tzinfo=None),))]
    else:
        pieces = [Sql(f"{column} < %s::timestamptz", (utc,))]
    if dag is not None and wanted.dag_ids is not None:
        pieces.append(Sql(f"{alias}.{name(dag)} = ANY(%s::text[])", (list(wanted.dag_ids),)))
    if dag is not None and wanted.exclude_dag_ids is not None:
        pieces.append(Sql(f"{alias}.{name(dag)} <> ALL(%s::text[])", (list(wanted.exclude_dag_ids),)))
    return pieces


def _free(schema: Schema, table: str, rule: AgedRule, age: str) -> list[Sql]:
    columns = schema.columns[table]
    pieces = [Sql("true")]
    if rule.only and set(rule.needs) <= set(columns) and set(rule.needs_tables) <= set(schema.columns):
        pieces.append(Sql(rule.only))
    if rule.keeps_last_by is not None:
        by = name(rule.keeps_last_by)
        pieces.append(
            Sql(
                f"EXISTS (SELECT FROM {schema.qualified(table)} n WHERE n.{by} = t.{by} AND n.{name(age)} > t.{name(age)})"
            )
        )
    for key in schema.referring_to(table):
        if not (key.child in rule.parts and key.on_delete == CASCADE):
            pieces.append(Sql(f"NOT EXISTS (SELECT FROM {schema.qualified(key.child)} c WHERE {key.joined('c', 't')})"))
    link = _link_to_runs(columns, schema.columns[RUNS])
    if table not in ("dag", "dag_version") and link is not None:
        dag, run, run_column = (name(one) for one in link)
        over = "', '".join(FINISHED_RUNS)
        pieces.append(
            Sql(
                f"(t.{dag} IS NULL OR t.{run} IS NULL OR (t.{dag}, t.{run}) NOT IN "  # noqa: S608 - of the catalog
                f"(SELECT a.dag_id, a.{run_column} FROM {schema.qualified(RUNS)} a "
                f"WHERE (a.state IS NULL OR a.state NOT IN ('{over}')) AND a.{run_column} IS NOT NULL))"
            )
        )
    return pieces


def _link_to_runs(columns: Mapping[str, str], of_runs: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Give the columns by which a row tells its run, and the run's column; a row of an active run stays."""
    for dag, run, run_column in (
        ("dag_id", "run_id", "run_id"),
        ("source_dag_id", "source_run_id", "run_id"),
        ("dag_id", "execution_date", "execution_date"),
    ):
        if dag in columns and run in columns and run_column in of_runs:
            return dag, run, run_column
    return None


def _first(schema: Schema, table: str, columns: tuple[str, ...]) -> str | None:
    return next((column for column in columns if column in schema.columns[table]), None)
