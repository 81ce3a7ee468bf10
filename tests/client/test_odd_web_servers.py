"""What web servers and the proxies before them say that the local MWAA does not: when to come back, cookies twice, another host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from mwaa_provider.exceptions import LoginFailedError
from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from mwaa_provider.local.answers import json_response
from mwaa_provider.local.certificates import Certificates
from mwaa_provider.local.http_server import HttpRequest, HttpResponse, HttpServer

LOGIN = "/pluginsv2/aws_mwaa/login"
DAG = {"dag_id": "load", "is_paused": False, "tags": [], "has_import_errors": False}


class WebServer:
    """The web server of an environment with Airflow 3; what it says out of turn is put into ``instead``, by path."""

    def __init__(self) -> None:
        self.instead: dict[str, list[HttpResponse]] = {}
        self.asked: list[str] = []
        self.certificates = Certificates()
        self._server = HttpServer(self._answer, ssl_context=self.certificates.server_context)

    def _answer(self, request: HttpRequest) -> HttpResponse:
        self.asked.append(request.path)
        if self.instead.get(request.path):
            return self.instead[request.path].pop(0)
        if request.path == LOGIN:
            return json_response(200, {}, (("Set-Cookie", "_token=the-session; Path=/"),))
        return json_response(200 if request.bearer() == "the-session" else 401, DAG)

    def __enter__(self) -> WebServer:
        self._server.start()
        self.host = f"127.0.0.1:{self._server.port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self.certificates.remove()


@pytest.fixture
def airflow(local_mwaa: LocalMwaa) -> ScriptedAirflow:
    airflow = ScriptedAirflow("3.3.1")
    airflow.add_dag("load", run_takes=None)
    local_mwaa.create_environment("target", airflow)
    return airflow


@pytest.fixture
def server(airflow: ScriptedAirflow) -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


@pytest.fixture
def client(server: WebServer, make_client: Callable):
    return make_client(
        transport="session", web_server_hosts={"target": server.host}, verify=str(server.certificates.ca_file)
    )


def in_seconds(seconds: float) -> str:
    return format_datetime(datetime.now(timezone.utc) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("path", [LOGIN, "/api/v2/dags/load"])
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("after", [lambda: "45", lambda: in_seconds(46)], ids=["seconds", "date"])
def test_who_is_told_to_come_back_later_does(
    server: WebServer, client, clock, path: str, status: int, after: Callable[[], str]
) -> None:
    server.instead[path] = [json_response(status, {"detail": "busy"}, (("Retry-After", after()),))]
    began = clock.monotonic()
    assert client.get_dag("target", "load").dag_id == "load"
    assert 44 <= clock.monotonic() - began <= 46
    assert server.asked.count(path) == 2


def test_a_cookie_that_comes_twice_is_a_session(server: WebServer, client) -> None:
    """Airflow 3 clears the cookie of another path beside the one that it sets."""
    cookies = (("Set-Cookie", "_token=the-session; Path=/"), ("Set-Cookie", "_token=; Path=/pluginsv2"))
    server.instead[LOGIN] = [json_response(200, {}, cookies)]
    assert client.get_dag("target", "load").dag_id == "load"


def test_an_empty_cookie_is_no_session(server: WebServer, client) -> None:
    server.instead[LOGIN] = [json_response(200, {}, (("Set-Cookie", "_token=; Path=/"),))]
    with pytest.raises(LoginFailedError, match="HTTP 200 without the cookie '_token'"):
        client.get_dag("target", "load")


def test_the_session_of_a_custom_domain_is_not_used_for_the_host_of_aws(
    server: WebServer, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client
) -> None:
    """The other client may have no way to that domain."""
    here = make_client(
        transport="session",
        web_server_hosts={"target": server.host},
        verify=str(server.certificates.ca_file),
        clock=None,
    )
    assert here.get_dag("target", "load").dag_id == "load"
    assert make_client(transport="session", clock=None).get_dag("target", "load").dag_id == "load"
    assert (server.asked, local_mwaa.journal.count(operation="login")) == ([LOGIN, "/api/v2/dags/load"], 1)
