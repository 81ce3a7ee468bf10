from __future__ import annotations

import pytest

from mwaa_provider.local import JournalEntry


def test_one_entry_for_each_call_of_invoke_rest_api(mwaa, env, signed, run_body, clock):
    signed.rest("POST", "/dags/report/dagRuns", run_body("r"))
    signed.rest("GET", "/dags/report/dagRuns", query={"limit": 3, "state": ["queued", "running"]})

    assert mwaa.journal.entries() == (
        JournalEntry(
            at=clock.now(),
            environment="target",
            surface="control",
            operation="InvokeRestApi",
            method="POST",
            path="/dags/report/dagRuns",
            query={},
            body=run_body("r"),
            status=200,
            identity="LOCALMWAAADMIN",
            airflow_role="Admin",
            transport="iam",
            backend_call=True,
        ),
        JournalEntry(
            at=clock.now(),
            environment="target",
            surface="control",
            operation="InvokeRestApi",
            method="GET",
            path="/dags/report/dagRuns",
            query={"limit": "3", "state": ["queued", "running"]},
            status=200,
            identity="LOCALMWAAADMIN",
            airflow_role="Admin",
            transport="iam",
            backend_call=True,
        ),
    )


def test_a_session_call_reads_like_its_iam_twin(mwaa, env, signed, logged_in, run_body):
    mwaa.journal.clear()
    signed.rest("GET", "/dags", query={"limit": 1, "paused": False})
    logged_in.rest("GET", "/dags?limit=1&paused=false")

    by_iam, by_session = mwaa.journal.entries(is_rest=True)
    alike = ("environment", "method", "path", "query", "body", "status", "identity", "airflow_role", "backend_call")
    assert [getattr(by_iam, name) for name in alike] == [getattr(by_session, name) for name in alike]
    assert (by_iam.transport, by_session.transport) == ("iam", "session")
    assert (by_iam.operation, by_session.operation) == ("InvokeRestApi", "rest")
    assert (by_iam.surface, by_session.surface) == ("control", "web")


def test_no_token_enters_the_journal(mwaa, env, web, client):
    web_token = client.create_web_login_token(Name="target")["WebToken"]
    cli_token = client.create_cli_token(Name="target")["CliToken"]
    web.login(web_token)
    web.login("wrong-" + web_token)
    web.rest("GET", "/dags")
    web.cli(cli_token, "version")

    everything = repr([vars(entry) for entry in mwaa.journal.entries()])
    assert mwaa.journal.count() == 6
    assert [entry.body for entry in mwaa.journal.entries(operation="login")] == [None, None]
    for secret in (web_token, cli_token, web.token, "AWS4-HMAC"):
        assert secret not in everything


def test_bodies_stay_out_of_the_repr(mwaa, env, signed):
    signed.rest("POST", "/variables", {"key": "password", "value": "s3cr3t"})

    (entry,) = mwaa.journal.entries()
    assert entry.body == {"key": "password", "value": "s3cr3t"}
    assert "s3cr3t" not in repr(entry)


def test_filters(mwaa, env, client, signed):
    client.get_environment(Name="target")
    signed.rest("GET", "/dags/report/dagRuns/a%2Bb")
    signed.rest("GET", "/version")

    assert [entry.path for entry in mwaa.journal.entries(operation="InvokeRestApi")] == [
        "/dags/report/dagRuns/a%2Bb",
        "/version",
    ]
    assert mwaa.journal.count(path="/dags/*/a+b", status=404) == 1
    assert mwaa.journal.count(path="/dags/*/a%2Bb") == 1
    assert mwaa.journal.count(is_rest=False) == 1
    assert mwaa.journal.count(surface="web") == 0
    with pytest.raises(TypeError, match=r"JournalEntry has no \['colour'\]"):
        mwaa.journal.entries(colour="red")
    mwaa.journal.clear()
    assert mwaa.journal.entries() == ()
