"""The table of MWAA's own metrics, and what is read by it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone

import pytest

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metrics.aws_metrics import AIRFLOW, AWS_METRICS, SERVICE, find_metric
from mwaa_provider.metrics.model import UNITS
from mwaa_provider.metrics.reader import MwaaMetricsReader, Point
from tests.support.cloudwatch import CloudWatch

NOW = datetime.now(timezone.utc).replace(second=0, microsecond=0)


def put(cloud: CloudWatch, namespace: str, name: str, values: list[float], **dimensions: str) -> None:
    """What MWAA has told CloudWatch: a value a minute, the last a minute ago; no namespace of AWS's own is closed to it."""
    cloud.client().put_metric_data(
        Namespace=namespace,
        MetricData=[
            {
                "MetricName": name,
                "Value": value,
                "Timestamp": NOW - timedelta(minutes=len(values) - number),
                "Dimensions": [{"Name": key.replace("_", " "), "Value": text} for key, text in dimensions.items()],
            }
            for number, value in enumerate(values)
        ],
    )


def test_the_table_is_whole() -> None:
    """The guide's numbers: 34 counters (one of them listed twice), 34 gauges, 13 timers, and 14 of the service."""
    assert Counter((one.namespace, one.kind) for one in AWS_METRICS) == {
        (AIRFLOW, "counter"): 35,
        (AIRFLOW, "gauge"): 34,
        (AIRFLOW, "timer"): 13,
        (SERVICE, "gauge"): 13,
        (SERVICE, "counter"): 1,
    }
    assert {one.unit for one in AWS_METRICS} <= UNITS
    keys = [(one.namespace, one.name, one.open) for one in AWS_METRICS]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("name", "dimensions", "unit", "fixed", "releases", "there", "not_there"),
    [
        ("SLAMissed", (), "Count", {"Function": "Scheduler"}, "2.4.3 to 2.10.3", "2.10.3", "2.11.0"),
        ("FailedSLAEmailAttempts", (), "Count", {"Function": "Scheduler"}, "up to 2.x", "2.11.2", "3.0.6"),
        ("TasksPending", (), "Count", {"Function": "Scheduler"}, "up to 2.1", "2.0.2", "2.2.2"),
        ("TotalParseTime", (), "Seconds", {"Function": "DAG Processing"}, "all", "2.7.2", None),
        ("TaskMemoryUsage", ("DAG", "Task"), "Percent", {}, "2.10.1 and later", "3.3.1", "2.9.2"),
        ("TriggersRunning", ("HostName",), "Count", {"Function": "Trigger"}, "2.7.2 and later", "2.7.2", "2.6.3"),
        ("DAGDurationFailed", ("DAG",), "Milliseconds", {}, "all", "3.3.1", None),
        ("TaskInstanceFailures", (), "Count", {"DAG": "All", "Task": "All"}, "all", "2.7.2", None),
    ],
)
def test_a_metric(
    name: str,
    dimensions: tuple[str, ...],
    unit: str,
    fixed: dict[str, str],
    releases: str,
    there: str,
    not_there: str | None,
) -> None:
    metric = find_metric(name, dimensions=dict.fromkeys(dimensions, "x"))
    assert (metric.unit, dict(metric.fixed), metric.open, metric.releases) == (unit, fixed, dimensions, releases)
    assert metric.exists_in(there)
    assert not_there is None or not metric.exists_in(not_there)


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (
            {"name": "Queued"},
            "metric: 'Queued' is none that MWAA publishes in AmazonMWAA or AWS/MWAA; mwaa_provider.metrics.aws_metrics lists them",
        ),
        ({"name": "PoolOpenSlots"}, "dimensions: PoolOpenSlots (AmazonMWAA) takes Pool, not none"),
        (
            {"name": "CPUUtilization", "dimensions": {"Pool": "x"}},
            "dimensions: CPUUtilization (AWS/MWAA) takes Cluster or DatabaseRole, not Pool",
        ),
        (
            {"name": "SchedulerHeartbeat", "dimensions": {"Function": "Scheduler"}},
            "dimensions: SchedulerHeartbeat (AmazonMWAA) takes no dimension, not Function",
        ),
    ],
)
def test_what_is_not_in_the_table(asked: dict[str, object], problem: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        find_metric(**asked)  # type: ignore[arg-type]
    assert raised.value.problems == (problem,)


def test_a_metric_is_read_by_its_name(cloud: CloudWatch) -> None:
    put(cloud, AIRFLOW, "QueuedTasks", [1.0, 5.0, 3.0], Function="Executor", Environment="prod")
    put(cloud, AIRFLOW, "QueuedTasks", [99.0], Function="Executor", Environment="other")
    series = MwaaMetricsReader(cloud.client(), "prod").read("QueuedTasks")
    assert [(point.at.astimezone(timezone.utc), point.value) for point in series.points] == [
        (NOW - timedelta(minutes=3), 1.0),
        (NOW - timedelta(minutes=2), 5.0),
        (NOW - timedelta(minutes=1), 3.0),
    ]
    assert (series.latest, series.unit, series.statistic, series.period) == (3.0, "Count", "Average", 60)
    assert series.dimensions == {"Function": "Executor", "Environment": "prod"}


def test_the_same_name_in_the_other_namespace(cloud: CloudWatch) -> None:
    put(cloud, SERVICE, "QueuedTasks", [7.0], Environment="prod")
    reader = MwaaMetricsReader(cloud.client(), "prod")
    assert reader.read("QueuedTasks", namespace=SERVICE).latest == 7.0
    assert reader.read("QueuedTasks").latest is None


def test_additional_workers_are_counted_by_samples(cloud: CloudWatch) -> None:
    for usage in (10.0, 20.0, 30.0):  # three workers in the same minute
        put(cloud, SERVICE, "CPUUtilization", [usage], Cluster="AdditionalWorker", Environment="prod")
    put(cloud, SERVICE, "CPUUtilization", [50.0], Cluster="AdditionalWebservers", Environment="prod")
    put(cloud, SERVICE, "CPUUtilization", [50.0], Cluster="BaseWorker", Environment="prod")
    reader = MwaaMetricsReader(cloud.client(), "prod")
    workers = reader.additional_workers()
    assert (workers.latest, workers.unit, workers.statistic) == (3.0, "Count", "SampleCount")
    assert reader.additional_web_servers().latest == 1.0
    assert reader.additional_workers(until=NOW - timedelta(hours=2)).points == ()


def test_all_problems_at_once(cloud: CloudWatch) -> None:
    reader = MwaaMetricsReader(cloud.client(), "prod", airflow_version="3.2.1")
    with pytest.raises(InvalidInputError) as raised:
        reader.read("SLAMissed", statistic="p99", period=90, since=datetime(2026, 1, 1), until=datetime(2026, 1, 2))
    assert [problem.partition(":")[0] for problem in raised.value.problems] == [
        "statistic",
        "since",
        "until",
        "period",
        "metric",
    ]
    assert raised.value.problems[-1] == "metric: Airflow 3.2.1 has no SLAMissed; releases that have it: 2.4.3 to 2.10.3"
    with pytest.raises(InvalidInputError, match="is not before"):
        reader.read("QueuedTasks", since=NOW, until=NOW - timedelta(hours=1))
    with pytest.raises(InvalidInputError, match="environment_name"):
        MwaaMetricsReader(cloud.client(), "1x")
    assert cloud.calls == 0


def test_a_point_says_when_and_how_much() -> None:
    assert Point(NOW, 1.0) == Point(NOW, 1.0)
