"""Which way a call takes to the REST API, and what is said when no way is open."""

from __future__ import annotations

import logging

import pytest

from mwaa_provider.exceptions import AccessDeniedError, InvalidInputError, NoWayInError
from mwaa_provider.local import Identity, LocalMwaa, ScriptedAirflow

boto3_knows_invoke_rest_api = pytest.mark.usefixtures("needs_invoke_rest_api")


@pytest.fixture
def needs_invoke_rest_api() -> None:
    import botocore.session

    if "InvokeRestApi" not in botocore.session.Session().get_service_model("mwaa").operation_names:
        pytest.skip("this release's boto3 has no invoke_rest_api")


def ways(mwaa: LocalMwaa) -> list[str | None]:
    return [entry.transport for entry in mwaa.journal.entries(is_rest=True) if entry.backend_call]


@boto3_knows_invoke_rest_api
def test_iam_comes_first(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, caplog) -> None:
    client = make_client()
    with caplog.at_level(logging.INFO, "mwaa_provider"):
        client.get_dag("target", "load")
        client.get_dag("target", "load")
    assert ways(local_mwaa) == ["iam", "iam"]
    said = [message for message in caplog.messages if "REST calls" in message]
    assert said == ["REST calls to environment target go by IAM (InvokeRestApi): it is the default and open"]


@boto3_knows_invoke_rest_api
def test_denied_by_iam_goes_by_session_and_stays_there(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, caplog
) -> None:
    client = make_client(identity=Identity("NOIAM", denied_actions=frozenset({"InvokeRestApi"})))
    with caplog.at_level(logging.INFO, "mwaa_provider"):
        for _ in range(3):
            client.get_dag("target", "load")
    assert ways(local_mwaa) == ["session"] * 3
    assert local_mwaa.journal.count(transport="iam") == 1  # the one that was denied
    assert local_mwaa.journal.count(operation="login") == 1
    [said] = [message for message in caplog.messages if "REST calls" in message]
    assert (
        "go by web session: InvokeRestApi is not open (airflow:InvokeRestApi for environment 'target' is denied" in said
    )


@boto3_knows_invoke_rest_api
def test_an_environment_too_old_for_it_goes_by_session(local_mwaa: LocalMwaa, make_client) -> None:
    airflow = ScriptedAirflow("2.7.2")
    airflow.add_dag("load")
    local_mwaa.create_environment("old", airflow, rest_api_enabled=False)
    assert make_client().get_dag("old", "load").dag_id == "load"
    assert ways(local_mwaa) == ["session"]


def test_no_way_in_tells_what_each_way_said(airflow: ScriptedAirflow, make_client) -> None:
    client = make_client(
        identity=Identity("NOTHING", denied_actions=frozenset({"InvokeRestApi", "CreateWebLoginToken"}))
    )
    with pytest.raises(NoWayInError) as caught:
        client.get_dag("target", "load")
    assert [way for way, _ in caught.value.attempts] == ["iam", "session"]
    assert "Allow airflow:CreateWebLoginToken on arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE" in str(
        caught.value
    )


def test_session_only(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    make_client(transport="session").get_dag("target", "load")
    assert ways(local_mwaa) == ["session"]


@boto3_knows_invoke_rest_api
def test_iam_only_does_not_change_the_way(airflow: ScriptedAirflow, make_client) -> None:
    client = make_client(transport="iam", identity=Identity("NOIAM", denied_actions=frozenset({"InvokeRestApi"})))
    with pytest.raises(AccessDeniedError, match="InvokeRestApi"):
        client.get_dag("target", "load")


def test_a_way_that_is_none(make_client) -> None:
    with pytest.raises(
        InvalidInputError, match="transport: 'pigeon' is not a way to the REST API; give one of auto, iam, session"
    ):
        make_client(transport="pigeon")


def test_without_invoke_rest_api_in_boto3(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    import boto3

    client = make_client()
    if hasattr(boto3.client("mwaa", region_name="us-east-1"), "invoke_rest_api"):
        pytest.skip("this release's boto3 has invoke_rest_api")
    client.get_dag("target", "load")
    assert ways(local_mwaa) == ["session"]
    with pytest.raises(InvalidInputError, match="this boto3 has no invoke_rest_api"):
        make_client(transport="iam").get_dag("target", "load")
