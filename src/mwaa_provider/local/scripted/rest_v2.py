"""Airflow 3's REST API (``/api/v2``), as far as it is scripted."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from mwaa_provider.local.backend import BackendAnswer, BackendRequest
from mwaa_provider.local.scripted import bodies_v2, moments, shapes_v2
from mwaa_provider.local.scripted.bodies_v2 import RUN_STATES, checked, nullable, refusal
from mwaa_provider.local.scripted.routing import Call, Refusal, answer, call_of, find, may, route
from mwaa_provider.local.scripted.rows_v2 import RowsV2
from mwaa_provider.local.scripted.runs import GIT_VERSION, RUN_ID_PATTERN, reserved_for
from mwaa_provider.local.scripted.selecting import in_ranges, ordered
from mwaa_provider.local.scripted.store import ScriptedDag, ScriptedRun, ScriptedTaskInstance, Store, pages

if TYPE_CHECKING:
    from datetime import datetime

#: Airflow names this built-in pattern in the error beside the configured one.
_BUILT_IN_PATTERN = r"^(?:manual|scheduled|asset_triggered)__(?:\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\+00:00)$"
_RUN_RANGES = ("run_after", "logical_date", "start_date", "end_date")
_RUN_ORDER = {
    "id": "number",
    "state": "state",
    "dag_id": "dag_id",
    "run_id": "run_id",
    "dag_run_id": "run_id",
    "logical_date": "logical_date",
    "run_after": "run_after",
    "start_date": "start_date",
    "end_date": "end_date",
    "conf": "conf",
}
_TASK_ORDER = {
    name: name for name in ("id", "state", "task_id", "start_date", "end_date", "map_index", "try_number", "run_id")
}
_TASK_STATES = (
    "removed",
    "scheduled",
    "queued",
    "running",
    "success",
    "restarting",
    "failed",
    "up_for_retry",
    "up_for_reschedule",
    "upstream_failed",
    "skipped",
    "deferred",
)
_SUFFIXES = ("_gte", "_gt", "_lte", "_lt")
_PAGE: dict[str, bodies_v2.Check] = {
    "order_by": nullable(bodies_v2.text),
    "page_offset": bodies_v2.at_least(0),
    "page_limit": bodies_v2.at_least(0),
}
_RUN_LIST_BODY: dict[str, bodies_v2.Check] = {
    **_PAGE,
    "dag_ids": nullable(bodies_v2.texts),
    "states": nullable(bodies_v2.texts),
}
_TASK_LIST_BODY: dict[str, bodies_v2.Check] = {
    **_PAGE,
    "dag_ids": nullable(bodies_v2.texts),
    "dag_run_ids": nullable(bodies_v2.texts),
    "task_ids": nullable(bodies_v2.texts),
    "state": nullable(bodies_v2.texts),
}
_RUN_BODY: dict[str, bodies_v2.Check] = {
    "dag_run_id": nullable(bodies_v2.text),
    "data_interval_start": nullable(bodies_v2.moment),
    "data_interval_end": nullable(bodies_v2.moment),
    "logical_date": nullable(bodies_v2.moment),
    "run_after": nullable(bodies_v2.moment),
    "conf": nullable(bodies_v2.mapping),
    "note": nullable(bodies_v2.text),
}


class RestV2:
    """Answers ``/api/v2`` for one scripted Airflow 3.

    :param store: Its memory.
    :param airflow_version: Its release.
    """

    def __init__(self, store: Store, airflow_version: str) -> None:
        self._store = store
        self._version = airflow_version
        self._release = tuple(int(part) for part in airflow_version.split(".")[:3])
        run = "/dags/{dag_id}/dagRuns/{run_id}"
        task = run + "/taskInstances/{task_id}"
        rows = RowsV2(store, self._release)
        self._ranges = bodies_v2.range_names(_RUN_RANGES, self._release)
        self._body_ranges = {name: nullable(bodies_v2.moment) for name in self._ranges}
        self._routes = [
            route("GET", "/version", self._get_version, "Public"),
            route("GET", "/monitor/health", self._get_health, "Public"),
            route("GET", "/dags", self._list_dags, "Viewer"),
            route("GET", "/dags/{dag_id}", self._get_dag, "Viewer"),
            route("PATCH", "/dags/{dag_id}", self._patch_dag, "User"),
            route("GET", "/dags/{dag_id}/details", self._get_dag_details, "Viewer"),
            route("POST", "/dags/{dag_id}/dagRuns/list", self._list_runs_by_body, "Viewer"),
            route("GET", "/dags/{dag_id}/dagRuns", self._list_runs, "Viewer"),
            route("POST", "/dags/{dag_id}/dagRuns", self._post_run, "User"),
            route("GET", run, self._get_run, "Viewer"),
            route("PATCH", run, self._patch_run, "User"),
            route("DELETE", run, self._delete_run, "User"),
            route("POST", run + "/clear", self._clear_run, "User"),
            route("POST", run + "/taskInstances/list", self._list_tasks_by_body, "Viewer"),
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
            if not may(request.airflow_role, found.needs):
                raise refusal(403, "Forbidden")
            try:
                call = call_of(request, parameters)
            except ValueError as error:
                raise bodies_v2.no_json(error) from error
            with self._store.settled():
                return found.handler(call)
        except Refusal as refused:
            return refused.answer

    def _unknown(self, request: BackendRequest, methods: list[str]) -> BackendAnswer:
        if request.path.startswith("/api/"):
            # InvokeRestApi takes the path without /api/v2; with it, Airflow is asked for /api/v2/api/v2/...
            return answer(404, {"error": "API route not found"})
        known = f" (it knows {', '.join(methods)})" if methods else ""
        return answer(
            501,
            {
                "detail": f"The scripted back end does not answer {request.method} {request.path}{known}; "
                "a real Airflow would."
            },
        )

    def _only(self, call: Call, *known: str) -> None:
        if unknown := sorted(set(call.query) - set(known)):
            raise refusal(
                501,
                f"The scripted back end does not know the query parameter(s) {', '.join(unknown)}; a real Airflow may.",
            )

    def _page(self, call: Call) -> tuple[int, int]:
        return bodies_v2.page(call, clamp=self._release >= (3, 2, 1))

    def _get_version(self, call: Call) -> BackendAnswer:
        return answer(200, {"version": self._version, "git_version": GIT_VERSION})

    def _get_health(self, call: Call) -> BackendAnswer:
        return answer(200, shapes_v2.health(self._store.clock.now()))

    # DAGs

    def _list_dags(self, call: Call) -> BackendAnswer:
        self._only(call, "limit", "offset", "paused", "order_by", "dag_id_pattern", "exclude_stale")
        offset, limit = self._page(call)
        paused = bodies_v2.parameter(call, "paused", bodies_v2.boolean)
        wanted = None if paused is None else paused.lower() in ("true", "1", "yes", "on", "t")
        pattern = call.first("dag_id_pattern").lower()
        dags = [
            dag
            for dag in self._store.dags.values()
            if wanted in (None, dag.is_paused) and (pattern in ("~", "%") or pattern in dag.dag_id.lower())
        ]
        allowed = {"dag_id": "dag_id", "dag_display_name": "dag_id"}
        dags = ordered(dags, bodies_v2.order(call.query.get("order_by", []), allowed, "dag_id"))
        page = [shapes_v2.dag(dag, self._release) for dag in pages(dags, offset, limit)]
        return answer(200, {"dags": page, "total_entries": len(dags)})

    def _dag(self, dag_id: str, detail: str | None = None) -> ScriptedDag:
        dag = self._store.dags.get(dag_id)
        if dag is None:
            new = f"The Dag with ID: `{dag_id}` was not found"
            raise refusal(404, detail or (new if self._release >= (3, 1) else f"Dag with id {dag_id} was not found"))
        return dag

    def _get_dag(self, call: Call) -> BackendAnswer:
        return answer(200, shapes_v2.dag(self._dag(call["dag_id"]), self._release))

    def _get_dag_details(self, call: Call) -> BackendAnswer:
        dag = self._dag(call["dag_id"])
        active = sum(run.state == "running" for run in self._store.runs.values() if run.dag_id == dag.dag_id)
        return answer(200, shapes_v2.dag_details(dag, self._release, active_runs=active))

    def _patch_dag(self, call: Call) -> BackendAnswer:
        self._only(call, "update_mask")
        body = checked(call, {"is_paused": bodies_v2.boolean}, required=["is_paused"])
        dag = self._dag(call["dag_id"], f"Dag with id: {call['dag_id']} was not found")
        if call.query.get("update_mask", ["is_paused"]) != ["is_paused"]:
            raise refusal(400, "Only `is_paused` field can be updated through the REST API")
        self._store.pause(
            dag, body["is_paused"] is True or str(body["is_paused"]).lower() in ("true", "1", "yes", "on")
        )
        return answer(200, shapes_v2.dag(dag, self._release))

    # Runs

    def _shaped(self, run: ScriptedRun) -> dict[str, Any]:
        return shapes_v2.run(run, self._store.dags[run.dag_id], self._release)

    def _collection(self, name: str, rows: list[dict[str, Any]], total: int) -> BackendAnswer:
        body: dict[str, Any] = {name: rows, "total_entries": total}
        if self._release >= (3, 3):
            body |= {"next_cursor": None, "previous_cursor": None}
        return answer(200, body)

    def _list_runs(self, call: Call) -> BackendAnswer:
        self._only(call, "limit", "offset", "state", "order_by", "run_type", *self._ranges)
        dag_id = call["dag_id"]
        if dag_id != "~":
            old = f"The DAG with dag_id: `{dag_id}` was not found"
            self._dag(dag_id, old if self._release < (3, 1) else None)
        states = call.query.get("state", [])
        if set(states) - set(RUN_STATES):
            raise refusal(422, f"Invalid value for state. Valid values are {', '.join(RUN_STATES)}")
        ranges = bodies_v2.ranges(call, self._ranges)
        kinds = call.query.get("run_type", [])
        runs = [
            run
            for run in self._store.runs.values()
            if call["dag_id"] in ("~", run.dag_id)
            and (not states or run.state in states)
            and (not kinds or run.run_type in kinds)
            and in_ranges(run, ranges)
        ]
        runs = ordered(runs, bodies_v2.order(call.query.get("order_by", []), _RUN_ORDER, "number"))
        page = [self._shaped(run) for run in pages(runs, *self._page(call))]
        return self._collection("dag_runs", page, len(runs))

    def _list_runs_by_body(self, call: Call) -> BackendAnswer:
        if call["dag_id"] != "~":
            said = {"type": "literal_error", "loc": ["path", "dag_id"], "msg": "Input should be '~'"}
            raise refusal(422, [{**said, "input": call["dag_id"], "ctx": {"expected": "'~'"}}])
        body = checked(call, _RUN_LIST_BODY | self._body_ranges)
        _states(body, "states", RUN_STATES)
        ranges = _ranges(body)
        runs = [
            run
            for run in self._store.runs.values()
            if (not body.get("dag_ids") or run.dag_id in body["dag_ids"])
            and (not body.get("states") or run.state in body["states"])
            and in_ranges(run, ranges)
        ]
        asked = [body["order_by"]] if body.get("order_by") else []
        runs = ordered(runs, bodies_v2.order(asked, _RUN_ORDER, "number"))
        page = pages(runs, body.get("page_offset", 0), body.get("page_limit", 100))
        return self._collection("dag_runs", [self._shaped(run) for run in page], len(runs))

    def _post_run(self, call: Call) -> BackendAnswer:
        body = checked(call, self._run_body(), required=["logical_date"])
        start, end = (moments.parse_aware(body.get(f"data_interval_{edge}")) for edge in ("start", "end"))
        if (start is None) != (end is None):
            raise bodies_v2.said_of_body(
                "Either both data_interval_start and data_interval_end must be provided or both must be None", body
            )
        dag_id = call["dag_id"]
        noun = "Dag" if self._release >= (3, 3) else "DAG"
        dag = self._dag(dag_id, f"{noun} with dag_id: '{dag_id}' not found")
        if dag.has_import_errors:
            raise refusal(400, f"{noun} with dag_id: '{dag_id}' has import errors and cannot be triggered")
        if body.get("partition_key") is not None:
            raise refusal(400, f"Dag '{dag_id}' is not a partitioned Dag and does not accept a partition_key.")
        logical_date = moments.parse_aware(body["logical_date"])
        run_after = moments.parse_aware(body.get("run_after")) or self._store.moment()
        run_id = body.get("dag_run_id") or self._made_up_run_id(run_after, logical_date)
        self._check_run_id(run_id)
        if self._release < (3, 1) and logical_date is not None and start is None:
            # Airflow 3.0 takes the end of the inferred data interval.
            run_after = logical_date
        if self._store.run_at(dag_id, logical_date) is not None or (dag_id, run_id) in self._store.runs:
            raise bodies_v2.conflict()
        interval = None if logical_date is None else (start or logical_date, end or logical_date)
        run = self._store.add_run(
            dag,
            run_id,
            logical_date=logical_date,
            run_after=run_after,
            data_interval=interval,
            conf=body.get("conf") or {},
            note=body.get("note"),
        )
        return answer(200, self._shaped(run))

    def _made_up_run_id(self, run_after: datetime, logical_date: datetime | None) -> str:
        # Airflow 3.0 adds eight random letters to the id of a run without a logical date.
        suffix = f"_{uuid.uuid4().hex[:8]}" if self._release < (3, 1) and logical_date is None else ""
        return f"manual__{run_after.isoformat()}{suffix}"

    def _run_body(self) -> dict[str, bodies_v2.Check]:
        if self._release >= (3, 2):
            return _RUN_BODY | {"partition_key": nullable(bodies_v2.text)}
        return _RUN_BODY if self._release >= (3, 1) else _RUN_BODY | {"conf": bodies_v2.mapping}

    def _check_run_id(self, run_id: str) -> None:
        if ".." in run_id and self._release >= (3, 3):
            raise refusal(400, f"The run_id '{run_id}' must not contain '..' to prevent path traversal")
        if not re.match(RUN_ID_PATTERN, run_id):
            raise refusal(
                400,
                f"The run_id provided '{run_id}' does not match regex pattern '{RUN_ID_PATTERN}' or "
                f"'{_BUILT_IN_PATTERN}'",
            )
        if kind := reserved_for(run_id, "asset_triggered", "asset_materialization"):
            raise refusal(400, f"A manual DAG run cannot use ID {run_id!r} since it is reserved for {kind} runs")

    def _run(self, call: Call) -> ScriptedRun:
        run = self._store.runs.get((call["dag_id"], call["run_id"]))
        if run is None:
            raise refusal(
                404, f"The DagRun with dag_id: `{call['dag_id']}` and run_id: `{call['run_id']}` was not found"
            )
        return run

    def _get_run(self, call: Call) -> BackendAnswer:
        return answer(200, self._shaped(self._run(call)))

    def _patch_run(self, call: Call) -> BackendAnswer:
        self._only(call, "update_mask")
        state = nullable(bodies_v2.one_of("queued", "success", "failed"))
        body = checked(call, {"state": state, "note": nullable(bodies_v2.text)})
        run = self._run(call)
        mask = call.query.get("update_mask") or list(body)
        if "note" in mask and "note" in body:
            run.note = body["note"]
        if "state" in mask and body.get("state"):
            self._store.end_run(run, body["state"])
        return answer(200, self._shaped(run))

    def _delete_run(self, call: Call) -> BackendAnswer:
        run = self._run(call)
        if run.state == "running" and self._release >= (3, 2):
            raise refusal(
                409,
                f"The DagRun with dag_id: `{run.dag_id}` and run_id: `{run.run_id}` cannot be deleted in running state",
            )
        del self._store.runs[run.dag_id, run.run_id]
        return BackendAnswer(204)

    def _clear_run(self, call: Call) -> BackendAnswer:
        fields: dict[str, bodies_v2.Check] = {"dry_run": bodies_v2.boolean, "only_failed": bodies_v2.boolean}
        if self._release >= (3, 1):
            fields["run_on_latest_version"] = bodies_v2.boolean
        if self._release >= (3, 3):
            fields["run_on_latest_version"] = nullable(bodies_v2.boolean)
            fields["note"] = nullable(bodies_v2.text)
        body = checked(call, fields)
        run = self._run(call)
        only_failed = body.get("only_failed", False)
        if body.get("dry_run", True):
            tasks = [self._shaped_task(task, run) for task in self._store.tasks_to_clear(run, only_failed=only_failed)]
            return answer(200, {"task_instances": tasks, "total_entries": len(tasks)})
        self._store.clear_run(run, only_failed=only_failed)
        if body.get("note") is not None:
            run.note = body["note"]
        return answer(200, self._shaped(run))

    # Task instances

    def _shaped_task(self, task: ScriptedTaskInstance, run: ScriptedRun) -> dict[str, Any]:
        return shapes_v2.task(task, run, self._store.dags[run.dag_id], self._release)

    def _list_tasks(self, call: Call) -> BackendAnswer:
        self._only(call, "limit", "offset", "state", "order_by", "task_id")
        if call["run_id"] != "~":
            if not any(call["run_id"] == run_id and call["dag_id"] in ("~", dag) for dag, run_id in self._store.runs):
                of_dag = f"dag_id: `{call['dag_id']}` and " if self._release >= (3, 1) else ""
                raise refusal(404, f"DagRun with {of_dag}run_id: `{call['run_id']}` was not found")
        elif call["dag_id"] != "~":
            old = f"DAG with dag_id: `{call['dag_id']}` was not found"
            self._dag(call["dag_id"], old if self._release < (3, 1) else None)
        states = {None if state in ("none", "no_status") else state for state in call.query.get("state", [])}
        tasks = [
            task
            for run in self._store.runs.values()
            if call["dag_id"] in ("~", run.dag_id) and call["run_id"] in ("~", run.run_id)
            for task in run.task_instances
            if (not states or task.state in states) and call.first("task_id", task.task_id) == task.task_id
        ]
        offset, limit = self._page(call)
        return self._tasks(tasks, call.query.get("order_by", []), offset, limit)

    def _list_tasks_by_body(self, call: Call) -> BackendAnswer:
        body = checked(call, _TASK_LIST_BODY | self._body_ranges)
        _states(body, "state", _TASK_STATES)
        ranges = _ranges(body)
        run_ranges = {name: limit for name, limit in ranges.items() if name.startswith(("logical_date", "run_after"))}
        task_ranges = {name: limit for name, limit in ranges.items() if name not in run_ranges}
        tasks = [
            task
            for run in self._store.runs.values()
            if (not body.get("dag_ids") or run.dag_id in body["dag_ids"])
            and (not body.get("dag_run_ids") or run.run_id in body["dag_run_ids"])
            and in_ranges(run, run_ranges)
            for task in run.task_instances
            if (not body.get("task_ids") or task.task_id in body["task_ids"])
            and (not body.get("state") or task.state in body["state"])
            and in_ranges(task, task_ranges)
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
        return self._collection("task_instances", page, len(tasks))

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

    def _tasks_of(self, call: Call) -> list[ScriptedTaskInstance]:
        run = self._store.runs.get((call["dag_id"], call["run_id"]))
        return [task for task in run.task_instances if task.task_id == call["task_id"]] if run else []


def _states(body: dict[str, Any], name: str, allowed: tuple[str, ...]) -> None:
    check = nullable(bodies_v2.one_of(*allowed))
    wrong = []
    for at, state in enumerate(body.get(name) or []):
        if complaint := check(state):
            kind, message, context = complaint
            wrong.append({"type": kind, "loc": ["body", name, at], "msg": message, "input": state, "ctx": context})
    if wrong:
        raise refusal(422, wrong)


def _ranges(body: dict[str, Any]) -> dict[str, datetime]:
    named = {name: moments.parse_aware(value) for name, value in body.items() if name.endswith(_SUFFIXES)}
    return {name: limit for name, limit in named.items() if limit is not None}
