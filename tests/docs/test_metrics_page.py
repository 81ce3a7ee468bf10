"""docs/metrics.md names every metric and every option as the code has them."""

from __future__ import annotations

import re
from pathlib import Path

from mwaa_provider.get_provider_info import METRICS_OPTIONS
from mwaa_provider.metrics.alarms import alarms
from mwaa_provider.metrics.environment import ENVIRONMENT_METRICS
from mwaa_provider.metrics.host import HOST_METRICS
from mwaa_provider.metrics.task_figures import TASK_METRICS

PAGE = (Path(__file__).parents[2] / "docs/metrics.md").read_text(encoding="utf-8")


def part(heading: str) -> str:
    """What stands under a heading of the page."""
    return PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def test_every_metric_of_a_host() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (\w+) \| (.+) \|$", part("A worker"), re.MULTILINE)
    assert rows == [(name, *metric) for name, metric in HOST_METRICS.items()]


def test_every_metric_of_an_environment() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| `(\w+)` \| (?:`(\w+)`)? ?\| (\w+) \| (.+) \|$", part("Environments"), re.MULTILINE
    )
    assert rows == [
        (name, metric.category, metric.further, metric.unit, metric.about)
        for name, metric in ENVIRONMENT_METRICS.items()
    ]


def test_every_metric_of_a_task() -> None:
    assert [name for name, unit in TASK_METRICS.items() if not re.search(rf"`{name}` \({unit}", PAGE)] == []


def test_every_option() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (?:`(\S+)`|empty) \| (.+) \|$", part("Every worker"), re.MULTILINE)
    assert rows == [(name, option["default"], option["description"]) for name, option in METRICS_OPTIONS.items()]


def test_every_alarm() -> None:
    names = [one["AlarmName"].removeprefix("mwaa-prod-") for one in alarms("prod", airflow_version="3.3.1")]
    assert re.findall(r"^\| `([a-z-]+)` \| ", part("Dashboard and alarms"), re.MULTILINE) == names
