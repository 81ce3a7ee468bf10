"""Which way a call takes to Airflow's REST API. The choice is made here and nowhere else.

``auto`` prefers IAM (InvokeRestApi: no login, one call) and takes the web session where IAM cannot work. For good (an hour, then IAM is
tried again): boto3 does not know the operation (before botocore 1.37, that is on MWAA 2.7.2 to 2.10.3), policy denies it, the environment
is too old for it, or more calls are made than IAM admits. For one call: AWS refuses its path, or a read hits the limit of 10 seconds or
6 MB. In all of these cases the call was not carried out, or does no harm twice.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from dataclasses import dataclass
from typing import Literal

from mwaa_provider.client import policy
from mwaa_provider.client.airflow_answer import LIMITS_OF_IAM
from mwaa_provider.client.clock import Clock
from mwaa_provider.client.locks import ForkSafeLock
from mwaa_provider.client.models import Environment
from mwaa_provider.client.pace import Pace
from mwaa_provider.client.shared import Caller, Shared
from mwaa_provider.client.transport import IamTransport, RestRequest, RestResponse, SessionTransport, TransportName
from mwaa_provider.exceptions import (
    AccessDeniedError,
    ConnectionFailedError,
    InvalidInputError,
    LoginFailedError,
    MwaaError,
    NoWayInError,
    ServiceError,
    ThrottledError,
)

log = logging.getLogger(__name__)

TransportChoice = Literal["auto", "iam", "session"]
_CHOICES = ("auto", "iam", "session")

#: What MWAA answers when an environment predates InvokeRestApi.
#: https://docs.aws.amazon.com/mwaa/latest/userguide/access-mwaa-apache-airflow-rest-api.html
_TOO_OLD = "update your environment to use invokerestapi"

#: How long it is remembered that a way is closed, in seconds: policies and environments change.
_REMEMBER_SECONDS = 3600.0
#: The same for a session that the web server did not give, in seconds.
_REMEMBER_TROUBLE_SECONDS = 60.0
#: Throttled so often within so many seconds, in spite of our own pace: others call too, and IAM is not enough.
_THROTTLED_TIMES, _THROTTLED_SECONDS = 3, 10.0


@dataclass(frozen=True)
class _Closed:
    why: str
    until: float


class Way:
    """What is known about the ways to one environment; shared by all clients of one caller."""

    def __init__(self) -> None:
        self._closed: dict[TransportName, _Closed] = {}
        self._throttled_at: deque[float] = deque(maxlen=_THROTTLED_TIMES)
        self._announced: set[tuple[TransportName, str]] = set()
        self._lock = ForkSafeLock()

    def why_closed(self, name: TransportName, now: float) -> str | None:
        """Return why a way is closed, or ``None`` if it is open as far as is known.

        :param name: The way.
        :param now: Seconds of the monotonic clock.
        """
        with self._lock:
            known = self._closed.get(name)
            if known is not None and known.until <= now:
                del self._closed[name]
                known = None
            return None if known is None else known.why

    def close(self, name: TransportName, why: str, now: float, seconds: float = _REMEMBER_SECONDS) -> None:
        """Remember that a way is closed.

        :param name: The way.
        :param why: What it said.
        :param now: Seconds of the monotonic clock.
        :param seconds: For how long it is remembered (default: an hour).
        """
        with self._lock:
            self._closed[name] = _Closed(why, now + seconds)

    def open(self, name: TransportName) -> None:
        """Forget that a way is closed.

        :param name: The way.
        """
        with self._lock:
            self._closed.pop(name, None)

    def is_throttled_too_often(self, now: float) -> bool:
        """Note that a call was throttled, and tell whether that has happened too often of late.

        :param now: Seconds of the monotonic clock.
        """
        with self._lock:
            self._throttled_at.append(now)
            return len(self._throttled_at) == _THROTTLED_TIMES and now - self._throttled_at[0] <= _THROTTLED_SECONDS

    def is_news(self, name: TransportName, why: str) -> bool:
        """Tell whether nobody has logged this yet.

        :param name: The way.
        :param why: The reason.
        """
        with self._lock:
            is_news = (name, why) not in self._announced
            self._announced.add((name, why))
            return is_news


class Router:
    """Sends each request the way its environment can take.

    :param iam: The way by InvokeRestApi.
    :param session: The way by web session.
    :param caller: Who calls.
    :param shared: Where it is kept what is known about the ways.
    :param choice: ``auto`` (default), ``iam`` or ``session``.
    :raises InvalidInputError: if the choice is none of these.
    """

    def __init__(
        self,
        *,
        iam: IamTransport,
        session: SessionTransport,
        caller: Caller,
        shared: Shared,
        choice: TransportChoice = "auto",
    ) -> None:
        if choice not in _CHOICES:
            raise InvalidInputError(
                [f"transport: {choice!r} is not a way to the REST API; give one of {', '.join(_CHOICES)}"]
            )
        self._iam = iam
        self._session = session
        self._caller = caller
        self._shared = shared
        self._clock: Clock = shared.clock
        self._choice = choice

    def send(self, environment: Environment, request: RestRequest) -> RestResponse:
        """Send one request.

        :param environment: The environment.
        :param request: The call.
        :raises NoWayInError: if neither way is open.
        :raises MwaaError: if the way that is open failed.
        """
        if self._choice == "session":
            return self._by_session(environment, request, "it was asked for")
        if self._choice == "iam":
            if not self._iam.is_known_to_boto3:
                raise InvalidInputError(
                    [f"transport: 'iam' is not possible: {_UNKNOWN_TO_BOTO3}; give 'auto' or 'session'"]
                )
            return self._by_iam(environment, request, "it was asked for")
        return self._by_whichever_is_open(environment, request)

    def _by_whichever_is_open(self, environment: Environment, request: RestRequest) -> RestResponse:
        way = self._way(environment)
        if not self._iam.is_known_to_boto3:
            way.close("iam", _UNKNOWN_TO_BOTO3, self._clock.monotonic())
        session_may_do = way.why_closed("session", self._clock.monotonic()) is None
        why_not_iam = way.why_closed("iam", self._clock.monotonic())
        if why_not_iam is None and session_may_do and self._pace(environment).is_too_slow:
            why_not_iam = _TOO_MANY
            way.close("iam", why_not_iam, self._clock.monotonic())
        if why_not_iam is not None:
            return self._by_session_instead(environment, request, why_not_iam)
        try:
            response = self._by_iam(environment, request, "it is the default and open")
        except (AccessDeniedError, ServiceError, ThrottledError) as error:
            if error.facts.get("is_about_credentials"):
                return self._by_open_session(environment, request, error)
            why_not_iam = self._closes_iam(way, error)
            if why_not_iam is not None and (session_may_do or why_not_iam != _TOO_MANY):
                way.close("iam", why_not_iam, self._clock.monotonic())
            elif isinstance(error, ServiceError) and error.code == "ValidationException":  # of its path, most likely
                why_not_iam = "AWS refused a call as invalid"
            else:
                raise
            return self._by_session_instead(environment, request, why_not_iam)
        if response.status in LIMITS_OF_IAM and request.effect == "read" and session_may_do:
            try:
                return self._by_session(
                    environment,
                    request,
                    f"InvokeRestApi is not open (a read hit its limit of {LIMITS_OF_IAM[response.status]})",
                )
            except (AccessDeniedError, LoginFailedError, ConnectionFailedError) as error:
                # What IAM said stands: whoever reads a list asks for less.
                way.close("session", error.message, self._clock.monotonic(), _remembered(error))
        return response

    def _by_open_session(self, environment: Environment, request: RestRequest, error: MwaaError) -> RestResponse:
        """Take a session that needs no credentials any more; nothing is learned about the ways from credentials that have ended."""
        try:
            return self._by_session(environment, request, "AWS does not accept the credentials, and a session is open")
        except AccessDeniedError:
            raise error from error.__cause__

    def _closes_iam(self, way: Way, error: MwaaError) -> str | None:
        """Return why IAM is closed from now on, or ``None`` if the error does not say so."""
        if isinstance(error, ThrottledError):
            return _TOO_MANY if way.is_throttled_too_often(self._clock.monotonic()) else None
        if isinstance(error, AccessDeniedError) or _TOO_OLD in error.message.lower():
            return error.message
        return None

    def _by_session_instead(self, environment: Environment, request: RestRequest, why_not_iam: str) -> RestResponse:
        way = self._way(environment)
        try:
            return self._by_session(environment, request, f"InvokeRestApi is not open ({why_not_iam})")
        except (AccessDeniedError, LoginFailedError, ConnectionFailedError) as error:
            if error.facts.get("may_pass"):
                raise  # trouble that passes closes no way; the call was not carried out and may be repeated
            if why_not_iam == _TOO_MANY:  # IAM is slow, but as far as is known it works
                way.close("session", error.message, self._clock.monotonic(), _remembered(error))
                way.open("iam")
                try:
                    return self._by_iam(environment, request, f"the web session is not open ({error.message})")
                except AccessDeniedError as denied:
                    why_not_iam = denied.message
            raise _no_way_in(environment, why_not_iam, error) from error

    def _by_iam(self, environment: Environment, request: RestRequest, why: str) -> RestResponse:
        pace = self._pace(environment)
        pace.take_turn()
        try:
            response = self._iam.send(environment, request)
        except ThrottledError:
            pace.slow_down()
            raise
        self._announce(environment, "iam", why)
        return response

    def _by_session(self, environment: Environment, request: RestRequest, why: str) -> RestResponse:
        response = self._session.send(environment, request)
        self._announce(environment, "session", why)
        return response

    def _announce(self, environment: Environment, name: TransportName, why: str) -> None:
        if self._way(environment).is_news(name, why):
            log.info("REST calls to environment %s go by %s: %s", environment.name, _WAY_NAMES[name], why)

    def _way(self, environment: Environment) -> Way:
        return self._shared.ways[(self._caller, environment.name)]

    def _pace(self, environment: Environment) -> Pace:
        return self._shared.paces[self._caller.place(environment.name)]


def _remembered(error: MwaaError) -> float:
    """For how long it is remembered that the session failed so, in seconds."""
    return _REMEMBER_TROUBLE_SECONDS if isinstance(error, LoginFailedError) else _REMEMBER_SECONDS


def _no_way_in(environment: Environment, why_not_iam: str, why_not_session: MwaaError) -> NoWayInError:
    arn = policy.EnvironmentArn.parse(environment.arn, environment.name)
    wanted = policy.statements(arn, "InvokeRestApi", "CreateWebLoginToken")
    return NoWayInError(
        f"No way to the REST API of environment {environment.name!r}.\n  by IAM: {why_not_iam}\n"
        f"  by web session: {why_not_session.message}\nThis statement in the caller's policy would allow both (ROLE is one of "
        f"{', '.join(policy.AIRFLOW_ROLES)}):\n{json.dumps(wanted, indent=2)}",
        environment_name=environment.name,
        attempts=(("iam", why_not_iam), ("session", why_not_session.message)),
        may_pass=bool(why_not_session.facts.get("may_pass")),
    )


_UNKNOWN_TO_BOTO3 = "this boto3 has no invoke_rest_api (botocore 1.37 and later have)"
_TOO_MANY = "more calls are made than the 10 a second it admits"
_WAY_NAMES: dict[TransportName, str] = {"iam": "IAM (InvokeRestApi)", "session": "web session"}
