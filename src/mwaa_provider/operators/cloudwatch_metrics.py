"""HostMetricsOperator and EnvironmentMetricsOperator: figures of the worker, and of environments, in CloudWatch."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import InvalidInputError, MetadataDatabaseError
from mwaa_provider.metrics.model import NAMESPACE, check_namespace, check_storage_resolution
from mwaa_provider.operators.base import MwaaBaseOperator
from mwaa_provider.operators.metrics_input import Place, clients_of, read_places

if TYPE_CHECKING:
    from mwaa_provider.airflow_compat import Context
    from mwaa_provider.client.mwaa import MwaaClient
    from mwaa_provider.hooks.mwaa import MwaaHook
    from mwaa_provider.metrics.environment import Health
    from mwaa_provider.metrics.model import Measurement


class HostMetricsOperator(MwaaBaseOperator):
    """Publish how the worker is that this task runs on: memory, processors, container, disk, load, processes.

    It measures the one worker that it lands on. The plugin ``MwaaHostMetricsPlugin`` does the same on every worker that runs tasks.

    IAM action: ``cloudwatch:PutMetricData`` on ``*``.
    https://docs.aws.amazon.com/mwaa/latest/userguide/samples-custom-metrics.html

    :param environment_name: The environment's name, for the dimension ``Environment`` (default: ``AIRFLOW_ENV_NAME``, then
        ``MWAA_ENV_NAME``). (templated)
    :param namespace: The metrics' namespace (default ``MWAACustom``, as in the AWS guide). (templated)
    :param categories: Only these categories, such as ``["container", "tmp"]`` (default: all).
    :param storage_resolution: 60 (default), or 1 for values that CloudWatch keeps by the second, which cost more.
    :param aws_conn_id: The Airflow connection to AWS (default ``aws_default``); ``None`` for the worker's own role. (templated)
    :param region_name: AWS region of the metrics (default: the connection's). (templated)
    :param verify: The CA bundle's path, or ``False`` to trust any certificate (default: the connection's). (templated)
    :param botocore_config: Settings of botocore as a dict (default: the connection's).
    :raises InvalidInputError: naming every problem of the arguments, or if nobody tells the environment's name. Nothing was sent.
    :raises MetricsNotPublishedError: if CloudWatch did not take them.
    """

    template_fields: Sequence[str] = (*MwaaBaseOperator.template_fields, "namespace")

    def __init__(
        self,
        *,
        environment_name: str | None = None,
        namespace: str = NAMESPACE,
        categories: Collection[str] | None = None,
        storage_resolution: int = 60,
        **kwargs: Any,
    ) -> None:
        super().__init__(environment_name=environment_name or "", **kwargs)
        self.namespace = namespace
        self.categories = categories
        self.storage_resolution = storage_resolution

    def execute(self, context: Context) -> dict[str, Any]:
        """Measure for a second, publish, and give back the values by name."""
        from mwaa_provider.metrics.host import CATEGORIES, HostSampler
        from mwaa_provider.metrics.naming import environment_name_of

        problems = [*check_namespace(self.namespace), *check_storage_resolution(self.storage_resolution)]
        problems += [
            problem
            for one in self.categories or ()
            for problem in input_checks.check_one_of("categories", one, CATEGORIES)
        ]
        if problems:
            raise InvalidInputError(problems)
        environment_name = environment_name_of(self.environment_name)
        measurements = HostSampler(environment_name, categories=self.categories).sample()
        publisher = self.hook.metric_publisher(namespace=self.namespace, storage_resolution=self.storage_resolution)
        published = publisher.publish(measurements)
        host = measurements[0].dimensions["Host"]
        self.log.info("Published %d metrics of host %s in %d calls", published.series, host, published.calls)
        return {
            "environment_name": environment_name,
            "host": host,
            "metrics": {one.name: one.value for one in measurements},
        }


class EnvironmentMetricsOperator(MwaaBaseOperator):
    """Publish how environments are: status, health and heartbeats, DAGs, runs and tasks by state, the oldest queued task, pools.

    Many environments are looked at side by side. One that cannot be looked at is a metric (``environment_check_failed``) and a line in the
    log; the others are published all the same. It maps: ``.partial(...).expand(environment_name=[...])``.

    Of the environment that this task runs in, figures of the metadata database are published too, where the task can read it.

    IAM actions: ``airflow:GetEnvironment`` on the environments; ``airflow:InvokeRestApi`` or ``airflow:CreateWebLoginToken`` on
    ``arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE``; ``cloudwatch:PutMetricData`` on ``*``, for the role of ``cloudwatch_conn_id``.

    :param environment_name: The environment's name. (templated)
    :param environments: Many environments in place of one: names, or dicts with ``environment_name`` and, where they differ from this
        operator's, ``aws_conn_id`` and ``region_name``. (templated)
    :param cloudwatch_conn_id: The Airflow connection to publish by (default ``aws_default``); ``None`` for the worker's own role.
        (templated)
    :param cloudwatch_region_name: AWS region of the metrics (default: that connection's). (templated)
    :param namespace: The metrics' namespace (default ``MWAACustom``). (templated)
    :param storage_resolution: 60 (default), or 1 for values that CloudWatch keeps by the second, which cost more.
    :param with_database: Whether to read the metadata database, if one of the environments is this one: ``None`` (default), where it can be
        read; ``True``, a failure to read it is one of the environment; ``False``, never.
    :param aws_conn_id: The Airflow connection to reach the environments by (default ``aws_default``); ``None`` for the worker's own role.
        (templated)
    :param region_name: AWS region of the environments (default: the connection's). (templated)
    :param verify: The CA bundle's path, or ``False`` to trust any certificate (default: the connection's). (templated)
    :param botocore_config: Settings of botocore as a dict (default: the connection's).
    :raises InvalidInputError: naming every problem of the arguments. Nothing was sent.
    :raises MetricsNotPublishedError: if CloudWatch did not take them.
    """

    template_fields: Sequence[str] = (
        *MwaaBaseOperator.template_fields,
        "environments",
        "cloudwatch_conn_id",
        "cloudwatch_region_name",
        "namespace",
    )

    def __init__(
        self,
        *,
        environment_name: str | None = None,
        environments: Sequence[str | Mapping[str, Any]] | None = None,
        cloudwatch_conn_id: str | None = "aws_default",
        cloudwatch_region_name: str | None = None,
        namespace: str = NAMESPACE,
        storage_resolution: int = 60,
        with_database: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(environment_name=environment_name or "", **kwargs)
        self.environments = environments
        self.cloudwatch_conn_id = cloudwatch_conn_id
        self.cloudwatch_region_name = cloudwatch_region_name
        self.namespace = namespace
        self.storage_resolution = storage_resolution
        self.with_database = with_database

    @cached_property
    def cloudwatch_hook(self) -> MwaaHook:
        """The way to CloudWatch."""
        from mwaa_provider.hooks.mwaa import MwaaHook

        return MwaaHook(
            aws_conn_id=self.cloudwatch_conn_id, region_name=self.cloudwatch_region_name, verify=self.verify
        )

    def execute(self, context: Context) -> dict[str, Any]:
        """Look at every environment, publish what was found out, and give back how each of them is."""
        from mwaa_provider.metrics.fleet import side_by_side

        places = self._checked_places()
        clients = clients_of(places)
        healths = side_by_side(lambda place: _look_at(clients[place.way], place.environment_name), places)
        looked = [self._measured(health) for health in healths]
        measurements = [one for _, found in looked for one in found]
        publisher = self.cloudwatch_hook.metric_publisher(
            namespace=self.namespace, storage_resolution=self.storage_resolution
        )
        published = publisher.publish(measurements)
        self.log.info(
            "Published %d metrics of %d environments in %d calls", published.series, len(places), published.calls
        )
        return {
            "environments": [_told(health) for health, _ in looked],
            "metrics": published.series,
            "calls": published.calls,
        }

    def _checked_places(self) -> list[Place]:
        places, problems = read_places(self.environment_name, self.environments, self.way)
        problems += [*check_namespace(self.namespace), *check_storage_resolution(self.storage_resolution)]
        problems += input_checks.check_one_of("with_database", self.with_database, (None, True, False))
        if problems:
            raise InvalidInputError(problems)
        return places

    def _measured(self, health: Health) -> tuple[Health, list[Measurement]]:
        from mwaa_provider.metrics.environment import environment_measurements

        health, of_database = self._with_database(health)
        for problem in health.errors:
            self.log.warning("Environment %s could not be looked at in full: %s", health.environment_name, problem)
        return health, [*environment_measurements(health), *of_database]

    def _with_database(self, health: Health) -> tuple[Health, list[Measurement]]:
        """Read the metadata database too, if it is this environment's and is to be read."""
        from mwaa_provider.metrics.database import database_measurements
        from mwaa_provider.operators.own_database import is_own, read_own_database

        if self.with_database is False or not is_own(health.environment_name):
            return health, []
        try:
            figures = read_own_database()
        except MetadataDatabaseError as error:
            if self.with_database:
                return replace(health, errors=(*health.errors, error)), []
            self.log.info("The metadata database is not read: %s", error)
            return health, []
        return health, database_measurements(health.environment_name, health.at, figures)


def _look_at(client: MwaaClient | Exception, environment_name: str) -> Health:
    from mwaa_provider.metrics.environment import failed_look, look_at

    try:
        if isinstance(client, Exception):
            raise client
        return look_at(client, environment_name)
    except Exception as error:  # one environment is not the end of the rest
        return failed_look(environment_name, error)


def _told(health: Health) -> dict[str, Any]:
    return {
        "environment_name": health.environment_name,
        "status": health.status,
        "airflow_version": health.airflow_version,
        "is_well": health.is_well,
        "errors": [str(error) for error in health.errors],
    }
