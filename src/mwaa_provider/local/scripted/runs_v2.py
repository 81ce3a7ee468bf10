"""Airflow 3's REST API for DAG runs."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING, Any

from mwaa_provider.local.backend import BackendAnswer
from mwaa_provider.local.scripted import bodies_v2, moments, shapes_v2
from mwaa_provider.local.scripted.bodies_v2 import RUN_STATES, checked, nullable, refusal
from mwaa_provider.local.scripted.records import ScriptedDag, ScriptedRun
from mwaa_provider.local.scripted.routing import Call, Route, answer, route
from mwaa_provider.local.scripted.runs import RUN_ID_PATTERN, reserved_for
from mwaa_provider.local.scripted.selecting import in_ranges, ordered
from mwaa_provider.local.scripted.store import Store, pages

if TYPE_CHECKING:
    from datetime import datetime

#: Airflow names this built-in pattern in the error beside the configured one.
_BUILT_IN_PATTERN = r"^(?:manual|scheduled|asset_triggered)__(?:\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\+00:00)$"
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
_RUN_LIST_BODY: dict[str, bodies_v2.Check] = {
    **bodies_v2.PAGE,
    "dag_ids": nullable(bodies_v2.texts),
    "states": nullable(bodies_v2.texts),
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


class RunsV2:
    """Answers for DAG runs.

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
        return [
            route("POST", "/dags/{dag_id}/dagRuns/list", self._list_runs_by_body, "Viewer"),
            route("GET", "/dags/{dag_id}/dagRuns", self._list_runs, "Viewer"),
            route("POST", "/dags/{dag_id}/dagRuns", self._post_run, "User"),
            route("GET", run, self._get_run, "Viewer"),
            route("PATCH", run, self._patch_run, "User"),
            route("DELETE", run, self._delete_run, "User"),
            route("POST", run + "/clear", self._clear_run, "User"),
        ]

    def _shaped(self, run: ScriptedRun) -> dict[str, Any]:
        return shapes_v2.run(run, self._store.dags[run.dag_id], self._release)

    def _list_runs(self, call: Call) -> BackendAnswer:
        bodies_v2.only(call, "limit", "offset", "state", "order_by", "run_type", *self._ranges)
        dag_id = call["dag_id"]
        if dag_id != "~":
            old = f"The DAG with dag_id: `{dag_id}` was not found"
            bodies_v2.known_dag(self._store, self._release, dag_id, old if self._release < (3, 1) else None)
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
        page = [self._shaped(run) for run in pages(runs, *bodies_v2.page(call, clamp=self._release >= (3, 2, 1)))]
        return answer(200, shapes_v2.collection("dag_runs", page, len(runs), self._release))

    def _list_runs_by_body(self, call: Call) -> BackendAnswer:
        if call["dag_id"] != "~":
            said = {"type": "literal_error", "loc": ["path", "dag_id"], "msg": "Input should be '~'"}
            raise refusal(422, [{**said, "input": call["dag_id"], "ctx": {"expected": "'~'"}}])
        body = checked(call, _RUN_LIST_BODY | self._body_ranges)
        bodies_v2.check_states(body, "states", RUN_STATES)
        ranges = bodies_v2.ranges_of_body(body)
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
        return answer(
            200, shapes_v2.collection("dag_runs", [self._shaped(run) for run in page], len(runs), self._release)
        )

    def _post_run(self, call: Call) -> BackendAnswer:
        body = checked(call, self._run_body(), required=["logical_date"])
        start, end = (moments.parse_aware(body.get(f"data_interval_{edge}")) for edge in ("start", "end"))
        if (start is None) != (end is None):
            raise bodies_v2.said_of_body(
                "Either both data_interval_start and data_interval_end must be provided or both must be None", body
            )
        dag_id = call["dag_id"]
        noun = "Dag" if self._release >= (3, 3) else "DAG"
        dag = bodies_v2.known_dag(self._store, self._release, dag_id, f"{noun} with dag_id: '{dag_id}' not found")
        if dag.has_import_errors:
            raise refusal(400, f"{noun} with dag_id: '{dag_id}' has import errors and cannot be triggered")
        self._check_partition_key(dag, body.get("partition_key"))
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
            partition_key=body.get("partition_key"),
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

    def _check_partition_key(self, dag: ScriptedDag, key: str | None) -> None:
        # Airflow 3.2 takes any key for any DAG.
        if key is None or self._release < (3, 3):
            return
        if not dag.is_partitioned:
            raise refusal(400, f"Dag '{dag.dag_id}' is not a partitioned Dag and does not accept a partition_key.")
        if not key.strip():
            raise refusal(400, "partition_key must not be empty or whitespace-only.")
        if len(key) > 250:
            raise refusal(400, f"partition_key must be at most 250 characters; got {len(key)}.")

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
        bodies_v2.only(call, "update_mask")
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
            dag, cleared = self._store.dags[run.dag_id], self._store.tasks_to_clear(run, only_failed=only_failed)
            tasks = [shapes_v2.task(task, run, dag, self._release) for task in cleared]
            return answer(200, {"task_instances": tasks, "total_entries": len(tasks)})
        self._store.clear_run(run, only_failed=only_failed)
        if body.get("note") is not None:
            run.note = body["note"]
        return answer(200, self._shaped(run))
