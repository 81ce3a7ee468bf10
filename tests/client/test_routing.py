"""Which way a call takes to the REST API, and what is said when no way is open."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from mwaa_provider.exceptions import AccessDeniedError, InvalidInputError, NoWayInError, RestApiLimitError
from mwaa_provider.local import Fault, Identity, LocalMwaa, ManualClock, ScriptedAirflow, ServiceRules
from tests.client.conftest import needs_invoke_rest_api


def ways(mwaa: LocalMwaa) -> list[str | None]:
    return [entry.transport for entry in mwaa.journal.entries(is_rest=True) if entry.backend_call]


@needs_invoke_rest_api
def test_iam_comes_first(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, caplog) -> None:
    client = make_client()
    with caplog.at_level(logging.INFO, "mwaa_provider"):
        client.get_dag("target", "load")
        client.get_dag("target", "load")
    assert ways(local_mwaa) == ["iam", "iam"]
    said = [message for message in caplog.messages if "REST calls" in message]
    assert said == ["REST calls to environment target go by IAM (InvokeRestApi): it is the default and open"]


@needs_invoke_rest_api
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


@needs_invoke_rest_api
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
    wanted = {
        "Effect": "Allow",
        "Action": ["airflow:InvokeRestApi", "airflow:CreateWebLoginToken"],
        "Resource": "arn:aws:airflow:us-east-1:123456789012:role/target/ROLE",
    }
    assert json.loads(str(caught.value).rpartition("Public):\n")[2]) == [wanted]


def test_session_only(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    make_client(transport="session").get_dag("target", "load")
    assert ways(local_mwaa) == ["session"]


@needs_invoke_rest_api
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


# More calls than IAM admits


@needs_invoke_rest_api
def test_being_throttled_again_and_again_moves_to_the_session(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, caplog
) -> None:
    client = make_client()
    local_mwaa.faults.add(Fault.throttle(times=None))
    with caplog.at_level(logging.INFO, "mwaa_provider"):
        for _ in range(5):
            assert client.get_dag("target", "load").dag_id == "load"
    journal = local_mwaa.journal
    assert journal.count(transport="iam", error_code="ThrottlingException") == journal.count(transport="iam") <= 3
    assert journal.count(transport="session", status=200) == 5
    [said] = [message for message in caplog.messages if "REST calls" in message]
    assert said == (
        "REST calls to environment target go by web session: InvokeRestApi is not open "
        "(more calls are made than the 10 a second it admits)"
    )


@needs_invoke_rest_api
def test_being_throttled_now_and_then_does_not(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, clock
) -> None:
    client = make_client()
    for _ in range(6):
        local_mwaa.faults.add(Fault.throttle())
        client.get_dag("target", "load")
        clock.sleep(11)
    assert set(ways(local_mwaa)) == {"iam"}


@needs_invoke_rest_api
def test_a_throttled_trigger_goes_by_session_and_starts_one_run(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client
) -> None:
    local_mwaa.faults.add(Fault.throttle(method="POST", times=None))
    make_client().trigger_dag_run("target", "load", run_id="once")
    assert [run.run_id for run in airflow.runs("load")] == ["once"]


@pytest.fixture
def patient_mwaa():
    """A service that counts nobody's calls: these tests live by a clock that steps, the service by the machine's."""
    with LocalMwaa(rules=ServiceRules(rest_calls_per_second=None)) as mwaa:
        airflow = ScriptedAirflow("3.3.1")
        airflow.add_dag("load")
        mwaa.create_environment("target", airflow)
        yield mwaa


def at(mwaa: LocalMwaa, identity: Identity | None = None) -> dict[str, Any]:
    return {
        "endpoint_url": mwaa.endpoint_url,
        "verify": str(mwaa.ca_file),
        "session": mwaa.boto3_session(identity),
    }


@needs_invoke_rest_api
def test_many_calls_in_a_row_move_to_the_session(patient_mwaa: LocalMwaa, make_client, clock) -> None:
    client = make_client(**at(patient_mwaa))
    began = clock.monotonic()
    for _ in range(100):
        client.get_dag("target", "load")
    # eleven took their turns, evenly spaced; then the session, which has no turns
    assert ways(patient_mwaa) == ["iam"] * 11 + ["session"] * 89
    assert clock.monotonic() - began == pytest.approx(10 / 9)


@needs_invoke_rest_api
def test_where_the_session_is_closed_many_calls_stay_with_iam(patient_mwaa: LocalMwaa, make_client, caplog) -> None:
    nobody = Identity("NOWEB", denied_actions=frozenset({"CreateWebLoginToken"}))
    client = make_client(**at(patient_mwaa, nobody))
    with caplog.at_level(logging.INFO, "mwaa_provider"):
        for _ in range(30):
            client.get_dag("target", "load")
    assert ways(patient_mwaa) == ["iam"] * 30
    assert patient_mwaa.journal.count(operation="CreateWebLoginToken") == 1
    said = [message for message in caplog.messages if "REST calls" in message]
    assert len(said) == 2
    assert "go by IAM (InvokeRestApi): the web session is not open (airflow:CreateWebLoginToken for" in said[1]


@needs_invoke_rest_api
def test_where_the_web_server_cannot_be_reached_many_calls_stay_with_iam(patient_mwaa: LocalMwaa, make_client) -> None:
    """A worker without a way to the internet: it is tried out once, and not again at each call."""
    client = make_client(**at(patient_mwaa), web_server_hosts={"target": "127.0.0.1:1"})
    for _ in range(30):
        client.get_dag("target", "load")
    assert ways(patient_mwaa) == ["iam"] * 30
    assert patient_mwaa.journal.count(operation="CreateWebLoginToken") == 5


@needs_invoke_rest_api
def test_a_web_server_that_is_busy_for_a_while_closes_the_session_for_a_minute(
    patient_mwaa: LocalMwaa, make_client, clock
) -> None:
    client = make_client(**at(patient_mwaa))
    patient_mwaa.faults.add(Fault.answer(503, operation="login", times=5))
    for _ in range(20):
        client.get_dag("target", "load")
    assert set(ways(patient_mwaa)) == {"iam"}
    clock.sleep(61)
    for _ in range(20):
        client.get_dag("target", "load")
    assert ways(patient_mwaa)[-1] == "session"
    assert patient_mwaa.journal.count(operation="login", status=200) == 1


@needs_invoke_rest_api
def test_after_an_hour_iam_is_tried_again(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, clock) -> None:
    client = make_client()
    local_mwaa.faults.add(Fault.deny("InvokeRestApi"))
    client.get_dag("target", "load")
    clock.sleep(3599)
    client.get_dag("target", "load")
    clock.sleep(2)
    client.get_dag("target", "load")
    assert ways(local_mwaa) == ["session", "session", "iam"]


@needs_invoke_rest_api
def test_what_one_client_learned_the_others_of_its_identity_know(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client
) -> None:
    nobody = Identity("NOIAM", denied_actions=frozenset({"InvokeRestApi"}))
    for _ in range(3):
        make_client(clock=None, identity=nobody).get_dag("target", "load")
    assert local_mwaa.journal.count(transport="iam") == 1
    make_client(clock=None).get_dag("target", "load")
    assert ways(local_mwaa) == ["session"] * 3 + ["iam"]


# Limits of IAM


@needs_invoke_rest_api
@pytest.mark.parametrize("has_session", [True, False])
def test_credentials_that_have_expired_are_no_matter_of_policy(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, has_session: bool
) -> None:
    """A session that is open goes on for its twelve hours; without one, the error is that of the credentials."""
    client = make_client()
    client.get_dag("target", "load")
    if has_session:
        client._router._session._keeper.session(client.get_environment("target"))
    expired = {"__type": "ExpiredTokenException", "message": "The security token included in the request is expired"}
    for operation in ("InvokeRestApi", "CreateWebLoginToken"):
        local_mwaa.faults.add(Fault.answer(403, expired, operation=operation))
    if has_session:
        assert client.invoke_rest_api("target", "GET", "/dags/load").transport == "session"
    else:
        with pytest.raises(
            AccessDeniedError, match=r"AWS does not accept the credentials \(ExpiredTokenException"
        ) as caught:
            client.get_dag("target", "load")
        assert caught.value.action == "airflow:InvokeRestApi"
    # nothing was learned about the ways: with credentials that are renewed, IAM comes first again
    assert client.invoke_rest_api("target", "GET", "/dags/load").transport == "iam"


@pytest.fixture
def small_mwaa():
    """A service that hands on 4,000 bytes and takes paths of 64 characters."""
    with LocalMwaa(
        rules=ServiceRules(rest_payload_bytes=4000, rest_path_max_length=64, rest_calls_per_second=None)
    ) as mwaa:
        airflow = ScriptedAirflow("3.3.1")
        for number in range(50):
            airflow.add_dag(f"load_{number}")
        airflow.add_dag("a_dag_" + "with_a_long_name_" * 6, run_takes=None)
        mwaa.create_environment("target", airflow)
        yield mwaa


@pytest.fixture
def small_client(small_mwaa: LocalMwaa, make_client):
    return lambda **changes: make_client(**at(small_mwaa), **changes)


@needs_invoke_rest_api
def test_a_read_that_is_too_large_goes_by_session_that_once(small_mwaa: LocalMwaa, small_client) -> None:
    client = small_client()
    answer = client.invoke_rest_api("target", "GET", "/dags")
    assert (len(answer.body["dags"]), answer.transport) == (50, "session")
    assert client.get_dag("target", "load_1").dag_id == "load_1"
    assert [(entry.transport, entry.status) for entry in small_mwaa.journal.entries(is_rest=True)] == [
        ("iam", 413),
        ("session", 200),
        ("iam", 200),
    ]


@needs_invoke_rest_api
def test_where_the_session_is_closed_a_long_list_comes_in_smaller_pages(small_mwaa: LocalMwaa, make_client) -> None:
    nobody = Identity("NOWEB", denied_actions=frozenset({"CreateWebLoginToken"}))
    client = make_client(**at(small_mwaa, nobody))
    assert len(list(client.list_dags("target"))) == 51
    assert {entry.transport for entry in small_mwaa.journal.entries(is_rest=True)} == {"iam"}
    assert small_mwaa.journal.count(operation="CreateWebLoginToken") == 1  # tried out once
    with pytest.raises(RestApiLimitError, match="hit the limit of InvokeRestApi of 6 MB"):
        client.invoke_rest_api("target", "GET", "/dags")
    pages = list(client.invoke_rest_api_pages("target", "GET", "/dags", params={"limit": 51, "order_by": "dag_id"}))
    assert len({dag["dag_id"] for page in pages for dag in page.body["dags"]}) == 51
    assert len(pages) > 1


@needs_invoke_rest_api
def test_by_iam_alone_the_limit_is_named(small_client) -> None:
    with pytest.raises(RestApiLimitError, match="hit the limit of InvokeRestApi of 6 MB") as caught:
        small_client(transport="iam").invoke_rest_api("target", "GET", "/dags")
    assert (caught.value.limit, caught.value.status) == ("6 MB", 413)


@needs_invoke_rest_api
def test_a_path_that_aws_refuses_goes_by_session_that_once(small_mwaa: LocalMwaa, small_client) -> None:
    client, dag_id = small_client(), "a_dag_" + "with_a_long_name_" * 6
    run = client.trigger_dag_run("target", dag_id, run_id="once")  # refused before Airflow saw it
    assert run.run_id == "once"
    client.get_dag("target", "load_1")
    assert ways(small_mwaa) == ["session", "iam"]


@needs_invoke_rest_api
@pytest.mark.parametrize("transport", ["auto", "iam"])
def test_ten_seconds(make_client, transport: str) -> None:
    clock = ManualClock()
    with LocalMwaa(clock=clock) as mwaa:
        airflow = ScriptedAirflow("3.3.1")
        airflow.add_dag("load", run_takes=None)
        mwaa.create_environment("target", airflow)
        client = make_client(**at(mwaa), transport=transport)
        mwaa.faults.add(Fault.delay(11, method="GET"))
        assert client.get_dag("target", "load").dag_id == "load"
        seen = [(entry.transport, entry.status) for entry in mwaa.journal.entries(is_rest=True)]
        assert seen == [("iam", 504), ("session" if transport == "auto" else "iam", 200)]
        # what creates something is looked up instead
        mwaa.faults.add(Fault.delay(11, after_acting=True, method="POST"))
        assert client.trigger_dag_run("target", "load", run_id="once").run_id == "once"
        assert mwaa.journal.count(is_rest=True, method="POST") == 1
