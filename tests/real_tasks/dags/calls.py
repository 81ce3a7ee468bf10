"""DAGs with one task each, which calls another environment: waiting in a worker or in the triggerer."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from airflow import DAG

from mwaa_provider.operators.dag_run import MwaaTriggerDagRunOperator

COMMON = {
    "task_id": "call",
    "environment_name": "target",
    "trigger_dag_id": "load",
    "wait_for_completion": True,
    "poke_interval": 0.5,
    "aws_conn_id": "to_target",
    "pool": "calls",
    "retries": 1,
    "retry_delay": timedelta(seconds=1),
}
CONF = {"caller": "{{ run_id }}"}

for name, arguments in {
    "waits": {"deferrable": False},
    "defers": {"deferrable": True},
    "waits_briefly": {"deferrable": False, "execution_timeout": timedelta(seconds=30), "retries": 0},
    "defers_briefly": {"deferrable": True, "execution_timeout": timedelta(seconds=30), "retries": 0},
}.items():
    with DAG(dag_id=name, start_date=datetime(2024, 1, 1, tzinfo=timezone.utc), schedule=None) as dag:
        MwaaTriggerDagRunOperator(conf=CONF, **{**COMMON, **arguments})
    globals()[name] = dag

for name, deferrable in {"mapped_waits": False, "mapped_defers": True}.items():
    with DAG(dag_id=name, start_date=datetime(2024, 1, 1, tzinfo=timezone.utc), schedule=None) as dag:
        MwaaTriggerDagRunOperator.partial(deferrable=deferrable, **COMMON).expand(conf=[CONF])
    globals()[name] = dag
