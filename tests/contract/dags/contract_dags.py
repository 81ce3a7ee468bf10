"""The DAGs that the contract tests start in a real Airflow; the scripted back end is told of the same ones."""

import time
from datetime import datetime, timezone

from airflow import DAG
from airflow import __version__ as version

try:
    from airflow.sdk import Asset, TaskGroup, task
except ImportError:  # Airflow 2
    from airflow.datasets import Dataset as Asset
    from airflow.decorators import task
    from airflow.utils.task_group import TaskGroup

try:
    from airflow.sdk import PartitionedAtRuntime
except ImportError:  # before 3.3
    PartitionedAtRuntime = None

COMMON = {"start_date": datetime(2024, 1, 1, tzinfo=timezone.utc), "schedule": None, "catchup": False}

with DAG(dag_id="contract_quick", is_paused_upon_creation=False, **COMMON):

    @task
    def work():
        return "done"

    work()

with DAG(dag_id="contract_odd", is_paused_upon_creation=False, tags=["contract", "odd"], **COMMON):

    @task
    def pushes(ti=None):
        ti.xcom_push("with space and ü", [1, "zwölf", None])
        if not version.startswith("3.0."):  # its tasks cannot: their own API does not find the path
            ti.xcom_push("with/slash", "found")
        return {"a": 1, "b": [True, None]}

    @task
    def mapped(number):
        return number * 10

    pushes() >> mapped.expand(number=[1, 2, 3])

with DAG(dag_id="contract_fails", is_paused_upon_creation=False, **COMMON):

    @task(task_id="work")
    def fail():
        raise RuntimeError("this DAG always fails")

    fail()

with DAG(dag_id="contract_slow", is_paused_upon_creation=False, **COMMON):

    @task(task_id="work")
    def sleep():
        time.sleep(600)

    sleep()

with DAG(dag_id="contract_paused", is_paused_upon_creation=True, **COMMON):

    @task(task_id="work", outlets=[Asset("s3://contract/orders")])
    def never():
        pass

    never()

with DAG(dag_id="contract_groups", is_paused_upon_creation=True, **COMMON):

    @task
    def one():
        pass

    @task
    def two():
        pass

    one()
    with TaskGroup("outer"):
        one()
        with TaskGroup("inner"):
            two()

if PartitionedAtRuntime is not None:
    with DAG(
        dag_id="contract_partitioned", is_paused_upon_creation=False, **{**COMMON, "schedule": PartitionedAtRuntime()}
    ):

        @task(task_id="work")
        def of_partition():
            pass

        of_partition()
