"""Keep the metadata database clean: see what would go, export the history, then remove what is old, every night.

What it needs:

- requirements.txt: ``airflow-provider-mwaa``
- on Airflow 3, where tasks do not reach the database, one of three (docs/clean-up.md): the environment's metadata API with its clean-up
  switched on; its CLI endpoint; or an Airflow connection of type ``postgres`` to the database, named by the param ``metadata_conn_id``,
  which is empty otherwise
- for the export a bucket, the connection named by the param ``aws_conn_id``, and the permissions of example_metadata_to_s3.py
"""

from datetime import datetime, timezone

from airflow import DAG

from mwaa_provider.operators.metadata_cleanup import MetadataCleanupOperator
from mwaa_provider.transfers.metadata_to_s3 import MetadataToS3Operator

with DAG(
    dag_id="example_metadata_cleanup",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={
        "s3_bucket": "your-bucket",
        "aws_conn_id": "aws_default",
        "metadata_conn_id": "",
        "environment_name": "other",
    },
    tags=["mwaa"],
):
    # [START howto_clean_dry_run]
    look = MetadataCleanupOperator(
        task_id="look",
        max_age_in_days=90,
        dry_run=True,  # rows, bytes, oldest and newest per table, and what would stay and why
        metadata_conn_id="{{ params.metadata_conn_id }}",
    )
    # [END howto_clean_dry_run]

    export = MetadataToS3Operator(
        task_id="export",
        s3_bucket="{{ params.s3_bucket }}",
        tables="history",
        incremental_from="metadata/",
        verify_files=True,
        aws_conn_id="{{ params.aws_conn_id }}",
        metadata_conn_id="{{ params.metadata_conn_id }}",
    )

    # [START howto_clean]
    clean = MetadataCleanupOperator(
        task_id="clean",
        max_age_in_days=90,
        max_duration=3600,  # what is left then goes tomorrow
        pause_between_batches=0.1,  # leaves the database to the scheduler in between
        metadata_conn_id="{{ params.metadata_conn_id }}",
    )
    # [END howto_clean]

    # [START howto_clean_another]
    clean_another = MetadataCleanupOperator(
        task_id="clean_another",
        environment_name="{{ params.environment_name }}",
        route="metadata_api",  # that environment's own web server does it, in short requests
        max_age_in_days=90,
        max_duration=3600,
        aws_conn_id="{{ params.aws_conn_id }}",
    )
    # [END howto_clean_another]

    # [START howto_clean_archive]
    clean_and_archive = MetadataCleanupOperator(
        task_id="clean_and_archive",
        tables=["log"],
        max_age_in_days=90,
        archive_to="s3://{{ params.s3_bucket }}/archive",  # each row lies there before it goes
        aws_conn_id="{{ params.aws_conn_id }}",
        metadata_conn_id="{{ params.metadata_conn_id }}",
    )
    # [END howto_clean_archive]

    look >> export >> clean_and_archive >> clean >> clean_another
