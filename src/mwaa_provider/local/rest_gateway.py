"""The way from both transports into Airflow's REST API: the faults of the web server strike here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mwaa_provider.local.answers import airflow_error
from mwaa_provider.local.http_server import HttpResponse

if TYPE_CHECKING:
    from mwaa_provider.local.backend import BackendAnswer, BackendRequest
    from mwaa_provider.local.environment import LocalEnvironment
    from mwaa_provider.local.faults import Fault
    from mwaa_provider.local.service import Service, Visit

#: Makes a DAG id that no Airflow knows, so that a hidden DAG gets the 404 of the very release.
_HIDDEN = "-hidden-by-a-fault"


def call_rest(service: Service, environment: LocalEnvironment, request: BackendRequest, visit: Visit) -> HttpResponse:
    """Ask the REST API of an environment's Airflow.

    :param service: The local MWAA.
    :param environment: The environment.
    :param request: The call; its path is below ``/api/vN``.
    :param visit: Where to note what became of it.
    :raises CutConnection: When a fault cuts the connection.
    """

    def act(asked: BackendRequest = request) -> HttpResponse:
        visit.backend_call = True
        return as_response(environment.backend.rest(asked))

    def answer(fault: Fault) -> HttpResponse:
        if fault.kind == "hide_dag":
            return _without_suffix(act(_about_nothing(request)))
        status = 429 if fault.kind == "throttle" else 403
        return airflow_error(status, environment.backend.airflow_version, None)

    return service.struck(visit, "rest", act, fault_answer=answer)


def as_response(answer: BackendAnswer) -> HttpResponse:
    """Return a back end's answer as the web server sends it.

    :param answer: The back end's answer.
    """
    return HttpResponse(answer.status, answer.body, answer.content_type, answer.headers)


def _about_nothing(request: BackendRequest) -> BackendRequest:
    _, dags, dag_id, *rest = request.path.split("/")
    return replace(request, path="/".join(["", dags, dag_id + _HIDDEN, *rest]))


def _without_suffix(response: HttpResponse) -> HttpResponse:
    return replace(response, body=response.body.replace(_HIDDEN.encode(), b""))
