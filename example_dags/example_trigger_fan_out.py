"""Start the same DAG in many MWAA environments at once, wait for all of them, and collect what they returned.

What it needs:

- requirements.txt: ``airflow-provider-mwaa``
- connection: the one named by the param ``aws_conn_id``; ``aws_default`` (on MWAA: the execution role) will do
- IAM, for the role of that connection, for each of the environments::

    {"Effect": "Allow", "Action": "airflow:GetEnvironment",
     "Resource": "arn:aws:airflow:REGION:ACCOUNT:environment/OTHER-ENVIRONMENT"},
    {"Effect": "Allow", "Action": ["airflow:InvokeRestApi", "airflow:CreateWebLoginToken"],
     "Resource": "arn:aws:airflow:REGION:ACCOUNT:role/OTHER-ENVIRONMENT/User"}

AWS's own sample starts one DAG in one environment and never learns what became of it. Here each environment is a task of its own:
one that fails is retried by itself. With ``deferrable=True`` the waits hold no worker (``example_trigger_deferred``).
"""

from datetime import datetime, timezone

from airflow import DAG

from mwaa_provider.operators.dag_run import MwaaTriggerDagRunOperator

try:
    from airflow.sdk import task
except ImportError:  # Airflow 2
    from airflow.decorators import task

with DAG(
    dag_id="example_trigger_fan_out",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={"environments": ["target"], "aws_conn_id": "aws_default"},
    tags=["mwaa"],
):
    # [START howto_trigger_many_environments]
    @task
    def targets(params=None):
        return [{"environment_name": name, "conf": {"greeting": f"hello, {name}"}} for name in params["environments"]]

    runs = MwaaTriggerDagRunOperator.partial(
        task_id="runs",
        trigger_dag_id="example_target",
        wait_for_completion=True,
        poke_interval=5,
        timeout=3600,
        return_xcoms=["greet"],
        aws_conn_id="{{ params.aws_conn_id }}",
    ).expand_kwargs(targets())

    @task
    def collect(ended):
        return [run["xcoms"]["greet"]["return_value"]["value"] for run in ended]

    collect(runs.output)
    # [END howto_trigger_many_environments]
