"""What all calls of a client stand on: the boto3 client, the way to the REST API, and the rules for repeating."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mwaa_provider.client import error_mapping, input_checks
from mwaa_provider.client.boto_client import ca_bundle, new_boto_client, share_no_connection_with_a_child
from mwaa_provider.client.clock import Clock, Stamp, SystemClock
from mwaa_provider.client.connection_checks import (
    bare_host,
    check_proxies,
    check_verify,
    check_web_server_hosts,
    proxies_by_scheme,
)
from mwaa_provider.client.http import WebServerHttp
from mwaa_provider.client.locks import Slot
from mwaa_provider.client.models import Environment
from mwaa_provider.client.rest import AirflowRestApi
from mwaa_provider.client.retry import Retry
from mwaa_provider.client.routing import Router, TransportChoice
from mwaa_provider.client.shared import Caller, OneEach, Shared, shared_by_the_process
from mwaa_provider.client.socks import send_over_socks_if_asked
from mwaa_provider.client.tokens import CliToken, TokenCache, WebLoginToken, WebSessionKeeper
from mwaa_provider.client.transport import IamTransport, SessionTransport
from mwaa_provider.exceptions import (
    AccessDeniedError,
    InvalidInputError,
    LoginFailedError,
    MwaaError,
    NoWayInError,
)

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config

log = logging.getLogger(__name__)

#: For how long a description of an environment is believed, in seconds: an environment can be updated to another Airflow.
_BELIEVE_SECONDS = 900


@dataclass(frozen=True)
class _Described:
    environment: Environment
    at: Stamp


class ClientCore:
    """What the calls of :class:`mwaa_provider.client.mwaa.MwaaClient` share; see there for the parameters.

    :param session: A boto3 session.
    :param region_name: AWS region.
    :param endpoint_url: Another address of the MWAA API.
    :param verify: The CA bundle's path, or ``False``.
    :param proxies: Proxies by scheme.
    :param web_server_hosts: Hosts of web servers by environment name.
    :param botocore_config: Further settings of botocore.
    :param transport: The way to the REST API.
    :param boto_client: A ready boto3 client.
    :param identity: Tells callers of one process apart.
    :param clock: The clock.
    """

    def __init__(
        self,
        *,
        session: boto3.Session | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        verify: bool | str | os.PathLike[str] | None = None,
        proxies: Mapping[str, str] | None = None,
        web_server_hosts: Mapping[str, str] | None = None,
        botocore_config: Config | None = None,
        transport: TransportChoice = "auto",
        boto_client: Any = None,
        identity: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        raise_problems(
            [
                *check_verify(verify),
                *check_proxies(proxies),
                *check_web_server_hosts(web_server_hosts),
            ]
        )
        verify = os.fspath(verify) if isinstance(verify, os.PathLike) else verify
        proxies = proxies_by_scheme(proxies)
        self._shared = shared_by_the_process() if clock is None else Shared(clock)
        self._clock = clock or SystemClock()
        self._retry = Retry(self._clock)
        self._environments: OneEach[Slot[_Described]] = OneEach(Slot)
        self._hosts = {name: bare_host(host) for name, host in (web_server_hosts or {}).items()}
        if boto_client is None:
            import boto3

            session = session or boto3.Session()
        bundle = ca_bundle(verify, session)
        if boto_client is None:
            boto_client = new_boto_client(
                session,
                region_name=region_name,
                endpoint_url=endpoint_url,
                verify=verify,
                proxies=proxies,
                config=botocore_config,
            )
            identity = identity or _access_key_id(session)
        share_no_connection_with_a_child(boto_client)
        self._boto_client = boto_client
        self._caller = Caller(
            boto_client.meta.endpoint_url, boto_client.meta.region_name, identity or f"nobody else {uuid.uuid4()}"
        )
        proxies = proxies or boto_client.meta.config.proxies
        self._http = WebServerHttp(verify=bundle, proxies=proxies)
        send_over_socks_if_asked(boto_client, self._http, proxies)
        self._web_login_tokens = TokenCache(self._clock, self._new_web_login_token)
        self._cli_tokens = TokenCache(self._clock, self._new_cli_token)
        keeper = WebSessionKeeper(
            caller=self._caller,
            create_web_login_token=self._new_web_login_token,
            http=self._http,
            shared=self._shared,
            hosts=self._hosts,
            retry=self._retry,
        )
        self._session_transport = SessionTransport(http=self._http, keeper=keeper, clock=self._clock)
        self._router = Router(
            iam=IamTransport(boto_client, self._clock),
            session=self._session_transport,
            caller=self._caller,
            shared=self._shared,
            choice=transport,
        )

    def get_environment(self, environment_name: str) -> Environment:
        """Return an environment as it is now.

        IAM action: ``airflow:GetEnvironment``. https://docs.aws.amazon.com/mwaa/latest/API/API_GetEnvironment.html

        :param environment_name: The environment's name.
        :raises InvalidInputError: if this cannot be an environment's name.
        :raises EnvironmentNotFoundError: if there is none of that name in this account and region.
        """
        raise_problems(input_checks.check_environment_name(environment_name))
        found = self._retry.repeat(lambda: self._ask_aws("get_environment", environment_name))["Environment"]
        last_update = found.get("LastUpdate") or {}
        error = last_update.get("Error") or {}
        return Environment(
            name=found["Name"],
            airflow_version=found.get("AirflowVersion", ""),
            web_server_host=self._hosts.get(environment_name) or bare_host(str(found.get("WebserverUrl", ""))),
            status=found.get("Status", ""),
            arn=found.get("Arn", ""),
            last_update_status=last_update.get("Status"),
            last_update_error=": ".join(error[part] for part in ("ErrorCode", "ErrorMessage") if error.get(part))
            or None,
        )

    def _known_environment(self, environment_name: str, ask_version: Callable[[str], str] | None = None) -> Environment:
        """Return what is known of an environment; ``ask_version`` asks over there, where GetEnvironment is denied (default: by REST)."""

        def ask() -> _Described:
            asked_at = Stamp.now(self._clock)
            try:
                return _Described(self.get_environment(environment_name), asked_at)
            except AccessDeniedError as denied:
                if denied.action != "airflow:GetEnvironment" or denied.facts.get("is_about_credentials"):
                    raise
                version = self._version_in_spite_of(denied, environment_name, ask_version or self._version_by_rest)
                host = self._hosts.get(environment_name) or self._host_by_token(environment_name)
                return _Described(Environment(environment_name, version, host, status="", arn=""), asked_at)

        described, _ = self._environments[environment_name].get(
            lambda described: described.at.age(self._clock) < _BELIEVE_SECONDS, ask
        )
        return described.environment

    def _version_in_spite_of(
        self, denied: AccessDeniedError, environment_name: str, ask_version: Callable[[str], str]
    ) -> str:
        try:
            version = ask_version(environment_name)
        except MwaaError as error:  # that nobody knows whether a question was answered says nothing of the call itself
            note = f"The environment could not be asked for its version itself: {error.message}"
            raise denied.with_note(note) from error
        log.info(
            "airflow:GetEnvironment on environment %s is denied; over there it says that it is Airflow %s",
            environment_name,
            version,
        )
        return version

    def _version_by_rest(self, environment_name: str) -> str:
        # InvokeRestApi takes the same path for both lines; they log in at different places.
        later, earlier = (
            AirflowRestApi(Environment(environment_name, major, "", "", ""), self._router.send) for major in ("3", "2")
        )
        try:
            return self._retry.repeat(later.get_version)
        except (LoginFailedError, NoWayInError):
            return self._retry.repeat(earlier.get_version)

    def _host_by_token(self, environment_name: str) -> str:
        with suppress(MwaaError):
            return self._web_login_tokens.get(environment_name).web_server_host
        return ""

    def _airflow(self, environment_name: str) -> AirflowRestApi:
        return AirflowRestApi(self._known_environment(environment_name), self._router.send)

    def _new_web_login_token(self, environment_name: str) -> WebLoginToken:
        asked_at = Stamp.now(self._clock)
        answer = self._ask_aws("create_web_login_token", environment_name)
        return WebLoginToken(answer["WebServerHostname"], answer["WebToken"], asked_at)

    def _new_cli_token(self, environment_name: str) -> CliToken:
        asked_at = Stamp.now(self._clock)
        answer = self._ask_aws("create_cli_token", environment_name)
        return CliToken(answer["WebServerHostname"], answer["CliToken"], asked_at)

    def _ask_aws(self, operation: str, environment_name: str, **arguments: Any) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        if environment_name:
            arguments["Name"] = environment_name
        try:
            answer: dict[str, Any] = getattr(self._boto_client, operation)(**arguments)
        except ClientError as error:
            raise error_mapping.from_client_error(error, environment_name=environment_name) from error
        except BotoCoreError as error:
            raise error_mapping.from_botocore(error, environment_name=environment_name) from error
        return answer


def raise_problems(problems: list[str]) -> None:
    """Raise all problems of an input at once, if there are any.

    :param problems: The problems.
    :raises InvalidInputError: if there are any.
    """
    if problems:
        raise InvalidInputError(problems)


def _access_key_id(session: Any) -> str | None:
    """Return what tells this session's identity from others; it is no secret, but it is shown nowhere."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        credentials = session.get_credentials()
        return None if credentials is None else credentials.access_key
    except (BotoCoreError, ClientError):  # the first call says so, as an error of ours
        return None
