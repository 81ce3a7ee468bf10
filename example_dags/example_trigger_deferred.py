"""Start runs in another MWAA environment and wait for them without a worker: one, then one per region.

What it needs:

- requirements.txt: ``airflow-provider-mwaa``
- a triggerer, which MWAA runs from Airflow 2.7 on unless ``mwaa.triggerer_enabled`` is ``False``
- connection: the one named by the param ``aws_conn_id``; ``aws_default`` (on MWAA: the execution role) will do
- IAM, for the role of that connection::

    {"Effect": "Allow", "Action": "airflow:GetEnvironment",
     "Resource": "arn:aws:airflow:REGION:ACCOUNT:environment/OTHER-ENVIRONMENT"},
    {"Effect": "Allow", "Action": ["airflow:InvokeRestApi", "airflow:CreateWebLoginToken"],
     "Resource": "arn:aws:airflow:REGION:ACCOUNT:role/OTHER-ENVIRONMENT/User"}

However many tasks wait for runs of one environment, the triggerer asks for all of them at once. Kill, clear or mark a waiting task, and
its run over there ends with it.
"""

from datetime import datetime, timezone

from airflow import DAG

from mwaa_provider.operators.dag_run import MwaaTriggerDagRunOperator

with DAG(
    dag_id="example_trigger_deferred",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={"environment_name": "target", "aws_conn_id": "aws_default"},
    tags=["mwaa"],
):
    # [START howto_trigger_deferred]
    prepare = MwaaTriggerDagRunOperator(
        task_id="prepare",
        environment_name="{{ params.environment_name }}",
        trigger_dag_id="example_target",
        conf={"greeting": "prepare"},
        wait_for_completion=True,
        deferrable=True,
        poke_interval=5,
        aws_conn_id="{{ params.aws_conn_id }}",
    )
    # [END howto_trigger_deferred]

    # [START howto_trigger_fan_out]
    regions = MwaaTriggerDagRunOperator.partial(
        task_id="regions",
        environment_name="{{ params.environment_name }}",
        trigger_dag_id="example_target",
        wait_for_completion=True,
        deferrable=True,
        poke_interval=5,
        return_xcoms=["greet"],
        aws_conn_id="{{ params.aws_conn_id }}",
    ).expand(conf=[{"greeting": region} for region in ("eu-west-1", "us-east-1", "ap-southeast-2")])
    # [END howto_trigger_fan_out]

    prepare >> regions
