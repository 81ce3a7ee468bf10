"""MwaaHook: what an Airflow connection says holds for AWS and for the web server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mwaa_provider.exceptions import (
    ConnectionFailedError,
    EnvironmentNotFoundError,
    RestApiServerError,
    UnknownOutcomeError,
)
from mwaa_provider.hooks.mwaa import MwaaHook
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow


@pytest.fixture(params=["2.10.3", "3.3.1"])
def airflow(request: pytest.FixtureRequest, local_mwaa: LocalMwaa) -> ScriptedAirflow:
    airflow = ScriptedAirflow(request.param)
    airflow.add_dag("load")
    local_mwaa.create_environment("target", airflow)
    return airflow


@pytest.fixture
def connect(local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch):
    """Make the connection ``there`` as the local MWAA gives it, with changes to its extra."""

    def make(**changes: Any) -> None:
        connection = local_mwaa.airflow_connection()
        connection["extra"] = {
            name: value for name, value in {**connection["extra"], **changes}.items() if value is not None
        }
        monkeypatch.setenv("AIRFLOW_CONN_THERE", json.dumps(connection))

    return make


def test_the_connection_is_enough(airflow: ScriptedAirflow, connect) -> None:
    connect()
    run = MwaaHook("there").client.trigger_dag_run("target", "load", run_id="by_hook")
    assert [found.run_id for found in airflow.runs("load")] == [run.run_id] == ["by_hook"]


def test_arguments_win_over_the_connection(airflow: ScriptedAirflow, connect, local_mwaa: LocalMwaa) -> None:
    connect(verify=None, region_name="eu-west-1", config_kwargs=None)
    hook = MwaaHook(
        "there", region_name="us-east-1", verify=str(local_mwaa.ca_file), botocore_config={"inject_host_prefix": False}
    )
    assert hook.client.get_dag("target", "load").dag_id == "load"


def test_verify_holds_for_the_web_server(airflow: ScriptedAirflow, connect) -> None:
    connect(verify=None)
    with pytest.raises(ConnectionFailedError, match="certificate is not trusted"):
        MwaaHook("there", transport="session").client.get_dag("target", "load")


def test_proxies_hold_for_aws_and_the_web_server(airflow: ScriptedAirflow, connect) -> None:
    connect(config_kwargs={"inject_host_prefix": False, "proxies": {"https": "http://127.0.0.1:1"}})
    with pytest.raises(ConnectionFailedError, match=r"ProxyError|proxy"):
        MwaaHook("there", transport="session").client.get_dag("target", "load")


def test_botocore_resends_nothing(airflow: ScriptedAirflow, connect, local_mwaa: LocalMwaa) -> None:
    """Though the connection asks for retries: a second InvokeRestApi would start a second run."""
    connect(config_kwargs={"inject_host_prefix": False, "retries": {"max_attempts": 10, "mode": "standard"}})
    client = MwaaHook("there").client
    client.get_environment("target")
    local_mwaa.faults.add(Fault.lose_answer(operation="rest", method="PATCH", times=None))
    local_mwaa.faults.add(Fault.lose_answer(operation="InvokeRestApi", method="PATCH", times=None))
    with pytest.raises((UnknownOutcomeError, RestApiServerError)):
        client.invoke_rest_api("target", "PATCH", "/dags/load", body={"is_paused": True})
    assert local_mwaa.journal.count(is_rest=True, method="PATCH") == 1


def test_an_unknown_environment_is_named(local_mwaa: LocalMwaa, connect) -> None:
    connect()
    with pytest.raises(EnvironmentNotFoundError, match="nowhere"):
        MwaaHook("there").client.get_environment("nowhere")
