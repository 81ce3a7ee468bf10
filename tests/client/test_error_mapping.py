"""Every foreign error becomes one of ours, and tells whether anything may have been done."""

from __future__ import annotations

import inspect
import pickle
from pathlib import Path

import botocore.exceptions
import botocore.session
import pytest
import requests

from mwaa_provider import exceptions
from mwaa_provider.client import error_mapping
from mwaa_provider.client.retry import is_passing
from mwaa_provider.exceptions import (
    AccessDeniedError,
    ConnectionFailedError,
    EnvironmentNotFoundError,
    InvalidInputError,
    LoginFailedError,
    MwaaError,
    NotFoundError,
    RestApiError,
    RestApiServerError,
    ServiceError,
    ThrottledError,
    UnexpectedAnswerError,
    UnknownOutcomeError,
)
from mwaa_provider.local import Fault, Identity, LocalMwaa, ScriptedAirflow


def aws_error(code: str, status: int, operation: str = "InvokeRestApi") -> botocore.exceptions.ClientError:
    response = {"Error": {"Code": code, "Message": "said AWS"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return botocore.exceptions.ClientError(response, operation)


#: What each error of the service model becomes for a read and for a call that changes something. The two RestApi errors carry an answer of
#: Airflow and are read as such by the transport.
MODELLED = {
    "AccessDeniedException": (AccessDeniedError, AccessDeniedError),
    "InternalServerException": (ServiceError, UnknownOutcomeError),
    "ResourceNotFoundException": (EnvironmentNotFoundError, EnvironmentNotFoundError),
    "ServiceUnavailableException": (ServiceError, UnknownOutcomeError),
    "ValidationException": (ServiceError, ServiceError),
}
CARRY_AN_ANSWER = {"RestApiClientException", "RestApiServerException"}


def modelled_errors() -> dict[str, int]:
    model = botocore.session.Session().get_service_model("mwaa")
    return {
        shape.name: shape.metadata.get("error", {}).get("httpStatusCode", 400)
        for shape in (model.shape_for(name) for name in model.shape_names)
        if getattr(shape, "metadata", {}).get("exception")
    }


def test_no_error_of_the_service_model_is_unmapped() -> None:
    assert set(modelled_errors()) - CARRY_AN_ANSWER <= set(MODELLED)
    for code, status in modelled_errors().items():
        if code in CARRY_AN_ANSWER:
            continue
        for method, wanted in zip(("GET", "POST"), MODELLED[code], strict=True):
            error = error_mapping.from_client_error(
                aws_error(code, status), environment_name="e", method=method, path="/dags"
            )
            assert type(error) is wanted, (code, method)
            assert "said AWS" in str(error)


@pytest.mark.parametrize(
    ("code", "status", "wanted"),
    [
        ("ThrottlingException", 429, ThrottledError),
        ("ExpiredTokenException", 403, AccessDeniedError),
        ("UnrecognizedClientException", 403, AccessDeniedError),
        ("SomethingNew", 418, ServiceError),
    ],
)
def test_errors_that_are_not_in_the_model(code: str, status: int, wanted: type[MwaaError]) -> None:
    assert type(error_mapping.from_client_error(aws_error(code, status), environment_name="e")) is wanted


@pytest.mark.parametrize(
    ("code", "wanted"), [("RestApiServerException", RestApiServerError), ("RestApiClientException", RestApiError)]
)
def test_an_error_of_airflow_whose_status_is_missing(code: str, wanted: type[MwaaError]) -> None:
    """The service model does not promise ``RestApiStatusCode``."""
    error = error_mapping.from_client_error(aws_error(code, 400), environment_name="e", method="GET", path="/dags")
    assert type(error) is wanted
    assert (error.environment_name, error.method, error.path) == ("e", "GET", "/dags")
    assert is_passing(error) is (wanted is RestApiServerError)
    assert "said AWS" in str(error)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"retry-after": " 7 "}, 7),
        ({"Retry-After": "Fri, 27 Nov 2026 17:10:30 GMT", "Date": "Fri, 27 Nov 2026 17:10:00 GMT"}, 30),
        ({"retry-after": "Fri, 27 Nov 2026 17:10:30 GMT", "date": "Fri, 27 Nov 2026 17:11:00 GMT"}, 0),
        ({"Retry-After": "Fri, 27 Nov 2020 17:10:30 GMT"}, 0),
        ({"Retry-After": "Fri, 27 Nov 2020 17:10:30", "Date": "soon"}, 0),
        ({"Retry-After": "\u00b2"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_when_a_server_wants_to_be_asked_again(headers: dict[str, str], seconds: float | None) -> None:
    """A date counts from the server's own clock, whatever ours says."""
    assert error_mapping.retry_after_of(headers) == seconds


def test_every_error_of_botocore_and_requests_is_mapped() -> None:
    """None falls through, and those that prove that nothing was sent are told from those that do not."""
    for _, kind in inspect.getmembers(botocore.exceptions, inspect.isclass):
        if issubclass(kind, botocore.exceptions.BotoCoreError):
            assert isinstance(error_mapping.from_botocore(kind.__new__(kind), environment_name="e"), MwaaError)
    for _, kind in inspect.getmembers(requests.exceptions, inspect.isclass):
        if issubclass(kind, requests.RequestException):
            error = kind.__new__(kind)
            mapped = error_mapping.from_requests(error, environment_name="e", host="h", method="POST", path="/")
            assert isinstance(mapped, (ConnectionFailedError, UnknownOutcomeError))
            assert "may have been" in str(mapped) or isinstance(mapped, ConnectionFailedError)


@pytest.mark.parametrize(
    ("status", "body", "wanted", "told"),
    [
        (404, {"detail": "The Dag with ID: `x` was not found"}, NotFoundError, "The Dag with ID: `x` was not found"),
        (400, {"title": "Bad Request", "detail": "{'x': ['Unknown field.']}"}, RestApiError, "Unknown field"),
        (404, {"error": "API route not found"}, NotFoundError, ": not found: API route not found"),
        (400, {"why": "é", "n": 1}, RestApiError, ': HTTP 400: {"why": "é", "n": 1}'),
        (400, {}, RestApiError, ": HTTP 400: no further word"),
        (422, {"detail": [{"loc": ["body", "conf"], "msg": "not a dict"}]}, RestApiError, "body.conf: not a dict"),
        (
            409,
            {"detail": {"reason": "Unique constraint violation"}},
            exceptions.ConflictError,
            "Unique constraint violation",
        ),
        (403, {"title": "Forbidden"}, RestApiError, "The Airflow role of this identity does not allow it"),
        (503, None, RestApiServerError, "no further word"),
        (302, None, RestApiError, "HTTP 302"),
    ],
)
def test_what_airflow_said_is_in_the_error(status: int, body: object, wanted: type[MwaaError], told: str) -> None:
    error = error_mapping.from_answer(
        environment_name="e", method="GET", path="/p", status=status, body=body, is_json=True
    )
    assert type(error) is wanted
    assert told in str(error)


def test_a_page_instead_of_json(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    client = make_client(transport="session")
    local_mwaa.faults.add(Fault.answer(200, "<html>maintenance</html>", operation="rest"))
    with pytest.raises(UnexpectedAnswerError, match="<html>maintenance</html>"):
        client.get_dag("target", "load")
    local_mwaa.faults.add(Fault.answer(502, "<html>bad gateway</html>", operation="rest", times=None))
    with pytest.raises(RestApiServerError, match="bad gateway") as caught:
        client.get_dag("target", "load")
    assert caught.value.status == 502


def test_a_role_that_may_not_write(airflow: ScriptedAirflow, make_client) -> None:
    client = make_client(identity=Identity("READER", airflow_role="Viewer"))
    assert client.get_dag("target", "load").dag_id == "load"
    with pytest.raises(RestApiError, match="The Airflow role of this identity does not allow it") as caught:
        client.trigger_dag_run("target", "load")
    assert caught.value.status == 403


def test_an_unknown_environment(local_mwaa: LocalMwaa, make_client) -> None:
    with pytest.raises(EnvironmentNotFoundError, match="no MWAA environment 'nowhere'"):
        make_client().get_environment("nowhere")


def test_no_route_to_aws_and_none_to_the_web_server(
    local_mwaa: LocalMwaa, airflow: ScriptedAirflow, make_client, tmp_path: Path
) -> None:
    with pytest.raises(ConnectionFailedError, match="AWS cannot be reached"):
        make_client(endpoint_url="http://127.0.0.1:1").get_environment("target")
    with pytest.raises(ConnectionFailedError, match="certificate is not trusted: give the file of its CA as verify"):
        make_client(verify=None, transport="session").get_dag("target", "load")
    client = make_client(transport="session")
    client.get_environment("target")
    local_mwaa.faults.add(Fault.refuse(operation="login", times=None))
    with pytest.raises(
        LoginFailedError, match="No web session on environment 'target' could be had: No answer of the web server"
    ):
        client.get_dag("target", "load")


def test_no_credentials(local_mwaa: LocalMwaa, make_client, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(AccessDeniedError, match="No AWS credentials"):
        make_client(session=boto3.Session(region_name="us-east-1")).get_environment("target")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(InvalidInputError, match="region_name: it is missing"):
        make_client(session=boto3.Session())


def test_what_cannot_be_an_address_is_named_at_once(make_client) -> None:
    with pytest.raises(InvalidInputError, match=r"region_name: .*bad region!"):
        make_client(region_name="bad region!")
    with pytest.raises(
        InvalidInputError, match=r"endpoint_url: Invalid endpoint: 127.0.0.1:8080; give one like https://"
    ):
        make_client(endpoint_url="127.0.0.1:8080")


def all_errors() -> list[type[MwaaError]]:
    return [kind for _, kind in inspect.getmembers(exceptions, inspect.isclass) if issubclass(kind, MwaaError)]


@pytest.mark.parametrize("kind", all_errors())
def test_every_error_is_in_the_tree_and_can_be_pickled(kind: type[MwaaError]) -> None:
    assert kind.__name__ in (exceptions.__doc__ or "")
    error = kind(["one", "two"]) if kind is InvalidInputError else kind("what", environment_name="e", status=1)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.facts) == (kind, str(error), error.facts)
    with pytest.raises(AttributeError):
        _ = again.no_such_fact
