"""Many rows of a table of the metadata database, made of a real one, whatever columns the release has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def clone(cursor: Any, table: str, changes: Mapping[str, str | None], where: str, count: int) -> None:
    """Insert copies of rows.

    :param cursor: A cursor of psycopg2.
    :param table: The table.
    :param changes: Column to what it is to hold instead, as SQL, where ``n`` is the number of the copy; ``None`` for the column's default.
    :param where: Which rows to copy.
    :param count: How many copies.
    """
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", (table,)
    )
    columns = [name for (name,) in cursor.fetchall()]
    kept = [name for name in columns if changes.get(name, "") is not None]
    values = ", ".join(changes.get(name) or f'one."{name}"' for name in kept)
    names = ", ".join(f'"{name}"' for name in kept)
    cursor.execute(
        f'INSERT INTO "{table}" ({names}) SELECT {values} FROM "{table}" one CROSS JOIN generate_series(1, {count}) n WHERE {where}'
    )


def clone_run(cursor: Any, run_id: str, since: datetime, count: int) -> None:
    """Insert copies of a run and its tasks, in the past, half a day apart: ``past_1``, ``past_2`` and so on.

    :param cursor: A cursor of psycopg2.
    :param run_id: The run.
    :param since: What they come after.
    :param count: How many copies.
    """
    moment = f"TIMESTAMPTZ '{since.isoformat()}' + n * interval '11 hours 7 minutes 0.25 seconds'"
    dates: dict[str, str | None] = {
        "start_date": moment,
        "end_date": f"{moment} + interval '1 minute'",
        "run_id": "'past_' || n",
    }
    # The date of a run has another name on Airflow 2.
    clone(
        cursor,
        "dag_run",
        {**dates, "logical_date": moment, "execution_date": moment, "id": None},
        f"run_id = '{run_id}'",
        count,
    )
    clone(
        cursor,
        "task_instance",
        {
            **dates,
            "id": "gen_random_uuid()",
            "state": "(ARRAY['success', 'failed', 'skipped', 'upstream_failed'])[n % 4 + 1]",
            "duration": "n / 3.0",
        },
        f"run_id = '{run_id}'",
        count,
    )
