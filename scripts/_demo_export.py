"""The part of the demo's story about exports: S3 is played by moto, on this machine."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import boto3

from mwaa_provider.metadata.export.asking import run_export
from mwaa_provider.metadata.export.verifying import verify

if TYPE_CHECKING:
    from _demo_story import Stage

BUCKET = "demo-exports"
#: Rows so young are left to the next export, and a little more.
_LEFT_TO_THE_NEXT = timedelta(seconds=63)
#: With this an Airflow 3 answers administrators who want rows of its metadata database; an Airflow 2 has no use for it.
SETTINGS = {"AIRFLOW__MWAA_PROVIDER__METADATA_API": "True"}


def export_both(stage: Stage) -> None:
    """Export both environments' metadata to S3, from outside, and read back what was written."""
    s3: Any = boto3.Session("demo", "demo", region_name="us-east-1").client("s3", endpoint_url=stage.aws)
    s3.create_bucket(Bucket=BUCKET)
    logging.getLogger("mwaa_provider").setLevel(logging.WARNING)  # what it says is told below
    began = max(run.start_date for run in stage.runs.values() if run.start_date)
    left = (began + _LEFT_TO_THE_NEXT - datetime.now(timezone.utc)).total_seconds()
    if left > 0:
        stage.say(f"an export leaves the newest minute to the next one: waiting {left:.0f} s")
        time.sleep(left)
    for name in stage.pythons:
        arguments = {
            "s3_bucket": BUCKET,
            "environment_name": name,
            "tables": ["dag_run", "task_instance"],
            "max_age_in_days": 30,
        }
        address = run_export(arguments, s3, lambda: stage.client).address
        manifest = stage.exported[name] = verify(s3, address)
        stage.say(f"{name}: {address}")
        stage.say(f"{name}: {manifest.road_reason}")
        until = f" until {manifest.until:%H:%M:%S}" if manifest.until else ""
        for file in manifest.files:
            stage.say(
                f"{name}: {file.row_count} rows of {file.table}{until}, {file.size:,} bytes, read back and compared"
            )
    stage.wrong += _differences(stage)


def _differences(stage: Stage) -> list[str]:
    """Say where an export does not hold what the environment's own PostgreSQL has."""
    differences = []
    for name, manifest in stage.exported.items():
        for file in manifest.files:
            interval = (manifest.since, manifest.until)
            within = f"{file.age_column} >= %s AND {file.age_column} < %s" if all(interval) else "true"
            connection = stage.airflows[name].connect()
            try:
                with connection.cursor() as cursor:
                    cursor.execute(
                        f"SELECT count(*) FROM {file.table} WHERE {within}",  # noqa: S608 - names of the database's own
                        interval if all(interval) else (),
                    )
                    (rows,) = cursor.fetchone()
            finally:
                connection.close()
            if not rows:
                differences.append(f"{name} has no rows of {file.table} to export")
            if rows != file.row_count:
                differences.append(f"{name} has {rows} rows of {file.table}, and {file.row_count} were exported")
    return differences
