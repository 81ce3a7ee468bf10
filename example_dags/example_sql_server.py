"""Ask SQL Server.

What it needs:

- requirements.txt: ``apache-airflow-providers-microsoft-mssql``, with the constraint file of your release
- connection ``mssql_default``, in Secrets Manager rather than in the database: the value is what
  ``mwaa connection uri mssql --host HOST --port 1433 --login USER --password - --schema DATABASE`` prints
- rules of the security groups that let the workers reach port 1433

AWS's own sample has the password in the code, pins releases of 2021, and hides every error behind a bare ``except``.
"""

from datetime import datetime, timezone

from airflow import DAG
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator

with DAG(
    dag_id="example_sql_server",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    tags=["mwaa"],
):
    SQLExecuteQueryOperator(task_id="ask_sql_server", conn_id="mssql_default", sql="select @@version")
