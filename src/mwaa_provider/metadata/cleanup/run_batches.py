"""One batch of runs with all that hangs on them: functions of a connection, each call bounded, and harmless if it is made twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from mwaa_provider.metadata.cleanup.plan import Plan, Sql
from mwaa_provider.metadata.cleanup.removing import PLAIN, Removal
from mwaa_provider.metadata.cleanup.rules import FINISHED_TASKS, RUNS, TASKS
from mwaa_provider.metadata.cleanup.sessions import BatchBlockedError, ask

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

#: So many runs are looked at at a time, most of which may have to stay.
_WINDOW = 20_000


@dataclass(frozen=True)
class NextRuns:
    """What is to go next.

    :param ids: The ids of the runs.
    :param after: Where to go on: all runs up to this id have been looked at.
    :param is_end: Whether there are no runs after that.
    """

    ids: tuple[int, ...]
    after: int
    is_end: bool


@dataclass
class Done:
    """What a batch did.

    :param rows: Table to the number of rows that went.
    :param put_back: Keys of what another transaction has locked, or of what something holds: nothing of it went.
    :param kept: How many runs stay because a task instance of theirs is active or too young.
    :param is_partial: Whether more task instances of the same run are left.
    """

    rows: dict[str, int] = field(default_factory=dict)
    put_back: tuple[int, ...] = ()
    kept: int = 0
    is_partial: bool = False

    @property
    def total(self) -> int:
        """How many rows went."""
        return sum(self.rows.values())


def newest_runs(connection: Connection, plan: Plan) -> list[int]:
    """Give the ids of the runs that stay because they are their DAGs' newest non-manual ones, as ``airflow db clean`` chooses them.

    :param connection: A connection in a transaction.
    :param plan: What will be cleaned.
    """
    runs = plan.schema.qualified(RUNS)
    rows = ask(
        connection,
        f"SELECT r.id FROM {runs} r JOIN (SELECT dag_id, max(start_date) AS start_date FROM {runs} "  # noqa: S608 - of the catalog
        f"WHERE {plan.not_manual} GROUP BY dag_id) n ON n.dag_id = r.dag_id AND n.start_date = r.start_date",
    )
    return [row[0] for row in rows]


def next_runs(connection: Connection, plan: Plan, newest: list[int], after: int, most: int, per_run: float) -> NextRuns:
    """Find the next runs to go, by their ids: as many as hold so many task instances together, and one at least.

    :param connection: A connection in a transaction.
    :param plan: What will be cleaned.
    :param newest: The ids of the runs that stay because they are their DAGs' newest.
    :param after: Runs with a larger id; -1 for all.
    :param most: How many task instances.
    :param per_run: How many task instances a run is likely to have.
    """
    runs, tasks = plan.schema.qualified(RUNS), plan.schema.qualified(TASKS)
    doomed = plan.doomed_runs(newest)
    count = max(1, min(_WINDOW, int(most / max(per_run, 1.0)) + 1))
    found = ask(
        connection,
        f"SELECT r.id, (SELECT count(*) FROM {tasks} t WHERE t.dag_id = r.dag_id AND t.run_id = r.run_id) "  # noqa: S608
        f"FROM (SELECT * FROM {runs} WHERE id > %s ORDER BY id LIMIT {_WINDOW}) r WHERE {doomed.text} ORDER BY r.id LIMIT {count}",
        (after, *doomed.values),
    ).all()
    ids: list[int] = []
    weight = 0
    for number, its_tasks in found:
        if ids and weight + its_tasks > most:
            return NextRuns(tuple(ids), ids[-1], is_end=False)
        ids.append(number)
        weight += its_tasks + 1
    if len(found) == count:
        return NextRuns(tuple(ids), ids[-1], is_end=False)
    end = ask(
        connection,
        f"SELECT max(w.id), count(*) FROM (SELECT id FROM {runs} WHERE id > %s ORDER BY id LIMIT {_WINDOW}) w",  # noqa: S608
        (after,),
    ).one()
    return NextRuns(tuple(ids), after if end[0] is None else end[0], is_end=end[1] < _WINDOW)


def clean_runs(
    connection: Connection, plan: Plan, newest: list[int], ids: Sequence[int], most: int, removal: Removal = PLAIN
) -> Done:
    """Remove runs with all that hangs on them, children first; of a single run with too many task instances a part of them.

    :param connection: A connection in a transaction, see :func:`mwaa_provider.metadata.cleanup.sessions.batch`.
    :param plan: What will be cleaned.
    :param newest: The ids of the runs that stay because they are their DAGs' newest.
    :param ids: The ids of the runs. What has become active, newest or locked meanwhile stays.
    :param most: How many task instances may go at most.
    :param removal: Removes the rows.
    :raises BatchBlockedError: A task instance is locked, or there are too many of them: try fewer runs.
    """
    free, put_back = _lock_runs(connection, plan, newest, ids)
    tasks = _lock_tasks(connection, plan, free, most) if free else {}
    is_partial = sum(count for count, _ in tasks.values()) > most
    if is_partial and len(free) > 1:
        raise BatchBlockedError("too many task instances", is_slow=True)
    stay = {run for run, (_, stays) in tasks.items() if stays}
    if is_partial and not stay:
        stay = _with_tasks_that_stay(connection, plan, free)
    going = [run for run in free if run not in stay]
    done = Done(put_back=put_back, kept=len(stay), is_partial=is_partial and bool(going))
    if done.is_partial:
        _delete_tasks(connection, plan, _places_of(connection, plan, going, most), done, removal)
    elif going:
        _delete_runs(connection, plan, going, done, removal)
    return done


def _lock_runs(
    connection: Connection, plan: Plan, newest: list[int], ids: Sequence[int]
) -> tuple[list[int], tuple[int, ...]]:
    doomed = plan.doomed_runs(newest)
    query = f"SELECT r.id FROM {plan.schema.qualified(RUNS)} r WHERE r.id = ANY(%s::bigint[]) AND {doomed.text}"  # noqa: S608
    rows = ask(connection, f"{query} FOR UPDATE OF r SKIP LOCKED", (list(ids), *doomed.values))
    free = [row[0] for row in rows]
    missing = [one for one in ids if one not in set(free)] if len(free) < len(ids) else []
    if not missing:
        return free, ()
    still = ask(connection, query, (missing, *doomed.values))
    return free, tuple(row[0] for row in still)


_STAYS = (
    "COALESCE((t.state IS NOT NULL AND t.state <> ALL(%s::text[])) OR t.start_date >= %s::timestamptz "
    "OR t.end_date >= %s::timestamptz, false)"
)


def _stays(plan: Plan) -> tuple[object, ...]:
    return (list(FINISHED_TASKS), plan.wanted.before, plan.wanted.before)


def _lock_tasks(connection: Connection, plan: Plan, runs: list[int], most: int) -> dict[int, tuple[int, bool]]:
    """Lock the task instances, not waiting for any, and tell of each run how many it has and whether one of them stays.

    From then on the run gets no further one: its foreign key would wait for the lock on the run.
    """
    rows = ask(
        connection,
        f"WITH locked AS MATERIALIZED (SELECT r.id AS run, {_STAYS} AS stays FROM {plan.schema.qualified(TASKS)} t "  # noqa: S608
        f"JOIN {plan.schema.qualified(RUNS)} r ON r.dag_id = t.dag_id AND r.run_id = t.run_id "
        "WHERE r.id = ANY(%s::bigint[]) LIMIT %s FOR UPDATE OF t NOWAIT) "
        "SELECT run, count(*), bool_or(stays) FROM locked GROUP BY run",
        (*_stays(plan), runs, most + 1),
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def _places_of(connection: Connection, plan: Plan, runs: list[int], most: int | None = None) -> list[str]:
    """Tell where the task instances of some runs lie, which are locked."""
    rows = ask(
        connection,
        f"SELECT t.ctid::text FROM {plan.schema.qualified(TASKS)} t "  # noqa: S608
        f"JOIN {plan.schema.qualified(RUNS)} r ON r.dag_id = t.dag_id AND r.run_id = t.run_id "
        "WHERE r.id = ANY(%s::bigint[]) LIMIT %s::bigint",
        (runs, most),
    )
    return [row[0] for row in rows]


def _with_tasks_that_stay(connection: Connection, plan: Plan, runs: list[int]) -> set[int]:
    rows = ask(
        connection,
        f"SELECT DISTINCT r.id FROM {plan.schema.qualified(TASKS)} t "  # noqa: S608
        f"JOIN {plan.schema.qualified(RUNS)} r ON r.dag_id = t.dag_id AND r.run_id = t.run_id "
        f"WHERE r.id = ANY(%s::bigint[]) AND {_STAYS}",
        (runs, *_stays(plan)),
    )
    return {row[0] for row in rows}


def _delete_runs(connection: Connection, plan: Plan, runs: list[int], done: Done, removal: Removal) -> None:
    """Remove runs with all that hangs on them.

    What goes with a run or a task instance by the foreign key is left to that: PostgreSQL looks for it anyway, row by row, and statements
    of ours before that took time more. It counts what it removes so. Nearly all of the time goes into this looking, so the task instances
    go in the order of the indexes that are looked into: a tenth of the time less than by runs.
    """
    names = {table.name for table in plan.run_tables}
    along = [
        table.name
        for table in plan.run_tables
        if not removal.is_explicit and table.name != TASKS and names & table.goes_with
    ]
    places = cache(lambda: _places_of(connection, plan, runs))
    with _counting(connection, plan, along, done):
        for table in plan.run_tables:
            if table.name in along:
                continue
            if table.name == TASKS:
                _remove(connection, plan, TASKS, _tasks_in_order(plan), runs, done, removal)
            elif table.of_runs is not None:
                _remove(connection, plan, table.name, table.of_runs, runs, done, removal)
            elif table.of_tasks is not None and places():
                _remove(connection, plan, table.name, table.of_tasks, places(), done, removal)


def _tasks_in_order(plan: Plan) -> tuple[str, str]:
    return (
        f"(SELECT t.ctid AS place FROM {plan.schema.qualified(TASKS)} t "  # noqa: S608
        f"JOIN {plan.schema.qualified(RUNS)} r ON r.dag_id = t.dag_id AND r.run_id = t.run_id "
        "WHERE r.id = ANY(%s::bigint[]) ORDER BY t.dag_id, t.task_id, t.run_id) AS j",
        "c.ctid = j.place",
    )


def _delete_tasks(connection: Connection, plan: Plan, places: list[str], done: Done, removal: Removal) -> None:
    """Remove task instances of a run that has too many of them for one batch, with all that hangs on them."""
    names = {table.name for table in plan.run_tables}
    along = [
        table.name
        for table in plan.run_tables
        if not removal.is_explicit and table.of_tasks and TASKS in names and table.name != TASKS
    ]
    with _counting(connection, plan, along, done):
        for table in plan.run_tables:
            if table.of_tasks is not None and table.name not in along and places:
                _remove(connection, plan, table.name, table.of_tasks, places, done, removal)


def _remove(
    connection: Connection,
    plan: Plan,
    table: str,
    found: tuple[str, str],
    given: list[int] | list[str],
    done: Done,
    removal: Removal,
) -> None:
    using, condition = found
    text = f"DELETE FROM {plan.schema.qualified(table)} AS c{' USING ' + using if using else ''} WHERE {condition}"  # noqa: S608
    gone = removal.remove(connection, table, "c", Sql(text, (given,)))
    if gone:
        done.rows[table] = gone


@contextmanager
def _counting(connection: Connection, plan: Plan, tables: list[str], done: Done) -> Iterator[None]:
    before = _counted(connection, plan, tables)
    yield
    for name, count in _counted(connection, plan, tables).items():
        if count > before[name]:
            done.rows[name] = count - before[name]


def _counted(connection: Connection, plan: Plan, tables: list[str]) -> dict[str, int]:
    """Tell how many rows of some tables PostgreSQL has counted as removed; the difference of two looks is exact within a transaction."""
    if not tables:
        return {}
    rows = ask(
        connection,
        "SELECT c.relname, pg_stat_get_xact_tuples_deleted(c.oid) FROM pg_catalog.pg_class c "
        "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = %s AND c.relname = ANY(%s::text[])",
        (plan.schema.name, tables),
    )
    return {row[0]: row[1] for row in rows}
