"""InvokeRestApi: Airflow's REST API by IAM, with the service's limits on rate, time and size in front of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from mwaa_provider.local.answers import AwsError, html_response, json_response
from mwaa_provider.local.backend import BackendRequest
from mwaa_provider.local.http_server import CutConnection, HttpResponse
from mwaa_provider.local.rest_gateway import call_rest
from mwaa_provider.local.service import Service, Visit

if TYPE_CHECKING:
    from mwaa_provider.local.environment import LocalEnvironment
    from mwaa_provider.local.identity import Identity

_METHODS = frozenset({"GET", "PUT", "POST", "PATCH", "DELETE"})


def noted_call(visit: Visit) -> None:
    """Make the visit one of the REST call it carries, as far as it can be read, for the journal and for faults.

    :param visit: The visit, with the body of InvokeRestApi.
    """
    visit.transport = "iam"
    if not isinstance(visit.body, dict):
        return
    call = visit.body
    path = call.get("Path")
    visit.path = path if isinstance(path, str) else visit.path
    visit.method = str(call.get("Method", visit.method))
    parameters = call.get("QueryParameters")
    if isinstance(parameters, dict):
        visit.query = {
            str(name): [_text(one) for one in value] if isinstance(value, list) else _text(value)
            for name, value in parameters.items()
        }
    visit.body = call.get("Body")


def invoke_rest_api(
    service: Service, environment: LocalEnvironment, identity: Identity, call: dict[str, Any], visit: Visit
) -> HttpResponse:
    """Carry out one call of InvokeRestApi.

    :param service: The local MWAA.
    :param environment: The environment.
    :param identity: Who asks.
    :param call: The request's ``Path``, ``Method``, ``QueryParameters`` and ``Body``.
    :param visit: Where to note what became of it.
    :raises AwsError: As the service answers when Airflow, or a limit, says no.
    """
    if not environment.rest_api_enabled:
        # The message is documented, its error code is not.
        raise AwsError("ValidationException", 400, "Update your environment to use InvokeRestApi")
    request = _backend_request(call, identity, service.rules.rest_path_max_length)
    # A visit of its own: after a time-out the call goes on, and must not write into an entry that is in the journal.
    inner = Visit(**vars(visit))
    begun = service.clock.now()
    response = service.within(service.rules.rest_seconds, lambda: _through(service, environment, request, inner))
    visit.backend_call, visit.fault = inner.backend_call, inner.fault
    if response is None or (service.clock.now() - begun).total_seconds() > service.rules.rest_seconds:
        # How the service words this is not published; that it is a server exception and final is.
        raise _failed(
            504, {"detail": f"The Airflow REST API did not answer within {service.rules.rest_seconds} seconds."}
        )
    if len(response.body) > service.rules.rest_payload_bytes:
        # Not published either; the call is at fault, not the server, so a client exception.
        raise _failed(
            413, {"detail": f"The answer exceeds {service.rules.rest_payload_bytes} bytes; ask for smaller pages."}
        )
    answer = _document(response)
    if response.status >= 400:
        raise _failed(response.status, answer)
    visit.status = response.status
    body = {"RestApiStatusCode": response.status}
    return json_response(200, body if answer is None else {**body, "RestApiResponse": answer})


def _through(service: Service, environment: LocalEnvironment, request: BackendRequest, visit: Visit) -> HttpResponse:
    try:
        return call_rest(service, environment, request, visit)
    except CutConnection:
        return html_response(502, "<html><head><title>502 Bad Gateway</title></head></html>")


def _failed(status: int, answer: Any) -> AwsError:
    code = "RestApiServerException" if status >= 500 else "RestApiClientException"
    return AwsError(code, 400, None, RestApiStatusCode=status, RestApiResponse=answer)


def _document(response: HttpResponse) -> Any:
    if not response.body:
        return None
    try:
        return json.loads(response.body)
    except ValueError:
        return response.body.decode("utf-8", "replace")


def _backend_request(call: dict[str, Any], identity: Identity, path_max_length: int | None) -> BackendRequest:
    path, method = call.get("Path"), call.get("Method")
    if not isinstance(path, str) or not path.startswith("/"):
        raise AwsError(
            "ValidationException", 400, "Path must begin with '/', such as /dags, without /api/v1 or /api/v2."
        )
    if path_max_length is not None and len(path) > path_max_length:
        raise AwsError("ValidationException", 400, f"Path must have at most {path_max_length} characters.")
    if method not in _METHODS:
        raise AwsError("ValidationException", 400, f"Method must be one of {', '.join(sorted(_METHODS))}.")
    parameters = call.get("QueryParameters") or {}
    if not isinstance(parameters, dict):
        raise AwsError("ValidationException", 400, "QueryParameters must be a JSON object.")
    path, _, query_in_path = path.partition("?")
    query = "&".join(part for part in (query_in_path, _query_string(parameters)) if part)
    body = call.get("Body")
    return BackendRequest(
        method=method,
        path=quote(path, safe="/%:+~@!$&'()*,;="),
        query=query,
        body=b"" if body is None else json.dumps(body).encode(),
        # Nothing is no JSON: Airflow 2.11 answers a DELETE that says so with 400.
        content_type="" if body is None else "application/json",
        airflow_role=identity.airflow_role,
    )


def _query_string(parameters: dict[str, Any]) -> str:
    # How the service writes lists, booleans and objects into the query string is not published. Repeated keys are
    # what Airflow's own clients send.
    pairs: list[tuple[str, str]] = []
    for name, value in parameters.items():
        pairs.extend((name, _text(one)) for one in (value if isinstance(value, list) else [value]))
    return urlencode(pairs)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
