"""Airflow 2's REST API for DAG runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mwaa_provider.local.backend import BackendAnswer
from mwaa_provider.local.scripted import shapes_v1
from mwaa_provider.local.scripted.bodies_v1 import ProblemsV1, of_runs
from mwaa_provider.local.scripted.records import ScriptedRun
from mwaa_provider.local.scripted.routing import Call, Route, answer, route
from mwaa_provider.local.scripted.runs import RUN_ID_PATTERN, reserved_for
from mwaa_provider.local.scripted.selecting import in_ranges, ordered
from mwaa_provider.local.scripted.store import Store, pages

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
_INTERVAL = ("data_interval_start", "data_interval_end")
_READ_ONLY = ("state", "dag_id", "start_date", "end_date", "external_trigger", "run_type")
_RUN_LIST_BODY = {
    "order_by": "string",
    "page_offset": "integer",
    "page_limit": "integer",
    "dag_ids": "array",
    "states": "array",
    **{f"{name}_{end}": "date" for name in ("execution_date", "start_date", "end_date") for end in ("gte", "lte")},
}


class RunsV1:
    """Answers for DAG runs.

    :param store: The memory.
    :param problems: The release's errors.
    :param release: The release.
    """

    def __init__(self, store: Store, problems: ProblemsV1, release: shapes_v1.Release) -> None:
        self._store, self._problems, self._release = store, problems, release

    def routes(self) -> list[Route]:
        """Return what is answered here."""
        run = "/dags/{dag_id}/dagRuns/{run_id}"
        return [
            route("POST", "/dags/~/dagRuns/list", self._list_runs_by_body, "Viewer"),
            route("GET", "/dags/{dag_id}/dagRuns", self._list_runs, "Viewer"),
            route("POST", "/dags/{dag_id}/dagRuns", self._post_run, "User"),
            route("GET", run, self._get_run, "Viewer"),
            route("PATCH", run, self._patch_run, "User"),
            route("DELETE", run, self._delete_run, "User"),
            route("POST", run + "/clear", self._clear_run, "User"),
            route("PATCH", run + "/setNote", self._set_note, "User"),
        ]

    def _runs(self, runs: list[ScriptedRun], offset: int, limit: int) -> BackendAnswer:
        page = [shapes_v1.run(run) for run in pages(runs, offset, limit)]
        return answer(200, {"dag_runs": page, "total_entries": len(runs)})

    def _list_runs(self, call: Call) -> BackendAnswer:
        names = ("execution_date", "start_date", "end_date")
        bounds = [f"{name}_{end}" for name in names for end in ("gte", "lte")]
        self._problems.only(call, "limit", "offset", "state", "order_by", *bounds)
        ranges = of_runs(self._problems.ranges(call, names))
        states = set(call.query.get("state", []))
        runs = [
            run
            for run in self._store.runs.values()
            if call["dag_id"] in ("~", run.dag_id) and (not states or run.state in states) and in_ranges(run, ranges)
        ]
        runs = ordered(runs, self._problems.order(call.first("order_by", "id"), _RUN_ORDER))
        return self._runs(runs, self._problems.offset(call), self._problems.limit(call))

    def _list_runs_by_body(self, call: Call) -> BackendAnswer:
        body = self._problems.checked(call, _RUN_LIST_BODY)
        offset, limit = self._problems.page_of_body(body)
        ranges = self._problems.ranges_of_body(body)
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
        takes_interval = self._release >= (2, 9, 2)
        types = _RUN_BODY | (dict.fromkeys(_INTERVAL, "date?") if takes_interval else {})
        for name in _READ_ONLY if takes_interval else _READ_ONLY + _INTERVAL:
            if isinstance(call.body, dict) and name in call.body:
                raise self._problems.refusal(400, detail=f"Property is read-only - '{name}'")
        body = self._problems.checked(call, types)
        dag_id = call["dag_id"]
        dag = self._store.dags.get(dag_id)
        if dag is None:
            raise self._problems.refusal(404, title="DAG not found", detail=f"DAG with dag_id: '{dag_id}' not found")
        if dag.has_import_errors:
            raise self._problems.refusal(
                400, title="DAG cannot be triggered", detail=f"DAG with dag_id: '{dag_id}' has import errors"
            )
        logical_date, interval = self._logical_date(body), self._interval(body)
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
            return self._problems.oops()
        run = self._store.add_run(
            dag,
            run_id,
            logical_date=logical_date,
            run_after=logical_date if logical_date > self._store.clock.now() else self._store.clock.now(),
            data_interval=interval or (logical_date, logical_date),
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
        self._problems.only(call)
        detail = f"DAGRun with DAG ID: '{call['dag_id']}' and DagRun ID: '{call['run_id']}' not found"
        return answer(200, shapes_v1.run(self._run(call, title="DAGRun not found", detail=detail)))

    def _patch_run(self, call: Call) -> BackendAnswer:
        run = self._run(call, title=f"Dag Run id {call['run_id']} not found in dag {call['dag_id']}")
        body = self._problems.checked(call, {"state": "string"})
        allowed = ["success", "failed", "queued"]
        if "state" not in body:
            return self._problems.oops()
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
