"""Web login tokens and the web sessions they buy.

A web login token lives 60 seconds and buys a web session of 12 hours: the cookie ``session`` on Airflow 2, the cookie ``_token`` (a JWT,
sent as a Bearer header) on Airflow 3. Neither is ever shown: not in a repr, a log line or an error.

https://docs.aws.amazon.com/mwaa/latest/userguide/access-mwaa-apache-airflow-rest-api.html
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mwaa_provider.client import error_mapping
from mwaa_provider.client.http import WebServerHttp
from mwaa_provider.client.models import Environment
from mwaa_provider.exceptions import LoginFailedError

log = logging.getLogger(__name__)

#: Seconds a web session lives, as the MWAA guide says.
WEB_SESSION_SECONDS = 12 * 3600
#: Seconds before its end at which a session is no longer trusted.
SAFETY_SECONDS = 300
_LOGIN_SECONDS = 10


@dataclass(frozen=True)
class WebLoginToken:
    """A token that buys one web session; lives 60 seconds.

    :param web_server_host: The host that takes it.
    :param value: The token itself; kept out of the repr.
    """

    web_server_host: str
    value: str = field(repr=False)


@dataclass(frozen=True)
class WebSession:
    """An open web session.

    :param base_url: The REST API's address, up to and with ``/api/vN``.
    :param headers: The headers that prove it; kept out of the repr.
    :param ends_at: When it should be renewed, in seconds of the monotonic clock.
    """

    base_url: str
    headers: Mapping[str, str] = field(repr=False)
    ends_at: float


class WebSessionKeeper:
    """Keeps one web session per environment and renews it before it ends.

    :param create_web_login_token: Asks AWS for a token for the named environment.
    :param http: What to log in with.
    :param monotonic: The clock, in seconds.
    """

    def __init__(
        self,
        *,
        create_web_login_token: Callable[[str], WebLoginToken],
        http: WebServerHttp,
        monotonic: Callable[[], float],
    ) -> None:
        self._create_web_login_token = create_web_login_token
        self._http = http
        self._monotonic = monotonic
        self._sessions: dict[str, WebSession] = {}
        self._lock = threading.Lock()

    def session(self, environment: Environment) -> WebSession:
        """Return the environment's session, logging in if there is none or it is about to end.

        :param environment: The environment.
        :raises LoginFailedError: if the web server gives no session.
        """
        with self._lock:
            session = self._sessions.get(environment.name)
            if session is None or session.ends_at <= self._monotonic():
                session = self._log_in(environment)
                self._sessions[environment.name] = session
            return session

    def forget(self, environment: Environment, session: WebSession) -> None:
        """Drop a session that the web server no longer accepts (unless it has been renewed meanwhile).

        :param environment: The environment.
        :param session: The session that was refused.
        """
        with self._lock:
            if self._sessions.get(environment.name) is session:
                del self._sessions[environment.name]

    def _log_in(self, environment: Environment) -> WebSession:
        import requests

        dialect = _DIALECTS[environment.airflow_major]
        asked_at = self._monotonic()
        token = self._create_web_login_token(environment.name)
        host = token.web_server_host
        try:
            response = self._http.send(
                "POST", f"https://{host}{dialect.login_path}", data={"token": token.value}, timeout=_LOGIN_SECONDS
            )
        except requests.RequestException as error:
            raise error_mapping.from_requests(
                error, environment_name=environment.name, host=host, method="POST", path=dialect.login_path
            ) from None
        credential = response.cookies.get(dialect.cookie)
        if response.status_code != 200 or not credential:
            raise LoginFailedError(
                f"The web server {host} of environment {environment.name!r} gave no session for a web login token: HTTP "
                f"{response.status_code}{'' if credential else f' without the cookie {dialect.cookie!r}'} from {dialect.login_path}. "
                "Check that the environment is AVAILABLE and that the identity's Airflow role may use the web server "
                "(airflow:CreateWebLoginToken on arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE).",
                environment_name=environment.name,
                host=host,
                status=response.status_code,
            )
        log.info("Opened a web session on environment %s", environment.name)
        return WebSession(
            base_url=f"https://{host}{dialect.api_path}",
            headers=dialect.headers(credential),
            ends_at=asked_at + WEB_SESSION_SECONDS - SAFETY_SECONDS,
        )


@dataclass(frozen=True)
class _LoginDialect:
    """How one Airflow line logs in on MWAA."""

    login_path: str
    api_path: str
    cookie: str
    headers: Callable[[str], dict[str, str]]


_DIALECTS = {
    2: _LoginDialect("/aws_mwaa/login", "/api/v1", "session", lambda value: {"Cookie": f"session={value}"}),
    3: _LoginDialect(
        "/pluginsv2/aws_mwaa/login", "/api/v2", "_token", lambda value: {"Authorization": f"Bearer {value}"}
    ),
}
