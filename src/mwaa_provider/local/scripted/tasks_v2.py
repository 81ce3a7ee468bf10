"""Airflow 3's REST API for task instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mwaa_provider.local.backend import BackendAnswer
from mwaa_provider.local.scripted import bodies_v2, shapes_v2
from mwaa_provider.local.scripted.bodies_v2 import checked, nullable, refusal
from mwaa_provider.local.scripted.records import ScriptedRun, ScriptedTaskInstance
from mwaa_provider.local.scripted.routing import Call, Route, answer, route
from mwaa_provider.local.scripted.selecting import in_ranges, ordered
from mwaa_provider.local.scripted.store import TASK_STATES, Store, pages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_TASK_ORDER = {
    name: name for name in ("id", "state", "task_id", "start_date", "end_date", "map_index", "try_number", "run_id")
}
_TASK_LIST_BODY: dict[str, bodies_v2.Check] = {
    **bodies_v2.PAGE,
    "dag_ids": nullable(bodies_v2.texts),
    "dag_run_ids": nullable(bodies_v2.texts),
    "task_ids": nullable(bodies_v2.texts),
    "state": nullable(bodies_v2.texts),
}


class TasksV2:
    """Answers for task instances.

    :param store: The memory.
    :param release: The release.
    """

    def __init__(self, store: Store, release: shapes_v2.Release) -> None:
        self._store, self._release = store, release
        self._ranges = bodies_v2.range_names(bodies_v2.RANGES, release)
        self._body_ranges = {name: nullable(bodies_v2.moment) for name in self._ranges}

    def routes(self) -> list[Route]:
        """Return what is answered here."""
        run = "/dags/{dag_id}/dagRuns/{run_id}"
        task = run + "/taskInstances/{task_id}"
        return [
            route("POST", run + "/taskInstances/list", self._list_tasks_by_body, "Viewer"),
            route("GET", run + "/taskInstances", self._list_tasks, "Viewer"),
            route("GET", task, self._get_task, "Viewer"),
            route("GET", task + "/{map_index}", self._get_mapped_task, "Viewer"),
            route("GET", task + "/logs/{try_number}", self._get_log, "Viewer"),
        ]

    def _shaped_task(self, task: ScriptedTaskInstance, run: ScriptedRun) -> dict[str, Any]:
        return shapes_v2.task(task, run, self._store.dags[run.dag_id], self._release)

    def _list_tasks(self, call: Call) -> BackendAnswer:
        groups = ("task_group_id",) if self._release >= (3, 2) else ()
        bodies_v2.only(call, "limit", "offset", "state", "order_by", "task_id", *groups, *self._ranges)
        ranges = bodies_v2.ranges(call, self._ranges)
        if call["run_id"] != "~":
            if not any(call["run_id"] == run_id and call["dag_id"] in ("~", dag) for dag, run_id in self._store.runs):
                of_dag = f"dag_id: `{call['dag_id']}` and " if self._release >= (3, 1) else ""
                raise refusal(404, f"DagRun with {of_dag}run_id: `{call['run_id']}` was not found")
        elif call["dag_id"] != "~":
            old = f"DAG with dag_id: `{call['dag_id']}` was not found"
            bodies_v2.known_dag(self._store, self._release, call["dag_id"], old if self._release < (3, 1) else None)
        states = {None if state in ("none", "no_status") else state for state in call.query.get("state", [])}
        tasks = [
            task
            for run in self._store.runs.values()
            if call["dag_id"] in ("~", run.dag_id) and call["run_id"] in ("~", run.run_id)
            for task in run.task_instances
            if (not states or task.state in states)
            and call.first("task_id", task.task_id) == task.task_id
            and _is_in_ranges(task, run, ranges)
        ]
        if "task_group_id" in call.query:
            group = self._group(call)
            tasks = [task for task in tasks if task.task_id in group]
        offset, limit = bodies_v2.page(call, clamp=self._release >= (3, 2, 1))
        return self._tasks(tasks, call.query.get("order_by", []), offset, limit)

    def _group(self, call: Call) -> frozenset[str]:
        if call["dag_id"] == "~":
            raise refusal(
                501, "The scripted back end does not know what a task group of all DAGs is; a real Airflow fails."
            )
        group = self._store.dags[call["dag_id"]].groups.get(call.first("task_group_id"))
        if group is None:
            said = f"Task group {call.first('task_group_id')} not found"
            raise refusal(404, {"reason": "not_found", "message": said})
        return group

    def _list_tasks_by_body(self, call: Call) -> BackendAnswer:
        body = checked(call, _TASK_LIST_BODY | self._body_ranges)
        bodies_v2.check_states(body, "state", TASK_STATES if self._release >= (3, 3) else TASK_STATES[:-1])
        ranges = bodies_v2.ranges_of_body(body)
        tasks = [
            task
            for run in self._store.runs.values()
            if (not body.get("dag_ids") or run.dag_id in body["dag_ids"])
            and (not body.get("dag_run_ids") or run.run_id in body["dag_run_ids"])
            for task in run.task_instances
            if (not body.get("task_ids") or task.task_id in body["task_ids"])
            and (not body.get("state") or task.state in body["state"])
            and _is_in_ranges(task, run, ranges)
        ]
        asked = [body["order_by"]] if body.get("order_by") else []
        return self._tasks(tasks, asked, body.get("page_offset", 0), body.get("page_limit", 100))

    def _tasks(self, tasks: list[ScriptedTaskInstance], asked: list[str], offset: int, limit: int) -> BackendAnswer:
        keys = bodies_v2.order(asked, _TASK_ORDER, "id")
        # Airflow sorts by its row ids, which are given in the order of creation; the scripted ids are not.
        tasks = ordered(tasks, [key for key in keys if key[0] != "id"])
        page = [
            self._shaped_task(task, self._store.runs[task.dag_id, task.run_id]) for task in pages(tasks, offset, limit)
        ]
        return answer(200, shapes_v2.collection("task_instances", page, len(tasks), self._release))

    def _get_task(self, call: Call) -> BackendAnswer:
        tasks = self._tasks_of(call)
        if not tasks:
            raise refusal(
                404,
                f"The Task Instance with dag_id: `{call['dag_id']}`, run_id: `{call['run_id']}` and task_id: "
                f"`{call['task_id']}` was not found",
            )
        if tasks[0].map_index != -1:
            raise refusal(404, "Task instance is mapped, add the map_index value to the URL")
        return answer(200, self._shaped_task(tasks[0], self._store.runs[call["dag_id"], call["run_id"]]))

    def _get_mapped_task(self, call: Call) -> BackendAnswer:
        for task in self._tasks_of(call):
            if str(task.map_index) == call["map_index"]:
                return answer(200, self._shaped_task(task, self._store.runs[call["dag_id"], call["run_id"]]))
        raise refusal(
            404,
            f"The Mapped Task Instance with dag_id: `{call['dag_id']}`, run_id: `{call['run_id']}`, task_id: "
            f"`{call['task_id']}`, and map_index: `{call['map_index']}` was not found",
        )

    def _get_log(self, call: Call) -> BackendAnswer:
        bodies_v2.only(call, "map_index", "token", "full_content")
        map_index = call.first("map_index", "-1")
        task = next((task for task in self._tasks_of(call) if str(task.map_index) == map_index), None)
        text = None if task is None else task.log_of(int(call["try_number"]))
        if task is None or text is None:
            raise refusal(404, "TaskInstance not found")
        return answer(200, shapes_v2.log(task, text))

    def _tasks_of(self, call: Call) -> list[ScriptedTaskInstance]:
        run = self._store.runs.get((call["dag_id"], call["run_id"]))
        return [task for task in run.task_instances if task.task_id == call["task_id"]] if run else []


def _is_in_ranges(task: ScriptedTaskInstance, run: ScriptedRun, ranges: Mapping[str, datetime]) -> bool:
    of_run = {name: limit for name, limit in ranges.items() if name.startswith(("logical_date", "run_after"))}
    of_task = {name: limit for name, limit in ranges.items() if name not in of_run}
    return in_ranges(run, of_run) and in_ranges(task, of_task)
