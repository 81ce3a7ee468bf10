"""A DAG that exports the history of its own environment by each road."""

from __future__ import annotations

from datetime import datetime, timezone

import airflow
from airflow import DAG

from mwaa_provider.transfers.metadata_to_s3 import MetadataToS3Operator

ROUTES = ["database", "rest"]
if not airflow.__version__.startswith("2."):
    ROUTES.append("metadata_api")

with DAG(dag_id="exporting", start_date=datetime(2024, 1, 1, tzinfo=timezone.utc), schedule=None) as dag:
    for route in [*ROUTES, "auto"]:
        MetadataToS3Operator(
            task_id=route,
            route=route,
            s3_bucket="exports",
            s3_key_template=f"{route}/{{table}}.{{format}}",
            environment_name="source",
            tables=["dag_run", "task_instance"],
            since="2024-01-01T00:00:00+00:00",
            until="2024-06-01T00:00:00+00:00",
            verify_files=True,
            aws_conn_id="home",
        )
