"""The examples that use this package from Python, outside of Airflow, run as they stand against a local MWAA and moto."""

from __future__ import annotations

import json
import runpy
import uuid
from pathlib import Path
from typing import Any

import boto3
import pytest

from mwaa_provider.local import CliAnswer, LocalMwaa, ScriptedAirflow
from tests.support.cloudwatch import cloudwatch
from tests.support.processes import ROOT
from tests.support.secrets_manager import started_secrets_manager


def example(name: str) -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "examples" / f"{name}.py"))


@pytest.mark.parametrize("release", ["2.10.3", "3.3.1"])
def test_every_call(
    local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], release: str
) -> None:
    airflow = ScriptedAirflow(release)
    airflow.add_dag("load_orders", paused=True, run_takes=0, tasks=("extract", "load"), task_returns={"extract": 42})
    airflow.add_asset("s3://shop/orders")
    airflow.script_cli(["version"], CliAnswer(f"{release}\n", "", 0))
    local_mwaa.create_environment("production", airflow)
    for name, value in local_mwaa.environment_variables().items():
        monkeypatch.setenv(name, value)
    example("every_call")["main"]("production", "load_orders")
    printed = capsys.readouterr().out
    assert "return_value 42" in printed
    assert len(airflow.asset_events("s3://shop/orders")) == 1
    assert [run.state for run in airflow.runs("load_orders")] == ["failed"]
    assert (airflow.variables(), "every_call" in airflow.pools(), airflow.connections()) == ({}, False, {})


@pytest.fixture
def environment(local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch) -> ScriptedAirflow:
    """The environment ``production``, which the process's environment leads to."""
    airflow = ScriptedAirflow("3.3.1")
    local_mwaa.create_environment("production", airflow)
    for name, value in local_mwaa.environment_variables().items():
        monkeypatch.setenv(name, value)
    return airflow


def test_secrets_from_python(
    environment: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    name = f"prod_{uuid.uuid4().hex[:8]}"
    (tmp_path / "variables.json").write_text(json.dumps({name: {"rows": [1, None]}}))
    with started_secrets_manager() as secrets:
        clients = {"secretsmanager": secrets.client}
        monkeypatch.setattr(boto3, "client", lambda service, **_: clients[service])
        secrets.client.create_secret(Name="prod/sales", SecretString=json.dumps({"password": "tell-nobody"}))
        try:
            example("secrets_from_python")["main"]("production", str(tmp_path / "variables.json"))
            found = {
                one: secrets.client.get_secret_value(SecretId=one)["SecretString"]
                for one in (f"airflow/variables/{name}", "airflow/connections/prod_sales")
            }
        finally:
            # Servers of one process share moto's memory.
            for one in ("prod/sales", "airflow/connections/prod_sales", f"airflow/variables/{name}"):
                secrets.client.delete_secret(SecretId=one, ForceDeleteWithoutRecovery=True)
    assert found == {
        f"airflow/variables/{name}": '{"rows": [1, null]}',
        "airflow/connections/prod_sales": "postgres://etl:p%2F%40%3A%2B@db.example.com",
    }
    assert environment.connections()["prod_sales"]["password"] == "tell-nobody"
    printed = capsys.readouterr().out
    assert '"secrets.backend"' in printed
    assert "tell-nobody" not in printed


def test_dashboard_from_python(environment: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch) -> None:
    with cloudwatch() as cloud:
        client = cloud.client()
        monkeypatch.setattr(boto3, "client", lambda service, **_: {"cloudwatch": client}[service])
        example("dashboard_from_python")["main"]("production")
        alarms = {one["AlarmName"]: one for one in client.describe_alarms()["MetricAlarms"]}
        assert [one["DashboardName"] for one in client.list_dashboards()["DashboardEntries"]] == ["mwaa-production"]
        kept = [(one.name, one.dimensions) for one in cloud.kept()]
        cloud.forget()
    assert (alarms["mwaa-production-database-cpu"]["Threshold"], kept) == (
        60.0,
        [("rows_loaded", {"Environment": "production", "Table": "orders"})],
    )


@pytest.mark.parametrize(
    "name", ["test_a_run_takes_an_hour", "test_who_may_not_is_told_so", "test_an_airflow_of_our_own"]
)
def test_a_test_of_ones_own(name: str) -> None:
    example("test_against_local_mwaa")[name]()


@pytest.mark.slow
@pytest.mark.real_airflow
def test_a_test_with_a_real_airflow(tmp_path: Path) -> None:
    example("test_against_local_mwaa")["test_a_real_airflow"](tmp_path)


def test_policies_from_python(capsys: pytest.CaptureFixture[str]) -> None:
    example("policies_from_python")["main"]("production", "cn-north-1", "123456789012")
    printed = capsys.readouterr().out
    policy, _ = json.JSONDecoder().raw_decode(printed)
    assert {
        "Effect": "Allow",
        "Action": "airflow:InvokeRestApi",
        "Resource": "arn:aws-cn:airflow:cn-north-1:123456789012:role/production/Op",
    } in policy["Statement"]
    assert printed.endswith(
        "dag_run is as old as start_date\nconnection password never exported\ntask_instance state exported\n"
    )
