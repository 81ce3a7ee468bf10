"""Airflow's REST API, v1 (Airflow 2) and v2 (Airflow 3), behind one face.

The differences between v1 and v2 are decided in this file and nowhere else. Every endpoint the client may call stands in
:data:`ENDPOINTS`; a test fails if one of them has not been tried against a real Airflow.

https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, TypeVar
from urllib.parse import quote

from mwaa_provider.client.models import Dag, DagRun, Environment
from mwaa_provider.client.transport import Effect, RestRequest, RestResponse, checked
from mwaa_provider.exceptions import UnexpectedAnswerError

Model = TypeVar("Model")


@dataclass(frozen=True)
class Endpoint:
    """One endpoint: its method and its path, with ``{names}`` to fill in.

    :param method: HTTP method.
    :param path: Path below ``/api/vN``.
    :param effect: What becomes of it when it is called twice.
    """

    method: str
    path: str
    effect: Effect

    def at(self, **ids: str) -> str:
        """Return the path with the ids in their places, quoted."""
        return self.path.format(**{name: quote(value, safe="") for name, value in ids.items()})


GET_DAG = Endpoint("GET", "/dags/{dag_id}", "read")
TRIGGER_DAG_RUN = Endpoint("POST", "/dags/{dag_id}/dagRuns", "create")
GET_DAG_RUN = Endpoint("GET", "/dags/{dag_id}/dagRuns/{run_id}", "read")
CLEAR_DAG_RUN = Endpoint("POST", "/dags/{dag_id}/dagRuns/{run_id}/clear", "create")

ENDPOINTS = (GET_DAG, TRIGGER_DAG_RUN, GET_DAG_RUN, CLEAR_DAG_RUN)


class AirflowRestApi:
    """The REST API of one environment.

    Each call is sent once; its errors are those of :mod:`mwaa_provider.exceptions`.

    :param environment: The environment.
    :param send: Sends one request there and brings back Airflow's answer.
    """

    def __init__(self, environment: Environment, send: Callable[[Environment, RestRequest], RestResponse]) -> None:
        self._environment = environment
        self._send = send

    def get_dag(self, dag_id: str) -> Dag:
        """Return a DAG.

        :param dag_id: The DAG's id.
        """
        body = self._call(GET_DAG, {"dag_id": dag_id})
        return self._read(GET_DAG, lambda: Dag(dag_id=body["dag_id"], is_paused=bool(body["is_paused"])))

    def trigger_dag_run(
        self,
        dag_id: str,
        *,
        run_id: str,
        conf: Mapping[str, Any] | None = None,
        logical_date: datetime | None = None,
        note: str | None = None,
    ) -> DagRun:
        """Start a run of a DAG.

        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param conf: The run's configuration, a JSON object (default: empty).
        :param logical_date: The date the run is for (default: what the release takes).
        :param note: A note on the run (default: none).
        """
        body: dict[str, Any] = {"dag_run_id": run_id, "conf": dict(conf or {})}
        if note is not None:
            body["note"] = note
        if logical_date is not None:
            body["logical_date"] = logical_date.astimezone(timezone.utc).isoformat()
        elif self._environment.airflow_major >= 3:
            body["logical_date"] = None  # v2 wants the key, and null for a run without a date
        return self._dag_run(TRIGGER_DAG_RUN, self._call(TRIGGER_DAG_RUN, {"dag_id": dag_id}, body))

    def get_dag_run(self, dag_id: str, run_id: str) -> DagRun:
        """Return a run.

        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        """
        return self._dag_run(GET_DAG_RUN, self._call(GET_DAG_RUN, {"dag_id": dag_id, "run_id": run_id}))

    def clear_dag_run(self, dag_id: str, run_id: str) -> DagRun:
        """Clear all tasks of a run, so that it runs again, and return it.

        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        """
        # dry_run is true by default in v1 and v2: without it nothing would happen
        return self._dag_run(
            CLEAR_DAG_RUN, self._call(CLEAR_DAG_RUN, {"dag_id": dag_id, "run_id": run_id}, {"dry_run": False})
        )

    def _call(self, endpoint: Endpoint, ids: Mapping[str, str], body: Mapping[str, Any] | None = None) -> Any:
        request = RestRequest(endpoint.method, endpoint.at(**ids), body=body, effect=endpoint.effect)
        return checked(self._environment, request, self._send(self._environment, request)).body

    def _dag_run(self, endpoint: Endpoint, body: Any) -> DagRun:
        return self._read(
            endpoint,
            lambda: DagRun(
                dag_id=body["dag_id"],
                run_id=body["dag_run_id"],
                state=body["state"],
                logical_date=_moment(body["logical_date"]),
                start_date=_moment(body["start_date"]),
                end_date=_moment(body["end_date"]),
                conf=body.get("conf") or {},
            ),
        )

    def _read(self, endpoint: Endpoint, read: Callable[[], Model]) -> Model:
        try:
            return read()
        except (KeyError, TypeError, ValueError) as error:
            raise UnexpectedAnswerError(
                f"{endpoint.method} {endpoint.path} on environment {self._environment.name!r} was answered without a usable "
                f"{error}. Is its Airflow ({self._environment.airflow_version}) newer than this package knows?",
                environment_name=self._environment.name,
                method=endpoint.method,
                path=endpoint.path,
                status=200,
                detail=str(error),
            ) from error


def _moment(text: str | None) -> datetime | None:
    # Python 3.10's fromisoformat does not know the Z that Airflow 3 writes
    return None if text is None else datetime.fromisoformat(text.replace("Z", "+00:00"))
