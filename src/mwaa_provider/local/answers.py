"""The shapes of answers: plain JSON and HTML, AWS errors as botocore reads them, and Airflow's REST errors in both of its dialects."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from mwaa_provider.local.http_server import HttpResponse

_PROBLEM_ANCHORS = {
    400: "BadRequest",
    401: "Unauthenticated",
    403: "PermissionDenied",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "AlreadyExists",
    500: "Unknown",
}


def json_response(status: int, body: Any, headers: tuple[tuple[str, str], ...] = ()) -> HttpResponse:
    """Return a JSON answer.

    :param status: The HTTP status.
    :param body: What is sent.
    :param headers: Further headers.
    """
    return HttpResponse(status, json.dumps(body).encode(), "application/json", headers)


def html_response(status: int, page: str, headers: tuple[tuple[str, str], ...] = ()) -> HttpResponse:
    """Return an HTML page.

    :param status: The HTTP status.
    :param page: The page.
    :param headers: Further headers.
    """
    return HttpResponse(status, page.encode(), "text/html; charset=utf-8", headers)


class AwsError(Exception):
    """An error of the control plane, in the shape of the protocol rest-json.

    :param code: The error code, such as ``ResourceNotFoundException``.
    :param status: The HTTP status.
    :param message: The message; None for the errors that are modelled without one.
    :param fields: Further modelled fields.
    """

    def __init__(self, code: str, status: int, message: str | None, **fields: Any) -> None:
        super().__init__(code, status, message)
        self.code, self.status, self.message, self.fields = code, status, message, fields

    def response(self) -> HttpResponse:
        """Return the error as an answer."""
        body = dict(self.fields)
        if self.message is not None:
            # The service model spells it "Message" for AccessDeniedException alone; botocore reads both.
            body["Message" if self.code == "AccessDeniedException" else "message"] = self.message
        return json_response(self.status, body, (("x-amzn-ErrorType", self.code),))


def airflow_problem(
    status: int, airflow_version: str, *, title: str | None = None, detail: str | None = None
) -> HttpResponse:
    """Return an error of Airflow 2's REST API (RFC 7807).

    :param status: The HTTP status.
    :param airflow_version: The Airflow version, for the link to its documentation.
    :param title: The title; that of the status by default.
    :param detail: The detail.
    """
    anchor = _PROBLEM_ANCHORS.get(status)
    docs = f"https://airflow.apache.org/docs/apache-airflow/{airflow_version}/stable-rest-api-ref.html"
    body = {
        "detail": detail,
        "status": status,
        "title": title or HTTPStatus(status).phrase,
        "type": f"{docs}#section/Errors/{anchor}" if anchor else "about:blank",
    }
    return HttpResponse(status, json.dumps(body).encode(), "application/problem+json")


def airflow_detail(status: int, detail: Any) -> HttpResponse:
    """Return an error of Airflow 3's REST API.

    :param status: The HTTP status.
    :param detail: The detail: a text, or for 422 the list of what is wrong.
    """
    return json_response(status, {"detail": detail})


def airflow_error(status: int, airflow_version: str, detail: str | None) -> HttpResponse:
    """Return an error of the REST API in the dialect of an Airflow version.

    :param status: The HTTP status.
    :param airflow_version: The Airflow version.
    :param detail: The detail; Airflow 3 has the status's phrase when there is none.
    """
    if airflow_version.startswith("2."):
        return airflow_problem(status, airflow_version, detail=detail)
    return airflow_detail(status, detail or HTTPStatus(status).phrase)
