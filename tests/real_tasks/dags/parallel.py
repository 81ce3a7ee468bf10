"""A DAG of short tasks at once, on one host, and a longer one."""

from __future__ import annotations

import time
from datetime import datetime, timezone

from airflow import DAG

try:
    from airflow.providers.standard.operators.python import PythonOperator
except ImportError:
    from airflow.operators.python import PythonOperator


def work(number: int) -> None:
    block = bytearray((64 if number else 256) * 1024 * 1024)
    end = time.process_time() + 0.2
    while time.process_time() < end:
        block[0] += 1
        block[0] %= 200
    time.sleep(0.5)


def wait() -> None:
    time.sleep(4.0)


with DAG(dag_id="parallel", start_date=datetime(2024, 1, 1, tzinfo=timezone.utc), schedule=None) as dag:
    # Long enough to see an interval of two seconds begin: it publishes what the others have left.
    after = PythonOperator(task_id="after", python_callable=wait)
    for number in range(3):
        PythonOperator(task_id=f"task_{number}", python_callable=work, op_args=[number]) >> after
