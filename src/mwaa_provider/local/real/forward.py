"""Passing requests on to Airflow's own web server, with the credentials of an Airflow role."""

from __future__ import annotations

import http.client
import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mwaa_provider.local.backend import AirflowRole, BackendAnswer, BackendRequest
from mwaa_provider.local.real.web import HttpAnswer, send

if TYPE_CHECKING:
    from mwaa_provider.local.real.line import Line

# The service's own limit of 10 s is the service's business; this one only ends what hangs.
_TIMEOUT = 120.0
_PASSED_ON = {"location", "set-cookie", "cache-control", "content-disposition", "retry-after", "www-authenticate"}
_OWN_COOKIES = ("session=", "_token=")


class Forwarder:
    """Passes requests on.

    :param port: Where the web server listens on 127.0.0.1.
    :param base_url: Where users see it.
    :param line: Knows the credentials.
    """

    def __init__(self, port: int, base_url: str, line: Line) -> None:
        self._port = port
        self._base_url = base_url
        self._host = urlsplit(base_url).netloc
        self._line = line

    def rest(self, request: BackendRequest) -> BackendAnswer:
        """Pass on a call of the REST API."""
        return self._answer(request, f"{self._line.api}{request.path}", is_page=False)

    def page(self, request: BackendRequest) -> BackendAnswer:
        """Pass on a request of a browser."""
        return self._answer(request, request.path, is_page=True)

    def plugin(self, request: BackendRequest) -> BackendAnswer:
        """Pass on a request to what a plugin brings, with the credentials in the place where they were shown."""
        target = f"{request.path}?{request.query}" if request.query else request.path
        try:
            answer = self._send(request, target, self._shown(request))
            if answer.status == 401 and request.shown != "nothing":
                self._line.forget(request.airflow_role)
                answer = self._send(request, target, self._shown(request))
        except (OSError, http.client.HTTPException) as error:
            return _unanswered(error)
        return self._passed_on(answer)

    def _shown(self, request: BackendRequest) -> dict[str, str]:
        if request.shown == "nothing":
            return {}
        headers = self._line.page_headers(request.airflow_role) or {}
        wanted = "Authorization" if request.shown == "bearer" else "Cookie"
        return {name: value for name, value in headers.items() if name == wanted}

    def _answer(self, request: BackendRequest, path: str, *, is_page: bool) -> BackendAnswer:
        target = f"{path}?{request.query}" if request.query else path
        try:
            credentials = self._credentials(request.airflow_role, is_page)
            if credentials is None and is_page:
                return _no_rights(request.airflow_role)
            # Without credentials Airflow still tells its version and health.
            answer = self._send(request, target, credentials or {})
            if self._line.is_login_demanded(answer.status, answer.header("location")):
                if credentials is None:
                    return _no_rights(request.airflow_role)
                self._line.forget(request.airflow_role)
                answer = self._send(request, target, self._credentials(request.airflow_role, is_page) or {})
        except (OSError, http.client.HTTPException) as error:
            return _unanswered(error)
        return self._passed_on(answer)

    def _passed_on(self, answer: HttpAnswer) -> BackendAnswer:
        headers = tuple(
            (name.title(), self._outside(value) if name == "location" else value)
            for name, value in answer.headers
            # The session that counts for the browser is the one with the local MWAA.
            if name in _PASSED_ON and not (name == "set-cookie" and value.startswith(_OWN_COOKIES))
        )
        return BackendAnswer(answer.status, answer.body, answer.header("content-type"), headers)

    def _credentials(self, role: AirflowRole, is_page: bool) -> dict[str, str] | None:
        return self._line.page_headers(role) if is_page else self._line.rest_headers(role)

    def _send(self, request: BackendRequest, target: str, credentials: dict[str, str]) -> HttpAnswer:
        # Airflow compares the addresses that it is to send a browser back to with the host it is asked at.
        headers = {**dict(request.headers), **credentials, "Host": self._host}
        if request.content_type:
            headers["Content-Type"] = request.content_type
        return send(self._port, request.method, target, body=request.body, headers=headers, timeout=_TIMEOUT)

    def _outside(self, location: str) -> str:
        for inside in (f"http://127.0.0.1:{self._port}", f"http://{self._host}"):
            if location == inside or location.startswith(f"{inside}/"):
                return self._base_url + location[len(inside) :]
        return location


def _unanswered(error: Exception) -> BackendAnswer:
    return _problem(502, "Bad Gateway", f"The Airflow web server behind this environment did not answer: {error}")


def _no_rights(role: AirflowRole) -> BackendAnswer:
    return _problem(403, "Forbidden", f"The Airflow role {role} has no rights.")


def _problem(status: int, title: str, detail: str) -> BackendAnswer:
    body = json.dumps({"title": title, "status": status, "detail": detail}).encode()
    return BackendAnswer(status, body, "application/json")
