"""A CloudWatch dashboard of an environment: the AWS guide's widgets, those of the service's metrics, and ours.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metrics.aws_metrics import CLUSTERS, DATABASE_ROLES, SERVICE, find_metric
from mwaa_provider.metrics.model import NAMESPACE, check_namespace

Widget = dict[str, Any]

_COLUMNS, _HEIGHT, _PERIOD = 24, 6, 300


@dataclass(frozen=True)
class Dashboard:
    """A dashboard, as PutDashboard takes it.

    :param name: Its name.
    :param body: Its body; ``json.dumps`` it for the API.
    """

    name: str
    body: dict[str, Any]


def dashboard(
    environment_name: str,
    *,
    airflow_version: str,
    region_name: str,
    namespace: str = NAMESPACE,
    with_own: bool = True,
    name: str | None = None,
) -> Dashboard:
    """Return a dashboard of an environment; metrics that its release does not have are left out.

    :param environment_name: The environment's name.
    :param airflow_version: Its Airflow release, ``3.2.1`` for example.
    :param region_name: Its AWS region.
    :param namespace: The namespace of the metrics that this package publishes (default ``MWAACustom``).
    :param with_own: Whether those are shown (default true).
    :param name: The dashboard's name (default: ``mwaa-`` and the environment's).
    :raises InvalidInputError: naming every problem of the arguments.
    """
    name = f"mwaa-{environment_name}" if name is None else name
    problems = [*input_checks.check_environment_name(environment_name), *check_namespace(namespace)]
    if not name or len(name) > 255 or not all(one.isascii() and (one.isalnum() or one in "-_") for one in name):
        problems.append(
            f"name: {name!r} is not a dashboard's; use ASCII letters, digits, '-' and '_', 255 characters at most"
        )
    if problems:
        raise InvalidInputError(problems)
    drawing = _Drawing(environment_name, airflow_version, region_name)
    sections = [
        ("Airflow", _of_the_guide(drawing)),
        ("Containers, queue, database", _of_the_service(drawing)),
        *(
            [("Looked at by mwaa_provider", _ours(drawing, namespace)), ("Hosts", _hosts(drawing, namespace))]
            if with_own
            else []
        ),
    ]
    return Dashboard(name, {"start": "-PT12H", "widgets": _laid_out(environment_name, sections)})


class _Drawing:
    """Makes widgets of one environment."""

    def __init__(self, environment_name: str, airflow_version: str, region_name: str) -> None:
        self.environment_name = environment_name
        self._airflow_version = airflow_version
        self._region_name = region_name

    def of_aws(
        self,
        title: str,
        *names: str,
        namespace: str | None = None,
        stat: str = "",
        stacked: bool = False,
        width: int = 12,
        **dimensions: Sequence[str],
    ) -> list[Widget]:
        """Make a widget of MWAA's own metrics, of those that the release has; none if it has none of them."""
        ((dimension, values),) = dimensions.items() or {"": ("",)}.items()
        lines = []
        for name in names:
            for value in values:
                given = {dimension: value} if dimension else {}
                metric = find_metric(name, namespace=namespace, dimensions=given)
                if metric.exists_in(self._airflow_version):
                    pairs = {**metric.fixed, **given, "Environment": self.environment_name}
                    options = {
                        "stat": stat or metric.usual_statistic,
                        "label": " ".join([*([name] if len(names) > 1 else []), *given.values()]) or name,
                    }
                    lines.append([metric.namespace, name, *(text for pair in pairs.items() for text in pair), options])
        return [self._widget(title, lines, stacked=stacked, width=width)] if lines else []

    def of_ours(
        self,
        title: str,
        namespace: str,
        *lines: tuple[str, str, dict[str, str]],
        stat: str = "Maximum",
        width: int = 12,
    ) -> Widget:
        """Make a widget of metrics of ours: name, category, further dimensions."""
        metrics = [
            [
                namespace,
                name,
                *(
                    text
                    for pair in {"Environment": self.environment_name, "Category": category, **further}.items()
                    for text in pair
                ),
                {"label": " ".join([name, *further.values()])},
            ]
            for name, category, further in lines
        ]
        return self._widget(title, metrics, stat=stat, width=width)

    def of_search(
        self, title: str, namespace: str, *names: str, category: str, by: str, stat: str = "Maximum", width: int = 12
    ) -> Widget:
        """Make a widget of all series of ours by a dimension whose values nobody knows beforehand."""
        metrics = [
            [
                {
                    "expression": f'SEARCH(\'{{"{namespace}",Environment,Category,{by}}} MetricName="{name}" '
                    f'Environment="{self.environment_name}" Category="{category}"\', \'{stat}\', {_PERIOD})',
                    "id": f"e{number}",
                    "label": f"${{PROP('MetricName')}} ${{PROP('Dim.{by}')}}"
                    if len(names) > 1
                    else f"${{PROP('Dim.{by}')}}",
                }
            ]
            for number, name in enumerate(names, start=1)
        ]
        return self._widget(title, metrics, stat=stat, width=width)

    def _widget(
        self, title: str, metrics: list[list[Any]], *, stat: str = "Average", stacked: bool = False, width: int = 12
    ) -> Widget:
        return {
            "type": "metric",
            "width": width,
            "height": _HEIGHT,
            "properties": {
                "title": title,
                "metrics": metrics,
                "view": "timeSeries",
                "stacked": stacked,
                "region": self._region_name,
                "period": _PERIOD,
                "stat": stat,
            },
        }


def _of_the_guide(draw: _Drawing) -> list[Widget]:
    """Make the five of the guide; ``TasksPending`` is there up to Airflow 2.1 only."""
    return [
        *draw.of_aws("QueuedTasks", "QueuedTasks", stacked=True),
        *draw.of_aws("RunningTasks", "RunningTasks", stacked=True),
        *draw.of_aws("SchedulerHeartbeat", "SchedulerHeartbeat", stacked=True),
        *draw.of_aws("TasksPending", "TasksPending", stacked=True),
        *draw.of_aws("Trouble", "ImportErrors", "ZombiesKilled", "TaskInstanceFailures", "TriggersBlockedMainThread"),
        *draw.of_aws("TotalParseTime", "TotalParseTime", stacked=True, width=_COLUMNS),
    ]


def _of_the_service(draw: _Drawing) -> list[Widget]:
    return [
        *draw.of_aws("CPU by component", "CPUUtilization", namespace=SERVICE, stat="Maximum", Cluster=CLUSTERS),
        *draw.of_aws("Memory by component", "MemoryUtilization", namespace=SERVICE, stat="Maximum", Cluster=CLUSTERS),
        *draw.of_aws(
            "Additional workers and web servers",
            "CPUUtilization",
            namespace=SERVICE,
            stat="SampleCount",
            Cluster=("AdditionalWorker", "AdditionalWebservers"),
        ),
        *draw.of_aws("Age of the oldest task in the queue", "ApproximateAgeOfOldestTask", stat="Maximum"),
        *draw.of_aws("Database CPU", "CPUUtilization", namespace=SERVICE, stat="Maximum", DatabaseRole=DATABASE_ROLES),
        *draw.of_aws("Database connections", "DatabaseConnections", stat="Maximum", DatabaseRole=DATABASE_ROLES),
        *draw.of_aws("Database memory that is free", "FreeableMemory", stat="Minimum", DatabaseRole=DATABASE_ROLES),
        *draw.of_aws("Connections of the web server", "ActiveConnectionCount"),
    ]


def _ours(draw: _Drawing, namespace: str) -> list[Widget]:
    return [
        draw.of_search("Heartbeats, seconds ago", namespace, "heartbeat_age", category="health", by="Component"),
        draw.of_search("Tasks by state", namespace, "task_instances", category="tasks", by="State"),
        draw.of_search("Runs by state", namespace, "dag_runs", "dag_runs_ended_last_hour", category="runs", by="State"),
        draw.of_ours("Oldest queued task, seconds", namespace, ("oldest_queued_task_age", "tasks", {})),
        draw.of_search("Free slots by pool", namespace, "pool_open_slots", category="pools", by="Pool", stat="Minimum"),
        draw.of_ours(
            "Checks and import errors",
            namespace,
            ("environment_check_failed", "environment", {}),
            ("import_errors", "dags", {}),
        ),
        draw.of_search("Size of tables", namespace, "table_size", category="database", by="Table"),
        draw.of_ours("Size of the database", namespace, ("database_size", "database", {})),
    ]


def _hosts(draw: _Drawing, namespace: str) -> list[Widget]:
    return [
        draw.of_search(
            "Container memory, % of its limit", namespace, "container_memory_percent", category="container", by="Host"
        ),
        draw.of_search(
            "Container CPU, % of its limit", namespace, "container_cpu_percent", category="container", by="Host"
        ),
        draw.of_search("Temporary files, % full", namespace, "tmp_percent", category="tmp", by="Host"),
        draw.of_search("Task processes", namespace, "task_processes", category="processes", by="Host"),
    ]


def _laid_out(environment_name: str, sections: list[tuple[str, list[Widget]]]) -> list[Widget]:
    """Give every widget its place: from left to right, line by line, below the heading of its section."""
    placed: list[Widget] = []
    y = 0
    for heading, widgets in sections:
        text = {"markdown": f"## {environment_name}: {heading}"}
        placed.append({"type": "text", "x": 0, "y": y, "width": _COLUMNS, "height": 1, "properties": text})
        x, y = 0, y + 1
        for widget in widgets:
            if x + widget["width"] > _COLUMNS:
                x, y = 0, y + _HEIGHT
            placed.append({**widget, "x": x, "y": y})
            x += widget["width"]
        y += _HEIGHT
    return placed
