"""DAGs that clean the metadata database of their own environment, and of another."""

from __future__ import annotations

import os
from datetime import datetime, timezone

import airflow
from airflow import DAG

from mwaa_provider.operators.metadata_cleanup import MetadataCleanupOperator


def show_no_database(context: object) -> None:
    """What MWAA's containers of Airflow 3 are like for a task, unless somebody opens them."""
    if not airflow.__version__.startswith("2."):
        os.environ.pop("MWAA__DB__POSTGRES_HOST", None)


for name in ("source", "other"):
    with DAG(dag_id=f"cleaning_{name}", start_date=datetime(2024, 1, 1, tzinfo=timezone.utc), schedule=None) as dag:
        MetadataCleanupOperator(
            task_id="clean",
            environment_name=name,
            before="2024-06-01T00:00:00+00:00",
            tables=["dag_run"],
            archive_to="s3://exports/archive" if name == "source" else None,  # the other's road may be the CLI's
            aws_conn_id="home",
            pre_execute=show_no_database,
        )
    globals()[dag.dag_id] = dag
