"""Run one try of a task as a worker and a triggerer do, in this process: waiting here, or deferred."""

from __future__ import annotations

import asyncio
import importlib
import json
from types import SimpleNamespace
from typing import Any, Literal

Mode = Literal["waits", "defers"]
MODES: tuple[Mode, ...] = ("waits", "defers")


class LocalTaskInstance(SimpleNamespace):
    """A task instance as far as operators look at it."""

    def xcom_push(self, key: str, value: Any) -> None:
        self.xcoms[key] = value


def context_of(
    task: Any,
    *,
    dag_id: str = "calling_dag",
    run_id: str = "manual__2026-01-31",
    try_number: int = 1,
    max_tries: int | None = None,
    map_index: int = -1,
) -> dict[str, Any]:
    """The context of one try of a task."""
    ti = LocalTaskInstance(
        dag_id=dag_id,
        task_id=task.task_id,
        run_id=run_id,
        map_index=map_index,
        try_number=try_number,
        max_tries=task.retries if max_tries is None else max_tries,
        xcoms={},
    )
    return {"ti": ti, "task": task}


def run_try(task: Any, context: dict[str, Any], *, limit: float = 60.0) -> Any:
    """Run one try to its end, in the triggerer where the task is deferred, and return what the task returns.

    :param task: The operator.
    :param context: Its context.
    :param limit: Seconds until a trigger is given up.
    """
    try:
        return task.execute(context)
    except task_deferred() as deferred:
        event = event_of(deferred.trigger, limit=limit)
        return getattr(task, deferred.method_name)(context, event=event, **(deferred.kwargs or {}))


def deferral_of(task: Any, context: dict[str, Any]) -> Any:
    """What a task raises that defers itself.

    :param task: The operator.
    :param context: Its context.
    """
    try:
        task.execute(context)
    except task_deferred() as deferred:
        return deferred
    raise AssertionError("it was not deferred")


def task_deferred() -> Any:
    """Airflow's class for that."""
    try:
        from airflow.sdk.exceptions import TaskDeferred
    except ImportError:
        from airflow.exceptions import TaskDeferred
    return TaskDeferred


def event_of(trigger: Any, *, limit: float = 60.0) -> Any:
    """What a trigger tells, after a journey through the database."""
    return asyncio.run(asyncio.wait_for(_first_event(again(trigger)), limit))


def again(trigger: Any) -> Any:
    """The trigger as another triggerer makes it from what lies in the database."""
    path, arguments = trigger.serialize()
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)(**json.loads(json.dumps(arguments)))


async def _first_event(trigger: Any) -> Any:
    async for event in trigger.run():
        return json.loads(json.dumps(event.payload))
    raise AssertionError("the trigger ended without an event")
