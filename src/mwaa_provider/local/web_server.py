"""An environment's web server: login, CLI endpoint, single sign-on page, the REST API by web session, and the UI."""

from __future__ import annotations

import base64
import json
import shlex
from typing import TYPE_CHECKING, Any

from mwaa_provider.client.cli_commands import nearest_command, split_command, supported_commands
from mwaa_provider.local.answers import airflow_error, html_response, json_response
from mwaa_provider.local.backend import AirflowRole, BackendRequest, Shown
from mwaa_provider.local.journal import parsed_query
from mwaa_provider.local.rest_gateway import as_response, call_rest
from mwaa_provider.local.service import Service, Visit

if TYPE_CHECKING:
    from mwaa_provider.local.environment import LocalEnvironment
    from mwaa_provider.local.faults import Fault
    from mwaa_provider.local.http_server import HttpRequest, HttpResponse
    from mwaa_provider.local.tokens import TokenVerdict

_CLI = "/aws_mwaa/cli"
_SSO = "/aws_mwaa/aws-console-sso"
#: What differs between the two lines: where to log in, the session's cookie, the REST API's root, and where the UI
#: begins.
_LOGIN = {2: "/aws_mwaa/login", 3: "/pluginsv2/aws_mwaa/login"}
_COOKIE = {2: "session", 3: "_token"}
_API = {2: "/api/v1", 3: "/api/v2"}
_HOME = {2: "/home", 3: "/"}
#: Where Airflow 3 mounts what this package's plugins bring. Who may use it is decided there, not by MWAA.
_MOUNTED = "/mwaa_provider"
#: What Airflow 2's own pages send with a POST, and Airflow demands.
_PAGE_HEADERS = ("x-csrftoken",)
#: REST calls that Airflow itself answers without a session.
_OPEN_REST = {2: frozenset({"/health", "/version"}), 3: frozenset({"/monitor/health", "/version"})}

_SSO_PAGE = """<!doctype html>
<html><head><title>{name}</title></head><body><p id="say">Opening {name} ...</p><script>
var form = new URLSearchParams({{token: location.hash.slice(1)}});
fetch("{login}", {{method: "POST", body: form}}).then(function (answer) {{
  if (answer.ok) {{ location.replace("{home}"); return; }}
  var say = "The web login token was not taken (it lives {seconds} seconds). Ask for a new link.";
  document.getElementById("say").textContent = say;
}});
</script></body></html>
"""


class WebServer:
    """Answers one environment's web requests.

    :param service: The local MWAA.
    :param environment: The environment.
    """

    def __init__(self, service: Service, environment: LocalEnvironment) -> None:
        self._service = service
        self._environment = environment
        self._line = environment.airflow_line

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer one request.

        :param request: The request.
        """
        visit = Visit(
            self._service.clock.now(),
            self._environment.name,
            "web",
            self._operation(request.path),
            request.method,
            request.path,
            parsed_query(request.query),
        )
        if visit.operation == "rest":
            visit.path = request.path.removeprefix(_API[self._line]) or "/"
            visit.transport = "session"
        if visit.operation != "login":
            visit.body = _parsed(request)
        with self._service.journaled(visit):
            response = self._answer(request, visit)
            visit.status = response.status
            return response

    def _operation(self, path: str) -> str:
        if path in _LOGIN.values():
            return "login"
        if path in (_CLI, _SSO):
            return {_CLI: "cli", _SSO: "sso"}[path]
        if self._line == 3 and (path == _MOUNTED or path.startswith(_MOUNTED + "/")):
            return "plugin"
        return "rest" if path == _API[self._line] or path.startswith(_API[self._line] + "/") else "page"

    def _answer(self, request: HttpRequest, visit: Visit) -> HttpResponse:
        if not self._environment.is_usable:
            return html_response(503, f"<html><body>Environment is {self._environment.status}.</body></html>")
        if wrong := self._other_line(request.path):
            return wrong
        if visit.operation == "rest":
            return self._rest(request, visit)
        answers = {
            "login": self._login,
            "cli": self._cli,
            "sso": self._sso,
            "page": self._page,
            "plugin": self._plugin,
        }
        return self._service.struck(
            visit, visit.operation, lambda: answers[visit.operation](request, visit), fault_answer=_fault_answer
        )

    def _other_line(self, path: str) -> HttpResponse | None:
        other = 5 - self._line
        api = path == _API[other] or path.startswith(_API[other] + "/")
        if not api and path != _LOGIN[other]:
            return None
        here, there = (_API[self._line], _API[other]) if api else (_LOGIN[self._line], _LOGIN[other])
        version = self._environment.backend.airflow_version
        return airflow_error(
            404, version, f"{there} is Airflow {other}'s; this environment runs Airflow {version}: use {here}"
        )

    def _login(self, request: HttpRequest, visit: Visit) -> HttpResponse:
        if request.method != "POST":
            return json_response(405, {"error": "Log in with POST and the form field token."}, (("Allow", "POST"),))
        name = self._environment.name
        verdict = self._service.tokens.check("web", name, request.form("token"))
        if verdict.identity is None:
            why = "has expired" if verdict.expired else "is not one of this environment"
            return json_response(403, {"error": f"The web login token {why}."})
        visit.is_by(verdict.identity)
        session = self._service.tokens.issue("session", name, verdict.identity, jwt=self._line == 3)
        # Airflow 3's UI reads the cookie with a script, so HttpOnly is for Airflow 2 alone.
        http_only = "; HttpOnly" if self._line == 2 else ""
        cookie = f"{_COOKIE[self._line]}={session}; Path=/; Secure; SameSite=Lax{http_only}"
        return json_response(200, {}, (("Set-Cookie", cookie),))

    def _sso(self, request: HttpRequest, visit: Visit) -> HttpResponse:
        page = _SSO_PAGE.format(
            name=self._environment.name,
            login=_LOGIN[self._line],
            home=_HOME[self._line],
            seconds=self._service.rules.web_token_seconds,
        )
        return html_response(200, page)

    def _session(self, request: HttpRequest, *, page: bool) -> TokenVerdict:
        shown = request.cookie(_COOKIE[self._line])
        if self._line == 3 and (bearer := request.bearer()):
            shown = bearer
        elif self._line == 3 and not page and not self._takes_cookie():
            shown = None
        return self._service.tokens.check("session", self._environment.name, shown)

    def _takes_cookie(self) -> bool:
        # Airflow 3.0's REST API knows only the Authorization header; from 3.1 on it looks at the cookie too.
        return tuple(map(int, self._environment.backend.airflow_version.split(".")[:2])) >= (3, 1)

    def _rest(self, request: HttpRequest, visit: Visit) -> HttpResponse:
        role: AirflowRole = "Public"
        if visit.path not in _OPEN_REST[self._line]:
            verdict = self._session(request, page=False)
            # A request that is refused anyway uses up no fault; the first to notice that sessions ended is the one it struck.
            if verdict.identity is not None and self._expires_sessions(visit):
                verdict = self._session(request, page=False)
            if verdict.identity is None:
                return self._unauthenticated(verdict, shown=request.bearer() is not None)
            visit.is_by(verdict.identity)
            role = verdict.identity.airflow_role
        asked = BackendRequest(request.method, visit.path, request.query, request.body, request.content_type, role)
        return call_rest(self._service, self._environment, asked, visit)

    def _expires_sessions(self, visit: Visit) -> bool:
        fault = self._service.faults.take(visit.environment, "rest", visit.method, visit.path, kind="expire_sessions")
        if fault is None:
            return False
        visit.fault = fault.kind
        self._service.tokens.expire_sessions(self._environment.name)
        return True

    def _unauthenticated(self, verdict: TokenVerdict, *, shown: bool) -> HttpResponse:
        version = self._environment.backend.airflow_version
        if self._line == 2:
            return airflow_error(401, version, None)
        if verdict.expired:
            return airflow_error(401, version, "Token Expired")
        return (
            airflow_error(403, version, "Invalid JWT token")
            if shown
            else airflow_error(401, version, "Not authenticated")
        )

    def _cli(self, request: HttpRequest, visit: Visit) -> HttpResponse:
        if request.method != "POST":
            return json_response(405, {"error": "POST one command."}, (("Allow", "POST"),))
        verdict = self._service.tokens.check("cli", self._environment.name, request.bearer())
        if verdict.identity is None:
            return json_response(403, {"message": "Forbidden"})
        visit.is_by(verdict.identity)
        if not self._environment.cli_slots.acquire(blocking=False):
            return html_response(503, "<html><head><title>503 Service Temporarily Unavailable</title></head></html>")
        try:
            return self._run_command(request.body.decode("utf-8", "replace"), visit)
        finally:
            self._environment.cli_slots.release()

    def _run_command(self, line: str, visit: Visit) -> HttpResponse:
        version = self._environment.backend.airflow_version
        try:
            # How the service splits the line is not published; this is how a shell does.
            arguments = shlex.split(line)
        except ValueError as error:
            return json_response(400, {"error": f"The command cannot be read: {error}"})
        supported = supported_commands(version)
        words, _ = split_command(arguments, supported)
        if words not in supported:
            nearest = nearest_command(arguments, supported)
            hint = f"; did you mean '{' '.join(nearest)}'?" if nearest else ""
            refused = f"MWAA does not support the command '{' '.join(arguments[:2])}' with Airflow {version}{hint}"
            return json_response(self._service.rules.cli_unsupported_status, {"error": refused})
        visit.backend_call = True
        answer = self._environment.backend.cli(arguments)
        status = 200 if answer.exit_code == 0 else self._service.rules.cli_failure_status
        return json_response(status, {"stdout": _base64(answer.stdout), "stderr": _base64(answer.stderr)})

    def _page(self, request: HttpRequest, visit: Visit) -> HttpResponse:
        role: AirflowRole = "Public"
        if request.path != "/health":
            verdict = self._session(request, page=True)
            if verdict.identity is None:
                # The service sends browsers to the AWS console's sign-in, which is not here.
                return html_response(
                    403,
                    "<html><body>This needs a web session: ask for a web login token and open "
                    f"{self._environment.base_url}{_SSO}?login=true#TOKEN</body></html>",
                )
            visit.is_by(verdict.identity)
            role = verdict.identity.airflow_role
        visit.backend_call = True
        asked = BackendRequest(
            request.method,
            request.path,
            request.query,
            request.body,
            request.content_type,
            role,
            tuple((name, request.headers[name]) for name in _PAGE_HEADERS if name in request.headers),
        )
        return as_response(self._environment.backend.page(asked))

    def _plugin(self, request: HttpRequest, visit: Visit) -> HttpResponse:
        """Hand on what a plugin answers, with the credentials in the place where they were shown."""
        bearer, cookie = request.bearer(), request.cookie(_COOKIE[3])
        verdict = self._service.tokens.check("session", self._environment.name, bearer or cookie)
        role: AirflowRole = "Public"
        shown: Shown = "nothing"
        headers: tuple[tuple[str, str], ...] = ()
        if verdict.identity is not None:
            visit.is_by(verdict.identity)
            role, shown = verdict.identity.airflow_role, "bearer" if bearer else "cookie"
        elif bearer:
            headers = (("Authorization", f"Bearer {bearer}"),)
        visit.backend_call = True
        asked = BackendRequest(
            request.method, request.path, request.query, request.body, request.content_type, role, headers, shown
        )
        return as_response(self._environment.backend.plugin(asked))


def _fault_answer(fault: Fault) -> HttpResponse:
    status = 429 if fault.kind == "throttle" else 403
    return json_response(status, {"message": "Too Many Requests" if status == 429 else "Forbidden"})


def _parsed(request: HttpRequest) -> Any:
    if not request.body:
        return None
    try:
        return json.loads(request.body) if "json" in request.content_type else request.body.decode("utf-8", "replace")
    except ValueError:
        return request.body.decode("utf-8", "replace")


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
