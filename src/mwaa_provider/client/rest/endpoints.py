"""Every endpoint the client may call. A test fails if one of them has not been tried against a real Airflow."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from mwaa_provider.client.transport import Effect
from mwaa_provider.exceptions import InvalidInputError


@dataclass(frozen=True)
class Endpoint:
    """One endpoint: its method and its path, with ``{names}`` to fill in.

    :param method: HTTP method.
    :param path: Path below ``/api/vN``.
    :param effect: What becomes of it when it is called twice.
    :param major: The line of Airflow it is called on: 2 or 3; both by default.
    :param since: The first release it is called on; all of the line by default.
    """

    method: str
    path: str
    effect: Effect
    major: int | None = None
    since: tuple[int, ...] = ()

    def at(self, **ids: str) -> str:
        """Return the path with the ids in their places, quoted.

        :raises InvalidInputError: if an id would make it the path of another endpoint.
        """
        if wrong := [f"{name}: {value!r} cannot stand in a path" for name, value in ids.items() if value in _NOWHERE]:
            raise InvalidInputError(wrong)
        try:
            return self.path.format(**{name: quote(value, safe="") for name, value in ids.items()})
        except UnicodeEncodeError as error:  # half a surrogate pair
            raise InvalidInputError([f"{error.object!r} cannot stand in a path"]) from error


#: Quoting leaves dots alone, and every HTTP client and server takes these for "here" and "one up".
_NOWHERE = ("", ".", "..")

_RUNS = "/dags/{dag_id}/dagRuns"
_RUN = f"{_RUNS}/{{run_id}}"
_TASK = f"{_RUN}/taskInstances/{{task_id}}"

LIST_DAGS = Endpoint("GET", "/dags", "read")
GET_DAG = Endpoint("GET", "/dags/{dag_id}", "read")
PATCH_DAG = Endpoint("PATCH", "/dags/{dag_id}", "idempotent")

# Lists with several values in a filter are asked for by POST: how MWAA writes a list into a query string is not published.
LIST_DAG_RUNS = Endpoint("POST", "/dags/~/dagRuns/list", "read")
TRIGGER_DAG_RUN = Endpoint("POST", _RUNS, "create")
GET_DAG_RUN = Endpoint("GET", _RUN, "read")
PATCH_DAG_RUN = Endpoint("PATCH", _RUN, "idempotent")
NOTE_DAG_RUN = Endpoint("PATCH", f"{_RUN}/setNote", "idempotent", major=2)
CLEAR_DAG_RUN = Endpoint("POST", f"{_RUN}/clear", "create")

LIST_TASK_INSTANCES = Endpoint("POST", "/dags/~/dagRuns/~/taskInstances/list", "read")
LIST_TASK_INSTANCES_OF_RUN = Endpoint("GET", f"{_RUN}/taskInstances", "read", major=2)
LIST_TASK_INSTANCES_OF_GROUP = Endpoint("GET", f"{_RUN}/taskInstances", "read", major=3, since=(3, 2, 1))
GET_TASK_INSTANCE = Endpoint("GET", _TASK, "read")
GET_MAPPED_TASK_INSTANCE = Endpoint("GET", f"{_TASK}/{{map_index}}", "read")
GET_TASK_LOG = Endpoint("GET", f"{_TASK}/logs/{{try_number}}", "read")
LIST_XCOMS = Endpoint("GET", f"{_TASK}/xcomEntries", "read")
GET_XCOM = Endpoint("GET", f"{_TASK}/xcomEntries/{{key}}", "read")

LIST_VARIABLES = Endpoint("GET", "/variables", "read")
CREATE_VARIABLE = Endpoint("POST", "/variables", "create")
GET_VARIABLE = Endpoint("GET", "/variables/{key}", "read")
PATCH_VARIABLE = Endpoint("PATCH", "/variables/{key}", "idempotent")
DELETE_VARIABLE = Endpoint("DELETE", "/variables/{key}", "idempotent")

LIST_POOLS = Endpoint("GET", "/pools", "read")
CREATE_POOL = Endpoint("POST", "/pools", "create")
GET_POOL = Endpoint("GET", "/pools/{name}", "read")
PATCH_POOL = Endpoint("PATCH", "/pools/{name}", "idempotent")
DELETE_POOL = Endpoint("DELETE", "/pools/{name}", "idempotent")

LIST_DATASETS = Endpoint("GET", "/datasets", "read", major=2)
LIST_ASSETS = Endpoint("GET", "/assets", "read", major=3)
LIST_DATASET_EVENTS = Endpoint("GET", "/datasets/events", "read", major=2, since=(2, 9))
LIST_ASSET_EVENTS = Endpoint("GET", "/assets/events", "read", major=3)
CREATE_DATASET_EVENT = Endpoint("POST", "/datasets/events", "create", major=2, since=(2, 9))
CREATE_ASSET_EVENT = Endpoint("POST", "/assets/events", "create", major=3)

LIST_CONNECTIONS = Endpoint("GET", "/connections", "read")
CREATE_CONNECTION = Endpoint("POST", "/connections", "create")
PATCH_CONNECTION = Endpoint("PATCH", "/connections/{connection_id}", "idempotent")
DELETE_CONNECTION = Endpoint("DELETE", "/connections/{connection_id}", "idempotent")

LIST_IMPORT_ERRORS = Endpoint("GET", "/importErrors", "read")
GET_VERSION = Endpoint("GET", "/version", "read")
GET_HEALTH_2 = Endpoint("GET", "/health", "read", major=2)
GET_HEALTH_3 = Endpoint("GET", "/monitor/health", "read", major=3)

ENDPOINTS = (
    LIST_DAGS,
    GET_DAG,
    PATCH_DAG,
    LIST_DAG_RUNS,
    TRIGGER_DAG_RUN,
    GET_DAG_RUN,
    PATCH_DAG_RUN,
    NOTE_DAG_RUN,
    CLEAR_DAG_RUN,
    LIST_TASK_INSTANCES,
    LIST_TASK_INSTANCES_OF_RUN,
    LIST_TASK_INSTANCES_OF_GROUP,
    GET_TASK_INSTANCE,
    GET_MAPPED_TASK_INSTANCE,
    GET_TASK_LOG,
    LIST_XCOMS,
    GET_XCOM,
    LIST_VARIABLES,
    CREATE_VARIABLE,
    GET_VARIABLE,
    PATCH_VARIABLE,
    DELETE_VARIABLE,
    LIST_POOLS,
    CREATE_POOL,
    GET_POOL,
    PATCH_POOL,
    DELETE_POOL,
    LIST_DATASETS,
    LIST_ASSETS,
    LIST_DATASET_EVENTS,
    LIST_ASSET_EVENTS,
    CREATE_DATASET_EVENT,
    CREATE_ASSET_EVENT,
    LIST_CONNECTIONS,
    CREATE_CONNECTION,
    PATCH_CONNECTION,
    DELETE_CONNECTION,
    LIST_IMPORT_ERRORS,
    GET_VERSION,
    GET_HEALTH_2,
    GET_HEALTH_3,
)
