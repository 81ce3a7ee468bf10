"""Airflow 2's REST API (``/api/v1``), as far as it is scripted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mwaa_provider.local.answers import airflow_problem
from mwaa_provider.local.backend import BackendAnswer, BackendRequest
from mwaa_provider.local.scripted import shapes_v1
from mwaa_provider.local.scripted.bodies_v1 import ProblemsV1
from mwaa_provider.local.scripted.routing import Call, Refusal, answer, call_of, find, may, route
from mwaa_provider.local.scripted.rows_v1 import RowsV1
from mwaa_provider.local.scripted.runs import GIT_VERSION, RUN_ID_PATTERN, reserved_for
from mwaa_provider.local.scripted.selecting import in_ranges, ordered
from mwaa_provider.local.scripted.store import ScriptedDag, ScriptedRun, ScriptedTaskInstance, Store, pages

if TYPE_CHECKING:
    from datetime import datetime

_RUN_ORDER = {
    "id": "number",
    "state": "state",
    "dag_id": "dag_id",
    "execution_date": "logical_date",
    "dag_run_id": "run_id",
    "start_date": "start_date",
    "end_date": "end_date",
    "conf": "conf",
}
_RUN_BODY = {
    "dag_run_id": "string?",
    "logical_date": "date?",
    "execution_date": "date?",
    "conf": "object",
    "note": "string?",
}
_RUN_LIST_BODY = {
    "order_by": "string",
    "page_offset": "integer",
    "page_limit": "integer",
    "dag_ids": "array",
    "states": "array",
    **{f"{name}_{end}": "date" for name in ("execution_date", "start_date", "end_date") for end in ("gte", "lte")},
}
_TASK_LIST_BODY = {
    "page_offset": "integer",
    "page_limit": "integer",
    "dag_ids": "array",
    "dag_run_ids": "array",
    "task_ids": "array",
    "state": "array",
    **{f"{name}_{end}": "date" for name in ("execution_date", "start_date", "end_date") for end in ("gte", "lte")},
}
#: The error page of Airflow 2 for what nobody thought of.
_OOPS = (
    b'<!DOCTYPE html>\n<html lang="en"><body><h1> Ooops! </h1><pre>\nSomething bad has happened.</pre></body></html>'
)


class RestV1:
    """Answers ``/api/v1`` for one scripted Airflow 2.

    :param store: Its memory.
    :param airflow_version: Its release.
    """

    def __init__(self, store: Store, airflow_version: str) -> None:
        self._store = store
        self._version = airflow_version
        self._release = tuple(int(part) for part in airflow_version.split(".")[:3])
        self._problems = ProblemsV1(airflow_version)
        run = "/dags/{dag_id}/dagRuns/{run_id}"
        task = run + "/taskInstances/{task_id}"
        rows = RowsV1(store, self._problems, self._release)
        self._routes = [
            route("GET", "/version", self._get_version, "Public"),
            route("GET", "/health", self._get_health, "Public"),
            route("GET", "/dags", self._list_dags, "Viewer"),
            route("GET", "/dags/{dag_id}", self._get_dag, "Viewer"),
            route("PATCH", "/dags/{dag_id}", self._patch_dag, "User"),
            route("GET", "/dags/{dag_id}/details", self._get_dag_details, "Viewer"),
            route("POST", "/dags/~/dagRuns/list", self._list_runs_by_body, "Viewer"),
            route("GET", "/dags/{dag_id}/dagRuns", self._list_runs, "Viewer"),
            route("POST", "/dags/{dag_id}/dagRuns", self._post_run, "User"),
            route("GET", run, self._get_run, "Viewer"),
            route("PATCH", run, self._patch_run, "User"),
            route("DELETE", run, self._delete_run, "User"),
            route("POST", run + "/clear", self._clear_run, "User"),
            route("PATCH", run + "/setNote", self._set_note, "User"),
            route("POST", "/dags/~/dagRuns/~/taskInstances/list", self._list_tasks_by_body, "Viewer"),
            route("GET", run + "/taskInstances", self._list_tasks, "Viewer"),
            route("GET", task, self._get_task, "Viewer"),
            *rows.routes(task),
            route("GET", task + "/{map_index}", self._get_mapped_task, "Viewer"),
        ]

    def __call__(self, request: BackendRequest) -> BackendAnswer:
        """Answer one call.

        :param request: The call.
        """
        found, parameters, methods = find(self._routes, request)
        if found is None:
            return self._unknown(request, methods)
        try:
            call = call_of(request, parameters)
        except ValueError:
            return self._problems.refusal(400, detail="Request body is not valid JSON").answer
        try:
            if not may(call.role, found.needs):
                raise self._problems.refusal(403)
            with self._store.settled():
                return found.handler(call)
        except Refusal as refusal:
            return refusal.answer

    def _unknown(self, request: BackendRequest, methods: list[str]) -> BackendAnswer:
        if request.path.startswith("/api/"):
            # InvokeRestApi takes the path without /api/v1; with it, Airflow is asked for /api/v1/api/v1/...
            return self._problems.refusal(
                404,
                detail="The requested URL was not found on the server. If you entered the URL manually please check "
                "your spelling and try again.",
            ).answer
        response = airflow_problem(
            501,
            self._version,
            title="Not scripted",
            detail=f"The scripted back end does not answer {request.method} {request.path}"
            + (f" (it knows {', '.join(methods)})" if methods else "")
            + "; a real Airflow would.",
        )
        return BackendAnswer(response.status, response.body, response.content_type)

    def _only(self, call: Call, *known: str) -> None:
        if unknown := sorted(set(call.query) - set(known)):
            if not set(unknown) <= shapes_v1.REAL_PARAMETERS:
                detail = f"Extra query parameter(s) {', '.join(unknown)} not in spec"
                raise Refusal(
                    answer(400, self._problems.body(400, detail=detail) | {"title": None}, "application/problem+json")
                )
            raise self._problems.refusal(
                501,
                title="Not scripted",
                detail=f"The scripted back end does not know the query parameter(s) {', '.join(unknown)}; "
                "a real Airflow does.",
            )

    def _get_version(self, call: Call) -> BackendAnswer:
        return answer(200, {"git_version": GIT_VERSION, "version": self._version})

    def _get_health(self, call: Call) -> BackendAnswer:
        return answer(200, shapes_v1.health(self._store.clock.now(), self._release))

    # DAGs

    def _list_dags(self, call: Call) -> BackendAnswer:
        self._only(call, "limit", "offset", "paused", "order_by", "only_active", "dag_id_pattern")
        paused = self._problems.boolean(call, "paused")
        pattern = call.first("dag_id_pattern").lower()
        dags = [
            dag
            for dag in self._store.dags.values()
            if paused in (None, dag.is_paused) and pattern in dag.dag_id.lower()
        ]
        dags = ordered(dags, self._problems.order(call.first("order_by", "dag_id"), {"dag_id": "dag_id"}))
        page = pages(dags, self._problems.offset(call), self._problems.limit(call))
        return answer(200, {"dags": [shapes_v1.dag(dag, self._release) for dag in page], "total_entries": len(dags)})

    def _dag(self, call: Call, *, title: str = "DAG not found", detail: str | None = None) -> ScriptedDag:
        dag = self._store.dags.get(call["dag_id"])
        if dag is None:
            raise self._problems.refusal(404, title=title, detail=detail)
        return dag

    def _get_dag(self, call: Call) -> BackendAnswer:
        self._only(call)
        dag = self._dag(call, detail=f"The DAG with dag_id: {call['dag_id']} was not found")
        return answer(200, shapes_v1.dag(dag, self._release))

    def _get_dag_details(self, call: Call) -> BackendAnswer:
        self._only(call)
        dag = self._dag(call, detail=f"The DAG with dag_id: {call['dag_id']} was not found")
        return answer(200, shapes_v1.dag_details(dag, self._release))

    def _patch_dag(self, call: Call) -> BackendAnswer:
        self._only(call, "update_mask")
        body = self._problems.checked(call, {"is_paused": "boolean"})
        if call.first("update_mask", "is_paused") != "is_paused":
            raise self._problems.refusal(400, detail="Only `is_paused` field can be updated through the REST API")
        dag = self._dag(call, title=f"Dag with id: '{call['dag_id']}' not found")
        if "is_paused" not in body:
            return BackendAnswer(500, _OOPS, "text/html; charset=utf-8")
        self._store.pause(dag, body["is_paused"])
        return answer(200, shapes_v1.dag(dag, self._release))

    # Runs

    def _runs(self, runs: list[ScriptedRun], offset: int, limit: int) -> BackendAnswer:
        page = [shapes_v1.run(run) for run in pages(runs, offset, limit)]
        return answer(200, {"dag_runs": page, "total_entries": len(runs)})

    def _list_runs(self, call: Call) -> BackendAnswer:
        names = ("execution_date", "start_date", "end_date")
        bounds = [f"{name}_{end}" for name in names for end in ("gte", "lte")]
        self._only(call, "limit", "offset", "state", "order_by", *bounds)
        ranges = _of_runs(self._problems.ranges(call, names))
        states = set(call.query.get("state", []))
        runs = [
            run
            for run in self._store.runs.values()
            if call["dag_id"] in ("~", run.dag_id) and (not states or run.state in states) and in_ranges(run, ranges)
        ]
        runs = ordered(runs, self._problems.order(call.first("order_by", "id"), _RUN_ORDER))
        return self._runs(runs, self._problems.offset(call), self._problems.limit(call))

    def _page_of_body(self, body: dict[str, Any]) -> tuple[int, int]:
        offset, limit = body.get("page_offset", 0), body.get("page_limit", 100)
        for name, value, least in (("page_offset", offset, 0), ("page_limit", limit, 1)):
            if value < least:
                raise self._problems.refusal(400, detail=f"{value} is less than the minimum of {least} - '{name}'")
        return offset, limit

    def _ranges_of_body(self, body: dict[str, Any]) -> dict[str, datetime]:
        return _of_runs(
            {
                name: self._problems.moment(value, name)
                for name, value in body.items()
                if name.endswith(("_gte", "_lte"))
            }
        )

    def _list_runs_by_body(self, call: Call) -> BackendAnswer:
        body = self._problems.checked(call, _RUN_LIST_BODY)
        offset, limit = self._page_of_body(body)
        ranges = self._ranges_of_body(body)
        runs = [
            run
            for run in self._store.runs.values()
            if (not body.get("dag_ids") or run.dag_id in body["dag_ids"])
            and (not body.get("states") or run.state in body["states"])
            and in_ranges(run, ranges)
        ]
        runs = ordered(runs, self._problems.order(body.get("order_by", "id"), _RUN_ORDER))
        return self._runs(runs, offset, limit)

    def _post_run(self, call: Call) -> BackendAnswer:
        types = dict(_RUN_BODY)
        if self._release >= (2, 9, 2):
            types |= {"data_interval_start": "date?", "data_interval_end": "date?"}
        for name in ("state", "dag_id", "start_date", "end_date", "external_trigger", "run_type"):
            if isinstance(call.body, dict) and name in call.body:
                raise self._problems.refusal(400, detail=f"Property is read-only - '{name}'")
        body = self._problems.checked(call, types)
        dag_id = call["dag_id"]
        dag = self._dag(call, detail=f"DAG with dag_id: '{dag_id}' not found")
        if dag.has_import_errors:
            raise self._problems.refusal(
                400, title="DAG cannot be triggered", detail=f"DAG with dag_id: '{dag_id}' has import errors"
            )
        logical_date = self._logical_date(body)
        run_id = self._run_id(body, logical_date)
        if self._store.run_at(dag_id, logical_date) is not None:
            existing = f"DAGRun logical date: '{logical_date.isoformat(sep=' ')}'"
            raise self._problems.refusal(409, detail=f"DAGRun with DAG ID: '{dag_id}' and {existing} already exists")
        if (dag_id, run_id) in self._store.runs:
            raise self._problems.refusal(
                409, detail=f"DAGRun with DAG ID: '{dag_id}' and DAGRun ID: '{run_id}' already exists"
            )
        if kind := reserved_for(run_id, "dataset_triggered"):
            raise self._problems.refusal(
                400, detail=f"A manual DAG run cannot use ID {run_id!r} since it is reserved for {kind} runs"
            )
        if not re.match(RUN_ID_PATTERN, run_id):
            # Airflow 2 raises what its own handler does not catch.
            return BackendAnswer(500, _OOPS, "text/html; charset=utf-8")
        interval = self._interval(body) or (logical_date, logical_date)
        run = self._store.add_run(
            dag,
            run_id,
            logical_date=logical_date,
            run_after=logical_date if logical_date > self._store.clock.now() else self._store.clock.now(),
            data_interval=interval,
            conf=body.get("conf") or {},
            note=body.get("note"),
        )
        return answer(200, shapes_v1.run(run))

    def _logical_date(self, body: dict[str, Any]) -> datetime:
        given = {name: body[name] for name in ("logical_date", "execution_date") if name in body}
        if not given:
            return self._store.moment()
        if len(given) == 2 and body["logical_date"] != body["execution_date"]:
            raise self._problems.refusal(
                400,
                title="logical_date conflicts with execution_date",
                detail=f"{body['logical_date']!r} != {body['execution_date']!r}",
            )
        name, value = next(iter(given.items()))
        if value is None:
            raise self._problems.refusal(
                400,
                title="Incorrect datetime argument",
                detail="argument 'input': 'NoneType' object cannot be converted to 'PyString'",
            )
        return self._problems.moment(value, name)

    def _run_id(self, body: dict[str, Any], logical_date: datetime) -> str:
        run_id = body.get("dag_run_id", "")
        if run_id is None:
            raise self._problems.refusal(400, detail="{'dag_run_id': ['Field may not be null.']}")
        if len(run_id) > 250:
            raise self._problems.refusal(400, detail="{'dag_run_id': ['Longer than maximum length 250.']}")
        return str(run_id) or f"manual__{logical_date.isoformat()}"

    def _interval(self, body: dict[str, Any]) -> tuple[datetime, datetime] | None:
        start, end = body.get("data_interval_start"), body.get("data_interval_end")
        if (start is None) != (end is None):
            said = "Both 'data_interval_start' and 'data_interval_end' must be specified together"
            raise self._problems.refusal(400, detail=str({"_schema": [said]}))
        if start is None:
            return None
        return self._problems.moment(start, "data_interval_start"), self._problems.moment(end, "data_interval_end")

    def _run(self, call: Call, *, title: str | None = None, detail: str | None = None) -> ScriptedRun:
        run = self._store.runs.get((call["dag_id"], call["run_id"]))
        if run is None:
            raise self._problems.refusal(404, title=title, detail=detail)
        return run

    def _get_run(self, call: Call) -> BackendAnswer:
        self._only(call)
        detail = f"DAGRun with DAG ID: '{call['dag_id']}' and DagRun ID: '{call['run_id']}' not found"
        return answer(200, shapes_v1.run(self._run(call, title="DAGRun not found", detail=detail)))

    def _patch_run(self, call: Call) -> BackendAnswer:
        run = self._run(call, title=f"Dag Run id {call['run_id']} not found in dag {call['dag_id']}")
        body = self._problems.checked(call, {"state": "string"})
        allowed = ["success", "failed", "queued"]
        if "state" not in body:
            return BackendAnswer(500, _OOPS, "text/html; charset=utf-8")
        if body["state"] not in allowed:
            raise self._problems.refusal(400, detail=f"{body['state']!r} is not one of {allowed} - 'state'")
        self._store.end_run(run, body["state"])
        return answer(200, shapes_v1.run(run))

    def _delete_run(self, call: Call) -> BackendAnswer:
        detail = f"DAGRun with DAG ID: '{call['dag_id']}' and DagRun ID: '{call['run_id']}' not found"
        run = self._run(call, detail=detail)
        del self._store.runs[run.dag_id, run.run_id]
        return BackendAnswer(204)

    def _clear_run(self, call: Call) -> BackendAnswer:
        run = self._run(call, title=f"Dag Run id {call['run_id']} not found in dag   {call['dag_id']}")
        body = self._problems.checked(call, {"dry_run": "boolean"})
        if body.get("dry_run", True):
            tasks = [shapes_v1.task_reference(task, run) for task in self._store.tasks_to_clear(run)]
            return answer(200, {"task_instances": tasks})
        self._store.clear_run(run)
        return answer(200, shapes_v1.run(run))

    def _set_note(self, call: Call) -> BackendAnswer:
        run = self._run(call, title=f"Dag Run id {call['run_id']} not found in dag {call['dag_id']}")
        run.note = self._problems.checked(call, {"note": "string?"}).get("note")
        return answer(200, shapes_v1.run(run))

    # Task instances

    def _tasks(
        self, tasks: list[tuple[ScriptedTaskInstance, ScriptedRun]], offset: int, limit: int | None
    ) -> BackendAnswer:
        page = tasks[offset:] if limit is None else pages(tasks, offset, limit)
        shaped = [shapes_v1.task(task, run, self._release) for task, run in page]
        return answer(200, {"task_instances": shaped, "total_entries": len(tasks)})

    def _list_tasks(self, call: Call) -> BackendAnswer:
        self._only(call, "limit", "offset", "state")
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
        offset, limit = self._page_of_body(body)
        ranges = self._ranges_of_body(body)
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

    def _tasks_of(self, call: Call) -> tuple[ScriptedRun, list[ScriptedTaskInstance]]:
        run = self._run(call, title="Task instance not found")
        return run, [task for task in run.task_instances if task.task_id == call["task_id"]]


def _of_runs(ranges: dict[str, datetime]) -> dict[str, datetime]:
    return {name.replace("execution_date", "logical_date"): limit for name, limit in ranges.items()}
