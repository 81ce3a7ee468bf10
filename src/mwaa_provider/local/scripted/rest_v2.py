"""Airflow 3's REST API (``/api/v2``), as far as it is scripted."""

from __future__ import annotations

from mwaa_provider.local.backend import BackendAnswer, BackendRequest
from mwaa_provider.local.scripted import bodies_v2, shapes_v2
from mwaa_provider.local.scripted.assets_v2 import AssetsV2
from mwaa_provider.local.scripted.bodies_v2 import checked, refusal
from mwaa_provider.local.scripted.routing import Call, Refusal, answer, call_of, find, may, route
from mwaa_provider.local.scripted.rows_v2 import RowsV2
from mwaa_provider.local.scripted.runs import GIT_VERSION
from mwaa_provider.local.scripted.runs_v2 import RunsV2
from mwaa_provider.local.scripted.selecting import ordered
from mwaa_provider.local.scripted.store import Store, pages
from mwaa_provider.local.scripted.tasks_v2 import TasksV2


class RestV2:
    """Answers ``/api/v2`` for one scripted Airflow 3.

    :param store: Its memory.
    :param airflow_version: Its release.
    """

    def __init__(self, store: Store, airflow_version: str) -> None:
        self._store = store
        self._version = airflow_version
        self._release = tuple(int(part) for part in airflow_version.split(".")[:3])
        self._routes = [
            route("GET", "/version", self._get_version, "Public"),
            route("GET", "/monitor/health", self._get_health, "Public"),
            route("GET", "/dags", self._list_dags, "Viewer"),
            route("GET", "/dags/{dag_id}", self._get_dag, "Viewer"),
            route("PATCH", "/dags/{dag_id}", self._patch_dag, "User"),
            route("GET", "/dags/{dag_id}/details", self._get_dag_details, "Viewer"),
            *RunsV2(store, self._release).routes(),
            *AssetsV2(store, self._release).routes(),
            *RowsV2(store, self._release).routes(),
            *TasksV2(store, self._release).routes(),
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

    def _get_version(self, call: Call) -> BackendAnswer:
        return answer(200, {"version": self._version, "git_version": GIT_VERSION})

    def _get_health(self, call: Call) -> BackendAnswer:
        return answer(200, shapes_v2.health(self._store.clock.now()))

    # DAGs

    def _list_dags(self, call: Call) -> BackendAnswer:
        bodies_v2.only(call, "limit", "offset", "paused", "order_by", "dag_id_pattern", "exclude_stale", "tags")
        offset, limit = bodies_v2.page(call, clamp=self._release >= (3, 2, 1))
        paused = bodies_v2.parameter(call, "paused", bodies_v2.boolean)
        wanted = None if paused is None else paused.lower() in ("true", "1", "yes", "on", "t")
        pattern = call.first("dag_id_pattern").lower()
        tags = set(call.query.get("tags", []))
        dags = [
            dag
            for dag in self._store.dags.values()
            if wanted in (None, dag.is_paused)
            and (pattern in ("~", "%") or pattern in dag.dag_id.lower())
            and (not tags or tags & set(dag.tags))
        ]
        allowed = {"dag_id": "dag_id", "dag_display_name": "dag_id"}
        dags = ordered(dags, bodies_v2.order(call.query.get("order_by", []), allowed, "dag_id"))
        page = [shapes_v2.dag(dag, self._release) for dag in pages(dags, offset, limit)]
        return answer(200, {"dags": page, "total_entries": len(dags)})

    def _get_dag(self, call: Call) -> BackendAnswer:
        return answer(
            200, shapes_v2.dag(bodies_v2.known_dag(self._store, self._release, call["dag_id"]), self._release)
        )

    def _get_dag_details(self, call: Call) -> BackendAnswer:
        dag = bodies_v2.known_dag(self._store, self._release, call["dag_id"])
        active = sum(run.state == "running" for run in self._store.runs.values() if run.dag_id == dag.dag_id)
        return answer(200, shapes_v2.dag_details(dag, self._release, active_runs=active))

    def _patch_dag(self, call: Call) -> BackendAnswer:
        bodies_v2.only(call, "update_mask")
        body = checked(call, {"is_paused": bodies_v2.boolean}, required=["is_paused"])
        dag = bodies_v2.known_dag(
            self._store, self._release, call["dag_id"], f"Dag with id: {call['dag_id']} was not found"
        )
        if call.query.get("update_mask", ["is_paused"]) != ["is_paused"]:
            raise refusal(400, "Only `is_paused` field can be updated through the REST API")
        self._store.pause(
            dag, body["is_paused"] is True or str(body["is_paused"]).lower() in ("true", "1", "yes", "on")
        )
        return answer(200, shapes_v2.dag(dag, self._release))
