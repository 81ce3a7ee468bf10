"""Export the metadata database to S3: to the AWS guide's layout, incrementally as Parquet, and shared by many workers.

What it needs:

- requirements.txt: ``airflow-provider-mwaa``; for Parquet ``airflow-provider-mwaa[parquet]``
- connection: the one named by the param ``aws_conn_id``; ``aws_default`` (on MWAA: the execution role) will do
- IAM, for the role of that connection (mind the ``/*``: without it nothing is allowed)::

    {"Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
     "Resource": "arn:aws:s3:::BUCKET/*"},
    {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:ListBucketMultipartUploads"], "Resource": "arn:aws:s3:::BUCKET"}

- on Airflow 3, where tasks do not reach the database: the metadata API, which the option
  ``mwaa_provider.metadata_api : True`` switches on (docs/metadata-api.md), or a connection to the database
"""

from datetime import datetime, timezone

from airflow import DAG
from airflow.decorators import task

from mwaa_provider.transfers.metadata_to_s3 import MetadataToS3Operator

COMMON = {"s3_bucket": "{{ params.s3_bucket }}", "aws_conn_id": "{{ params.aws_conn_id }}"}

with DAG(
    dag_id="example_metadata_to_s3",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={"s3_bucket": "your-bucket", "aws_conn_id": "aws_default"},
    tags=["mwaa"],
):
    # [START howto_export_like_the_guide]
    export_db = MetadataToS3Operator(
        task_id="export_db",
        s3_key_template="files/export/{table}.csv",  # the layout of the AWS guide's sample, with its overwriting
        overwrite=True,
        compression=None,
        max_age_in_days=30,
        **COMMON,
    )
    # [END howto_export_like_the_guide]

    # [START howto_export_incrementally]
    export_history = MetadataToS3Operator(
        task_id="export_history",
        s3_key_template="history/{environment}/{date}/{run_id}/{table}.{format}",
        tables="history",
        incremental_from="history/",  # goes on where the last export under this prefix ended
        file_format="parquet",
        compression="zstd",
        verify_files=True,
        extra_args={"ServerSideEncryption": "aws:kms", "StorageClass": "STANDARD_IA", "Tagging": "team=data"},
        **COMMON,
    )
    # [END howto_export_incrementally]

    # [START howto_export_shared]
    @task
    def plan():
        from mwaa_provider.metadata.export.partitions import plan_partitions

        return plan_partitions(since="2024-01-01T00:00:00Z", until="2026-01-01T00:00:00Z", partitions=8)

    export_parts = MetadataToS3Operator.partial(
        task_id="export_parts",
        s3_key_template="all/{run_id}/{table}-{part}.{format}",
        **COMMON,
    ).expand_kwargs(plan())

    @task
    def join(exports, params=None):
        from mwaa_provider.hooks.s3 import s3_client
        from mwaa_provider.metadata.export.partitions import join_manifests

        client = s3_client(aws_conn_id=params["aws_conn_id"])
        address, joint = join_manifests(client, [one["manifest"] for one in exports])
        return {"manifest": address, "row_counts": joint.row_counts}

    join(export_parts.output)
    # [END howto_export_shared]
