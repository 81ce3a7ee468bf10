"""Web sessions: opened once, renewed in time, never shown."""

from __future__ import annotations

import threading

import pytest
import requests

from mwaa_provider.client.tokens import WEB_SESSION_SECONDS
from mwaa_provider.exceptions import AccessDeniedError, InvalidInputError, LoginFailedError, RestApiError
from mwaa_provider.local import Fault, Identity, LocalMwaa, ManualClock, ScriptedAirflow


def logins(mwaa: LocalMwaa) -> int:
    return mwaa.journal.count(operation="login")


def test_one_login_serves_many_calls(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    client = make_client(transport="session")
    for _ in range(5):
        client.get_dag("target", "load")
    assert (logins(local_mwaa), local_mwaa.journal.count(operation="CreateWebLoginToken")) == (1, 1)


def test_a_session_is_renewed_before_it_ends(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, clock
) -> None:
    client = make_client(transport="session")
    client.get_dag("target", "load")
    clock.sleep(WEB_SESSION_SECONDS - 301)
    client.get_dag("target", "load")
    assert logins(local_mwaa) == 1
    clock.sleep(2)
    client.get_dag("target", "load")
    assert logins(local_mwaa) == 2
    assert local_mwaa.journal.count(is_rest=True, status=401) == 0


def test_a_session_the_server_has_forgotten_is_renewed_once(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client
) -> None:
    client = make_client(transport="session")
    client.get_dag("target", "load")
    local_mwaa.faults.add(Fault.expire_sessions(operation="rest"))
    assert client.get_dag("target", "load").dag_id == "load"
    assert logins(local_mwaa) == 2


def test_the_servers_clock_ends_a_session(make_client) -> None:
    clock = ManualClock()
    with LocalMwaa(clock=clock) as mwaa:
        airflow = ScriptedAirflow("3.3.1")
        airflow.add_dag("load")
        mwaa.create_environment("target", airflow)
        client = make_client(
            session=mwaa.boto3_session(), endpoint_url=mwaa.endpoint_url, verify=str(mwaa.ca_file), transport="session"
        )
        client.get_dag("target", "load")
        assert logins(mwaa) == 1
        clock.advance(12 * 3600 + 1)
        assert client.get_dag("target", "load").dag_id == "load"
        assert logins(mwaa) == 2


def test_nothing_shows_a_token(airflow: ScriptedAirflow, make_client, caplog) -> None:
    client = make_client(transport="session")
    token = client.create_web_login_token("target")
    with caplog.at_level("DEBUG", "mwaa_provider"):
        client.get_dag("target", "load")
    session = client._router._session._keeper.session(client.get_environment("target"))
    secrets = [token.value, *(value.split("=", 1)[-1].removeprefix("Bearer ") for value in session.headers.values())]
    shown = repr(token) + repr(session) + repr(client) + caplog.text
    assert all(len(secret) > 8 for secret in secrets)
    assert not [secret for secret in secrets if secret in shown]


def test_a_login_that_gives_no_session_is_told(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    local_mwaa.faults.add(Fault.answer(500, operation="login", times=None))
    with pytest.raises(LoginFailedError, match="gave no session for a web login token: HTTP 500") as caught:
        make_client(transport="session").get_dag("target", "load")
    assert (caught.value.status, caught.value.environment_name) == (500, "target")


def test_a_token_that_iam_denies_is_told(airflow: ScriptedAirflow, make_client) -> None:
    client = make_client(
        transport="session", identity=Identity("NOWEB", denied_actions=frozenset({"CreateWebLoginToken"}))
    )
    with pytest.raises(AccessDeniedError) as caught:
        client.get_dag("target", "load")
    assert caught.value.action == "airflow:CreateWebLoginToken"


# Tokens for whoever asks


@pytest.mark.parametrize(
    ("make", "operation"), [("create_cli_token", "CreateCliToken"), ("create_web_login_token", "CreateWebLoginToken")]
)
def test_a_token_is_handed_out_again_while_it_has_half_its_life(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, clock, make: str, operation: str
) -> None:
    client = make_client()
    first = getattr(client, make)("target")
    clock.sleep(29)
    assert getattr(client, make)("target") is first
    clock.sleep(1)
    second = getattr(client, make)("target")
    assert second.value != first.value
    assert second.web_server_host == first.web_server_host
    assert local_mwaa.journal.count(operation=operation) == 2


def test_a_token_ages_while_a_frozen_process_counts_nothing(airflow: ScriptedAirflow, make_client, clock) -> None:
    """A Lambda function between two calls: its monotonic clock stood still."""
    client = make_client()
    first = client.create_cli_token("target")
    clock.wall += 600
    assert client.create_cli_token("target").value != first.value


def test_a_session_ages_while_a_frozen_process_counts_nothing(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, clock
) -> None:
    client = make_client(transport="session")
    client.get_dag("target", "load")
    clock.wall += WEB_SESSION_SECONDS
    client.get_dag("target", "load")
    assert logins(local_mwaa) == 2


def test_the_login_link_logs_a_browser_in(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    client = make_client()
    url = client.web_login_url("target")
    address, _, token = url.partition("#")
    assert address == f"{local_mwaa.environments[0].base_url}/aws_mwaa/aws-console-sso?login=true"
    assert token == client.create_web_login_token("target").value
    page = requests.get(address, verify=str(local_mwaa.ca_file), timeout=10)
    assert page.status_code == 200


def test_tokens_and_links_show_nowhere(airflow: ScriptedAirflow, make_client, caplog) -> None:
    client = make_client()
    with caplog.at_level("DEBUG", "mwaa_provider"):
        tokens = [client.create_cli_token("target"), client.create_web_login_token("target")]
        client.web_login_url("target")
    shown = repr(tokens) + str(tokens) + caplog.text + repr(vars(client))
    assert not [token for token in tokens if token.value in shown]


@pytest.mark.parametrize("make", ["create_cli_token", "create_web_login_token", "web_login_url"])
def test_a_name_that_is_none_is_refused_before_any_call(local_mwaa: LocalMwaa, make_client, make: str) -> None:
    with pytest.raises(
        InvalidInputError, match="environment_name: 'no such/name' is not the name of an MWAA environment"
    ):
        getattr(make_client(), make)("no such/name")
    assert local_mwaa.journal.entries() == ()


# Whose sessions


def test_clients_of_one_identity_share_a_session(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    """As the tasks of a triggerer do, each with a hook of its own."""
    for _ in range(3):
        make_client(transport="session", clock=None).get_dag("target", "load")
    assert logins(local_mwaa) == 1


def test_another_identity_has_a_session_of_its_own(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client
) -> None:
    viewer = Identity("VIEWER", airflow_role="Viewer")
    make_client(transport="session", clock=None).get_dag("target", "load")
    other = make_client(transport="session", clock=None, identity=viewer)
    assert other.get_dag("target", "load").dag_id == "load"
    with pytest.raises(RestApiError, match="The Airflow role of this identity does not allow it") as caught:
        other.invoke_rest_api("target", "PATCH", "/dags/load", body={"is_paused": True})
    assert caught.value.status == 403
    assert [entry.airflow_role for entry in local_mwaa.journal.entries(operation="login")] == ["Admin", "Viewer"]


def test_another_region_has_a_session_of_its_own(local_mwaa: LocalMwaa, airflow: ScriptedAirflow, make_client) -> None:
    with LocalMwaa(region_name="eu-west-1") as elsewhere:
        there = ScriptedAirflow("3.3.1")
        there.add_dag("load")
        elsewhere.create_environment("target", there)
        make_client(transport="session", clock=None).get_dag("target", "load")
        make_client(
            transport="session",
            clock=None,
            session=elsewhere.boto3_session(),
            endpoint_url=elsewhere.endpoint_url,
            verify=str(elsewhere.ca_file),
        ).get_dag("target", "load")
        assert (logins(local_mwaa), logins(elsewhere)) == (1, 1)


def test_a_boto3_client_of_unknown_identity_shares_nothing(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client
) -> None:
    for _ in range(2):
        client = make_client(transport="session", clock=None, boto_client=make_client()._boto_client)
        client.get_dag("target", "load")
    assert logins(local_mwaa) == 2


def test_threads_wait_for_one_login(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    client, ready, found = make_client(transport="session"), threading.Barrier(20), []

    def read() -> None:
        ready.wait()
        found.append(client.get_dag("target", "load").dag_id)

    threads = [threading.Thread(target=read) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, logins(local_mwaa)) == (["load"] * 20, 1)


# What a refusal means


def test_a_role_that_may_not_does_not_log_in_again_and_again(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, clock
) -> None:
    client = make_client(transport="session", identity=Identity("VIEWER", airflow_role="Viewer"))
    for _ in range(3):
        with pytest.raises(RestApiError) as caught:
            client.invoke_rest_api("target", "PATCH", "/dags/load", body={"is_paused": True})
        assert caught.value.status == 403
    assert logins(local_mwaa) == 1
    # an old session that gets a 403 may have been forgotten: one login tells
    clock.sleep(60)
    with pytest.raises(RestApiError):
        client.invoke_rest_api("target", "PATCH", "/dags/load", body={"is_paused": True})
    assert logins(local_mwaa) == 2
    assert not airflow.is_paused("load")


@pytest.mark.parametrize("status", [401, 302])
def test_a_server_that_refuses_every_session_is_told(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, status: int
) -> None:
    client = make_client(transport="session")
    local_mwaa.faults.add(Fault.answer(status, {"detail": "no"}, times=None))
    with pytest.raises(
        LoginFailedError, match=rf"refuses the sessions that it has just given \(HTTP {status}: no\)"
    ) as caught:
        client.get_dag("target", "load")
    assert caught.value.status == status
    # five attempts: each with the session there is, and with another
    assert (logins(local_mwaa), local_mwaa.journal.count(is_rest=True)) == (6, 10)


@pytest.mark.parametrize("status", [401, 302])
def test_a_refused_trigger_is_sent_again_by_another_session(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, status: int
) -> None:
    """Whoever is refused for the session was not served."""
    client = make_client(transport="session")
    local_mwaa.faults.add(Fault.answer(status, {"detail": "no"}, method="POST", times=3))
    client.trigger_dag_run("target", "load", run_id="once")
    assert [run.run_id for run in airflow.runs("load")] == ["once"]
    assert local_mwaa.journal.count(is_rest=True, method="GET") == 0


def test_a_token_that_airflow_3_does_not_know_is_renewed(local_mwaa: LocalMwaa, make_client) -> None:
    """It answers 403 to that, as after a restart with another secret."""
    airflow = ScriptedAirflow("3.3.1")
    airflow.add_dag("load")
    local_mwaa.create_environment("target", airflow)
    client = make_client(transport="session")
    client.get_dag("target", "load")
    local_mwaa._service.tokens.forget("target")
    assert client.get_dag("target", "load").dag_id == "load"
    assert [entry.status for entry in local_mwaa.journal.entries(is_rest=True)] == [200, 403, 200]


def test_a_renewal_that_fails_says_why(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    client = make_client(transport="session")
    client.get_dag("target", "load")
    local_mwaa.faults.add(Fault.expire_sessions(), Fault.answer(403, operation="login", times=None))
    with pytest.raises(LoginFailedError) as caught:
        client.get_dag("target", "load")
    assert "gave no session for a web login token: HTTP 403" in str(caught.value)
    assert str(caught.value).endswith("This was to renew a web session that was refused with HTTP 401.")
    assert caught.value.status == 403
