"""Tell another MWAA environment that an asset (a dataset, on Airflow 2) was updated here: a DAG over there that waits for it runs.

What it needs:

- requirements.txt: ``airflow-provider-mwaa``
- in the other environment, Airflow 2.9 or later and a DAG that names the asset, such as ``example_asset_target``
- connection: the one named by the param ``aws_conn_id``; ``aws_default`` (on MWAA: the execution role) will do
- IAM, for the role of that connection::

    {"Effect": "Allow", "Action": "airflow:GetEnvironment",
     "Resource": "arn:aws:airflow:REGION:ACCOUNT:environment/OTHER-ENVIRONMENT"},
    {"Effect": "Allow", "Action": ["airflow:InvokeRestApi", "airflow:CreateWebLoginToken"],
     "Resource": "arn:aws:airflow:REGION:ACCOUNT:role/OTHER-ENVIRONMENT/User"}

The guide has no sample of this. The DAG here need not know which DAGs over there wait: to start one that is known, see
``example_trigger_other_environment``.
"""

from datetime import datetime, timezone

from airflow import DAG

from mwaa_provider.operators.asset_event import MwaaAssetEventOperator

with DAG(
    dag_id="example_asset_event",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={"environment_name": "target", "aws_conn_id": "aws_default", "asset_uri": "s3://my-bucket/orders"},
    tags=["mwaa"],
):
    # [START howto_asset_event]
    orders_are_there = MwaaAssetEventOperator(
        task_id="orders_are_there",
        environment_name="{{ params.environment_name }}",
        asset_uri="{{ params.asset_uri }}",
        extra={"loaded_by": "{{ dag.dag_id }}", "run": "{{ run_id }}"},
        aws_conn_id="{{ params.aws_conn_id }}",
    )
    # [END howto_asset_event]
