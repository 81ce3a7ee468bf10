"""The part of the demo's story about clean-ups: a year of history, archived in S3 (played by moto) and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
from _demo_export import BUCKET

from mwaa_provider.metadata.cleanup.api_cleaner import ApiCleaner
from mwaa_provider.metadata.cleanup.archive_target import Target
from mwaa_provider.metadata.cleanup.database_cleaner import DatabaseCleaner
from mwaa_provider.metadata.cleanup.request import read_request
from mwaa_provider.metadata.database import MetadataDatabase
from mwaa_provider.metadata.export.verifying import verify

if TYPE_CHECKING:
    from _demo_story import Stage

    from mwaa_provider.metadata.cleanup.roads import Cleaner

#: Lets administrators have an Airflow 3 remove old rows; an Airflow 2 has no use for it.
SETTINGS = {"AIRFLOW__MWAA_PROVIDER__METADATA_API_CLEANUP": "True"}
#: A run a day, each a copy of the newest one.
DAYS = 365
KEPT_DAYS = 90
_TABLES = ("dag_run", "task_instance")


def clean_both(stage: Stage) -> None:
    """Make up a year of history, and clean all but 90 days: the target's by its database, archived; the source's by its web server."""
    for name, airflow in stage.airflows.items():
        _add_a_year(airflow.connect())
        before = stage.rows_before[name] = _count(airflow.connect())
        stage.say(f"{name}: before, {_told(before)}")
        by_database = name == "target" or airflow.airflow_version.startswith("2.")
        cleaner: Cleaner = _by_database(stage, name) if by_database else ApiCleaner(stage.client, name)
        report = cleaner.clean(read_request(max_age_in_days=KEPT_DAYS, tables=["dag_run"]))
        after = stage.rows_after[name] = _count(airflow.connect())
        stage.say(f"{name}: after, {_told(after)}; by the road {cleaner.road!r}, batches: {report.batches}")
        if report.archive:
            archived = stage.archived[name] = verify(_s3(stage), report.archive).row_counts
            stage.say(f"{name}: {_told(archived)} lie in {report.archive}, read back and compared")
    stage.wrong += _differences(stage)


def _differences(stage: Stage) -> list[str]:
    """Say where rows are neither in the database nor in the archive, or are there that should not be."""
    differences = []
    for name, before in stage.rows_before.items():
        after = stage.rows_after.get(name, {})
        # Of each day one run was added, and of its tasks a copy each; the newest 90 days stay.
        gone = before["dag_run"] - after.get("dag_run", 0)
        if gone != DAYS - KEPT_DAYS:
            differences.append(f"{name} lost {gone} runs, not {DAYS - KEPT_DAYS}")
        for table, count in stage.archived.get(name, {}).items():
            if table in before and before[table] - after[table] != count:
                differences.append(
                    f"{name} lost {before[table] - after[table]} rows of {table}, and {count} are archived"
                )
    if "target" not in stage.archived:
        differences.append("nothing of the target was archived")
    return differences


def _by_database(stage: Stage, name: str) -> DatabaseCleaner:
    from sqlalchemy.engine import make_url

    url = stage.airflows[name].database_url
    return DatabaseCleaner(
        MetadataDatabase(f"the database of {name}", lambda: make_url(url)),
        Target(_s3(stage), BUCKET, f"archive/{name}"),
    )


def _s3(stage: Stage) -> Any:
    return boto3.Session("demo", "demo", region_name="us-east-1").client("s3", endpoint_url=stage.aws)


def _add_a_year(connection: Any) -> None:
    """Copy the newest run that is over, with its tasks, into each of the last 365 days."""
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT run_id FROM dag_run WHERE state = 'success' ORDER BY start_date DESC LIMIT 1")
            (run_id,) = cursor.fetchone()
            # An hour before that moment of the day, so that none lies on the border of what stays.
            moment = "now() - n * interval '1 day' + interval '1 hour'"
            dates = {"start_date": moment, "end_date": f"{moment} + interval '1 minute'", "run_id": "'past_' || n"}
            due = {"logical_date": moment, "execution_date": moment, "run_after": moment}
            _copy(cursor, "dag_run", {**dates, **due, "id": ""}, run_id)
            _copy(cursor, "task_instance", {**dates, "id": "gen_random_uuid()"}, run_id)
    finally:
        connection.close()


def _copy(cursor: Any, table: str, changes: dict[str, str], run_id: str) -> None:
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", (table,)
    )
    kept = [name for (name,) in cursor.fetchall() if changes.get(name) != ""]
    names = ", ".join(f'"{name}"' for name in kept)
    values = ", ".join(changes.get(name) or f'one."{name}"' for name in kept)
    cursor.execute(
        f"INSERT INTO {table} ({names}) SELECT {values} FROM {table} one CROSS JOIN generate_series(1, {DAYS}) n "  # noqa: S608 - the database's own names
        "WHERE one.run_id = %s",
        (run_id,),
    )


def _count(connection: Any) -> dict[str, int]:
    try:
        with connection.cursor() as cursor:
            found = {}
            for table in _TABLES:
                cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608
                (found[table],) = cursor.fetchone()
            return found
    finally:
        connection.close()


def _told(rows: dict[str, int]) -> str:
    return " and ".join(f"{rows[table]:,} rows of {table}" for table in _TABLES if table in rows)
