from __future__ import annotations

import pytest
import requests
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError, ReadTimeoutError

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow, SystemClock
from tests.local.callers import Signed


def runs(env):
    return [run.run_id for run in env.backend.runs("report")]


def last(mwaa):
    entry = mwaa.journal.entries()[-1]
    return entry.operation, entry.status, entry.backend_call, entry.fault


def test_the_web_server_loses_an_answer(mwaa, env, logged_in, run_body):
    mwaa.faults.add(Fault.lose_answer(method="POST", path="/dags/*/dagRuns"))

    with pytest.raises(requests.exceptions.ConnectionError):
        logged_in.rest("POST", "/dags/report/dagRuns", json=run_body("lost"))

    assert runs(env) == ["lost"]
    assert last(mwaa) == ("rest", None, True, "lose_answer")
    assert mwaa.faults.pending() == ()
    assert logged_in.rest("GET", "/dags/report/dagRuns/lost").status_code == 200


def test_the_web_server_refuses(mwaa, env, logged_in, run_body):
    mwaa.faults.add(Fault.refuse(method="POST"))

    with pytest.raises(requests.exceptions.ConnectionError):
        logged_in.rest("POST", "/dags/report/dagRuns", json=run_body("never"))

    assert runs(env) == []
    assert last(mwaa) == ("rest", None, False, "refuse")


def test_a_lost_answer_of_the_web_server_is_502_by_iam(mwaa, env, signed, run_body):
    mwaa.faults.add(Fault.lose_answer(method="POST"), Fault.refuse(method="POST"))

    lost = signed.rest("POST", "/dags/report/dagRuns", run_body("lost"))
    assert last(mwaa) == ("InvokeRestApi", 502, True, "lose_answer")
    refused = signed.rest("POST", "/dags/report/dagRuns", run_body("never"))
    assert last(mwaa) == ("InvokeRestApi", 502, False, "refuse")

    for answer in (lost, refused):
        assert answer.headers["x-amzn-ErrorType"] == "RestApiServerException"
        assert answer.json()["RestApiStatusCode"] == 502
    assert runs(env) == ["lost"]


def test_the_service_itself_loses_an_answer(mwaa, env, signed, run_body):
    mwaa.faults.add(Fault.lose_answer(operation="InvokeRestApi", method="POST"))

    assert signed.rest("GET", "/version").status_code == 200
    with pytest.raises(requests.exceptions.ConnectionError):
        signed.rest("POST", "/dags/report/dagRuns", run_body("lost"))

    assert runs(env) == ["lost"]
    assert last(mwaa) == ("InvokeRestApi", None, True, "lose_answer")


def test_boto3_sees_a_cut_connection(mwaa, env, client):
    mwaa.faults.add(Fault.refuse(operation="CreateCliToken"))

    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        client.create_cli_token(Name="target")
    assert client.create_cli_token(Name="target")["CliToken"]


@pytest.mark.parametrize("after_acting", [False, True])
def test_answers_before_and_after_acting(mwaa, env, logged_in, run_body, after_acting):
    mwaa.faults.add(Fault.answer(503, {"detail": "busy"}, after_acting=after_acting, method="POST"))

    answer = logged_in.rest("POST", "/dags/report/dagRuns", json=run_body("r"))

    assert (answer.status_code, answer.json()) == (503, {"detail": "busy"})
    assert runs(env) == (["r"] if after_acting else [])
    assert last(mwaa) == ("rest", 503, after_acting, "answer")


def test_html_error_pages_on_both_transports(mwaa, env, logged_in, signed):
    mwaa.faults.add(Fault.answer(500, times=2))

    by_session, by_iam = logged_in.rest("GET", "/dags"), signed.rest("GET", "/dags")

    assert (by_session.status_code, by_session.headers["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert by_session.text.startswith("<html>")
    assert (by_iam.headers["x-amzn-ErrorType"], by_iam.json()) == (
        "RestApiServerException",
        {"RestApiStatusCode": 500, "RestApiResponse": by_session.text},
    )


def test_the_service_answers_something_else(mwaa, env, client):
    mwaa.faults.add(Fault.answer(500, {"message": "internal"}, operation="GetEnvironment"))

    with pytest.raises(ClientError) as caught:
        client.get_environment(Name="target")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert last(mwaa) == ("GetEnvironment", 500, False, "answer")


def test_delay_passes_time_on_the_clock(mwaa, env, logged_in, clock, run_body):
    before = clock.now()
    mwaa.faults.add(Fault.delay(4, path="/dags*"), Fault.delay(3, after_acting=True, path="/dags*"))

    assert logged_in.rest("GET", "/dags").status_code == 200
    assert mwaa.journal.entries()[-1].seconds == 4.0
    assert logged_in.rest("GET", "/dags").status_code == 200
    assert (clock.now() - before).total_seconds() == 7.0


def test_delay_in_real_time_ends_when_the_service_stops():
    with LocalMwaa(clock=SystemClock()) as mwaa:
        mwaa.create_environment("target", ScriptedAirflow("3.3.1"))
        mwaa.faults.add(Fault.delay(600, operation="GetEnvironment"))
        from botocore.config import Config

        config = Config(inject_host_prefix=False, retries={"total_max_attempts": 1}, read_timeout=0.2)
        client = mwaa.boto3_session().client("mwaa", endpoint_url=mwaa.endpoint_url, config=config)
        with pytest.raises(ReadTimeoutError):
            client.get_environment(Name="target")


def test_throttle_so_many_calls(mwaa, env, signed, logged_in):
    mwaa.faults.add(Fault.throttle(times=2), Fault.throttle("rest"))

    statuses = [signed.rest("GET", "/version").status_code for _ in range(2)]
    web = logged_in.rest("GET", "/dags")

    assert statuses == [429, 429]
    assert mwaa.journal.count(error_code="ThrottlingException", fault="throttle") == 2
    assert web.status_code == 429


def test_expired_sessions_need_a_new_login(mwaa, env, logged_in, client):
    mwaa.faults.add(Fault.expire_sessions(path="/dags"))

    assert logged_in.rest("GET", "/version").status_code == 200
    assert logged_in.rest("GET", "/dags").status_code == 401
    assert last(mwaa) == ("rest", 401, False, "expire_sessions")
    logged_in.login(client.create_web_login_token(Name="target")["WebToken"])
    assert logged_in.rest("GET", "/dags").status_code == 200


def test_deny_an_action(mwaa, env, client, logged_in, line):
    mwaa.faults.add(Fault.deny("CreateWebLoginToken"), Fault.deny("rest"))

    with pytest.raises(client.exceptions.AccessDeniedException) as caught:
        client.create_web_login_token(Name="target")
    web = logged_in.rest("GET", "/dags")

    assert "airflow:CreateWebLoginToken on resource" in caught.value.response["Error"]["Message"]
    assert last(mwaa) == ("rest", 403, False, "deny")
    assert (web.status_code, web.json()["detail"]) == (403, {2: None, 3: "Forbidden"}[line])
    assert client.create_web_login_token(Name="target")["WebToken"]


def test_a_hidden_dag_is_not_found_as_airflow_says_it(mwaa, env, logged_in, signed, run_body, line):
    mwaa.faults.add(Fault.hide_dag("report", times=3))

    got = logged_in.rest("GET", "/dags/report")
    posted = logged_in.rest("POST", "/dags/report/dagRuns", json=run_body("r"))
    by_iam = signed.rest("GET", "/dags/report")
    after = logged_in.rest("GET", "/dags/report")

    text = {2: "The DAG with dag_id: report was not found", 3: "The Dag with ID: `report` was not found"}[line]
    said = {2: "DAG with dag_id: 'report' not found", 3: "Dag with dag_id: 'report' not found"}[line]
    assert (got.status_code, got.json()["detail"]) == (404, text)
    assert (posted.status_code, posted.json()["detail"]) == (404, said)
    assert (by_iam.json()["RestApiStatusCode"], by_iam.json()["RestApiResponse"]["detail"]) == (404, text)
    assert after.status_code == 200
    assert runs(env) == []


def test_cli_and_login_faults(mwaa, env, web, client):
    mwaa.faults.add(Fault.answer(503, operation="cli"), Fault.answer(502, operation="login"))

    assert web.cli(client.create_cli_token(Name="target")["CliToken"], "version").status_code == 503
    assert web.login(client.create_web_login_token(Name="target")["WebToken"]).status_code == 502
    assert web.login(client.create_web_login_token(Name="target")["WebToken"]).status_code == 200


def test_faults_pick_their_environment_and_last_until_cleared(mwaa, env):
    mwaa.create_environment("other", ScriptedAirflow("3.3.1"))
    signed = Signed(mwaa)
    fault = Fault.answer(500, environment="oth*", times=None)
    mwaa.faults.add(fault)

    statuses = [signed.rest("GET", "/version", environment=name).status_code for name in ("target", "other", "other")]
    assert statuses == [200, 400, 400]
    assert mwaa.faults.pending() == (fault,)
    mwaa.faults.clear()
    assert signed.rest("GET", "/version", environment="other").status_code == 200


def test_a_fault_strikes_each_so_manieth_request_of_its_own(mwaa, env, logged_in):
    mwaa.faults.add(Fault.answer(503, every=3, times=2, path="/dags"))

    statuses = [logged_in.rest("GET", path).status_code for path in ("/dags", "/version", "/dags") + ("/dags",) * 5]

    assert statuses == [200, 200, 200, 503, 200, 200, 503, 200]
    assert mwaa.faults.pending() == ()


@pytest.mark.parametrize("by", ["session", "iam"])
def test_sessions_that_end_at_each_third_request(mwaa, env, logged_in, signed, client, by):
    mwaa.faults.add(Fault.expire_sessions(every=3, times=None, path="/dags"))
    struck = []
    for _ in range(6):
        if by == "iam":
            assert signed.rest("GET", "/dags").status_code == 200
        elif logged_in.rest("GET", "/dags").status_code == 401:
            logged_in.login(client.create_web_login_token(Name="target")["WebToken"])
        struck.append(mwaa.journal.entries(path="/dags")[-1].fault)

    assert struck == [None, None, "expire_sessions"] * 2


def test_two_faults_take_their_turns(mwaa, env, signed):
    mwaa.faults.add(Fault.answer(500, every=2, times=None), Fault.answer(502, every=2, times=None))

    answers = [signed.rest("GET", "/version").json()["RestApiStatusCode"] for _ in range(6)]

    # The second sees only what the first let pass.
    assert answers == [200, 500, 502, 500, 200, 500]


def test_a_fault_that_strikes_no_request_in_so_many_is_refused():
    with pytest.raises(InvalidInputError, match="every: 0 is no count of requests"):
        Fault.refuse(every=0)
