"""Call Airflow's REST API in another MWAA environment.

What it needs:

- requirements.txt: ``airflow-provider-mwaa``
- connection: the one named by the param ``aws_conn_id``; ``aws_default`` (on MWAA: the execution role) will do
- IAM, for the role of that connection::

    {"Effect": "Allow", "Action": "airflow:GetEnvironment",
     "Resource": "arn:aws:airflow:REGION:ACCOUNT:environment/OTHER-ENVIRONMENT"},
    {"Effect": "Allow", "Action": ["airflow:InvokeRestApi", "airflow:CreateWebLoginToken"],
     "Resource": "arn:aws:airflow:REGION:ACCOUNT:role/OTHER-ENVIRONMENT/User"}

The paths are those below ``/api/v1`` (Airflow 2) and ``/api/v2`` (Airflow 3); the ones used here are in both.
"""

from datetime import datetime, timezone

from airflow import DAG

from mwaa_provider.operators.rest_api import MwaaRestApiOperator

COMMON = {"environment_name": "{{ params.environment_name }}", "aws_conn_id": "{{ params.aws_conn_id }}"}


def is_there(response):
    return bool(response.body["dags"])


with DAG(
    dag_id="example_rest_api",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={"environment_name": "target", "aws_conn_id": "aws_default"},
    tags=["mwaa"],
):
    # [START howto_rest_api_pages]
    list_dags = MwaaRestApiOperator(
        task_id="list_dags",
        path="/dags",
        query_params={"limit": 50, "paused": "false"},
        pages=True,
        response_check=is_there,
        **COMMON,
    )
    # [END howto_rest_api_pages]

    # [START howto_rest_api_post]
    create_pool = MwaaRestApiOperator(
        task_id="create_pool",
        method="POST",
        path="/pools",
        body={"name": "from_{{ run_id | replace(':', '_') }}", "slots": 3},
        **COMMON,
    )
    # [END howto_rest_api_post]

    list_dags >> create_pool
