"""CloudWatch alarms of an environment, as PutMetricAlarm takes them.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metrics.aws_metrics import find_metric
from mwaa_provider.metrics.model import NAMESPACE, check_namespace

Alarm = dict[str, Any]

#: PutMetricAlarm takes so many actions.
_MOST_ACTIONS = 5


@dataclass(frozen=True)
class Thresholds:
    """From where on there is an alarm. The guide gives no numbers; these are where people usually want to know.

    :param heartbeat_minutes: Minutes without a heartbeat of the scheduler (default 5).
    :param queue_seconds: Age of the oldest task in the queue, and of the oldest queued task (default 900).
    :param import_errors: DAG files that do not parse (default 1).
    :param database_percent: CPU of the database's writer, over 15 minutes (default 80).
    :param container_percent: Memory of a worker, of its limit, over 15 minutes (default 90).
    """

    heartbeat_minutes: int = 5
    queue_seconds: float = 900.0
    import_errors: float = 1.0
    database_percent: float = 80.0
    container_percent: float = 90.0


def alarms(
    environment_name: str,
    *,
    airflow_version: str,
    namespace: str = NAMESPACE,
    with_own: bool = True,
    alarm_actions: Sequence[str] = (),
    thresholds: Thresholds | None = None,
) -> list[Alarm]:
    """Return alarms of an environment; those of metrics that its release does not have are left out.

    :param environment_name: The environment's name.
    :param airflow_version: Its Airflow release, ``3.2.1`` for example.
    :param namespace: The namespace of the metrics that this package publishes (default ``MWAACustom``).
    :param with_own: Whether there are alarms of those, too (default true).
    :param alarm_actions: ARNs of what is to happen, such as an SNS topic's (default: nothing but the alarm's state).
    :param thresholds: From where on there is an alarm (default: as :class:`Thresholds` says).
    :raises InvalidInputError: naming every problem of the arguments.
    """
    thresholds = thresholds or Thresholds()
    problems = [*input_checks.check_environment_name(environment_name), *check_namespace(namespace)]
    problems += [
        problem
        for one in fields(thresholds)
        for problem in input_checks.check_seconds(one.name, getattr(thresholds, one.name))
    ]
    problems += [f"alarm_actions: {one!r} is not an ARN" for one in alarm_actions if not str(one).startswith("arn:")]
    if len(alarm_actions) > _MOST_ACTIONS:
        problems.append(f"alarm_actions: {len(alarm_actions)} of them; CloudWatch takes {_MOST_ACTIONS}")
    if problems:
        raise InvalidInputError(problems)
    made = _of_aws(environment_name, airflow_version, thresholds)
    if with_own:
        made += _of_ours(environment_name, namespace, thresholds)
    return [{**one, "AlarmActions": list(alarm_actions), "OKActions": list(alarm_actions)} for one in made]


def _of_aws(environment_name: str, airflow_version: str, thresholds: Thresholds) -> list[Alarm]:
    def alarm(name: str, about: str, metric_name: str, statistic: str, how: Alarm, **dimensions: str) -> list[Alarm]:
        metric = find_metric(metric_name, dimensions=dimensions)
        if not metric.exists_in(airflow_version):
            return []
        pairs = {**metric.fixed, **dimensions, "Environment": environment_name}
        return [_alarm(environment_name, name, about, metric.namespace, metric_name, statistic, pairs, how)]

    return [
        *alarm(
            "scheduler-heartbeat-lost",
            "The scheduler has not been heard of: nothing is being started.",
            "SchedulerHeartbeat",
            "Sum",
            {**_below(1, minutes=thresholds.heartbeat_minutes), "TreatMissingData": "breaching"},
        ),
        *alarm(
            "queue-age",
            "Tasks wait too long for a worker.",
            "ApproximateAgeOfOldestTask",
            "Maximum",
            _above(thresholds.queue_seconds),
        ),
        *alarm(
            "import-errors", "DAG files do not parse.", "ImportErrors", "Maximum", _at_least(thresholds.import_errors)
        ),
        *alarm(
            "database-cpu",
            "The metadata database is busy: clean it, or take a larger environment class.",
            "CPUUtilization",
            "Average",
            _above(thresholds.database_percent),
            DatabaseRole="WRITER",
        ),
    ]


def _of_ours(environment_name: str, namespace: str, thresholds: Thresholds) -> list[Alarm]:
    def alarm(name: str, about: str, metric_name: str, category: str, how: Alarm, **further: str) -> Alarm:
        pairs = {"Environment": environment_name, "Category": category, **further}
        return _alarm(environment_name, name, about, namespace, metric_name, "Maximum", pairs, how)

    worker_memory = (  # CloudWatch's query language; both names were checked
        f'SELECT MAX(container_memory_percent) FROM SCHEMA("{namespace}", Environment, Category, Host) '  # noqa: S608
        f"WHERE Environment = '{environment_name}' AND Category = 'container'"
    )
    return [
        alarm(
            "check-failed",
            "The environment could not be looked at, or not in full.",
            "environment_check_failed",
            "environment",
            _at_least(1),
        ),
        alarm(
            "scheduler-heartbeat-age",
            "Airflow itself says that its scheduler has not been heard of.",
            "heartbeat_age",
            "health",
            _above(60.0 * thresholds.heartbeat_minutes, periods=1),
            Component="scheduler",
        ),
        alarm(
            "queued-task-age",
            "A task has been queued for too long.",
            "oldest_queued_task_age",
            "tasks",
            _above(thresholds.queue_seconds),
        ),
        {
            "AlarmName": f"mwaa-{environment_name}-worker-memory",
            "AlarmDescription": "A worker is about to run out of memory; then its tasks are killed.",
            "Metrics": [{"Id": "q1", "Expression": worker_memory, "Period": 300, "ReturnData": True}],
            **{key: value for key, value in _above(thresholds.container_percent).items() if key != "Period"},
        },
    ]


def _alarm(
    environment_name: str,
    name: str,
    about: str,
    namespace: str,
    metric_name: str,
    statistic: str,
    dimensions: dict[str, str],
    how: Alarm,
) -> Alarm:
    return {
        "AlarmName": f"mwaa-{environment_name}-{name}",
        "AlarmDescription": about,
        "Namespace": namespace,
        "MetricName": metric_name,
        "Dimensions": [{"Name": one, "Value": value} for one, value in dimensions.items()],
        "Statistic": statistic,
        **how,
    }


def _below(threshold: float, *, minutes: int) -> Alarm:
    return _compared("LessThanThreshold", threshold, 60, minutes)


def _above(threshold: float, *, periods: int = 3) -> Alarm:
    return _compared("GreaterThanThreshold", threshold, 300, periods)


def _at_least(threshold: float) -> Alarm:
    return _compared("GreaterThanOrEqualToThreshold", threshold, 300, 3)


def _compared(operator: str, threshold: float, period: int, periods: int) -> Alarm:
    return {
        "ComparisonOperator": operator,
        "Threshold": float(threshold),
        "Period": period,
        "EvaluationPeriods": periods,
        "DatapointsToAlarm": periods,
        "TreatMissingData": "notBreaching",
    }
