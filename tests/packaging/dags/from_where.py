"""A task that says where the package it uses lies, and one of the package's own operators."""

from datetime import datetime, timezone

from airflow import DAG

from mwaa_provider.operators.dag_run import MwaaTriggerDagRunOperator

try:
    from airflow.sdk import task
except ImportError:  # Airflow 2
    from airflow.decorators import task

COMMON = {"start_date": datetime(2024, 1, 1, tzinfo=timezone.utc), "schedule": None, "catchup": False}

with DAG(dag_id="from_where", **COMMON):

    @task
    def tell():
        import http

        import mwaa_provider

        return f"{mwaa_provider.__file__} {http.__file__}"

    tell()

with DAG(dag_id="with_our_operator", **COMMON):
    MwaaTriggerDagRunOperator(
        task_id="call", environment_name="target", aws_conn_id="mwaa_local", trigger_dag_id="load", poke_interval=1
    )
