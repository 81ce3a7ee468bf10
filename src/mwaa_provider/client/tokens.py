"""CLI tokens, web login tokens, and the web sessions they buy.

Both tokens live 60 seconds. A web login token buys a web session of 12 hours: the cookie ``session`` on Airflow 2, the cookie ``_token``
(a JWT, sent as a Bearer header) on Airflow 3. None of them is ever shown: not in a repr, a log line or an error.

https://docs.aws.amazon.com/mwaa/latest/userguide/access-mwaa-apache-airflow-rest-api.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar
from urllib.parse import urlsplit

from mwaa_provider.client import error_mapping
from mwaa_provider.client.clock import Clock, Stamp
from mwaa_provider.client.http import WebServerHttp
from mwaa_provider.client.locks import Slot
from mwaa_provider.client.models import Environment
from mwaa_provider.client.retry import Retry
from mwaa_provider.client.shared import Caller, OneEach, Shared
from mwaa_provider.exceptions import (
    ConnectionFailedError,
    LoginFailedError,
    MwaaError,
    ServiceError,
    ThrottledError,
    UnknownOutcomeError,
)

log = logging.getLogger(__name__)

#: Seconds a web login token or a CLI token lives, as the MWAA guide says.
TOKEN_SECONDS = 60
#: Seconds before its end at which a token is no longer handed out: whoever gets one can still use it.
TOKEN_SAFETY_SECONDS = 30
#: Seconds a web session lives, as the MWAA guide says.
WEB_SESSION_SECONDS = 12 * 3600
#: Seconds before its end at which a session is no longer trusted.
SESSION_SAFETY_SECONDS = 300
_LOGIN_SECONDS = 10


@dataclass(frozen=True)
class WebLoginToken:
    """A token that buys one web session; lives 60 seconds.

    :param web_server_host: The host that takes it.
    :param value: The token itself; kept out of the repr.
    :param asked_at: When it was asked for.
    """

    web_server_host: str
    value: str = field(repr=False)
    asked_at: Stamp = field(repr=False)


@dataclass(frozen=True)
class CliToken:
    """A token for the CLI endpoint; lives 60 seconds.

    :param web_server_host: The host that takes it.
    :param value: The token itself; kept out of the repr.
    :param asked_at: When it was asked for.
    """

    web_server_host: str
    value: str = field(repr=False)
    asked_at: Stamp = field(repr=False)


class _Token(Protocol):
    @property
    def asked_at(self) -> Stamp: ...


Token = TypeVar("Token", bound=_Token)


class TokenCache(Generic[Token]):
    """Hands out one token per environment while it has at least half of its life before it.

    :param clock: The clock.
    :param create: Asks AWS for a token for the named environment.
    """

    def __init__(self, clock: Clock, create: Callable[[str], Token]) -> None:
        self._clock = clock
        self._create = create
        self._slots: OneEach[Slot[Token]] = OneEach(Slot)

    def get(self, environment_name: str) -> Token:
        """Return a token, a new one if the last is too old.

        :param environment_name: The environment's name.
        """
        usable = TOKEN_SECONDS - TOKEN_SAFETY_SECONDS
        token, _ = self._slots[environment_name].get(
            lambda token: token.asked_at.age(self._clock) < usable, lambda: self._create(environment_name)
        )
        return token

    def forget(self, environment_name: str, token: Token) -> None:
        """Drop a token that was not accepted (unless there is a newer one).

        :param environment_name: The environment's name.
        :param token: The token that was refused.
        """
        self._slots[environment_name].forget(token)


@dataclass(frozen=True)
class WebSession:
    """An open web session.

    :param base_url: The REST API's address, up to and with ``/api/vN``.
    :param headers: The headers that prove it; kept out of the repr.
    :param opened_at: When it was asked for.
    """

    base_url: str
    headers: Mapping[str, str] = field(repr=False)
    opened_at: Stamp = field(repr=False)

    @property
    def host(self) -> str:
        """The web server's host, and its port if it has one."""
        return urlsplit(self.base_url).netloc


class WebSessionKeeper:
    """Keeps one web session per environment and caller and renews it before it ends.

    :param caller: Who calls.
    :param create_web_login_token: Asks AWS for a token for the named environment.
    :param http: What to log in with.
    :param shared: Where sessions are kept.
    :param hosts: Web server hosts to use instead of AWS's, by environment name.
    :param retry: Repeats a login.
    """

    def __init__(
        self,
        *,
        caller: Caller,
        create_web_login_token: Callable[[str], WebLoginToken],
        http: WebServerHttp,
        shared: Shared,
        hosts: Mapping[str, str],
        retry: Retry,
    ) -> None:
        self._caller = caller
        self._create_web_login_token = create_web_login_token
        self._http = http
        self._shared = shared
        self._hosts = hosts
        self._retry = retry

    def session(self, environment: Environment) -> WebSession:
        """Return the environment's session, logging in if there is none or it is about to end.

        :param environment: The environment.
        :raises LoginFailedError: if the web server gives no session.
        """
        lasts = WEB_SESSION_SECONDS - SESSION_SAFETY_SECONDS
        session, _ = self._opened(environment, lambda session: self.age(session) < lasts)
        return session

    def age(self, session: WebSession) -> float:
        """Return how many seconds ago a session was opened.

        :param session: The session.
        """
        return session.opened_at.age(self._shared.clock)

    def renewed(self, environment: Environment, refused: WebSession, why: str) -> tuple[WebSession, bool]:
        """Return another session than one that the web server refused, and whether it was opened for this.

        :param environment: The environment.
        :param refused: The session that was refused. If another thread has renewed it meanwhile, that one is returned.
        :param why: What the web server said, for whoever reads that the renewal failed.
        :raises MwaaError: if there is no new one; its message says what the old one was refused for.
        """
        log.info("The web session on environment %s has ended early (%s); it is opened anew", environment.name, why)
        try:
            return self._opened(environment, lambda session: session is not refused)
        except MwaaError as error:
            raise error.with_note(f"This was to renew a web session that was refused with {why}.") from error

    def _opened(self, environment: Environment, is_good: Callable[[WebSession], bool]) -> tuple[WebSession, bool]:
        """Return a session that is good, logging in repeatedly if need be: the call that needs it has not been sent yet."""
        # A client may have no way to the host of another: sessions of a custom domain are kept apart.
        host = self._hosts.get(environment.name)
        slot = self._shared.sessions[(self._caller, environment.name, environment.airflow_major, host)]
        try:
            return self._retry.repeat(lambda: slot.get(is_good, lambda: self._log_in(environment)))
        except (UnknownOutcomeError, ServiceError, ThrottledError) as error:
            raise LoginFailedError(
                f"No web session on environment {environment.name!r} could be had: {error.message}",
                environment_name=environment.name,
                host=self._hosts.get(environment.name) or environment.web_server_host,
                status=error.facts.get("status", 0),
            ) from error
        except (LoginFailedError, ConnectionFailedError) as error:
            error.facts["may_pass"] = False  # it was tried often enough
            raise

    def _log_in(self, environment: Environment) -> WebSession:
        import requests

        dialect = _DIALECTS[environment.airflow_major]
        token = self._create_web_login_token(environment.name)
        host = self._hosts.get(environment.name) or token.web_server_host
        try:
            response = self._http.send(
                "POST", f"https://{host}{dialect.login_path}", data={"token": token.value}, timeout=_LOGIN_SECONDS
            )
        except requests.RequestException as error:
            raise error_mapping.from_requests(
                error, environment_name=environment.name, host=host, method="POST", path=dialect.login_path
            ) from None
        # Not cookies.get: it fails where a cookie of that name comes for another path, too.
        credential = next((cookie.value for cookie in response.cookies if cookie.name == dialect.cookie), None)
        if response.status_code != 200 or not credential:
            raise LoginFailedError(
                f"The web server {host} of environment {environment.name!r} gave no session for a web login token: HTTP "
                f"{response.status_code}{'' if credential else f' without the cookie {dialect.cookie!r}'} from {dialect.login_path}. "
                "Check that the environment is AVAILABLE and that the identity's Airflow role may use the web server "
                "(airflow:CreateWebLoginToken on arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE).",
                environment_name=environment.name,
                host=host,
                status=response.status_code,
                may_pass=response.status_code >= 500 or response.status_code == 429,
                retry_after=error_mapping.retry_after_of(response.headers),
            )
        log.info("Opened a web session on environment %s", environment.name)
        return WebSession(
            base_url=f"https://{host}{dialect.api_path}",
            headers=dialect.headers(credential),
            opened_at=token.asked_at,
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
