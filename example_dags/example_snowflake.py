"""Ask Snowflake, with a connection that lies in Secrets Manager.

What it needs:

- requirements.txt: ``apache-airflow-providers-snowflake``, with the constraint file of your release
- connection ``snowflake_default``, in Secrets Manager rather than in the database: the value is what
  ``mwaa connection uri snowflake --login USER --password - --schema SCHEMA --extra @extra.json`` prints, with ``account``, ``warehouse``,
  ``database`` and ``role`` in the extra
- configuration options: those that ``mwaa secrets options`` prints (docs/secrets.md)
- IAM, for the environment's execution role: ``secretsmanager:GetSecretValue`` on the secret
- a way from the workers to Snowflake, by the internet or PrivateLink

AWS's own sample pins release 1.3.0 of the provider, of 2021, and its DAG imports what Airflow 3 no longer has.
"""

from datetime import datetime, timezone

from airflow import DAG
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator

with DAG(
    dag_id="example_snowflake",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    tags=["mwaa"],
):
    SQLExecuteQueryOperator(task_id="ask_snowflake", conn_id="snowflake_default", sql="select current_version()")
