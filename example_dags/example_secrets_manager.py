"""Use a variable and a connection that lie in Secrets Manager, and let neither into a log or an XCom.

What it needs:

- configuration options: those that ``mwaa secrets options`` prints (docs/secrets.md)
- secrets: ``airflow/variables/test_variable``, and ``airflow/connections/myconn`` as ``mwaa connection uri`` prints it
- IAM, for the environment's execution role::

    {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue",
     "Resource": "arn:aws:secretsmanager:REGION:ACCOUNT:secret:airflow/*"}

AWS's own samples print the variable, and return the connection's secret, which puts it into an XCom in the database; they ask Secrets
Manager past Airflow, in a region that is written into the code. With the options above, Airflow itself looks there.
"""

from datetime import datetime, timezone

from airflow import DAG

try:
    from airflow.sdk import Variable, task
except ImportError:  # Airflow 2
    from airflow.decorators import task
    from airflow.models import Variable

with DAG(
    dag_id="example_secrets_manager",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={"variable": "test_variable", "connection": "myconn"},
    tags=["mwaa"],
):
    # [START howto_secrets_manager]
    @task
    def use_a_variable(params=None):
        value = Variable.get(params["variable"])
        return {"variable": params["variable"], "characters": len(value)}

    @task
    def use_a_connection(params=None):
        try:
            from airflow.sdk.bases.hook import BaseHook
        except ImportError:  # Airflow 2
            from airflow.hooks.base import BaseHook

        connection = BaseHook.get_connection(params["connection"])
        return {"type": connection.conn_type, "host": connection.host, "has_password": bool(connection.password)}

    use_a_variable()
    use_a_connection()
    # [END howto_secrets_manager]
