"""Every widget and every alarm is what CloudWatch's documentation asks for.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
"""

from __future__ import annotations

import json
import re
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metrics.alarms import Thresholds, alarms
from mwaa_provider.metrics.aws_metrics import AIRFLOW, AWS_METRICS, SERVICE
from mwaa_provider.metrics.dashboard import dashboard
from mwaa_provider.metrics.environment import ENVIRONMENT_METRICS
from mwaa_provider.metrics.host import HOST_METRICS

RELEASES = ("2.7.2", "2.10.3", "2.11.2", "3.0.6", "3.3.1")
STATISTICS = {"SampleCount", "Average", "Sum", "Minimum", "Maximum"}
SEARCH = re.compile(
    r"""SEARCH\('\{"(?P<namespace>[^"{}]+)",(?P<dimensions>[\w,]+)\} MetricName="(?P<name>\w+)" """
    r"""Environment="(?P<environment>[\w-]+)" Category="(?P<category>\w+)"', '(?P<statistic>\w+)', (?P<period>\d+)\)"""
)
OWN = {**{name: (one.category, "Host") for name, one in HOST_METRICS.items()}} | {
    name: (one.category, one.further) for name, one in ENVIRONMENT_METRICS.items()
}


def body_of(airflow_version: str, **arguments: Any) -> dict[str, Any]:
    made = dashboard("prod-1", airflow_version=airflow_version, region_name="eu-west-1", **arguments)
    # As it travels: a text that is JSON.
    body: dict[str, Any] = json.loads(json.dumps(made.body))
    return body


@pytest.mark.parametrize("airflow_version", RELEASES)
def test_every_widget_has_the_documented_structure(airflow_version: str) -> None:
    body = body_of(airflow_version)
    assert set(body) <= {"start", "end", "periodOverride", "variables", "widgets"}
    assert re.fullmatch(r"-P(\d+[DW])?(T\d+[HM])?", body["start"])
    assert 0 < len(body["widgets"]) <= 500
    for widget in body["widgets"]:
        check_place(widget)
        {"text": check_text, "metric": check_metric}[widget["type"]](widget["properties"])
    assert no_two_overlap(body["widgets"])


def check_place(widget: dict[str, Any]) -> None:
    assert set(widget) == {"type", "x", "y", "width", "height", "properties"}
    assert all(isinstance(widget[name], int) for name in ("x", "y", "width", "height"))
    assert 0 <= widget["x"] <= 23
    assert widget["y"] >= 0
    assert 1 <= widget["width"] <= 24
    assert 1 <= widget["height"] <= 1000
    assert widget["x"] + widget["width"] <= 24


def check_text(properties: dict[str, Any]) -> None:
    assert set(properties) <= {"markdown", "background"}
    assert properties["markdown"]


def check_metric(properties: dict[str, Any]) -> None:
    assert {"metrics", "region"} <= set(properties)
    assert set(properties) <= {
        *("accountId", "annotations", "liveData", "legend", "metrics", "period", "region", "stat", "title", "view"),
        *(
            "stacked",
            "sparkline",
            "timezone",
            "yAxis",
            "table",
            "labels",
            "setPeriodToTimeRange",
            "singleValueFullPrecision",
        ),
    }
    assert properties["view"] in {"timeSeries", "singleValue", "gauge", "bar", "pie", "table"}
    assert isinstance(properties["stacked"], bool)
    assert properties["period"] > 0
    assert properties["period"] % 60 == 0
    assert properties["stat"] in STATISTICS
    assert properties["title"]
    assert 1 <= len(properties["metrics"]) <= 500
    ids = [
        options["id"]
        for line in properties["metrics"]
        for options in line
        if isinstance(options, dict) and "id" in options
    ]
    assert len(set(ids)) == len(ids)
    for line in properties["metrics"]:
        check_line(line)


def check_line(line: list[Any]) -> None:
    """``[Namespace, MetricName, Dimension, Value, ..., {options}]``, or ``[{"expression": ...}]`` alone."""
    assert isinstance(line[-1], dict)
    options = line[-1]
    assert set(options) <= {
        "expression",
        "id",
        "label",
        "stat",
        "color",
        "period",
        "region",
        "visible",
        "yAxis",
        "accountId",
    }
    if "expression" in options:
        assert len(line) == 1
        assert re.fullmatch(r"[a-z][a-zA-Z0-9_]*", options["id"])
        found = SEARCH.fullmatch(options["expression"])
        assert found, options["expression"]
        category, further = OWN[found["name"]]
        assert (found["category"], found["dimensions"]) == (category, f"Environment,Category,{further}")
        assert found["statistic"] in STATISTICS
        return
    namespace, name, *pairs = line[:-1]
    assert len(pairs) % 2 == 0
    assert len(pairs) <= 60
    assert all(isinstance(text, str) and text for text in (namespace, name, *pairs))
    dimensions = dict(zip(pairs[::2], pairs[1::2], strict=True))
    assert dimensions.pop("Environment") == "prod-1"
    assert options.get("stat", "Sum") in STATISTICS
    if namespace in (AIRFLOW, SERVICE):
        assert any(
            {**one.fixed, **dict.fromkeys(one.open, "")}.keys() == dimensions.keys()
            and all(dimensions[key] == value for key, value in one.fixed.items())
            for one in AWS_METRICS
            if (one.namespace, one.name) == (namespace, name)
        ), line
    else:
        category, further = OWN[name]
        assert (namespace, dimensions.pop("Category")) == ("MWAACustom", category)
        assert set(dimensions) == ({further} if further else set())


def no_two_overlap(widgets: list[dict[str, Any]]) -> bool:
    cells: set[tuple[int, int]] = set()
    for widget in widgets:
        own = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        if cells & own:
            return False
        cells |= own
    return True


def titles(airflow_version: str, **arguments: Any) -> list[str]:
    widgets = body_of(airflow_version, **arguments)["widgets"]
    return [widget["properties"]["title"] for widget in widgets if widget["type"] == "metric"]


def test_the_guides_widgets_are_there_as_far_as_the_release_has_them() -> None:
    assert titles("2.0.2")[:6] == [
        "QueuedTasks",
        "RunningTasks",
        "SchedulerHeartbeat",
        "TasksPending",
        "Trouble",
        "TotalParseTime",
    ]
    assert "TasksPending" not in titles("2.10.3")
    (parse_time,) = [one for one in body_of("3.3.1")["widgets"] if one["properties"].get("title") == "TotalParseTime"]
    assert (parse_time["width"], parse_time["height"], parse_time["properties"]["period"]) == (24, 6, 300)


def test_metrics_that_a_release_lacks_are_left_out_of_a_widget() -> None:
    def names(airflow_version: str) -> list[str]:
        (trouble,) = [one for one in body_of(airflow_version)["widgets"] if one["properties"].get("title") == "Trouble"]
        return [line[1] for line in trouble["properties"]["metrics"]]

    assert names("2.7.2") == ["ImportErrors", "ZombiesKilled", "TaskInstanceFailures", "TriggersBlockedMainThread"]
    assert "TriggersBlockedMainThread" not in names("2.6.3")


def test_without_ours() -> None:
    widgets = body_of("3.3.1", with_own=False)["widgets"]
    assert "MWAACustom" not in json.dumps(widgets)
    assert "AWS/MWAA" in json.dumps(widgets)


def test_a_dashboard_that_cannot_be() -> None:
    with pytest.raises(InvalidInputError) as raised:
        dashboard("1x", airflow_version="3.3.1", region_name="eu-west-1", namespace="AWS/X", name="a b")
    assert [problem.partition(":")[0] for problem in raised.value.problems] == ["environment_name", "namespace", "name"]


@pytest.mark.parametrize("airflow_version", RELEASES)
def test_every_alarm_is_one_that_the_api_takes(airflow_version: str) -> None:
    """By botocore's own model of PutMetricAlarm, and by what its page says beyond that."""
    shape = botocore.session.Session().get_service_model("cloudwatch").operation_model("PutMetricAlarm").input_shape
    made = alarms(
        "prod-1", airflow_version=airflow_version, alarm_actions=["arn:aws:sns:eu-west-1:123456789012:on-call"]
    )
    for one in made:
        assert ParamValidator().validate(one, shape).generate_report() == ""
        assert one["ComparisonOperator"] in shape.members["ComparisonOperator"].enum
        assert one["TreatMissingData"] in {"breaching", "notBreaching", "ignore", "missing"}
        assert 1 <= one["DatapointsToAlarm"] <= one["EvaluationPeriods"]
        if "Metrics" in one:
            assert not {"MetricName", "Statistic", "Period", "Dimensions", "Namespace"} & set(one)
            (query,) = one["Metrics"]
            assert query["ReturnData"]
            assert query["Period"] * one["EvaluationPeriods"] <= 86400
        else:
            assert one["Statistic"] in STATISTICS
            assert one["Period"] * one["EvaluationPeriods"] <= 86400
            line = [one["Namespace"], one["MetricName"]]
            check_line([*line, *(text for pair in one["Dimensions"] for text in (pair["Name"], pair["Value"])), {}])
        assert one["AlarmActions"] == one["OKActions"] == ["arn:aws:sns:eu-west-1:123456789012:on-call"]
    names = [one["AlarmName"] for one in made]
    assert names == [
        f"mwaa-prod-1-{name}"
        for name in (
            *("scheduler-heartbeat-lost", "queue-age", "import-errors", "database-cpu"),
            *("check-failed", "scheduler-heartbeat-age", "queued-task-age", "worker-memory"),
        )
    ]


def test_a_lost_heartbeat_is_an_alarm_when_no_values_come_any_more() -> None:
    (lost,) = [one for one in alarms("prod", airflow_version="3.3.1") if one["AlarmName"].endswith("heartbeat-lost")]
    assert lost["TreatMissingData"] == "breaching"
    assert (lost["ComparisonOperator"], lost["Threshold"], lost["Statistic"]) == ("LessThanThreshold", 1.0, "Sum")


def test_alarms_that_cannot_be() -> None:
    with pytest.raises(InvalidInputError) as raised:
        alarms(
            "prod",
            airflow_version="3.3.1",
            alarm_actions=["on-call", *["arn:x"] * 5],
            thresholds=Thresholds(queue_seconds=-1),
        )
    assert [problem.partition(":")[0] for problem in raised.value.problems] == [
        "queue_seconds",
        "alarm_actions",
        "alarm_actions",
    ]
