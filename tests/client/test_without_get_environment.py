"""A caller without ``airflow:GetEnvironment``: the version is asked over there, by the way that the call itself would take.

The execution roles of AWS's guide lack it, as does the policy that its page about the REST API shows.
"""

from __future__ import annotations

import logging

import pytest

from mwaa_provider.exceptions import AccessDeniedError
from mwaa_provider.local import Fault, Identity, LocalMwaa, ScriptedAirflow
from tests.client.conftest import MakeClient, needs_invoke_rest_api

ALL = {"GetEnvironment", "InvokeRestApi", "CreateWebLoginToken", "CreateCliToken"}


def allowed_only(*actions: str) -> Identity:
    return Identity("ONLY" + "".join(actions).upper(), denied_actions=frozenset(ALL - set(actions)))


@pytest.mark.parametrize("transport", ["auto", pytest.param("iam", marks=needs_invoke_rest_api)])
@needs_invoke_rest_api
def test_invoke_rest_api_is_enough(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient, caplog, transport: str
) -> None:
    client = make_client(identity=allowed_only("InvokeRestApi"), transport=transport)
    with caplog.at_level(logging.INFO, "mwaa_provider"):
        run = client.trigger_dag_run("target", "load", run_id="once")
        assert client.get_dag_run("target", "load", "once").run_id == run.run_id
    asked = [(entry.method, entry.path) for entry in local_mwaa.journal.entries(is_rest=True)]
    assert asked == [("GET", "/version"), ("POST", "/dags/load/dagRuns"), ("GET", "/dags/load/dagRuns/once")]
    assert local_mwaa.journal.count(operation="GetEnvironment") == 1
    [told] = [message for message in caplog.messages if "GetEnvironment" in message]
    assert told == (
        f"airflow:GetEnvironment on environment target is denied; over there it says that it is Airflow {airflow.airflow_version}"
    )
    # Nobody tells where its pages are
    assert client.dag_run_url("target", "load", "once") == ""
    assert client.task_instance_url("target", "load", "once", "extract") == ""


@pytest.mark.parametrize("transport", ["auto", "session"])
def test_a_web_login_token_is_enough(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient, transport: str
) -> None:
    client = make_client(identity=allowed_only("CreateWebLoginToken"), transport=transport)
    assert client.trigger_dag_run("target", "load", run_id="once").run_id == "once"
    served = [(entry.method, entry.path) for entry in local_mwaa.journal.entries(is_rest=True) if entry.backend_call]
    assert served == [("GET", "/version"), ("POST", "/dags/load/dagRuns")]
    assert local_mwaa.journal.count(operation="login", status=200) == 1
    assert client.dag_run_url("target", "load", "once").startswith(
        f"https://{local_mwaa.environments[0].host}/dags/load/"
    )


def test_a_cli_token_is_enough(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient) -> None:
    client = make_client(identity=allowed_only("CreateCliToken"))
    for _ in range(2):
        assert [dag["dag_id"] for dag in client.run_cli("target", ["dags", "list", "-o", "json"]).json] == ["load"]
    sent = [entry.body for entry in local_mwaa.journal.entries(operation="cli")]
    assert sent == ["version", "dags list -o json", "dags list -o json"]
    assert local_mwaa.journal.count(is_rest=True) == 0


def test_the_version_is_looked_at_before_a_command_is_sent(airflow: ScriptedAirflow, make_client: MakeClient) -> None:
    here, other = ("dags backfill", "backfill create")[:: 1 if airflow.airflow_version.startswith("3") else -1]
    with pytest.raises(Exception, match=f"does not take '{here}' with Airflow {airflow.airflow_version}.*{other}"):
        make_client(identity=allowed_only("CreateCliToken")).run_cli("target", f"{here} load --dry-run")


@pytest.mark.parametrize("transport", ["auto", "session"])
def test_with_nothing_the_first_denial_is_told(
    airflow: ScriptedAirflow, make_client: MakeClient, transport: str
) -> None:
    client = make_client(identity=allowed_only(), transport=transport)
    for call, why in (
        (lambda: client.get_dag("target", "load"), "airflow:CreateWebLoginToken"),
        (lambda: client.run_cli("target", ["version"]), "airflow:CreateCliToken"),
    ):
        with pytest.raises(AccessDeniedError) as caught:
            call()
        assert caught.value.action == "airflow:GetEnvironment"
        assert "Allow airflow:GetEnvironment on arn:aws:airflow:" in str(caught.value)
        assert "The environment could not be asked for its version itself: " in str(caught.value)
        assert why in str(caught.value)


def test_what_needs_the_description_itself_says_so(airflow: ScriptedAirflow, make_client: MakeClient) -> None:
    with pytest.raises(AccessDeniedError) as caught:
        make_client(identity=allowed_only("InvokeRestApi", "CreateWebLoginToken")).get_environment("target")
    assert caught.value.action == "airflow:GetEnvironment"


def test_a_version_that_is_not_told_leaves_no_doubt_about_the_call_itself(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient
) -> None:
    """Nothing was sent but a question: no UnknownOutcomeError, upon which a task would not be tried again."""
    client = make_client(identity=allowed_only("CreateWebLoginToken", "CreateCliToken"), transport="session")
    local_mwaa.faults.add(Fault.lose_answer(operation="rest", path="/version", times=None))
    local_mwaa.faults.add(Fault.lose_answer(operation="cli", times=None))
    for call in (
        lambda: client.invoke_rest_api("target", "POST", "/dags/load/dagRuns", body={}),
        lambda: client.run_cli("target", ["dags", "trigger", "load"]),
    ):
        with pytest.raises(
            AccessDeniedError,
            match=r"could not be asked for its version itself: No .* 127\.0\.0\.1|itself: No usable answer of the CLI",
        ):
            call()
    assert airflow.runs("load") == ()
    local_mwaa.faults.clear()
    local_mwaa.faults.add(Fault.lose_answer(operation="rest", path="/version"))
    assert client.get_dag("target", "load").dag_id == "load"


def test_expired_credentials_are_not_worked_around(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient
) -> None:
    expired = {"__type": "ExpiredTokenException", "message": "expired"}
    local_mwaa.faults.add(Fault.answer(403, expired, operation="GetEnvironment"))
    with pytest.raises(AccessDeniedError, match="AWS does not accept the credentials"):
        make_client().get_dag("target", "load")
    assert local_mwaa.journal.count() == 1
