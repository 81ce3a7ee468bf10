"""Tasks that do nothing but live, and beat."""

from __future__ import annotations

import time

from airflow.sdk import DAG, Param, task

with DAG("beating", schedule=None, params={"seconds": Param(30, type="integer")}):

    @task(multiple_outputs=False)
    def beat(number: int, params: dict | None = None) -> int:
        time.sleep(params["seconds"])
        return number

    beat.expand(number=[1, 2, 3, 4])
