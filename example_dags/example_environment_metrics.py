"""Publish how environments are to CloudWatch: health, heartbeats, runs and tasks by state, pools; one by one, or many at once.

What it needs:

- requirements.txt: ``airflow-provider-mwaa``
- connections: those named by the params; ``aws_default`` (on MWAA: the execution role) will do for environments of this account and region
- IAM, for the role that looks at an environment::

    {"Effect": "Allow", "Action": "airflow:GetEnvironment", "Resource": "arn:aws:airflow:REGION:ACCOUNT:environment/ENVIRONMENT"},
    {"Effect": "Allow", "Action": "airflow:InvokeRestApi", "Resource": "arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/Viewer"}

- IAM, for the role that publishes::

    {"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*"}
"""

from datetime import datetime, timedelta, timezone

from airflow import DAG

from mwaa_provider.operators.cloudwatch_metrics import EnvironmentMetricsOperator

COMMON = {"aws_conn_id": "{{ params.aws_conn_id }}", "cloudwatch_conn_id": "{{ params.cloudwatch_conn_id }}"}

with DAG(
    dag_id="example_environment_metrics",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=timedelta(minutes=5),
    catchup=False,
    params={"environment_name": "target", "aws_conn_id": "aws_default", "cloudwatch_conn_id": "aws_default"},
    tags=["mwaa"],
):
    # [START howto_environment_metrics]
    EnvironmentMetricsOperator(task_id="one", environment_name="{{ params.environment_name }}", **COMMON)
    # [END howto_environment_metrics]

    # [START howto_environment_metrics_fleet]
    EnvironmentMetricsOperator(
        task_id="many",
        environments=[
            "{{ params.environment_name }}",
            {"environment_name": "{{ params.environment_name }}", "region_name": "eu-west-1"},
        ],
        **COMMON,
    )
    # [END howto_environment_metrics_fleet]

    # [START howto_environment_metrics_mapped]
    EnvironmentMetricsOperator.partial(task_id="mapped", **COMMON).expand(
        environment_name=["{{ params.environment_name }}"]
    )
    # [END howto_environment_metrics_mapped]
