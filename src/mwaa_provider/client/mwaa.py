"""MwaaClient: what a user of MWAA holds in hand, with or without Airflow."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mwaa_provider.client import error_mapping, input_checks
from mwaa_provider.client.clock import Clock, SystemClock
from mwaa_provider.client.http import WebServerHttp
from mwaa_provider.client.models import Dag, DagRun, Environment
from mwaa_provider.client.rest import AirflowRestApi
from mwaa_provider.client.retry import Retry
from mwaa_provider.client.routing import Router, TransportChoice
from mwaa_provider.client.tokens import WebLoginToken, WebSessionKeeper
from mwaa_provider.client.transport import IamTransport, RestRequest, RestResponse, SessionTransport, checked
from mwaa_provider.client.waiting import wait_for_dag_run
from mwaa_provider.exceptions import (
    DagNotFoundError,
    InvalidInputError,
    NotFoundError,
    RestApiServerError,
    UnexpectedAnswerError,
    UnknownOutcomeError,
)

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

#: After these errors nobody knows whether a call was carried out.
_UNKNOWN_OUTCOME = (UnknownOutcomeError, RestApiServerError, UnexpectedAnswerError)


def botocore_config_that_never_resends(config: Config | None = None) -> Config:
    """Return a botocore configuration under which no call is sent twice behind our back.

    botocore's default resends a POST after a read timeout or a 5xx, and the second InvokeRestApi starts a second DAG run.

    :param config: What to keep otherwise.
    """
    from botocore.config import Config

    return (config or Config()).merge(Config(retries={"total_max_attempts": 1, "mode": "standard"}))


class MwaaClient:
    """MWAA environments and the Airflow behind them.

    Example::

        client = MwaaClient(region_name="eu-west-1")
        run = client.trigger_dag_run("production", "load_orders", conf={"day": "2026-01-31"})
        run = client.wait_for_dag_run("production", "load_orders", run.run_id, timeout=3600)

    IAM actions: ``airflow:GetEnvironment`` on the environment; ``airflow:InvokeRestApi`` or ``airflow:CreateWebLoginToken`` on
    ``arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE``.
    https://docs.aws.amazon.com/mwaa/latest/userguide/access-mwaa-apache-airflow-rest-api.html

    :param session: A boto3 session (default: a new one, with boto3's usual search for credentials).
    :param region_name: AWS region (default: the session's).
    :param endpoint_url: Another address of the MWAA API, for a local MWAA (default: AWS's).
    :param verify: The CA bundle's path, or ``False`` to trust any certificate; for AWS and the web server alike (default: trust the
        public CAs).
    :param botocore_config: Further settings of botocore; its ``proxies`` hold for the web server too. Its ``retries`` are overruled:
        nothing is sent twice behind the caller's back.
    :param transport: The way to the REST API: ``auto`` (default), ``iam`` or ``session``.
    :param boto_client: A ready boto3 ``mwaa`` client instead of all but ``verify`` and ``transport``; make it with
        :func:`botocore_config_that_never_resends`.
    :param clock: The clock to wait by.
    """

    def __init__(
        self,
        *,
        session: boto3.Session | None = None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        verify: bool | str | None = None,
        botocore_config: Config | None = None,
        transport: TransportChoice = "auto",
        boto_client: Any = None,
        clock: Clock | None = None,
    ) -> None:
        self._verify = verify
        self._clock = clock or SystemClock()
        self._retry = Retry(self._clock)
        self._environments: dict[str, Environment] = {}
        if boto_client is None:
            boto_client = self._new_boto_client(session, region_name, endpoint_url, botocore_config)
        self._boto_client = boto_client
        http = WebServerHttp(verify=verify, proxies=boto_client.meta.config.proxies)
        keeper = WebSessionKeeper(
            create_web_login_token=self._new_web_login_token, http=http, monotonic=self._clock.monotonic
        )
        self._router = Router(
            iam=IamTransport(boto_client), session=SessionTransport(http=http, keeper=keeper), choice=transport
        )

    def get_environment(self, environment_name: str) -> Environment:
        """Return an environment as it is now.

        IAM action: ``airflow:GetEnvironment``. https://docs.aws.amazon.com/mwaa/latest/API/API_GetEnvironment.html

        :param environment_name: The environment's name.
        :raises InvalidInputError: if this cannot be an environment's name.
        :raises EnvironmentNotFoundError: if there is none of that name in this account and region.
        """
        _raise_problems(input_checks.check_environment_name(environment_name))
        found = self._retry.read(lambda: self._ask_aws("get_environment", environment_name))["Environment"]
        environment = Environment(
            name=found["Name"],
            airflow_version=found["AirflowVersion"],
            web_server_host=str(found.get("WebserverUrl", "")).removeprefix("https://").rstrip("/"),
            status=found.get("Status", ""),
            arn=found.get("Arn", ""),
        )
        self._environments[environment_name] = environment
        return environment

    def create_web_login_token(self, environment_name: str) -> WebLoginToken:
        """Return a token that logs in to the web server within 60 seconds.

        IAM action: ``airflow:CreateWebLoginToken``. https://docs.aws.amazon.com/mwaa/latest/API/API_CreateWebLoginToken.html

        :param environment_name: The environment's name.
        """
        return self._retry.read(lambda: self._new_web_login_token(environment_name))

    def invoke_rest_api(
        self,
        environment_name: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> RestResponse:
        """Call Airflow's REST API: a ``GET`` is repeated when it fails for a passing reason, anything else only if it was throttled.

        :param environment_name: The environment's name.
        :param method: ``GET``, ``POST``, ``PUT``, ``PATCH`` or ``DELETE``.
        :param path: The path below ``/api/v1`` or ``/api/v2``, for example ``/dags``; quote what you put into it.
        :param params: Query parameters.
        :param body: The JSON body.
        :raises InvalidInputError: if method or path cannot be right.
        :raises RestApiError: if Airflow answered with an error.
        :raises UnknownOutcomeError: if no answer came: it may have been done.
        """
        problems = input_checks.check_environment_name(environment_name)
        if method not in _METHODS:
            problems.append(f"method: {method!r} is not allowed; give one of {', '.join(_METHODS)}")
        if not isinstance(path, str) or not path.startswith("/") or path.startswith("/api/"):
            problems.append(f"path: {path!r} is not a path below /api/v1 or /api/v2; give for example '/dags'")
        _raise_problems(problems)
        environment = self._known_environment(environment_name)
        request = RestRequest(method, path, params or {}, body)
        repeat = self._retry.read if method == "GET" else self._retry.change
        return repeat(lambda: checked(environment, request, self._router.send(environment, request)))

    def get_dag(self, environment_name: str, dag_id: str) -> Dag:
        """Return a DAG.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :raises InvalidInputError: if this cannot be a DAG's id.
        :raises DagNotFoundError: if the environment has no such DAG.
        """
        _raise_problems(input_checks.check_dag_id("dag_id", dag_id))
        airflow = self._airflow(environment_name)
        try:
            return self._retry.read(lambda: airflow.get_dag(dag_id))
        except NotFoundError as error:
            raise DagNotFoundError(
                f"Environment {environment_name!r} has no DAG {dag_id!r}. Check the id and the environment; a DAG file that was just "
                "uploaded shows after up to five minutes, and one that cannot be imported shows under import errors.",
                environment_name=environment_name,
                dag_id=dag_id,
            ) from error

    def trigger_dag_run(
        self,
        environment_name: str,
        dag_id: str,
        *,
        run_id: str | None = None,
        conf: Mapping[str, Any] | None = None,
        logical_date: datetime | None = None,
        note: str | None = None,
    ) -> DagRun:
        """Start a run of a DAG, once.

        The run always has an id that we chose. The request is carried out once; if its answer is lost, the run is looked up by that id.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id (default: ``mwaa__`` and 32 random hexadecimal digits).
        :param conf: The run's configuration, a JSON object.
        :param logical_date: The date the run is for, with time zone (default: Airflow 2 takes now, Airflow 3 takes none).
        :param note: A note on the run.
        :raises InvalidInputError: naming every problem of the arguments.
        :raises DagNotFoundError: if the environment has no such DAG.
        :raises ConflictError: if a run of that id, or on Airflow 2 of that logical date, exists.
        :raises UnknownOutcomeError: if the answer was lost and the run is not there (yet): call again with the same ``run_id``.
        """
        _raise_problems(
            [
                *input_checks.check_environment_name(environment_name),
                *input_checks.check_dag_id("dag_id", dag_id),
                *input_checks.check_run_id("run_id", run_id),
                *input_checks.check_conf("conf", conf),
                *input_checks.check_moment("logical_date", logical_date),
            ]
        )
        run_id = run_id or f"mwaa__{uuid.uuid4().hex}"
        airflow = self._airflow(environment_name)
        try:
            return self._retry.change(
                lambda: airflow.trigger_dag_run(dag_id, run_id=run_id, conf=conf, logical_date=logical_date, note=note)
            )
        except NotFoundError as error:
            raise DagNotFoundError(
                f"Environment {environment_name!r} has no DAG {dag_id!r}; no run was started.",
                environment_name=environment_name,
                dag_id=dag_id,
            ) from error
        except _UNKNOWN_OUTCOME as error:
            run = self.find_dag_run(environment_name, dag_id, run_id)
            if run is None:
                raise UnknownOutcomeError(
                    f"Nobody knows whether run {run_id!r} of DAG {dag_id!r} was started in environment {environment_name!r}: "
                    f"{error.message} It is not there yet. Ask again with the same run id: it can exist only once.",
                    environment_name=environment_name,
                    dag_id=dag_id,
                    run_id=run_id,
                ) from error
            return run

    def get_dag_run(self, environment_name: str, dag_id: str, run_id: str) -> DagRun:
        """Return a run as it is now. Like every read, it is repeated when it fails for a passing reason.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :raises NotFoundError: if there is no such run.
        """
        _raise_problems(
            [*input_checks.check_dag_id("dag_id", dag_id), *input_checks.check_existing_run_id("run_id", run_id)]
        )
        airflow = self._airflow(environment_name)
        return self._retry.read(lambda: airflow.get_dag_run(dag_id, run_id))

    def find_dag_run(self, environment_name: str, dag_id: str, run_id: str) -> DagRun | None:
        """Return a run as it is now, or ``None`` if there is no such run.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        """
        try:
            return self.get_dag_run(environment_name, dag_id, run_id)
        except NotFoundError:
            return None

    def clear_dag_run(self, environment_name: str, dag_id: str, run_id: str) -> DagRun:
        """Clear all tasks of a run, so that the same run runs again (with the ``conf`` it has).

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        """
        _raise_problems(
            [*input_checks.check_dag_id("dag_id", dag_id), *input_checks.check_existing_run_id("run_id", run_id)]
        )
        airflow = self._airflow(environment_name)
        return self._retry.change(lambda: airflow.clear_dag_run(dag_id, run_id))

    def wait_for_dag_run(
        self,
        environment_name: str,
        dag_id: str,
        run_id: str,
        *,
        poke_interval: float = 60.0,
        timeout: float | None = None,
        allowed_states: Collection[str] = ("success",),
        failed_states: Collection[str] = ("failed",),
    ) -> DagRun:
        """Wait until a run has ended, and return it.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param poke_interval: Seconds between two looks (default 60).
        :param timeout: Seconds to wait at most (default: no limit).
        :param allowed_states: States that end the wait well (default: ``success``).
        :param failed_states: States that end it with an error (default: ``failed``).
        :raises DagRunFailedError: if the run failed.
        :raises DagRunTimeoutError: if time was up; the run goes on.
        """
        _raise_problems(
            input_checks.check_wait(
                poke_interval=poke_interval, timeout=timeout, allowed_states=allowed_states, failed_states=failed_states
            )
        )
        return wait_for_dag_run(
            lambda: self.get_dag_run(environment_name, dag_id, run_id),
            environment_name=environment_name,
            poke_interval=poke_interval,
            timeout=timeout,
            allowed_states=allowed_states,
            failed_states=failed_states,
            clock=self._clock,
        )

    def _new_boto_client(
        self, session: Any, region_name: str | None, endpoint_url: str | None, botocore_config: Config | None
    ) -> Any:
        import boto3
        from botocore.exceptions import BotoCoreError

        try:
            return (session or boto3.Session()).client(
                "mwaa",
                region_name=region_name,
                endpoint_url=endpoint_url,
                verify=self._verify,
                config=botocore_config_that_never_resends(botocore_config),
            )
        except BotoCoreError as error:
            raise error_mapping.from_botocore(error, environment_name="") from error

    def _airflow(self, environment_name: str) -> AirflowRestApi:
        return AirflowRestApi(self._known_environment(environment_name), self._router.send)

    def _known_environment(self, environment_name: str) -> Environment:
        return self._environments.get(environment_name) or self.get_environment(environment_name)

    def _new_web_login_token(self, environment_name: str) -> WebLoginToken:
        answer = self._ask_aws("create_web_login_token", environment_name)
        return WebLoginToken(web_server_host=answer["WebServerHostname"], value=answer["WebToken"])

    def _ask_aws(self, operation: str, environment_name: str) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer: dict[str, Any] = getattr(self._boto_client, operation)(Name=environment_name)
        except ClientError as error:
            raise error_mapping.from_client_error(error, environment_name=environment_name) from error
        except BotoCoreError as error:
            raise error_mapping.from_botocore(error, environment_name=environment_name) from error
        return answer


def _raise_problems(problems: list[str]) -> None:
    if problems:
        raise InvalidInputError(problems)
