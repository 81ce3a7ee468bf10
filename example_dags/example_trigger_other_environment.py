"""Start a DAG in another MWAA environment and wait for it.

What it needs:

- requirements.txt: ``airflow-provider-mwaa``
- connection: the one named by the param ``aws_conn_id``; ``aws_default`` (on MWAA: the execution role) will do
- IAM, for the role of that connection::

    {"Effect": "Allow", "Action": "airflow:GetEnvironment",
     "Resource": "arn:aws:airflow:REGION:ACCOUNT:environment/OTHER-ENVIRONMENT"},
    {"Effect": "Allow", "Action": ["airflow:InvokeRestApi", "airflow:CreateWebLoginToken"],
     "Resource": "arn:aws:airflow:REGION:ACCOUNT:role/OTHER-ENVIRONMENT/User"}

AWS's own sample of this sends one command and never reads the answer, so every failure looks like success. Here the run has
an id of its own, is waited for, and its state is the task's state; a retry takes up the same run.
"""

# [START example_trigger_other_environment]
from datetime import datetime, timedelta, timezone

from airflow import DAG

from mwaa_provider.operators.dag_run import MwaaTriggerDagRunOperator

with DAG(
    dag_id="example_trigger_other_environment",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={"environment_name": "target", "aws_conn_id": "aws_default", "greeting": "hello from the other side"},
    tags=["mwaa"],
):
    # [START howto_trigger_dag_run]
    MwaaTriggerDagRunOperator(
        task_id="run_over_there",
        environment_name="{{ params.environment_name }}",
        trigger_dag_id="example_target",
        conf={"greeting": "{{ params.greeting }}"},
        wait_for_completion=True,
        poke_interval=2,
        timeout=timedelta(minutes=10).total_seconds(),
        aws_conn_id="{{ params.aws_conn_id }}",
    )
    # [END howto_trigger_dag_run]
# [END example_trigger_other_environment]
