"""MwaaHook: an Airflow connection becomes an MwaaClient."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from botocore.exceptions import NoRegionError

from mwaa_provider.client import error_mapping
from mwaa_provider.client.boto_client import (
    botocore_config_that_never_resends,
    put_no_prefix_before_an_address,
    region_of_the_environment,
)
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.client.routing import TransportChoice
from mwaa_provider.metrics.cloudwatch import new_cloudwatch_client
from mwaa_provider.metrics.model import NAMESPACE
from mwaa_provider.metrics.publishing import MetricPublisher
from mwaa_provider.metrics.reader import MwaaMetricsReader


class MwaaHook(AwsBaseHook):
    """Reach MWAA environments with an AWS connection of Airflow.

    The connection's region, role (across accounts too), ``endpoint_url``, ``verify`` and ``config_kwargs`` (``proxies`` among them) are
    honoured, for AWS and for the web server. Hooks of one identity in one process share web sessions.

    IAM actions: see :class:`mwaa_provider.client.mwaa.MwaaClient`.
    https://airflow.apache.org/docs/apache-airflow-providers-amazon/stable/connections/aws.html

    :param aws_conn_id: The Airflow connection to AWS (default ``aws_default``); ``None`` for the process's own credentials.
    :param region_name: AWS region of the environments (default: the connection's, and where boto3 finds none, ``AWS_REGION``).
    :param verify: The CA bundle's path, or ``False`` to trust any certificate (default: the connection's, else as for ``MwaaClient``).
    :param botocore_config: Settings of botocore, as its ``Config`` or a dict of its arguments (default: the connection's).
    :param transport: The way to the REST API: ``auto`` (default), ``iam`` or ``session``.
    :param web_server_hosts: Hosts to reach web servers by, by environment name, where a custom domain stands before them (default: what
        AWS says).
    """

    def __init__(
        self,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: Any = None,
        transport: TransportChoice = "auto",
        web_server_hosts: Mapping[str, str] | None = None,
    ) -> None:
        if isinstance(botocore_config, dict):  # amazon 8.7.1 (MWAA 2.7.2) takes only a Config
            from botocore.config import Config

            botocore_config = Config(**botocore_config)
        super().__init__(
            aws_conn_id=aws_conn_id, client_type="mwaa", region_name=region_name, verify=verify, config=botocore_config
        )
        self._transport: TransportChoice = transport
        self._web_server_hosts = web_server_hosts

    @cached_property
    def client(self) -> MwaaClient:
        """The client for this connection."""
        boto_client = self._boto_client()
        credentials = self.get_credentials(region_name=boto_client.meta.region_name)
        return MwaaClient(
            boto_client=boto_client,
            identity=None if credentials is None else credentials.access_key,
            verify=self.verify,
            web_server_hosts=self._web_server_hosts,
            transport=self._transport,
        )

    @cached_property
    def cloudwatch(self) -> Any:
        """A boto3 ``cloudwatch`` client for this connection; its ``service_config`` may name another address of CloudWatch."""
        service = self.conn_config.get_service_config("cloudwatch")
        return new_cloudwatch_client(
            self.get_session(region_name=self.region_name),
            region_name=self.region_name,
            endpoint_url=service.get("endpoint_url", self.conn_config.endpoint_url),
            verify=self.verify,
            config=self.config,
        )

    def metrics_reader(self, environment_name: str, *, airflow_version: str | None = None) -> MwaaMetricsReader:
        """Return a reader of the metrics that MWAA publishes of an environment.

        :param environment_name: The environment's name.
        :param airflow_version: Its Airflow release, so that metrics that it does not have are errors (default: not checked).
        """
        return MwaaMetricsReader(self.cloudwatch, environment_name, airflow_version=airflow_version)

    def metric_publisher(self, *, namespace: str = NAMESPACE, storage_resolution: int = 60) -> MetricPublisher:
        """Return a publisher of metrics of one's own.

        :param namespace: The metrics' namespace (default ``MWAACustom``).
        :param storage_resolution: 60 (default), or 1 for values that are to be kept by the second.
        """
        return MetricPublisher(self.cloudwatch, namespace=namespace, storage_resolution=storage_resolution)

    def _boto_client(self) -> Any:
        config = botocore_config_that_never_resends(self.config)
        try:
            boto_client = self.get_client_type(region_name=self.region_name, config=config)
        except NoRegionError as error:
            region_name = region_of_the_environment()
            if region_name is None:
                raise error_mapping.from_botocore(error, environment_name="") from error
            boto_client = self.get_client_type(region_name=region_name, config=config)
        put_no_prefix_before_an_address(boto_client, self.config)
        return boto_client
