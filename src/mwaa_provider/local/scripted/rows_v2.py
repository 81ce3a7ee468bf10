"""Airflow 3's REST API for what is not a DAG: variables, pools, XComs, import errors."""

from __future__ import annotations

from typing import Any

from mwaa_provider.local.backend import BackendAnswer
from mwaa_provider.local.scripted import bodies_v2, shapes_v2
from mwaa_provider.local.scripted.bodies_v2 import checked, nullable, refusal
from mwaa_provider.local.scripted.records import ScriptedConnection, ScriptedPool, ScriptedVariable, ScriptedXCom
from mwaa_provider.local.scripted.routing import Call, Route, answer, route
from mwaa_provider.local.scripted.selecting import ordered
from mwaa_provider.local.scripted.store import Store, pages

_VARIABLE = {
    "key": bodies_v2.text,
    "value": bodies_v2.anything,
    "description": nullable(bodies_v2.text),
}
_POOL = {
    "name": bodies_v2.text,
    "slots": bodies_v2.at_least(-1),
    "description": nullable(bodies_v2.text),
    "include_deferred": bodies_v2.boolean,
}
_CONNECTION = {
    "connection_id": bodies_v2.text,
    "conn_type": bodies_v2.text,
    "port": nullable(bodies_v2.at_least(0)),
    **dict.fromkeys(("description", "host", "login", "schema", "password", "extra"), nullable(bodies_v2.text)),
}
#: The patch takes the name by its alias too, and with the old one first.
_POOL_PATCH = {
    **{name: nullable(check) for name, check in _POOL.items()},
    "pool": nullable(bodies_v2.text),
}


class RowsV2:
    """Answers for variables, pools, XComs and import errors.

    :param store: The memory.
    :param release: The release.
    """

    def __init__(self, store: Store, release: shapes_v2.Release) -> None:
        self._store, self._release = store, release

    def routes(self) -> list[Route]:
        """Return what is answered here."""
        task = "/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        xcom_key = "{key:path}" if self._release >= (3, 1) else "{key}"
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
            route("GET", "/pools/{name:path}", self._get_pool, "Viewer"),
            route("PATCH", "/pools/{name:path}", self._patch_pool, "Op"),
            route("DELETE", "/pools/{name:path}", self._delete_pool, "Op"),
            route("GET", "/connections", self._list_connections, "Op"),
            route("POST", "/connections", self._post_connection, "Op"),
            route("PATCH", "/connections/{connection_id}", self._patch_connection, "Op"),
            route("DELETE", "/connections/{connection_id}", self._delete_connection, "Op"),
            route("GET", "/importErrors", self._list_import_errors, "Viewer"),
            route("GET", "/importErrors/{number}", self._get_import_error, "Viewer"),
        ]

    def _page(self, call: Call, rows: list[Any]) -> list[Any]:
        return pages(rows, *bodies_v2.page(call, clamp=self._release >= (3, 2, 1)))

    # XComs

    def _list_xcoms(self, call: Call) -> BackendAnswer:
        found = [
            (xcom, run)
            for run in self._store.runs.values()
            if call["dag_id"] in ("~", run.dag_id) and call["run_id"] in ("~", run.run_id)
            for xcom in run.xcoms
            if call["task_id"] in ("~", xcom.task_id)
            and call.first("xcom_key", xcom.key) == xcom.key
            and call.first("map_index", str(xcom.map_index)) == str(xcom.map_index)
        ]
        found.sort(key=lambda pair: (pair[1].dag_id, pair[0].task_id, pair[1].run_id, pair[0].map_index, pair[0].key))
        shaped = [shapes_v2.xcom(xcom, run, self._release) for xcom, run in self._page(call, found)]
        return answer(200, {"xcom_entries": shaped, "total_entries": len(found)})

    def _get_xcom(self, call: Call) -> BackendAnswer:
        run = self._store.runs.get((call["dag_id"], call["run_id"]))
        wanted = (call["task_id"], call["key"], call.first("map_index", "-1"))
        if run is not None:
            for xcom in run.xcoms:
                if (xcom.task_id, xcom.key, str(xcom.map_index)) == wanted:
                    shaped = shapes_v2.xcom(xcom, run, self._release)
                    return answer(200, {**shaped, "value": _value(call, xcom)})
        raise refusal(404, f"XCom entry with key: `{call['key']}` not found")

    # Variables

    def _variable(self, key: str) -> ScriptedVariable:
        variable = self._store.variables.get(key)
        if variable is None:
            raise refusal(404, f"The Variable with key: `{key}` was not found")
        return variable

    def _list_variables(self, call: Call) -> BackendAnswer:
        allowed = {"key": "key", "id": "number", "description": "description"}
        rows = ordered(
            self._store.variables.values(), bodies_v2.order(call.query.get("order_by", []), allowed, "number")
        )
        page = [shapes_v2.variable(row, self._release) for row in self._page(call, rows)]
        return answer(200, {"variables": page, "total_entries": len(rows)})

    def _post_variable(self, call: Call) -> BackendAnswer:
        body = checked(call, _VARIABLE, required=["key", "value"])
        if body["key"] in self._store.variables:
            raise refusal(409, f"The Variable with key: `{body['key']}` already exists")
        variable = self._store.set_variable(body["key"], str(body["value"]), body.get("description"))
        return answer(201, shapes_v2.variable(variable, self._release))

    def _get_variable(self, call: Call) -> BackendAnswer:
        return answer(200, shapes_v2.variable(self._variable(call["key"]), self._release))

    def _patch_variable(self, call: Call) -> BackendAnswer:
        body = checked(call, _VARIABLE, required=["key", "value"])
        if body["key"] != call["key"]:
            raise refusal(400, "Invalid body, key from request body doesn't match uri parameter")
        variable = self._variable(call["key"])
        mask = call.query.get("update_mask") or list(body)
        if "value" in mask:
            variable.value = str(body["value"])
        if "description" in mask and "description" in body:
            variable.description = body["description"]
        return answer(200, shapes_v2.variable(variable, self._release))

    def _delete_variable(self, call: Call) -> BackendAnswer:
        del self._store.variables[self._variable(call["key"]).key]
        return BackendAnswer(204)

    # Pools

    def _pool(self, name: str) -> ScriptedPool:
        pool = self._store.pools.get(name)
        if pool is None:
            raise refusal(404, f"The Pool with name: `{name}` was not found")
        return pool

    def _list_pools(self, call: Call) -> BackendAnswer:
        allowed = {"id": "number", "name": "name", "pool": "name"}
        rows = ordered(self._store.pools.values(), bodies_v2.order(call.query.get("order_by", []), allowed, "number"))
        page = [shapes_v2.pool(row, self._release) for row in self._page(call, rows)]
        return answer(200, {"pools": page, "total_entries": len(rows)})

    def _get_pool(self, call: Call) -> BackendAnswer:
        return answer(200, shapes_v2.pool(self._pool(call["name"]), self._release))

    def _post_pool(self, call: Call) -> BackendAnswer:
        body = checked(call, _POOL, required=["name", "slots"])
        if body["name"] in self._store.pools:
            raise bodies_v2.conflict()
        pool = self._store.set_pool(
            body["name"], body["slots"], body.get("description"), include_deferred=body.get("include_deferred", False)
        )
        return answer(201, shapes_v2.pool(pool, self._release))

    def _patch_pool(self, call: Call) -> BackendAnswer:
        body = checked(call, _POOL_PATCH)
        name = body.pop("name", None) or body.get("pool")
        if name:
            body["pool"] = name
        if name and name != call["name"]:
            raise refusal(400, "Invalid body, pool name from request body doesn't match uri parameter")
        mask = call.query.get("update_mask")
        if call["name"] == "default_pool" and not (mask and set(mask) <= {"slots", "include_deferred"}):
            raise refusal(400, "Only slots and included_deferred can be modified on Default Pool")
        pool = self._pool(call["name"])
        if call["name"] != "default_pool":
            _must_be_whole(body)
        for field in ("slots", "description", "include_deferred"):
            if field in (mask or body) and body.get(field) is not None:
                setattr(pool, field, body[field])
        return answer(200, shapes_v2.pool(pool, self._release))

    def _delete_pool(self, call: Call) -> BackendAnswer:
        if call["name"] == "default_pool":
            raise refusal(400, "Default Pool can't be deleted")
        del self._store.pools[self._pool(call["name"]).name]
        return BackendAnswer(204)

    # Connections

    def _list_connections(self, call: Call) -> BackendAnswer:
        allowed = {
            "id": "number",
            "conn_id": "connection_id",
            "connection_id": "connection_id",
            "conn_type": "conn_type",
        }
        order = bodies_v2.order(call.query.get("order_by", []), allowed, "number")
        rows = ordered(self._store.connections.values(), order)
        page = [shapes_v2.connection(row, self._release) for row in self._page(call, rows)]
        return answer(200, {"connections": page, "total_entries": len(rows)})

    def _post_connection(self, call: Call) -> BackendAnswer:
        body = checked(call, _CONNECTION, required=["connection_id", "conn_type"])
        if body["connection_id"] in self._store.connections:
            raise bodies_v2.conflict()
        connection = self._store.set_connection(body.pop("connection_id"), body.pop("conn_type"), body)
        return answer(201, shapes_v2.connection(connection, self._release))

    def _patch_connection(self, call: Call) -> BackendAnswer:
        bodies_v2.only(call)
        body = checked(call, _CONNECTION, required=["connection_id", "conn_type"])
        if body.pop("connection_id") != call["connection_id"]:
            raise refusal(400, "The connection_id in the request body does not match the URL parameter")
        connection = self._connection(call)
        connection.conn_type = body.pop("conn_type")
        connection.fields.update(body)
        return answer(200, shapes_v2.connection(connection, self._release))

    def _delete_connection(self, call: Call) -> BackendAnswer:
        del self._store.connections[self._connection(call).connection_id]
        return BackendAnswer(204)

    def _connection(self, call: Call) -> ScriptedConnection:
        connection = self._store.connections.get(call["connection_id"])
        if connection is None:
            raise refusal(404, f"The Connection with connection_id: `{call['connection_id']}` was not found")
        return connection

    # Import errors

    def _list_import_errors(self, call: Call) -> BackendAnswer:
        allowed = {"id": "number", "import_error_id": "number", "timestamp": "timestamp", "filename": "filename"}
        rows = ordered(self._store.import_errors, bodies_v2.order(call.query.get("order_by", []), allowed, "number"))
        page = [shapes_v2.import_error(row, self._release) for row in self._page(call, rows)]
        return answer(200, {"import_errors": page, "total_entries": len(rows)})

    def _get_import_error(self, call: Call) -> BackendAnswer:
        for row in self._store.import_errors:
            if str(row.number) == call["number"]:
                return answer(200, shapes_v2.import_error(row, self._release))
        raise refusal(404, f"The ImportError with import_error_id: `{call['number']}` was not found")


def _must_be_whole(body: dict[str, Any]) -> None:
    # Airflow 3 validates the patch as a whole pool, with or without an update mask.
    if missing := [name for name in ("pool", "slots", "include_deferred") if name not in body]:
        url = "https://errors.pydantic.dev/2.13/v/missing"
        raise refusal(
            422,
            [
                {"type": "missing", "loc": [name], "msg": "Field required", "input": body, "url": url}
                for name in missing
            ],
        )


def _value(call: Call, xcom: ScriptedXCom) -> Any:
    return str(xcom.value) if call.first("stringify").lower() in ("true", "1") else xcom.value
