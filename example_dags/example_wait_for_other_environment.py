"""Wait for what runs in another MWAA environment: for a run, for tasks of it, for the environment itself.

What it needs:

- requirements.txt: ``airflow-provider-mwaa``
- connection: the one named by the param ``aws_conn_id``; ``aws_default`` (on MWAA: the execution role) will do
- IAM, for the role of that connection::

    {"Effect": "Allow", "Action": "airflow:GetEnvironment",
     "Resource": "arn:aws:airflow:REGION:ACCOUNT:environment/OTHER-ENVIRONMENT"},
    {"Effect": "Allow", "Action": ["airflow:InvokeRestApi", "airflow:CreateWebLoginToken"],
     "Resource": "arn:aws:airflow:REGION:ACCOUNT:role/OTHER-ENVIRONMENT/User"}

The sensors wait in the triggerer (``deferrable=True``), so they take no worker slot while they wait. Start
``example_trigger_other_environment`` once before: the sensors wait for the latest run of its target.
"""

from datetime import datetime, timedelta, timezone

from airflow import DAG

from mwaa_provider.sensors.dag_run import MwaaDagRunSensor
from mwaa_provider.sensors.environment import MwaaEnvironmentSensor
from mwaa_provider.sensors.task import MwaaTaskSensor

COMMON = {
    "environment_name": "{{ params.environment_name }}",
    "aws_conn_id": "{{ params.aws_conn_id }}",
    "poke_interval": 10,
    "timeout": timedelta(hours=1).total_seconds(),
    "deferrable": True,
}

with DAG(
    dag_id="example_wait_for_other_environment",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={"environment_name": "target", "aws_conn_id": "aws_default"},
    tags=["mwaa"],
):
    # [START howto_environment_sensor]
    is_available = MwaaEnvironmentSensor(task_id="is_available", **COMMON)
    # [END howto_environment_sensor]

    # [START howto_dag_run_sensor]
    has_run = MwaaDagRunSensor(
        task_id="has_run",
        external_dag_id="example_target",
        latest=True,
        **COMMON,
    )
    # [END howto_dag_run_sensor]

    # [START howto_task_sensor]
    has_greeted = MwaaTaskSensor(
        task_id="has_greeted",
        external_dag_id="example_target",
        external_task_id="greet",
        external_run_id="{{ ti.xcom_pull(task_ids='has_run')['runs'][0]['run_id'] }}",
        **COMMON,
    )
    # [END howto_task_sensor]

    is_available >> has_run >> has_greeted
