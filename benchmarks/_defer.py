"""Write what Airflow writes when tasks defer: the triggers, and the task instances that wait for them. Reads JSON from standard input."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from typing import Any


def _ours(asked: dict[str, Any], wait: dict[str, Any]) -> Any:
    from mwaa_provider.triggers.dag_run import MwaaDagRunTrigger
    from mwaa_provider.triggers.task import MwaaTaskTrigger

    arguments: dict[str, Any] = {
        "environment_name": asked["environment_name"],
        "dag_id": "load",
        "run_ids": [wait["run_id"]],
        "poke_interval": asked["interval"],
        "aws_conn_id": asked["connection"],
    }
    if wait["task_id"] is None:
        return MwaaDagRunTrigger(**arguments, check_existence=True, cancel_on_kill=True)
    return MwaaTaskTrigger(**arguments, task_ids=[wait["task_id"]])


def _peer(asked: dict[str, Any], wait: dict[str, Any]) -> Any:
    from airflow.providers.amazon.aws.triggers.mwaa import MwaaDagRunCompletedTrigger, MwaaTaskCompletedTrigger

    arguments: dict[str, Any] = {
        "external_env_name": asked["environment_name"],
        "external_dag_id": "load",
        "external_dag_run_id": wait["run_id"],
        "waiter_delay": asked["interval"],
        "aws_conn_id": asked["connection"],
    }
    if wait["task_id"] is None:
        return MwaaDagRunCompletedTrigger(**arguments)
    return MwaaTaskCompletedTrigger(**arguments, external_task_id=wait["task_id"])


def _main() -> None:
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.trigger import Trigger
    from airflow.utils.session import create_session

    asked = json.load(sys.stdin)
    make = {"ours": _ours, "peer": _peer}[asked["side"]]
    with create_session() as session:
        triggers = [Trigger.from_object(make(asked, wait)) for wait in asked["waits"]]
        session.add_all(triggers)
        session.flush()
        tasks = session.query(TaskInstance).filter_by(dag_id="waits").order_by(TaskInstance.map_index).all()
        for task, trigger in zip(tasks, triggers, strict=True):
            task.state = "deferred"
            task.start_date = datetime.now(timezone.utc)
            task.trigger_id = trigger.id
            task.next_method = "execute_complete"
            task.next_kwargs = {}


if __name__ == "__main__":
    _main()
