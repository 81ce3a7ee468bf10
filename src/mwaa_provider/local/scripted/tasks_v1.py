"""Airflow 2's REST API for task instances."""

from __future__ import annotations

from mwaa_provider.local.backend import BackendAnswer
from mwaa_provider.local.scripted import shapes_v1
from mwaa_provider.local.scripted.bodies_v1 import ProblemsV1
from mwaa_provider.local.scripted.records import ScriptedRun, ScriptedTaskInstance
from mwaa_provider.local.scripted.routing import Call, Route, answer, route
from mwaa_provider.local.scripted.selecting import in_ranges
from mwaa_provider.local.scripted.store import Store, pages

_TASK_LIST_BODY = {
    "page_offset": "integer",
    "page_limit": "integer",
    "dag_ids": "array",
    "dag_run_ids": "array",
    "task_ids": "array",
    "state": "array",
    **{f"{name}_{end}": "date" for name in ("execution_date", "start_date", "end_date") for end in ("gte", "lte")},
}


class TasksV1:
    """Answers for task instances.

    :param store: The memory.
    :param problems: The release's errors.
    :param release: The release.
    """

    def __init__(self, store: Store, problems: ProblemsV1, release: shapes_v1.Release) -> None:
        self._store, self._problems, self._release = store, problems, release

    def routes(self) -> list[Route]:
        """Return what is answered here."""
        run = "/dags/{dag_id}/dagRuns/{run_id}"
        task = run + "/taskInstances/{task_id}"
        return [
            route("POST", "/dags/~/dagRuns/~/taskInstances/list", self._list_tasks_by_body, "Viewer"),
            route("GET", run + "/taskInstances", self._list_tasks, "Viewer"),
            route("GET", task, self._get_task, "Viewer"),
            route("GET", task + "/{map_index}", self._get_mapped_task, "Viewer"),
            route("GET", task + "/logs/{try_number}", self._get_log, "Viewer"),
        ]

    def _tasks(
        self, tasks: list[tuple[ScriptedTaskInstance, ScriptedRun]], offset: int, limit: int | None
    ) -> BackendAnswer:
        page = tasks[offset:] if limit is None else pages(tasks, offset, limit)
        shaped = [shapes_v1.task(task, run, self._release) for task, run in page]
        return answer(200, {"task_instances": shaped, "total_entries": len(tasks)})

    def _list_tasks(self, call: Call) -> BackendAnswer:
        self._problems.only(call, "limit", "offset", "state")
        states = {None if state == "none" else state for state in call.query.get("state", [])}
        tasks = [
            (task, run)
            for run in self._store.runs.values()
            if call["dag_id"] in ("~", run.dag_id) and call["run_id"] in ("~", run.run_id)
            for task in run.task_instances
            if not states or task.state in states
        ]
        # This list alone does not hold its limit to maximum_page_limit.
        return self._tasks(tasks, self._problems.offset(call), self._problems.limit(call, most=None))

    def _list_tasks_by_body(self, call: Call) -> BackendAnswer:
        body = self._problems.checked(call, _TASK_LIST_BODY)
        offset, limit = self._problems.page_of_body(body)
        ranges = self._problems.ranges_of_body(body)
        run_ranges = {name: limit for name, limit in ranges.items() if name.startswith("logical_date")}
        task_ranges = {name: limit for name, limit in ranges.items() if name not in run_ranges}
        states = None if body.get("state") is None else {None if one == "none" else one for one in body["state"]}
        tasks = [
            (task, run)
            for run in self._store.runs.values()
            if (not body.get("dag_ids") or run.dag_id in body["dag_ids"])
            and (body.get("dag_run_ids") is None or run.run_id in body["dag_run_ids"])
            and in_ranges(run, run_ranges)
            for task in run.task_instances
            if (body.get("task_ids") is None or task.task_id in body["task_ids"])
            and (not states or task.state in states)
            and in_ranges(task, task_ranges)
        ]
        # Up to 2.9.2 the limit of this list is not looked at.
        return self._tasks(tasks, offset, limit if self._release > (2, 9, 2) else None)

    def _get_task(self, call: Call) -> BackendAnswer:
        run, tasks = self._tasks_of(call)
        if not tasks:
            raise self._problems.refusal(404, title="Task instance not found")
        if tasks[0].map_index != -1:
            raise self._problems.refusal(
                404,
                title="Task instance not found",
                detail="Task instance is mapped, add the map_index value to the URL",
            )
        return answer(200, shapes_v1.task(tasks[0], run, self._release))

    def _get_mapped_task(self, call: Call) -> BackendAnswer:
        run, tasks = self._tasks_of(call)
        for task in tasks:
            if str(task.map_index) == call["map_index"]:
                return answer(200, shapes_v1.task(task, run, self._release))
        raise self._problems.refusal(404, title="Task instance not found")

    def _get_log(self, call: Call) -> BackendAnswer:
        self._problems.only(call, "map_index", "token", "full_content")
        _, tasks = self._tasks_of(call) if (call["dag_id"], call["run_id"]) in self._store.runs else (None, [])
        map_index = call.first("map_index", "-1")
        for task in tasks:
            if str(task.map_index) == map_index:
                text = task.log_of(int(call["try_number"]))
                if text is None:
                    text = "*** Could not read served logs: there was no such try\n"
                return answer(200, shapes_v1.log("" if "token" in call.query else text))
        raise self._problems.refusal(404, title="TaskInstance not found")

    def _tasks_of(self, call: Call) -> tuple[ScriptedRun, list[ScriptedTaskInstance]]:
        run = self._store.runs.get((call["dag_id"], call["run_id"]))
        if run is None:
            raise self._problems.refusal(404, title="Task instance not found")
        return run, [task for task in run.task_instances if task.task_id == call["task_id"]]
