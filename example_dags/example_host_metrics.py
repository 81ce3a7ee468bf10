"""Publish how a worker is to CloudWatch: the ten metrics of the AWS guide's sample, and what a container needs.

What it needs:

- requirements.txt: ``airflow-provider-mwaa``
- connection: the one named by the param ``aws_conn_id``; ``aws_default`` (on MWAA: the execution role) will do
- IAM, for the role of that connection (the guide's execution roles have it)::

    {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*"}

The guide's sample makes ten calls and reports a processor use of 0.0. Here it is one call, and the processors are measured over a second.
Both measure the worker that the task lands on; to have every worker measured, set the option
``mwaa_provider.host_metrics : True`` (docs/metrics.md).
"""

from datetime import datetime, timedelta, timezone

from airflow import DAG

from mwaa_provider.operators.cloudwatch_metrics import HostMetricsOperator

with DAG(
    dag_id="example_host_metrics",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=timedelta(minutes=5),
    catchup=False,
    params={"environment_name": "", "aws_conn_id": "aws_default"},
    tags=["mwaa"],
):
    # [START howto_host_metrics]
    HostMetricsOperator(
        task_id="publish",
        # Empty: as AIRFLOW_ENV_NAME or MWAA_ENV_NAME say.
        environment_name="{{ params.environment_name }}",
        aws_conn_id="{{ params.aws_conn_id }}",
    )
    # [END howto_host_metrics]
