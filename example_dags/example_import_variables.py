"""Bring the variables of a file into another MWAA environment: first say what would change, then change it.

What it needs:

- requirements.txt: ``airflow-provider-mwaa``
- a file of JSON or YAML, an object of values by key: on the workers (the dags folder, say) or in S3
- connections: those named by the params; ``aws_default`` (on MWAA: the execution role) will do
- IAM, for the role that reaches the environment::

    {"Effect": "Allow", "Action": "airflow:GetEnvironment",
     "Resource": "arn:aws:airflow:REGION:ACCOUNT:environment/OTHER-ENVIRONMENT"},
    {"Effect": "Allow", "Action": ["airflow:InvokeRestApi", "airflow:CreateWebLoginToken"],
     "Resource": "arn:aws:airflow:REGION:ACCOUNT:role/OTHER-ENVIRONMENT/Op"}

- IAM, for the role that reads the file in S3::

    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::BUCKET/KEY"}

AWS's own sample is a script that sends ``variables set KEY VALUE`` for each key: a value that is no text raises, one with a space
or a quote is torn apart, and a failure stops it in the middle. Here every JSON value arrives whole, only what differs is written,
one that fails does not stop the others, and no value is logged.
"""

from datetime import datetime, timezone

from airflow import DAG

from mwaa_provider.operators.variables import MwaaImportVariablesOperator

COMMON = {
    "environment_name": "{{ params.environment_name }}",
    "file": "{{ params.file }}",
    "aws_conn_id": "{{ params.aws_conn_id }}",
    "s3_conn_id": "{{ params.s3_conn_id }}",
}

with DAG(
    dag_id="example_import_variables",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={
        "environment_name": "target",
        "file": "s3://my-mwaa-bucket/variables.json",
        "prune_prefix": "",
        "aws_conn_id": "aws_default",
        "s3_conn_id": "aws_default",
    },
    tags=["mwaa"],
):
    # [START howto_import_variables]
    say_what_differs = MwaaImportVariablesOperator(task_id="say_what_differs", dry_run=True, **COMMON)

    import_variables = MwaaImportVariablesOperator(
        task_id="import_variables",
        # Those over there that begin so and are not in the file are deleted; empty: none is.
        prune_prefix="{{ params.prune_prefix }}",
        **COMMON,
    )
    # [END howto_import_variables]

    say_what_differs >> import_variables
