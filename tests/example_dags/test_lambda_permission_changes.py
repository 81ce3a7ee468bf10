"""The Lambda example that looks for roles in the logs, against moto's CloudWatch Logs."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.support.processes import ROOT
from tests.support.s3 import S3, started_s3

LINE = "add-role {role} for user assumed-role/analyst"


@pytest.fixture(scope="module")
def moto() -> Iterator[S3]:
    with started_s3() as server:
        yield server


@pytest.fixture
def logs(moto: S3, monkeypatch: pytest.MonkeyPatch) -> Any:
    client = boto3.client("logs", endpoint_url=moto.endpoint_url, region_name="eu-west-1")
    for group in client.describe_log_groups()["logGroups"]:
        client.delete_log_group(logGroupName=group["logGroupName"])
    monkeypatch.setattr(boto3, "client", lambda name: {"logs": client}[name])
    monkeypatch.setenv("ENVIRONMENTS", "sales, prod")
    return client


@pytest.fixture
def handler() -> Any:
    path = ROOT / "examples/lambda_permission_changes.py"
    specification = importlib.util.spec_from_file_location("permission_changes", path)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.handler


def write(logs: Any, group: str, *lines: tuple[float, str]) -> None:
    """Write lines of so many minutes ago."""
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="stream")
    now = time.time()
    events = [{"timestamp": int((now - minutes * 60) * 1000), "message": text} for minutes, text in lines]
    logs.put_log_events(
        logGroupName=group, logStreamName="stream", logEvents=sorted(events, key=lambda one: int(str(one["timestamp"])))
    )


def test_roles_of_the_last_hour_are_told(logs: Any, handler: Any) -> None:
    write(logs, "airflow-sales-WebServer", (5, LINE.format(role="Op")), (50, LINE.format(role="Admin")), (4, "GET /"))
    write(logs, "airflow-prod-Scheduler", (20, LINE.format(role="User")), (90, LINE.format(role="Viewer")))
    write(logs, "airflow-sales-eu-WebServer", (1, LINE.format(role="Admin")))  # of the environment sales-eu
    told = handler({}, None)
    assert told["counts"] == {"airflow-sales-WebServer": 2, "airflow-prod-Scheduler": 1}
    assert [one["message"].split()[1] for one in told["messages"]] == ["Admin", "User", "Op"]
    assert told["to"] - told["from"] == 60 * 60_000


def test_how_far_it_looks_and_what_for_can_be_said(logs: Any, handler: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    write(logs, "airflow-prod-WebServer", (5, "remove-role Op"), (90, "remove-role Admin"), (1, LINE.format(role="Op")))
    monkeypatch.setenv("PATTERN", '"remove-role"')
    monkeypatch.setenv("MINUTES", "120")
    told = handler({}, None)
    assert [one["message"] for one in told["messages"]] == ["remove-role Admin", "remove-role Op"]


def test_an_environment_without_logs_has_no_changes(logs: Any, handler: Any) -> None:
    told = handler({}, None)
    assert (told["counts"], told["messages"]) == ({}, [])
