"""The DAGs that the real ``airflow`` commands of these tests talk about; parsing this file warns, as DAG files do."""

import logging
import sys
import warnings
from datetime import datetime, timezone

from airflow import DAG

try:
    from airflow.sdk import Asset, task
except ImportError:  # Airflow 2
    from airflow.datasets import Dataset as Asset
    from airflow.decorators import task

START = datetime(2024, 1, 1, tzinfo=timezone.utc)

warnings.warn("the way this DAG file is written is deprecated", DeprecationWarning, stacklevel=1)

try:
    raise KeyError("a default was taken")
except KeyError:
    logging.getLogger(__name__).warning("this DAG file went on without a setting", exc_info=True)

print("this DAG file talks to standard error", file=sys.stderr)

with DAG(dag_id="cli_daily", start_date=START, schedule="@daily", catchup=False, is_paused_upon_creation=True):

    @task
    def work(day="{{ ds }}"):
        return day

    work()

with DAG(dag_id="cli_quick", start_date=START, schedule=None, catchup=False, is_paused_upon_creation=False):

    @task(task_id="work", outlets=[Asset("s3://bucket/cli")])
    def quick():
        print("working")
        return "done"

    quick()

with DAG(dag_id="cli_fails", start_date=START, schedule=None, catchup=False, is_paused_upon_creation=False):

    @task(task_id="work")
    def fail():
        raise RuntimeError("this task always fails")

    fail()

with DAG(dag_id="cli_to_delete", start_date=START, schedule=None, catchup=False, is_paused_upon_creation=True):

    @task(task_id="work")
    def never():
        pass

    never()
