"""Airflow 2's REST API (``/api/v1``), as far as it is scripted."""

from __future__ import annotations

from mwaa_provider.local.answers import airflow_problem
from mwaa_provider.local.backend import BackendAnswer, BackendRequest
from mwaa_provider.local.scripted import shapes_v1
from mwaa_provider.local.scripted.assets_v1 import AssetsV1
from mwaa_provider.local.scripted.bodies_v1 import ProblemsV1
from mwaa_provider.local.scripted.records import ScriptedDag
from mwaa_provider.local.scripted.routing import Call, Refusal, answer, call_of, find, may, route
from mwaa_provider.local.scripted.rows_v1 import RowsV1
from mwaa_provider.local.scripted.runs import GIT_VERSION
from mwaa_provider.local.scripted.runs_v1 import RunsV1
from mwaa_provider.local.scripted.selecting import ordered
from mwaa_provider.local.scripted.store import Store, pages
from mwaa_provider.local.scripted.tasks_v1 import TasksV1


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
        parts = (store, self._problems, self._release)
        self._routes = [
            route("GET", "/version", self._get_version, "Public"),
            route("GET", "/health", self._get_health, "Public"),
            route("GET", "/dags", self._list_dags, "Viewer"),
            route("GET", "/dags/{dag_id}", self._get_dag, "Viewer"),
            route("PATCH", "/dags/{dag_id}", self._patch_dag, "User"),
            route("GET", "/dags/{dag_id}/details", self._get_dag_details, "Viewer"),
            *RunsV1(*parts).routes(),
            *AssetsV1(*parts).routes(),
            *RowsV1(*parts).routes(),
            *TasksV1(*parts).routes(),
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
        if request.path.startswith("/api/") or "%2f" in request.path.lower():
            # InvokeRestApi takes the path without /api/v1; with it, Airflow is asked for /api/v1/api/v1/... Nor does it
            # have a path with a slash where an id takes none.
            body = {
                "detail": "The requested URL was not found on the server. If you entered the URL manually please check "
                "your spelling and try again.",
                "status": 404,
                "title": "Not Found",
                "type": "about:blank",
            }
            return answer(404, body, "application/problem+json")
        response = airflow_problem(
            501,
            self._version,
            title="Not scripted",
            detail=f"The scripted back end does not answer {request.method} {request.path}"
            + (f" (it knows {', '.join(methods)})" if methods else "")
            + "; a real Airflow would.",
        )
        return BackendAnswer(response.status, response.body, response.content_type)

    def _get_version(self, call: Call) -> BackendAnswer:
        return answer(200, {"git_version": GIT_VERSION, "version": self._version})

    def _get_health(self, call: Call) -> BackendAnswer:
        return answer(200, shapes_v1.health(self._store.clock.now(), self._release))

    # DAGs

    def _list_dags(self, call: Call) -> BackendAnswer:
        self._problems.only(call, "limit", "offset", "paused", "order_by", "only_active", "dag_id_pattern", "tags")
        paused = self._problems.boolean(call, "paused")
        pattern = call.first("dag_id_pattern").lower()
        tags = {tag for text in call.query.get("tags", []) for tag in text.split(",")}
        dags = [
            dag
            for dag in self._store.dags.values()
            if paused in (None, dag.is_paused) and pattern in dag.dag_id.lower() and (not tags or tags & set(dag.tags))
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
        self._problems.only(call)
        dag = self._dag(call, detail=f"The DAG with dag_id: {call['dag_id']} was not found")
        return answer(200, shapes_v1.dag(dag, self._release))

    def _get_dag_details(self, call: Call) -> BackendAnswer:
        self._problems.only(call)
        dag = self._dag(call, detail=f"The DAG with dag_id: {call['dag_id']} was not found")
        return answer(200, shapes_v1.dag_details(dag, self._release))

    def _patch_dag(self, call: Call) -> BackendAnswer:
        self._problems.only(call, "update_mask")
        body = self._problems.checked(call, {"is_paused": "boolean"})
        if call.first("update_mask", "is_paused") != "is_paused":
            raise self._problems.refusal(400, detail="Only `is_paused` field can be updated through the REST API")
        dag = self._dag(call, title=f"Dag with id: '{call['dag_id']}' not found")
        if "is_paused" not in body:
            return self._problems.oops()
        self._store.pause(dag, body["is_paused"])
        return answer(200, shapes_v1.dag(dag, self._release))
