"""Reads back what MWAA tells CloudWatch of an environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.client.clock import Clock, SystemClock
from mwaa_provider.client.retry import Retry
from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metrics.aws_metrics import SERVICE, find_metric
from mwaa_provider.metrics.cloudwatch import ask_cloudwatch

STATISTICS = ("Average", "Sum", "Minimum", "Maximum", "SampleCount")
_AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Point:
    """One value of a series.

    :param at: The beginning of the period it is of.
    :param value: The value.
    """

    at: datetime
    value: float


@dataclass(frozen=True)
class Series:
    """What a metric was in a stretch of time.

    :param name: The metric's name.
    :param namespace: Its namespace.
    :param dimensions: Its dimensions, ``Environment`` among them.
    :param unit: The unit of its values; ``Count`` for the statistic ``SampleCount``.
    :param statistic: Which statistic of each period.
    :param period: The length of a period in seconds.
    :param points: Its values, the oldest first; a period without one is missing.
    """

    name: str
    namespace: str
    dimensions: Mapping[str, str]
    unit: str
    statistic: str
    period: int
    points: tuple[Point, ...]

    @property
    def latest(self) -> float | None:
        """The last value, ``None`` if there is none."""
        return self.points[-1].value if self.points else None


class MwaaMetricsReader:
    """The metrics that MWAA publishes of an environment, by name.

    Example::

        reader = MwaaHook().metrics_reader("production")
        reader.read("QueuedTasks").latest
        reader.read("CPUUtilization", dimensions={"Cluster": "BaseWorker"}, statistic="Maximum")
        reader.additional_workers().latest

    IAM action: ``cloudwatch:GetMetricData`` on ``*``.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html

    :param boto_client: A boto3 ``cloudwatch`` client of the environment's account and region.
    :param environment_name: The environment's name.
    :param airflow_version: Its Airflow release: then a metric that it does not have is an error, and not an empty series (default: not
        checked).
    :param clock: The clock.
    :raises InvalidInputError: if it cannot be the name of an environment.
    """

    def __init__(
        self,
        boto_client: Any,
        environment_name: str,
        *,
        airflow_version: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        if problems := input_checks.check_environment_name(environment_name):
            raise InvalidInputError(problems)
        self._boto_client = boto_client
        self._environment_name = environment_name
        self._airflow_version = airflow_version
        self._clock = clock or SystemClock()
        self._retry = Retry(self._clock)

    def read(
        self,
        name: str,
        *,
        dimensions: Mapping[str, str] | None = None,
        namespace: str | None = None,
        statistic: str | None = None,
        period: int = 60,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Series:
        """Return a metric's values.

        :param name: Its name in CloudWatch, ``SchedulerHeartbeat`` for example.
        :param dimensions: Values of the dimensions that the metric leaves open, such as ``{"Pool": "default_pool"}`` (default: none).
        :param namespace: ``AmazonMWAA`` or ``AWS/MWAA`` (default: whichever has it, Airflow's before the service's).
        :param statistic: ``Average``, ``Sum``, ``Minimum``, ``Maximum`` or ``SampleCount`` (default: ``Sum`` of what counts,
            else ``Average``).
        :param period: Seconds of each value, a multiple of 60 (default 60).
        :param since: From when on, with time zone (default: an hour before the end).
        :param until: Until when, with time zone (default: now).
        :raises InvalidInputError: naming every problem of the arguments, or if the environment's release does not have the metric.
        """
        metric = find_metric(name, namespace=namespace, dimensions=dimensions)
        statistic = statistic or metric.usual_statistic
        until = until or datetime.fromtimestamp(self._clock.time(), timezone.utc)
        since = since or until - _AN_HOUR if until.tzinfo else since
        problems = [
            *input_checks.check_one_of("statistic", statistic, STATISTICS),
            *input_checks.check_moment("since", since),
            *input_checks.check_moment("until", until),
        ]
        if not isinstance(period, int) or isinstance(period, bool) or period <= 0 or period % 60:
            problems.append(f"period: {period!r} is not one; give a multiple of 60 seconds")
        if self._airflow_version is not None and not metric.exists_in(self._airflow_version):
            problems.append(
                f"metric: Airflow {self._airflow_version} has no {name}; releases that have it: {metric.releases}"
            )
        if not problems and since is not None and since >= until:
            problems.append(f"since: {since.isoformat()} is not before {until.isoformat()}")
        if problems or since is None:
            raise InvalidInputError(problems)
        dimensions = {**metric.fixed, **(dimensions or {}), "Environment": self._environment_name}
        asked = {
            "Metric": {
                "Namespace": metric.namespace,
                "MetricName": name,
                "Dimensions": [{"Name": one, "Value": value} for one, value in dimensions.items()],
            },
            "Period": period,
            "Stat": statistic,
        }
        points = self._points(asked, *_aligned(since, until, period))
        unit = "Count" if statistic == "SampleCount" else metric.unit
        return Series(name, metric.namespace, dimensions, unit, statistic, period, points)

    def additional_workers(self, **limits: Any) -> Series:
        """Return how many additional workers there were, minute by minute: as the guide counts them, by samples of their CPU use.

        :param limits: ``since`` and ``until``, as for :meth:`read`.
        """
        return self._samples("AdditionalWorker", limits)

    def additional_web_servers(self, **limits: Any) -> Series:
        """Return how many additional web servers there were, minute by minute.

        :param limits: ``since`` and ``until``, as for :meth:`read`.
        """
        return self._samples("AdditionalWebservers", limits)

    def _samples(self, cluster: str, limits: Mapping[str, Any]) -> Series:
        return self.read(
            "CPUUtilization",
            namespace=SERVICE,
            dimensions={"Cluster": cluster},
            statistic="SampleCount",
            period=60,
            **limits,
        )

    def _points(self, asked: dict[str, Any], since: datetime, until: datetime) -> tuple[Point, ...]:
        question: dict[str, Any] = {
            "MetricDataQueries": [{"Id": "asked", "MetricStat": asked, "ReturnData": True}],
            "StartTime": since,
            "EndTime": until,
            "ScanBy": "TimestampAscending",
        }
        points: list[Point] = []
        while True:
            answer = self._retry.repeat(lambda: ask_cloudwatch(self._boto_client, "get_metric_data", **question))
            for result in answer["MetricDataResults"]:
                points += [Point(at, value) for at, value in zip(result["Timestamps"], result["Values"], strict=True)]
            if not answer.get("NextToken"):
                return tuple(sorted(points, key=lambda point: point.at))
            question["NextToken"] = answer["NextToken"]


def _aligned(since: datetime, until: datetime, period: int) -> tuple[datetime, datetime]:
    """Return whole periods: CloudWatch answers in them, and faster where it is asked in them."""
    first = since.timestamp() // period * period
    last = -(-until.timestamp() // period) * period
    return datetime.fromtimestamp(first, timezone.utc), datetime.fromtimestamp(last, timezone.utc)
