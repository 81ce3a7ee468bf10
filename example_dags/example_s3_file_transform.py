"""Read an object of S3, put it through a script, and write what comes out to another object.

What it needs:

- plugins.zip: the script, with its exec bit; ``mwaa plugins build`` keeps it (the guide's ``chmod 777`` is more than it takes). The
  one that is meant is ``examples/upper_case.py``
- connection ``aws_default``, which every environment has
- IAM, for the environment's execution role::

    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::BUCKET/SOURCE"},
    {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::BUCKET/DESTINATION"}

AWS's own sample imports the operator from where it no longer is, and fails the second time because the destination is there.
"""

from datetime import datetime, timezone

from airflow import DAG
from airflow.providers.amazon.aws.operators.s3 import S3FileTransformOperator  # noqa: TID253 - this operator is what it shows

with DAG(
    dag_id="example_s3_file_transform",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={
        "source": "s3://my-bucket/in.txt",
        "destination": "s3://my-bucket/out.txt",
    },
    tags=["mwaa"],
):
    # [START howto_s3_file_transform]
    S3FileTransformOperator(
        task_id="transform",
        source_s3_key="{{ params.source }}",
        dest_s3_key="{{ params.destination }}",
        transform_script="/usr/local/airflow/plugins/upper_case.py",
        replace=True,
    )
    # [END howto_s3_file_transform]
