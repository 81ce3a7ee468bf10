"""Make the wheels that a private web server needs, on MWAA itself, and put them into S3 as a plugins.zip.

What it needs:

- requirements.txt: ``airflow-provider-mwaa``
- a way from the workers to the package index (the web server needs none)
- connection: the one named by the param ``aws_conn_id``; ``aws_default`` (on MWAA: the execution role) will do
- IAM, for the role of that connection::

    {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::BUCKET/KEY"}

AWS's own sample takes whatever pip finds on that worker, Airflow's own wheels too, and leaves them in ``/tmp``. Here the constraint
file holds the versions, what MWAA has is left out, the same requirements make the same bytes, and the task fails if a wheel is
missing. From a laptop, the command ``mwaa requirements wheels`` does the same.
"""

from datetime import datetime, timezone

from airflow import DAG

try:
    from airflow.sdk import task
except ImportError:  # Airflow 2
    from airflow.decorators import task


# [START howto_build_wheels]
@task
def build_wheels(requirements: str, constraint: str, bucket: str, key: str, aws_conn_id: str) -> dict:
    import os
    import tempfile
    from pathlib import Path

    from airflow.providers.amazon.aws.hooks.s3 import S3Hook

    from mwaa_provider.packaging.plugins_build import Contents, build_plugins
    from mwaa_provider.packaging.releases import release_of
    from mwaa_provider.packaging.wheels import download_wheels

    release = release_of(os.environ["AIRFLOW_VERSION"])
    downloaded = download_wheels(Path(requirements), release, constraint=constraint or None)
    print("For requirements.txt:", downloaded.requirements, sep="\n")
    if downloaded.missing:
        raise ValueError(f"not among the wheels: {[str(one.requirement) for one in downloaded.missing]}")
    with tempfile.TemporaryDirectory() as folder:
        built = build_plugins(Path(folder) / "plugins.zip", Contents(wheels=downloaded.files))
        S3Hook(aws_conn_id).load_file(built.path, key, bucket, replace=True)
    return {"sha256": built.sha256, "wheels": sorted(downloaded.files)}
    # [END howto_build_wheels]


with DAG(
    dag_id="example_build_wheels",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={
        "requirements": "/usr/local/airflow/requirements/requirements.txt",
        "constraint": "",  # the release's own
        "bucket": "my-mwaa-bucket",
        "key": "plugins-with-wheels.zip",
        "aws_conn_id": "aws_default",
    },
    tags=["mwaa"],
):
    build_wheels(
        requirements="{{ params.requirements }}",
        constraint="{{ params.constraint }}",
        bucket="{{ params.bucket }}",
        key="{{ params.key }}",
        aws_conn_id="{{ params.aws_conn_id }}",
    )
