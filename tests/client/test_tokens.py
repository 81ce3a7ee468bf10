"""Web sessions: opened once, renewed in time, never shown."""

from __future__ import annotations

import pytest

from mwaa_provider.client.tokens import WEB_SESSION_SECONDS
from mwaa_provider.exceptions import AccessDeniedError, LoginFailedError
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
        clock.advance(12 * 3600 + 1)
        assert client.get_dag("target", "load").dag_id == "load"
        assert logins(mwaa) == 2


def test_nothing_shows_a_token(airflow: ScriptedAirflow, make_client, caplog) -> None:
    client = make_client(transport="session")
    token = client.create_web_login_token("target")
    with caplog.at_level("DEBUG", "mwaa_provider"):
        client.get_dag("target", "load")
    keeper = client._router._session._keeper
    [session] = keeper._sessions.values()
    secrets = [token.value, *(value.split("=", 1)[-1].removeprefix("Bearer ") for value in session.headers.values())]
    shown = repr(token) + repr(session) + repr(client) + caplog.text
    assert all(len(secret) > 8 for secret in secrets)
    assert not [secret for secret in secrets if secret in shown]


def test_a_login_that_gives_no_session_is_told(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    local_mwaa.faults.add(Fault.answer(500, operation="login"))
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
