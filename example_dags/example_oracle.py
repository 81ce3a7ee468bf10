"""Ask Oracle, without Oracle's client libraries.

What it needs:

- requirements.txt: ``apache-airflow-providers-oracle``, with the constraint file of your release
- connection ``oracle_default``, in Secrets Manager rather than in the database: the value is what
  ``mwaa connection uri oracle --host HOST --port 1521 --login USER --password - --extra '{"service_name": "SERVICE"}'`` prints
- a way from the workers to the database's port

AWS's own sample puts Instant Client and ``libaio`` into plugins.zip for ``cx_Oracle``, with constraints of Airflow 2.0.2. The
provider speaks to Oracle 12.1 and later by itself (python-oracledb, thin mode). If you need thick mode, a file of environment
variables sets ``LD_LIBRARY_PATH`` (docs/plugins.md).
"""

from datetime import datetime, timezone

from airflow import DAG
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator

with DAG(
    dag_id="example_oracle",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    tags=["mwaa"],
):
    SQLExecuteQueryOperator(task_id="ask_oracle", conn_id="oracle_default", sql="select sysdate from dual")
