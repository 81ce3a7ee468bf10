"""The DAG that ``example_trigger_other_environment`` starts from elsewhere. It needs nothing."""

# [START example_target]
from datetime import datetime, timezone

from airflow import DAG

try:
    from airflow.sdk import task
except ImportError:  # Airflow 2
    from airflow.decorators import task

with DAG(
    dag_id="example_target",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    tags=["mwaa"],
):

    @task
    def greet(dag_run=None):
        greeting = dag_run.conf.get("greeting", "nobody sent a greeting")
        print(f"The other environment says: {greeting}")
        return greeting

    @task
    def work(greeting):
        return len(greeting)

    work(greet())
# [END example_target]
