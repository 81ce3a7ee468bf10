"""Airflow 2's REST API for what is not a DAG: variables, pools, XComs, import errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mwaa_provider.local.backend import BackendAnswer
from mwaa_provider.local.scripted import shapes_v1
from mwaa_provider.local.scripted.records import ScriptedConnection, ScriptedPool, ScriptedVariable, ScriptedXCom
from mwaa_provider.local.scripted.routing import Call, Route, answer, route
from mwaa_provider.local.scripted.selecting import ordered
from mwaa_provider.local.scripted.shapes_v2 import masked_extra
from mwaa_provider.local.scripted.store import Store, pages

if TYPE_CHECKING:
    from mwaa_provider.local.scripted.bodies_v1 import ProblemsV1

_VARIABLE = {"key": "string", "value": "string", "description": "string?"}
_POOL = {"name": "string", "slots": "integer", "description": "string?", "include_deferred": "boolean"}
_CONNECTION = {
    "connection_id": "string",
    "conn_type": "string",
    "password": "string",
    "port": "integer?",
    **dict.fromkeys(("description", "host", "login", "schema", "extra"), "string?"),
}
_BAD_VARIABLE = "Invalid Variable schema"


class RowsV1:
    """Answers for variables, pools, XComs and import errors.

    :param store: The memory.
    :param problems: The release's errors.
    :param release: The release.
    """

    def __init__(self, store: Store, problems: ProblemsV1, release: shapes_v1.Release) -> None:
        self._store, self._problems, self._release = store, problems, release

    def routes(self) -> list[Route]:
        """Return what is answered here."""
        task = "/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        xcom_key = "{key:path}" if self._release >= (2, 11) else "{key}"
        return [
            route("GET", task + "/xcomEntries", self._list_xcoms, "Viewer"),
            route("GET", f"{task}/xcomEntries/{xcom_key}", self._get_xcom, "Viewer"),
            route("GET", "/variables", self._list_variables, "Op"),
            route("POST", "/variables", self._post_variable, "Op"),
            route("GET", "/variables/{key:path}", self._get_variable, "Op"),
            route("PATCH", "/variables/{key:path}", self._patch_variable, "Op"),
            route("DELETE", "/variables/{key:path}", self._delete_variable, "Op"),
            route("GET", "/pools", self._list_pools, "Viewer"),
            route("POST", "/pools", self._post_pool, "Op"),
            route("GET", "/pools/{name}", self._get_pool, "Viewer"),
            route("PATCH", "/pools/{name}", self._patch_pool, "Op"),
            route("DELETE", "/pools/{name}", self._delete_pool, "Op"),
            route("GET", "/connections", self._list_connections, "Op"),
            route("POST", "/connections", self._post_connection, "Op"),
            route("PATCH", "/connections/{connection_id}", self._patch_connection, "Op"),
            route("DELETE", "/connections/{connection_id}", self._delete_connection, "Op"),
            route("GET", "/importErrors", self._list_import_errors, "Viewer"),
            route("GET", "/importErrors/{number}", self._get_import_error, "Viewer"),
        ]

    def _page(self, call: Call, rows: list[Any]) -> list[Any]:
        return pages(rows, self._problems.offset(call), self._problems.limit(call))

    # XComs

    def _list_xcoms(self, call: Call) -> BackendAnswer:
        map_index, key = call.first("map_index"), call.first("xcom_key")
        found = [
            (xcom, run)
            for run in self._store.runs.values()
            if call["dag_id"] in ("~", run.dag_id) and call["run_id"] in ("~", run.run_id)
            for xcom in run.xcoms
            if call["task_id"] in ("~", xcom.task_id)
            and map_index in ("", str(xcom.map_index))
            and key in ("", xcom.key)
        ]
        found.sort(key=lambda pair: (pair[1].dag_id, pair[0].task_id, pair[1].run_id, pair[0].map_index, pair[0].key))
        shaped = [shapes_v1.xcom(xcom, run) for xcom, run in self._page(call, found)]
        return answer(200, {"total_entries": len(found), "xcom_entries": shaped})

    def _get_xcom(self, call: Call) -> BackendAnswer:
        run = self._store.runs.get((call["dag_id"], call["run_id"]))
        wanted = (call["task_id"], call["key"], call.first("map_index", "-1"))
        for xcom in run.xcoms if run else ():
            if (xcom.task_id, xcom.key, str(xcom.map_index)) == wanted:
                assert run is not None  # noqa: S101 - for the type checker
                return answer(200, {**shapes_v1.xcom(xcom, run), "value": self._value(call, xcom)})
        raise self._problems.refusal(404, title="XCom entry not found")

    def _value(self, call: Call, xcom: ScriptedXCom) -> Any:
        # Before 2.10 an XCom's value comes as text, after it by default.
        if self._release >= (2, 10) and call.first("stringify", "true").lower() == "false":
            return xcom.value
        return str(xcom.value)

    # Variables

    def _variable(self, key: str, detail: str | None = "Variable does not exist") -> ScriptedVariable:
        variable = self._store.variables.get(key)
        if variable is None:
            raise self._problems.refusal(404, title="Variable not found", detail=detail)
        return variable

    def _list_variables(self, call: Call) -> BackendAnswer:
        order = self._problems.order(call.first("order_by", "id"), {"id": "number", "key": "key", "value": "value"})
        rows = ordered(self._store.variables.values(), order)
        page = [shapes_v1.variable(row) for row in self._page(call, rows)]
        return answer(200, {"total_entries": len(rows), "variables": page})

    def _post_variable(self, call: Call) -> BackendAnswer:
        body = self._problems.checked(call, _VARIABLE, title=_BAD_VARIABLE)
        self._problems.required(body, ("key", "value"), title=_BAD_VARIABLE)
        # Before 2.9 a description is lost, and answered all the same.
        description = body.get("description") if self._release >= (2, 9) else None
        self._store.set_variable(body["key"], body["value"], description)
        return answer(200, body)

    def _get_variable(self, call: Call) -> BackendAnswer:
        return answer(200, shapes_v1.variable(self._variable(call["key"])))

    def _patch_variable(self, call: Call) -> BackendAnswer:
        body = self._problems.checked(call, _VARIABLE, title=_BAD_VARIABLE)
        self._problems.required(body, ("key", "value"), title=_BAD_VARIABLE)
        if body["key"] != call["key"]:
            raise self._problems.refusal(
                400, title="Invalid post body", detail="key from request body doesn't match uri parameter"
            )
        variable = self._variable(call["key"])
        fields = [name for text in call.query.get("update_mask", []) for name in text.split(",")] or [
            "value",
            "description",
        ]
        for name in fields:
            if "update_mask" in call.query and (name not in body or name == "key"):
                raise self._problems.refusal(400, detail=f"'{name}' is unknown or cannot be updated.")
            if name in body:
                setattr(variable, name, body[name])
        return answer(200, shapes_v1.variable(variable))

    def _delete_variable(self, call: Call) -> BackendAnswer:
        del self._store.variables[self._variable(call["key"], detail=None).key]
        return BackendAnswer(204)

    # Pools

    def _pool(self, name: str) -> ScriptedPool:
        pool = self._store.pools.get(name)
        if pool is None:
            raise self._problems.refusal(404, detail=f"Pool with name:'{name}' not found")
        return pool

    def _list_pools(self, call: Call) -> BackendAnswer:
        order = self._problems.order(call.first("order_by", "id"), {"id": "number", "name": "name", "slots": "slots"})
        rows = ordered(self._store.pools.values(), order)
        return answer(
            200, {"pools": [shapes_v1.pool(row) for row in self._page(call, rows)], "total_entries": len(rows)}
        )

    def _get_pool(self, call: Call) -> BackendAnswer:
        return answer(200, shapes_v1.pool(self._pool(call["name"])))

    def _post_pool(self, call: Call) -> BackendAnswer:
        body = call.body if isinstance(call.body, dict) else {}
        if missing := sorted({"name", "slots"} - set(body)):
            raise self._problems.refusal(400, detail=f"Missing required property(ies): {missing}")
        body = self._problems.checked(call, _POOL)
        if body["name"] in self._store.pools:
            raise self._problems.refusal(409, detail=f"Pool: {body['name']} already exists")
        pool = self._store.set_pool(
            body["name"], body["slots"], body.get("description"), include_deferred=body.get("include_deferred", False)
        )
        return answer(200, shapes_v1.pool(pool))

    def _patch_pool(self, call: Call) -> BackendAnswer:
        mask = [name.strip() for text in call.query.get("update_mask", []) for name in text.split(",")]
        body = self._problems.checked(call, _POOL)
        only_numbers = bool(mask) and set(mask) <= {"slots", "include_deferred"}
        if call["name"] == "default_pool" and body.get("name") != "default_pool" and not only_numbers:
            raise self._problems.refusal(400, detail="Default Pool's name can't be modified")
        pool = self._pool(call["name"])
        if not mask and (missing := sorted({"name", "slots"} - set(body))):
            raise self._problems.refusal(400, detail=f"Missing required property(ies): {missing}")
        for name in mask or list(body):
            if name not in _POOL:
                raise self._problems.refusal(400, detail=f"Invalid field: {name} in update mask")
            setattr(pool, name, body[name])
        self._store.pools[pool.name] = self._store.pools.pop(call["name"])
        return answer(200, shapes_v1.pool(pool))

    def _delete_pool(self, call: Call) -> BackendAnswer:
        if call["name"] == "default_pool":
            raise self._problems.refusal(400, detail="Default Pool can't be deleted")
        del self._store.pools[self._pool(call["name"]).name]
        return BackendAnswer(204)

    # Connections

    def _list_connections(self, call: Call) -> BackendAnswer:
        allowed = {"id": "number", "connection_id": "connection_id", "conn_type": "conn_type"}
        rows = ordered(self._store.connections.values(), self._problems.order(call.first("order_by", "id"), allowed))
        page = [shapes_v1.connection(row) for row in self._page(call, rows)]
        return answer(200, {"connections": page, "total_entries": len(rows)})

    def _post_connection(self, call: Call) -> BackendAnswer:
        body = self._problems.checked(call, _CONNECTION)
        self._problems.required(body, ("connection_id", "conn_type"))
        if body["connection_id"] in self._store.connections:
            raise self._problems.refusal(409, detail=f"Connection already exist. ID: {body['connection_id']}")
        connection = self._store.set_connection(body.pop("connection_id"), body.pop("conn_type"), body)
        return answer(200, shapes_v1.connection(connection) | {"extra": masked_extra(body.get("extra"))})

    def _patch_connection(self, call: Call) -> BackendAnswer:
        self._problems.only(call)
        body = self._problems.checked(call, _CONNECTION)
        connection = self._connection(call)
        if body.pop("connection_id", connection.connection_id) != connection.connection_id:
            raise self._problems.refusal(400, detail="The connection_id cannot be updated.")
        connection.conn_type = body.pop("conn_type", connection.conn_type)
        connection.fields.update(body)
        return answer(200, shapes_v1.connection(connection) | {"extra": masked_extra(connection.fields.get("extra"))})

    def _delete_connection(self, call: Call) -> BackendAnswer:
        del self._store.connections[self._connection(call).connection_id]
        return BackendAnswer(204)

    def _connection(self, call: Call) -> ScriptedConnection:
        connection = self._store.connections.get(call["connection_id"])
        if connection is None:
            raise self._problems.refusal(
                404,
                title="Connection not found",
                detail=f"The Connection with connection_id: `{call['connection_id']}` was not found",
            )
        return connection

    # Import errors

    def _list_import_errors(self, call: Call) -> BackendAnswer:
        allowed = {"import_error_id": "number", "timestamp": "timestamp", "filename": "filename"}
        rows = ordered(
            self._store.import_errors, self._problems.order(call.first("order_by", "import_error_id"), allowed)
        )
        page = [shapes_v1.import_error(row) for row in self._page(call, rows)]
        return answer(200, {"import_errors": page, "total_entries": len(rows)})

    def _get_import_error(self, call: Call) -> BackendAnswer:
        for row in self._store.import_errors:
            if str(row.number) == call["number"]:
                return answer(200, shapes_v1.import_error(row))
        raise self._problems.refusal(
            404,
            title="Import error not found",
            detail=f"The ImportError with import_error_id: `{call['number']}` was not found",
        )
