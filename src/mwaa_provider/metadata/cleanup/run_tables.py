"""Runs and what hangs on them: which tables, in which order, and the statements that take their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from mwaa_provider.metadata.cleanup.rules import RUNS, TASKS
from mwaa_provider.metadata.cleanup.schema import CASCADE, ForeignKey, Schema


@dataclass(frozen=True)
class RunTable:
    """A table of runs: the runs, or something that hangs on them by ``ON DELETE CASCADE``, as the database says.

    :param name: Its name.
    :param hangs_on: The tables that it hangs on.
    :param of_runs: How its rows are found from the ids of runs (one value, an array of numbers): ``FROM``'s further tables and the
        condition on a row ``c``. ``None`` where no index leads that way, but one leads from task instances.
    :param of_tasks: How they are found from task instances (one value, an array of their ``ctid`` as text); ``None`` if they hang on runs
        alone.
    :param goes_with: Of the tables that it hangs on, those that take all of its rows along by the database's own ``ON DELETE CASCADE``.
    """

    name: str
    hangs_on: tuple[str, ...]
    of_runs: tuple[str, str] | None
    of_tasks: tuple[str, str] | None
    goes_with: frozenset[str]


def run_tables(schema: Schema) -> tuple[RunTable, ...]:
    """Name the tables of runs, children before their parents.

    :param schema: The schema.
    """
    if RUNS not in schema.columns or TASKS not in schema.columns:
        return ()
    below: dict[str, list[ForeignKey]] = {RUNS: []}
    waiting = [RUNS]
    while waiting:
        parent = waiting.pop()
        for key in schema.referring_to(parent):
            if key.on_delete != CASCADE:
                continue
            if key.child not in below:
                waiting.append(key.child)
            keys = below.setdefault(key.child, [])
            if key not in keys:
                keys.append(key)
    return tuple(_run_table(schema, below, name) for name in _children_first(below))


def _children_first(below: dict[str, list[ForeignKey]]) -> list[str]:
    depths: dict[str, int] = {}

    def depth(table: str) -> int:
        if table not in depths:
            depths[table] = 0  # a circle ends here
            depths[table] = max((depth(key.parent) + 1 for key in below[table]), default=0)
        return depths[table]

    return sorted(below, key=lambda table: (-depth(table), table))


def _run_table(schema: Schema, below: dict[str, list[ForeignKey]], table: str) -> RunTable:
    keys = below[table]
    # A row whose foreign key is NULL is taken along by nothing.
    goes_with = frozenset(key.parent for key in keys if set(key.columns) <= schema.required[table])
    found = RunTable(table, tuple(dict.fromkeys(key.parent for key in keys)), None, None, goes_with)
    if table == RUNS:
        return replace(found, of_runs=("", "c.id = ANY(%s::bigint[])"))
    if table == TASKS:
        return replace(
            found,
            of_runs=_joined(schema, _chain_to(below, table, RUNS)),
            of_tasks=("", "c.ctid = ANY(%s::text[]::tid[])"),
        )
    to_tasks = _chain_to(below, table, TASKS)
    direct = _direct(schema, table, keys)
    if direct is None and to_tasks is None:  # by way of something else that hangs on runs
        return replace(found, of_runs=_joined(schema, _chain_to(below, table, RUNS)))
    is_quick = direct is not None and (
        to_tasks is None
        or schema.is_indexed(table, direct.columns)
        or not schema.is_indexed(table, to_tasks[0].columns)  # then either way reads the whole table
    )
    return replace(
        found,
        of_runs=_joined(schema, [direct]) if direct is not None and is_quick else None,
        of_tasks=None if to_tasks is None else _joined(schema, to_tasks),
        goes_with=goes_with | ({RUNS} if direct in keys else set()),
    )


def _direct(schema: Schema, table: str, keys: list[ForeignKey]) -> ForeignKey | None:
    """Give the way straight to runs: a foreign key, or the columns that hold what one would."""
    found = [key for key in keys if key.parent == RUNS]
    columns = schema.columns[table]
    if "dag_run_id" in columns:
        found.append(ForeignKey(table, RUNS, ("dag_run_id",), ("id",)))
    if {"dag_id", "run_id"} <= set(columns):
        found.append(ForeignKey(table, RUNS, ("dag_id", "run_id"), ("dag_id", "run_id")))
    return next((key for key in found if schema.is_indexed(table, key.columns)), found[0] if found else None)


def _chain_to(below: dict[str, list[ForeignKey]], table: str, end: str) -> list[ForeignKey] | None:
    """Give the shortest way from a table up to another."""
    ways: list[list[ForeignKey]] = [[key] for key in below[table]]
    while ways:
        way = ways.pop(0)
        if way[-1].parent == end:
            return way
        if len(way) < len(below):
            ways += [[*way, key] for key in below[way[-1].parent]]
    return None


def _joined(schema: Schema, chain: list[ForeignKey] | None) -> tuple[str, str] | None:
    if not chain:
        return None
    tables = ", ".join(f"{schema.qualified(key.parent)} AS j{number}" for number, key in enumerate(chain))
    last = f"j{len(chain) - 1}"
    end = f"{last}.id = ANY(%s::bigint[])" if chain[-1].parent == RUNS else f"{last}.ctid = ANY(%s::text[]::tid[])"
    return tables, " AND ".join([*_conditions(chain), end])


def _conditions(chain: list[ForeignKey]) -> Iterator[str]:
    child = "c"
    for number, key in enumerate(chain):
        yield key.joined(child, f"j{number}")
        child = f"j{number}"
