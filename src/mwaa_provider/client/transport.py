"""One protocol, two ways to Airflow's REST API: IAM (InvokeRestApi) and the web session.

Both ways give back the same :class:`RestResponse` for the same question, errors of Airflow included; what a status means is decided
once, in :mod:`mwaa_provider.client.error_mapping`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from mwaa_provider.client import error_mapping
from mwaa_provider.client.http import WebServerHttp
from mwaa_provider.client.models import Environment
from mwaa_provider.client.tokens import WebSession, WebSessionKeeper
from mwaa_provider.exceptions import RestApiError

TransportName = Literal["iam", "session"]

#: Seconds to wait for an answer of the web server. InvokeRestApi gives up after 10; the web session has no limit of its own.
ANSWER_SECONDS = 60


@dataclass(frozen=True)
class RestRequest:
    """One call of Airflow's REST API.

    :param method: ``GET``, ``POST``, ``PATCH``, ``PUT`` or ``DELETE``.
    :param path: The path below ``/api/v1`` or ``/api/v2``, quoted, beginning with ``/``.
    :param params: Query parameters.
    :param body: The JSON body; ``None`` for none.
    """

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class RestResponse:
    """What Airflow answered.

    :param status: The HTTP status of Airflow's own answer.
    :param body: The parsed JSON; ``None`` for an empty answer.
    :param transport: The way it came.
    :param is_json: Whether the answer was JSON (or empty). If not, ``body`` holds the first characters as text.
    """

    status: int
    body: Any = field(repr=False)
    transport: TransportName
    is_json: bool = True


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
    """

    name: TransportName = "iam"

    def __init__(self, boto_client: Any) -> None:
        self._boto_client = boto_client

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
        try:
            answer = self._boto_client.invoke_rest_api(**arguments)
        except ClientError as error:
            if "RestApiStatusCode" in error.response:  # Airflow's own answer, wrapped by AWS as an error of the call
                answer = error.response
            else:
                raise error_mapping.from_client_error(
                    error, environment_name=environment.name, method=request.method, path=request.path
                ) from error
        except BotoCoreError as error:
            raise error_mapping.from_botocore(
                error, environment_name=environment.name, method=request.method, path=request.path
            ) from error
        return _response(answer["RestApiStatusCode"], answer.get("RestApiResponse"), self.name)


class SessionTransport:
    """The web session: HTTPS to the environment's own web server, without InvokeRestApi's limits.

    IAM action: ``airflow:CreateWebLoginToken`` on ``arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE``.

    :param http: What to send with.
    :param keeper: Keeps the web sessions.
    """

    name: TransportName = "session"

    def __init__(self, *, http: WebServerHttp, keeper: WebSessionKeeper) -> None:
        self._http = http
        self._keeper = keeper

    def send(self, environment: Environment, request: RestRequest) -> RestResponse:
        """Send one request over the web session, logging in first if need be, and once more if the session has ended early.

        :param environment: The environment.
        :param request: The call.
        """
        session = self._keeper.session(environment)
        response = self._send_once(environment, session, request)
        if response.status_code == 401:  # refused before Airflow acted on it, so sending again doubles nothing
            self._keeper.forget(environment, session)
            response = self._send_once(environment, self._keeper.session(environment), request)
        text = response.text
        try:
            body = json.loads(text) if text else None
        except ValueError:
            return RestResponse(response.status_code, text[:500], self.name, is_json=False)
        return _response(response.status_code, body, self.name)

    def _send_once(self, environment: Environment, session: WebSession, request: RestRequest) -> Any:
        import requests

        try:
            return self._http.send(
                request.method,
                session.base_url + request.path,
                params=dict(request.params) or None,
                json=None if request.body is None else dict(request.body),
                headers={**session.headers, "Accept": "application/json"},
                timeout=ANSWER_SECONDS,
            )
        except requests.RequestException as error:
            raise error_mapping.from_requests(
                error,
                environment_name=environment.name,
                host=environment.web_server_host,
                method=request.method,
                path=request.path,
            ) from None  # the requests error carries the headers, and with them the session


def _response(status: int, body: Any, transport: TransportName) -> RestResponse:
    if isinstance(body, str) and status >= 400:  # InvokeRestApi hands on an HTML error page as a text
        return RestResponse(status, body[:500], transport, is_json=False)
    return RestResponse(status, body, transport)


def checked(environment: Environment, request: RestRequest, response: RestResponse) -> RestResponse:
    """Return the response if Airflow did what was asked.

    :param environment: The environment.
    :param request: The call.
    :param response: Its answer.
    :raises RestApiError: if it did not, in its most telling form.
    """
    error: RestApiError | None = error_mapping.from_answer(
        environment_name=environment.name,
        method=request.method,
        path=request.path,
        status=response.status,
        body=response.body,
        is_json=response.is_json,
    )
    if error is not None:
        raise error
    return response
