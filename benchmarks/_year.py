"""A year of history in a metadata database: runs of 20 task instances, half of which left an XCom, and a log row for each."""

from __future__ import annotations

from typing import Any

from _history import _DAG, _RUN, _TASK, insert

from mwaa_provider.local.real.postgres import connect

TASKS_OF_A_RUN = 20
DAYS = 365
_DAGS = 50


def fill_year(url: str, tasks: int) -> None:
    """Write a year's runs with their task instances, XComs, rendered fields of the newest tenth, and log rows, the newest of now.

    :param url: The database.
    :param tasks: How many task instances.
    """
    runs = tasks // TASKS_OF_A_RUN
    connection = connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # foreign keys are of no matter here
        insert(cursor, "dag", 0, _DAGS - 1, _DAG)
        began = f"now() - interval '{DAYS} days' * (1 - g::float8 / {runs})"
        insert(cursor, "dag_run", 1, runs, {**_RUN, **_times(began), "id": "g", "dag_id": f"'nightly_' || g % {_DAGS}"})
        run = f"((g - 1) / {TASKS_OF_A_RUN} + 1)"
        began = f"now() - interval '{DAYS} days' * (1 - {run}::float8 / {runs}) + interval '1 minute'"
        task = {
            **_TASK,
            **_times(began),
            "task_id": f"'load_table_' || g % {TASKS_OF_A_RUN}",
            "dag_id": f"'nightly_' || {run} % {_DAGS}",
            "run_id": f"'scheduled__2026-01-01T00:00:00+00:00_' || {run}",
            "dag_run_id": run,
            "updated_at": began,
            "dttm": began,
            "timestamp": began,
        }
        insert(cursor, "task_instance", 1, tasks, task)
        insert(cursor, "xcom", 1, tasks, {**task, "key": "'return_value'", "value": _xcom(cursor)}, "WHERE g % 2 = 0")
        insert(cursor, "rendered_task_instance_fields", 1, tasks, task, f"WHERE g > {tasks} * 0.9")
        insert(cursor, "log", 1, tasks, {**task, "id": "g", "event": "'running'", "owner": "'airflow'"})
        for table in ("dag_run", "task_instance", "xcom", "rendered_task_instance_fields", "log"):
            cursor.execute(f"VACUUM ANALYZE {table}")
    connection.close()


def _times(began: str) -> dict[str, str]:
    return {
        "start_date": began,
        "end_date": f"{began} + interval '5 minutes'",
        "execution_date": began,
        "logical_date": began,
        "run_after": began,
        "queued_dttm": began,
    }


def _xcom(cursor: Any) -> str:
    cursor.execute(
        "SELECT format_type(atttypid, -1) FROM pg_attribute WHERE attrelid = 'xcom'::regclass AND attname = 'value'"
    )
    return "'\\x2274657874 22'::bytea".replace(" ", "") if cursor.fetchone()[0] == "bytea" else "'\"text\"'"
