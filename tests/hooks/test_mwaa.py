"""MwaaHook: what an Airflow connection says holds for AWS and for the web server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mwaa_provider.exceptions import (
    ConnectionFailedError,
    EnvironmentNotFoundError,
    InvalidInputError,
    RestApiServerError,
    UnknownOutcomeError,
)
from mwaa_provider.hooks.mwaa import MwaaHook
from mwaa_provider.local import Fault, Identity, LocalMwaa, ScriptedAirflow
from tests.support.addresses import asked_for
from tests.support.sts import ASSUMED_ACCESS_KEY_ID, sts


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
        client.invoke_rest_api("target", "PATCH", "/dags/load", body={"is_paused": True}, is_idempotent=False)
    assert local_mwaa.journal.count(is_rest=True, method="PATCH") == 1


def test_hooks_of_one_connection_share_a_session(airflow: ScriptedAirflow, connect, local_mwaa: LocalMwaa) -> None:
    connect()
    for _ in range(3):
        MwaaHook("there", transport="session").client.get_dag("target", "load")
    assert local_mwaa.journal.count(operation="login") == 1


def test_hooks_of_two_identities_do_not(
    airflow: ScriptedAirflow, connect, local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect()
    MwaaHook("there", transport="session").client.get_dag("target", "load")
    connection = local_mwaa.airflow_connection(Identity("VIEWER", airflow_role="Viewer"))
    monkeypatch.setenv("AIRFLOW_CONN_THERE_TOO", json.dumps(connection))
    MwaaHook("there_too", transport="session").client.get_dag("target", "load")
    assert [entry.airflow_role for entry in local_mwaa.journal.entries(operation="login")] == ["Admin", "Viewer"]


def test_a_custom_domain(airflow: ScriptedAirflow, connect, local_mwaa: LocalMwaa) -> None:
    connect()
    host = local_mwaa.environments[0].host.replace("127.0.0.1", "localhost")
    hook = MwaaHook("there", transport="session", web_server_hosts={"target": host})
    assert hook.client.get_dag("target", "load").dag_id == "load"
    assert hook.client.web_login_url("target").startswith(f"https://{host}/")


def test_the_role_of_the_connection_is_assumed(
    airflow: ScriptedAirflow, connect, local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role of another account, say; all calls are its calls."""
    role, assumed = "arn:aws:iam::222222222222:role/other", []
    with sts(assumed) as address:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", address)
        monkeypatch.setenv("AWS_ENDPOINT_URL_MWAA", local_mwaa.endpoint_url)
        connect(role_arn=role, endpoint_url=None)
        MwaaHook("there", transport="session").client.get_dag("target", "load")
    assert set(assumed) == {role}
    assert {entry.identity for entry in local_mwaa.journal.entries()} == {ASSUMED_ACCESS_KEY_ID}


def test_an_unknown_environment_is_named(local_mwaa: LocalMwaa, connect) -> None:
    connect()
    with pytest.raises(EnvironmentNotFoundError, match="nowhere"):
        MwaaHook("there").client.get_environment("nowhere")


def test_the_region_of_the_environment_counts_where_boto3_finds_none(
    airflow: ScriptedAirflow, connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    connect(region_name=None)
    with pytest.raises(InvalidInputError, match="region_name: it is missing"):
        _ = MwaaHook("there").client
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert MwaaHook("there").client.get_dag("target", "load").dag_id == "load"


def test_an_address_and_the_ca_bundle_of_the_environment_are_enough(
    airflow: ScriptedAirflow, connect, local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(config_kwargs=None, verify=None)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(local_mwaa.ca_file))
    assert MwaaHook("there", transport="session").client.get_dag("target", "load").dag_id == "load"


def test_what_the_connection_says_of_the_prefix_holds(airflow: ScriptedAirflow, connect) -> None:
    connect(config_kwargs={"inject_host_prefix": True})
    assert asked_for(MwaaHook("there").client).startswith("http://api.127.0.0.1:")
