"""A history in a metadata database: runs and task instances as a real environment has them, about 250 bytes of CSV each."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

from mwaa_provider.local.real.postgres import connect
from mwaa_provider.local.real.postgres_binaries import find_binaries

TASKS_OF_A_RUN = 100
_BEGAN = "TIMESTAMPTZ '2026-01-01Z' + g * interval '1 second'"
_RUN_BEGAN = "TIMESTAMPTZ '2026-01-01Z' + g * interval '100 seconds'"

_DAG = {"dag_id": "'nightly_' || g", "is_paused": "true", "bundle_name": "'dags-folder'"}
_RUN = {
    "dag_id": "'nightly_' || g % 50",
    "run_id": "'scheduled__2026-01-01T00:00:00+00:00_' || g",
    "start_date": _RUN_BEGAN,
    "run_type": "'scheduled'",
    "state": "'success'",
    "logical_date": _RUN_BEGAN,
    "run_after": _RUN_BEGAN,
}
_TASK = {
    # Airflow 3 gives ids that grow with time (UUID 7).
    "id": "(lpad(to_hex(1767225600000 + g), 12, '0') || '7000' || substr(md5(g::text), 1, 16))::uuid",
    "task_id": "'load_table_' || g % 100",
    "dag_id": "'nightly_' || (g - 1) / 100 % 50",
    "run_id": "'scheduled__2026-01-01T00:00:00+00:00_' || (g - 1) / 100",
    "map_index": "-1",
    "start_date": _BEGAN,
    "end_date": f"{_BEGAN} + random() * interval '1 hour'",
    "duration": "random() * 3600",
    "state": "CASE WHEN random() < 0.97 THEN 'success' ELSE 'failed' END",
    "hostname": "'ip-10-192-' || g % 16 || '-' || g % 250 || '.eu-west-1.compute.internal'",
    "unixname": "'airflow'",
    "pool": "'default_pool'",
    "queue": "'default'",
    "operator": "'PythonOperator'",
    "queued_dttm": f"{_BEGAN} - random() * interval '1 minute'",
    "pid": "(random() * 30000)::int",
    "executor_config": "'\\x80047d942e'::bytea",
    "updated_at": f"{_BEGAN} + interval '2 hours'",
    "external_executor_id": "gen_random_uuid()::text",
    "task_display_name": "'load_table_' || g % 100",
}


def fill(url: str, rows: int) -> None:
    """Write runs and their task instances, one task instance a second from 2026 on.

    :param url: The database.
    :param rows: How many task instances.
    """
    connection = connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # foreign keys are of no matter here
        insert(cursor, "dag", 0, 49, _DAG)
        insert(cursor, "dag_run", 0, (rows - 1) // TASKS_OF_A_RUN, _RUN)
        insert(cursor, "task_instance", 1, rows, _TASK)
        cursor.execute("VACUUM ANALYZE task_instance")
        cursor.execute("VACUUM ANALYZE dag_run")
    connection.close()


def psql_copy(url: str, table: str, target: Path) -> float:
    r"""Copy a table to a file with psql's \\copy, and return how many seconds that took.

    :param url: The database.
    :param table: The table.
    :param target: The file.
    """
    psql = find_binaries(None).folder / "psql"
    command = f"\\copy {table} TO '{target}' WITH (FORMAT csv)"
    began = time.monotonic()
    subprocess.run([str(psql), "-X", "-q", url, "-c", command], env=dict(os.environ), check=True)
    return time.monotonic() - began


def insert(cursor: Any, table: str, first: int, last: int, wanted: dict[str, str], where: str = "") -> None:
    """Insert rows, whatever columns the release has: what must be there and is not given is made up.

    :param cursor: A cursor of psycopg2.
    :param table: The table.
    :param first: The first number ``g``.
    :param last: The last one.
    :param wanted: Column to the expression of its value.
    :param where: Which numbers are left out, as SQL (default: none).
    """
    cursor.execute(
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull AND NOT atthasdef FROM pg_attribute "
        "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (table,),
    )
    columns, values = [], []
    for column, kind, is_needed in cursor.fetchall():
        value = wanted.get(column)
        if value is None and is_needed:
            value = {
                "uuid": "gen_random_uuid()",
                "integer": "1",
                "boolean": "false",
                "json": "'{}'",
                "jsonb": "'{}'",
            }.get(kind, "now()" if "time" in kind else "'x'")
        if value is not None:
            columns.append(f'"{column}"')
            values.append(value)
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM generate_series({first}, {last}) g {where}"  # noqa: S608
    )
