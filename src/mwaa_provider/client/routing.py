"""Which way a call takes to Airflow's REST API. The choice is made here and nowhere else.

``auto`` prefers IAM (InvokeRestApi: no login, one call) and moves an environment to the web session where IAM cannot work: boto3 does not
know the operation (before botocore 1.37, that is on MWAA 2.7.2 to 2.10.3), policy denies it, or the environment is too old for it. All of
these refuse a call before Airflow sees it, so the call is simply sent again the other way.
"""

from __future__ import annotations

import logging
from typing import Literal

from mwaa_provider.client.models import Environment
from mwaa_provider.client.transport import IamTransport, RestRequest, RestResponse, SessionTransport, Transport
from mwaa_provider.exceptions import (
    AccessDeniedError,
    InvalidInputError,
    LoginFailedError,
    MwaaError,
    NoWayInError,
    ServiceError,
)

log = logging.getLogger(__name__)

TransportChoice = Literal["auto", "iam", "session"]
_CHOICES = ("auto", "iam", "session")

#: What MWAA answers when an environment predates InvokeRestApi.
#: https://docs.aws.amazon.com/mwaa/latest/userguide/access-mwaa-apache-airflow-rest-api.html
_TOO_OLD = "update your environment to use invokerestapi"


class Router:
    """Sends each request the way its environment can take.

    :param iam: The way by InvokeRestApi.
    :param session: The way by web session.
    :param choice: ``auto`` (default), ``iam`` or ``session``.
    :raises InvalidInputError: if the choice is none of these.
    """

    def __init__(self, *, iam: IamTransport, session: SessionTransport, choice: TransportChoice = "auto") -> None:
        if choice not in _CHOICES:
            raise InvalidInputError(
                [f"transport: {choice!r} is not a way to the REST API; give one of {', '.join(_CHOICES)}"]
            )
        self._iam = iam
        self._session = session
        self._choice = choice
        #: Environments that IAM cannot reach, with what it said.
        self._without_iam: dict[str, str] = {}
        self._announced: set[str] = set()

    def send(self, environment: Environment, request: RestRequest) -> RestResponse:
        """Send one request.

        :param environment: The environment.
        :param request: The call.
        :raises NoWayInError: if neither way is open.
        :raises MwaaError: if the way that is open failed.
        """
        if self._choice == "session":
            return self._by(self._session, environment, request, "it was asked for")
        if self._choice == "iam":
            if not self._iam.is_known_to_boto3:
                raise InvalidInputError(
                    [f"transport: 'iam' is not possible: {_UNKNOWN_TO_BOTO3}; give 'auto' or 'session'"]
                )
            return self._by(self._iam, environment, request, "it was asked for")
        if not self._iam.is_known_to_boto3:
            self._without_iam.setdefault(environment.name, _UNKNOWN_TO_BOTO3)
        if environment.name not in self._without_iam:
            try:
                return self._by(self._iam, environment, request, "it is the default and open")
            except (AccessDeniedError, ServiceError) as error:
                if not _refused_for_good(error):
                    raise
                self._without_iam[environment.name] = error.message
        return self._by_session_instead(environment, request)

    def _by_session_instead(self, environment: Environment, request: RestRequest) -> RestResponse:
        why = self._without_iam[environment.name]
        try:
            return self._by(self._session, environment, request, f"InvokeRestApi is not open ({why})")
        except (AccessDeniedError, LoginFailedError) as error:
            raise NoWayInError(
                f"No way to the REST API of environment {environment.name!r}.\n  by IAM: {why}\n  by web session: {error.message}",
                environment_name=environment.name,
                attempts=(("iam", why), ("session", error.message)),
            ) from error

    def _by(self, way: Transport, environment: Environment, request: RestRequest, why: str) -> RestResponse:
        response = way.send(environment, request)
        if f"{environment.name} {way.name}" not in self._announced:
            self._announced.add(f"{environment.name} {way.name}")
            log.info("REST calls to environment %s go by %s: %s", environment.name, _WAY_NAMES[way.name], why)
        return response


_UNKNOWN_TO_BOTO3 = "this boto3 has no invoke_rest_api (botocore 1.37 and later have)"
_WAY_NAMES = {"iam": "IAM (InvokeRestApi)", "session": "web session"}


def _refused_for_good(error: MwaaError) -> bool:
    return isinstance(error, AccessDeniedError) or _TOO_OLD in error.message.lower()
