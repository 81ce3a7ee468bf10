"""Ask Hive, by HiveServer2, without Hadoop on the workers.

What it needs:

- requirements.txt: ``apache-airflow-providers-apache-hive``, with the constraint file of your release
- connection ``hiveserver2_default``, in Secrets Manager rather than in the database: the value is what
  ``mwaa connection uri hiveserver2 --host HOST --port 10000 --login USER --schema DATABASE`` prints
- a way from the workers to port 10000 of the cluster (of EMR: the master's security group)

AWS's own sample puts Hadoop and Hive into plugins.zip, of Airflow 2.0.2, for the ``hive`` command, and its plugin fails where
``CLASSPATH`` is not set. If you need the command, a file of environment variables
(``mwaa_provider.environment_variables_file``, docs/plugins.md) extends ``CLASSPATH`` also where it is unset.
"""

from datetime import datetime, timezone

from airflow import DAG
from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator

with DAG(
    dag_id="example_hive",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    tags=["mwaa"],
):
    SQLExecuteQueryOperator(task_id="ask_hive", conn_id="hiveserver2_default", sql="show databases")
