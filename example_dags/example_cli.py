"""Run airflow commands in another MWAA environment, and use what they print.

What it needs:

- requirements.txt: ``airflow-provider-mwaa``
- connection: the one named by the param ``aws_conn_id``; ``aws_default`` (on MWAA: the execution role) will do
- IAM, for the role of that connection::

    {"Effect": "Allow", "Action": ["airflow:GetEnvironment", "airflow:CreateCliToken"],
     "Resource": "arn:aws:airflow:REGION:ACCOUNT:environment/OTHER-ENVIRONMENT"}

AWS's own samples decode what the command printed and never learn whether it worked. Here a command that fails over there fails
the task, and one that might be run twice by a retry is not.
"""

from datetime import datetime, timezone

from airflow import DAG

from mwaa_provider.operators.cli import MwaaCliOperator

COMMON = {"environment_name": "{{ params.environment_name }}", "aws_conn_id": "{{ params.aws_conn_id }}"}

with DAG(
    dag_id="example_cli",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={"environment_name": "target", "aws_conn_id": "aws_default", "region": "it's the north"},
    tags=["mwaa"],
):
    # [START howto_cli]
    set_variable = MwaaCliOperator(
        task_id="set_variable",
        # "--", because the value may begin with "-"
        command=["variables", "set", "--", "region", "{{ params.region }}"],
        **COMMON,
    )
    # [END howto_cli]

    # [START howto_cli_json]
    list_dags = MwaaCliOperator(task_id="list_dags", command="dags list -o json", **COMMON)
    # [END howto_cli_json]

    # [START howto_cli_mapped]
    read_back = MwaaCliOperator.partial(task_id="read_back", **COMMON).expand(
        command=[["variables", "get", "region"], ["variables", "list", "-o", "json"]]
    )
    # [END howto_cli_mapped]

    set_variable >> [list_dags, read_back]
