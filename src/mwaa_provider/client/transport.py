"""One protocol, two ways to Airflow's REST API: IAM (InvokeRestApi) and the web session.

Both ways give back the same :class:`RestResponse` for the same question, errors of Airflow included; what a status means is decided
once, in :mod:`mwaa_provider.client.airflow_answer`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from mwaa_provider.client import error_mapping
from mwaa_provider.client.clock import Clock
from mwaa_provider.client.http import WebServerHttp
from mwaa_provider.client.models import Environment
from mwaa_provider.client.time_limit import TimeLimit
from mwaa_provider.client.tokens import WebSession, WebSessionKeeper
from mwaa_provider.exceptions import LoginFailedError

TransportName = Literal["iam", "session"]

#: ``read`` changes nothing, ``idempotent`` does the same when done twice, ``create`` must be done once.
Effect = Literal["read", "idempotent", "create"]

#: Seconds to wait for an answer of the web server. InvokeRestApi gives up after 10; the web session has no limit of its own.
ANSWER_SECONDS = 60

#: A session younger than this, in seconds, has not been forgotten: an answer of 403 is about the Airflow role.
_FRESH_SECONDS = 60
#: At most this often one call is sent over different sessions; other threads may have renewed some of them.
_SENDINGS = 4
#: So much longer than a call's limit its connection waits: who waits for the call says first, and better, that time is up.
_GRACE_SECONDS = 1.0


def is_read(method: str, path: str) -> bool:
    """Tell whether a call changes nothing: a ``GET``, or a ``POST`` with filters to a path that ends in ``/list``.

    :param method: The method.
    :param path: The path.
    """
    return method == "GET" or (method == "POST" and path.endswith("/list"))


def may_be_sent_twice(method: str, path: str) -> bool:
    """Tell whether a call does no harm when it is done twice, as far as method and path tell.

    :param method: The method.
    :param path: The path.
    """
    return method != "POST" or is_read(method, path)


@dataclass(frozen=True)
class RestRequest:
    """One call of Airflow's REST API.

    :param method: ``GET``, ``POST``, ``PATCH``, ``PUT`` or ``DELETE``.
    :param path: The path below ``/api/v1`` or ``/api/v2``, quoted, beginning with ``/``.
    :param params: Query parameters.
    :param body: The JSON body; ``None`` for none.
    :param effect: What becomes of it when it is sent twice (default ``create``, the careful one).
    :param limit: The time it has (default: what the way gives it).
    """

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    effect: Effect = "create"
    limit: TimeLimit | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class RestResponse:
    """What Airflow answered.

    :param status: The HTTP status of Airflow's own answer.
    :param body: The parsed JSON; ``None`` for an empty answer.
    :param transport: The way it came.
    :param is_json: Whether the answer was JSON (or empty). If not, ``body`` holds the first characters as text.
    :param size: Its size in bytes, as it came over the wire.
    :param seconds: How long it took.
    :param retry_after: After how many seconds the server wants to be asked again, if it said so.
    """

    status: int
    body: Any = field(repr=False)
    transport: TransportName
    is_json: bool = True
    size: int = 0
    seconds: float = 0.0
    retry_after: float | None = None


class Transport(Protocol):
    """A way to Airflow's REST API."""

    name: TransportName

    def send(self, environment: Environment, request: RestRequest) -> RestResponse:
        """Send one request, once.

        :param environment: The environment.
        :param request: The call.
        :raises MwaaError: if no answer of Airflow came back.
        """


class IamTransport:
    """InvokeRestApi: SigV4, 10 calls a second, 10 seconds, 6 MB.

    IAM action: ``airflow:InvokeRestApi`` on ``arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE``.
    https://docs.aws.amazon.com/mwaa/latest/API/API_InvokeRestApi.html

    :param boto_client: A boto3 ``mwaa`` client that retries nothing by itself.
    :param clock: The clock.
    """

    name: TransportName = "iam"

    def __init__(self, boto_client: Any, clock: Clock) -> None:
        self._boto_client = boto_client
        self._clock = clock

    @property
    def is_known_to_boto3(self) -> bool:
        """Whether this boto3 has the operation (botocore 1.37 and later have)."""
        return hasattr(self._boto_client, "invoke_rest_api")

    def send(self, environment: Environment, request: RestRequest) -> RestResponse:
        """Send one request through InvokeRestApi.

        :param environment: The environment.
        :param request: The call.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        arguments: dict[str, Any] = {"Name": environment.name, "Path": request.path, "Method": request.method}
        if request.params:
            arguments["QueryParameters"] = dict(request.params)
        if request.body is not None:
            arguments["Body"] = dict(request.body)
        facts = {"environment_name": environment.name, "method": request.method, "path": request.path}
        if request.limit is not None:
            request.limit.begin()
        began = self._clock.monotonic()
        try:
            answer = self._boto_client.invoke_rest_api(**arguments)
        except ClientError as error:
            if "RestApiStatusCode" not in error.response:
                raise error_mapping.from_client_error(error, **facts) from error
            answer = error.response  # Airflow's own answer, wrapped by AWS as an error of the call
        except BotoCoreError as error:
            raise error_mapping.from_botocore(error, **facts) from error
        headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        status, body = answer["RestApiStatusCode"], answer.get("RestApiResponse")
        is_page = isinstance(body, str) and status >= 400  # InvokeRestApi hands on an HTML error page as a text
        return RestResponse(
            status,
            body[:500] if is_page else body,
            self.name,
            is_json=not is_page,
            size=int(headers.get("content-length") or len(json.dumps(body))),
            seconds=self._clock.monotonic() - began,
            retry_after=error_mapping.retry_after_of(headers),
        )


class SessionTransport:
    """The web session: HTTPS to the environment's own web server, without InvokeRestApi's limits.

    IAM action: ``airflow:CreateWebLoginToken`` on ``arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE``.

    :param http: What to send with.
    :param keeper: Keeps the web sessions.
    :param clock: The clock.
    """

    name: TransportName = "session"

    def __init__(self, *, http: WebServerHttp, keeper: WebSessionKeeper, clock: Clock) -> None:
        self._http = http
        self._keeper = keeper
        self._clock = clock

    def send(self, environment: Environment, request: RestRequest) -> RestResponse:
        """Send one request over the web session, logging in first if need be, and once more if the session has ended early.

        A request that is refused for its session was not carried out, so sending it again doubles nothing.

        :param environment: The environment.
        :param request: The call.
        """
        session, opened_here = self._keeper.session(environment), False
        response = self._send_once(environment, session, request)
        for _ in range(_SENDINGS - 1):
            if opened_here or not self._has_ended(session, response):
                break
            session, opened_here = self._keeper.renewed(environment, session, f"HTTP {response.status}")
            response = self._send_once(environment, session, request)
        if response.status != 403 and self._has_ended(session, response):
            raise LoginFailedError(
                f"The web server of environment {environment.name!r} refuses the sessions that it has just given (HTTP {response.status}: "
                f"{error_mapping.detail_of(response.body)}). Nothing was done. If this lasts, its web server is in trouble: see its log.",
                environment_name=environment.name,
                host=session.host,
                status=response.status,
                may_pass=True,
            )
        return response

    def _has_ended(self, session: WebSession, response: RestResponse) -> bool:
        if response.status == 403:
            # Airflow 3 answers 403 to a token it does not know, and to a role that may not; a forbidden call must not log in each time.
            return self._keeper.age(session) >= _FRESH_SECONDS or "token" in str(response.body).lower()
        return response.status in (401, 302, 303, 307)  # a redirect leads to the sign-in page

    def _send_once(self, environment: Environment, session: WebSession, request: RestRequest) -> RestResponse:
        import requests

        timeout: float | tuple[float, float] = ANSWER_SECONDS
        if request.limit is not None:
            left = request.limit.begin()
            timeout = (left, left + _GRACE_SECONDS)
        began = self._clock.monotonic()
        try:
            response = self._http.send(
                request.method,
                session.base_url + request.path,
                params=dict(request.params) or None,
                json=None if request.body is None else dict(request.body),
                headers={**session.headers, "Accept": "application/json"},
                timeout=timeout,
            )
        except requests.RequestException as error:
            raise error_mapping.from_requests(
                error,
                environment_name=environment.name,
                host=session.host,
                method=request.method,
                path=request.path,
            ) from None  # the requests error carries the headers, and with them the session
        body, is_json = _parsed(response)
        return RestResponse(
            response.status_code,
            body,
            self.name,
            is_json=is_json,
            size=len(response.content),
            seconds=self._clock.monotonic() - began,
            retry_after=error_mapping.retry_after_of(response.headers),
        )


def _parsed(response: Any) -> tuple[Any, bool]:
    if not response.content:
        return None, True
    try:
        return json.loads(response.content), True
    except ValueError:
        return response.text[:500], False


def checked(environment: Environment, request: RestRequest, response: RestResponse) -> RestResponse:
    """Return the response if Airflow did what was asked.

    :param environment: The environment.
    :param request: The call.
    :param response: Its answer.
    :raises RestApiError: if it did not, in its most telling form.
    :raises ThrottledError: if Airflow's web server was asked too often.
    """
    error = error_mapping.from_answer(
        environment_name=environment.name,
        method=request.method,
        path=request.path,
        status=response.status,
        body=response.body,
        is_json=response.is_json,
        by_iam=response.transport == "iam",
        retry_after=response.retry_after,
    )
    if error is not None:
        raise error
    return response
