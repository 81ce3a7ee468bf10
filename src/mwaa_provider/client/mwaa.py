"""MwaaClient: what a user of MWAA holds in hand, with or without Airflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.client.assets import AssetCalls
from mwaa_provider.client.boto_client import botocore_config_that_never_resends as botocore_config_that_never_resends
from mwaa_provider.client.cli import CliCalls
from mwaa_provider.client.core import raise_problems
from mwaa_provider.client.counts import CountCalls
from mwaa_provider.client.dag_run_changes import DagRunChangeCalls
from mwaa_provider.client.dag_runs import DagRunCalls
from mwaa_provider.client.dags import DagCalls
from mwaa_provider.client.environments import EnvironmentCalls
from mwaa_provider.client.history import HistoryCalls
from mwaa_provider.client.imports import ImportCalls
from mwaa_provider.client.monitoring import MonitoringCalls
from mwaa_provider.client.rest.raw_pages import check_pages, pages_of
from mwaa_provider.client.streaming import StreamingCalls
from mwaa_provider.client.task_instances import TaskInstanceCalls
from mwaa_provider.client.transport import Effect, RestRequest, RestResponse, checked, is_read, may_be_sent_twice


class MwaaClient(
    EnvironmentCalls,
    DagCalls,
    DagRunCalls,
    DagRunChangeCalls,
    TaskInstanceCalls,
    ImportCalls,
    AssetCalls,
    MonitoringCalls,
    CliCalls,
    HistoryCalls,
    StreamingCalls,
    CountCalls,
):
    """MWAA environments and the Airflow behind them.

    Example::

        client = MwaaClient(region_name="eu-west-1")
        run = client.trigger_dag_run("production", "load_orders", conf={"day": "2026-01-31"})
        run = client.wait_for_dag_run("production", "load_orders", run.run_id, timeout=3600)

    IAM actions: ``airflow:GetEnvironment`` on the environment; ``airflow:InvokeRestApi`` or ``airflow:CreateWebLoginToken`` on
    ``arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE``; ``airflow:CreateCliToken`` on the environment for the CLI.
    https://docs.aws.amazon.com/mwaa/latest/userguide/access-mwaa-apache-airflow-rest-api.html

    :param session: A boto3 session (default: a new one, with boto3's usual search for credentials).
    :param region_name: AWS region (default: the session's, and where boto3 finds none, ``AWS_REGION``).
    :param endpoint_url: Another address of the MWAA API, for a local MWAA (default: what boto3 finds, ``AWS_ENDPOINT_URL_MWAA`` say, else
        AWS's). Before an IP address and ``localhost`` stands no ``api.`` or ``env.``, unless ``botocore_config`` asks for it.
    :param verify: The CA bundle's path, or ``False`` to trust any certificate; for AWS and the web server alike (default:
        ``AWS_CA_BUNDLE``, the profile's ``ca_bundle``, ``REQUESTS_CA_BUNDLE``, else the public CAs).
    :param proxies: Proxies by scheme, such as ``{"https": "socks5h://127.0.0.1:8080"}``; for AWS and the web server alike (default:
        those of ``botocore_config``, else of the process's environment). SOCKS needs ``requests[socks]``.
    :param web_server_hosts: Hosts to reach web servers by, by environment name, where a custom domain stands before them (default: what AWS
        says).
    :param botocore_config: Further settings of botocore. Its ``retries`` are overruled: nothing is sent twice behind the caller's back.
    :param transport: The way to the REST API: ``auto`` (default), ``iam`` or ``session``.
    :param boto_client: A ready boto3 ``mwaa`` client instead of ``session``, ``region_name``, ``endpoint_url`` and
        ``botocore_config``; make it with :func:`botocore_config_that_never_resends`.
    :param identity: Tells the callers of one process apart: clients of one identity share web sessions (default: the session's access key
        id; with ``boto_client``, nobody else's).
    :param clock: The clock to live by; with one of its own, a client shares nothing with others.
    """

    def invoke_rest_api(
        self,
        environment_name: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        is_idempotent: bool | None = None,
    ) -> RestResponse:
        """Call Airflow's REST API.

        When a call fails for a passing reason it is repeated, if that does no harm: a ``GET``, ``PUT``, ``PATCH`` or ``DELETE``, and a
        ``POST`` to a path that ends in ``/list``. Any other ``POST`` is sent once, and again only if it certainly was not carried out.

        :param environment_name: The environment's name.
        :param method: ``GET``, ``POST``, ``PUT``, ``PATCH`` or ``DELETE``.
        :param path: The path below ``/api/v1`` or ``/api/v2``, for example ``/dags``; quote what you put into it.
        :param params: Query parameters; one that is ``None`` is left out.
        :param body: The JSON body.
        :param is_idempotent: Whether the call may be sent twice (default: by method and path, as said above).
        :raises InvalidInputError: if method or path cannot be right.
        :raises RestApiError: if Airflow answered with an error.
        :raises UnknownOutcomeError: if no answer came: it may have been done.
        """
        raise_problems(_problems(environment_name, method, path, params, body))
        return self._send(environment_name, method, path, params, body, is_idempotent)

    def invoke_rest_api_pages(
        self,
        environment_name: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Iterator[RestResponse]:
        """Read any list of Airflow's REST API to its end, page by page, as the answers come.

        A page begins where the one before ended: releases give fewer rows than they were asked for. It shrinks where InvokeRestApi's limits
        of 10 seconds and 6 MB are hit. Rows that come or go meanwhile can be missed or given twice, unless the list is ordered; the calls
        for runs, tasks and the like (:meth:`list_dag_runs`, say) see to that by themselves.

        :param environment_name: The environment's name.
        :param method: ``GET``, or ``POST`` for a path that ends in ``/list``.
        :param path: The path below ``/api/v1`` or ``/api/v2``, for example ``/dags``; quote what you put into it.
        :param params: Query parameters; for a ``GET``, ``limit`` is the size of a page (default 100 rows).
        :param body: The JSON body; for a ``POST``, ``page_limit`` is the size of a page (default 100 rows).
        :raises InvalidInputError: if this cannot be a list.
        :raises UnexpectedAnswerError: if an answer has not one list and its count, ``total_entries``.
        :raises RestApiError: if Airflow answered with an error.
        """
        raise_problems(
            _problems(environment_name, method, path, params, body) or check_pages(method, path, params, body)
        )
        return pages_of(
            method,
            params or {},
            body or {},
            lambda params, body: self._send(environment_name, method, path, params, body, is_idempotent=True),
        )

    def _send(
        self,
        environment_name: str,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
        is_idempotent: bool | None,
    ) -> RestResponse:
        environment = self._known_environment(environment_name)
        effect = _effect(method, path, is_idempotent)
        # Left out, as requests does by itself: by IAM it would be a null.
        given = {name: value for name, value in (params or {}).items() if value is not None}
        request = RestRequest(method, path, given, body, effect)
        send = self._retry.once if effect == "create" else self._retry.repeat
        return send(lambda: checked(environment, request, self._router.send(environment, request)))


def _problems(environment_name: Any, method: Any, path: Any, params: Any, body: Any) -> list[str]:
    return [
        *input_checks.check_environment_name(environment_name),
        *input_checks.check_rest_call(method, path),
        *input_checks.check_fields("params", params),
        *input_checks.check_fields("body", body),
    ]


def _effect(method: str, path: str, is_idempotent: bool | None) -> Effect:
    if is_read(method, path):
        return "read"
    return "idempotent" if (may_be_sent_twice(method, path) if is_idempotent is None else is_idempotent) else "create"
