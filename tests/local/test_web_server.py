from __future__ import annotations

import base64
import threading

import pytest
import requests

from mwaa_provider.local import CliAnswer, Identity, LocalMwaa, ScriptedAirflow, ServiceRules
from tests.local.callers import API, LINES, LOGIN, Signed, Web, boto3_client


def decoded(answer: requests.Response) -> tuple[str, str]:
    body = answer.json()
    assert set(body) == {"stdout", "stderr"}
    return base64.b64decode(body["stdout"]).decode(), base64.b64decode(body["stderr"]).decode()


def test_login_gives_a_session_that_opens_the_rest_api(web, client, line):
    before = web.rest("GET", "/dags")
    answer = web.login(client.create_web_login_token(Name="target")["WebToken"])
    after = web.rest("GET", "/dags")

    assert before.status_code == 401
    assert answer.status_code == 200
    assert answer.headers["Set-Cookie"].startswith({2: "session=", 3: "_token="}[line])
    assert "Secure" in answer.headers["Set-Cookie"]
    assert (web.token.count("."), after.status_code) == ({2: 0, 3: 2}[line], 200)
    assert after.json()["total_entries"] == 1


def test_what_a_missing_session_gets(web, line):
    expected = {
        2: {
            "detail": None,
            "status": 401,
            "title": "Unauthorized",
            "type": "https://airflow.apache.org/docs/apache-airflow/2.10.3/stable-rest-api-ref.html"
            "#section/Errors/Unauthenticated",
        },
        3: {"detail": "Not authenticated"},
    }
    answer = web.rest("GET", "/dags")

    assert (answer.status_code, answer.json()) == (401, expected[line])


def test_made_up_session(web, line):
    headers = {2: {"Cookie": "session=made-up"}, 3: {"Authorization": "Bearer made.up.token"}}[line]
    answer = web.rest("GET", "/dags", headers=headers)

    assert answer.status_code == {2: 401, 3: 403}[line]


def test_airflow_30_does_not_look_at_the_cookie(mwaa, client):
    statuses = {}
    for version in ("3.0.6", "3.3.1"):
        name = "a" + version.replace(".", "")
        web = Web(mwaa, mwaa.create_environment(name, ScriptedAirflow(version)))
        web.login(client.create_web_login_token(Name=name)["WebToken"])
        web.headers = {"Cookie": f"_token={web.token}"}
        statuses[version] = web.rest("GET", "/dags").status_code

    assert statuses == {"3.0.6": 401, "3.3.1": 200}


def test_web_token_lives_sixty_seconds(web, client, clock):
    token = client.create_web_login_token(Name="target")["WebToken"]
    clock.advance(59.9)
    in_time = web.login(token)
    clock.advance(0.1)
    late = web.login(token)

    assert in_time.status_code == 200
    assert (late.status_code, late.json()) == (403, {"error": "The web login token has expired."})


def test_session_lives_twelve_hours(logged_in, clock, line):
    clock.advance(12 * 3600 - 1)
    assert logged_in.rest("GET", "/dags").status_code == 200
    clock.advance(1)
    answer = logged_in.rest("GET", "/dags")

    assert answer.status_code == 401
    assert answer.json()["detail"] == {2: None, 3: "Token Expired"}[line]


def test_tokens_count_for_their_environment_and_purpose_only(mwaa, web, client):
    mwaa.create_environment("other", ScriptedAirflow("3.3.1"))
    foreign = client.create_web_login_token(Name="other")["WebToken"]
    cli = client.create_cli_token(Name="target")["CliToken"]
    foreign_cli = client.create_cli_token(Name="other")["CliToken"]
    web_token = client.create_web_login_token(Name="target")["WebToken"]

    for token in (foreign, cli, "made-up", ""):
        answer = web.login(token)
        assert (answer.status_code, answer.json()) == (
            403,
            {"error": "The web login token is not one of this environment."},
        )
    for token in (foreign_cli, web_token, "made-up"):
        answer = web.cli(token, "version")
        assert (answer.status_code, answer.json()) == (403, {"message": "Forbidden"})


def test_cli_runs_a_command(web, client, line, mwaa):
    answer = web.cli(client.create_cli_token(Name="target")["CliToken"], "version")

    assert answer.status_code == 200
    assert decoded(answer) == (f"{LINES[line]}\n", "")
    (entry,) = mwaa.journal.entries(operation="cli")
    assert (entry.body, entry.status, entry.backend_call) == ("version", 200, True)


def test_cli_token_lives_sixty_seconds(web, client, clock):
    token = client.create_cli_token(Name="target")["CliToken"]
    clock.advance(59.9)
    assert web.cli(token, "version").status_code == 200
    clock.advance(0.1)
    assert web.cli(token, "version").status_code == 403


def test_cli_splits_the_line_as_a_shell_does(web, client, airflow):
    airflow.script_cli(["variables", "set", "k", '{"a": "b c"}'], CliAnswer("Variable k created\n", "", 0))
    token = client.create_cli_token(Name="target")["CliToken"]

    answer = web.cli(token, """variables set k '{"a": "b c"}'""")
    unbalanced = web.cli(token, "variables set k 'x")

    assert decoded(answer) == ("Variable k created\n", "")
    assert (unbalanced.status_code, unbalanced.json()) == (
        400,
        {"error": "The command cannot be read: No closing quotation"},
    )


@pytest.mark.parametrize(
    ("command", "hint"),
    [("pools list", "; did you mean 'roles list'?"), ("airflow version", None), ("dags triger x", "'dags trigger'")],
)
def test_cli_refuses_what_mwaa_does_not_support(web, client, mwaa, command, hint):
    answer = web.cli(client.create_cli_token(Name="target")["CliToken"], command)

    assert answer.status_code == mwaa.rules.cli_unsupported_status == 500
    error = answer.json()["error"]
    assert error.startswith(f"MWAA does not support the command '{' '.join(command.split()[:2])}' with Airflow ")
    assert hint is None or hint in error
    assert mwaa.journal.entries(operation="cli")[-1].backend_call is False


def test_cli_failure_status_is_a_rule(clock, airflow):
    airflow.script_cli(["dags", "trigger"], CliAnswer("", "airflow.exceptions.DagNotFound: nope\n", 1))
    with LocalMwaa(clock=clock, rules=ServiceRules(cli_failure_status=400)) as mwaa:
        web = Web(mwaa, mwaa.create_environment("target", airflow))
        token = boto3_client(mwaa).create_cli_token(Name="target")["CliToken"]
        answer = web.cli(token, "dags trigger nope")

    assert ServiceRules().cli_failure_status == 200
    assert (answer.status_code, decoded(answer)) == (400, ("", "airflow.exceptions.DagNotFound: nope\n"))


def test_four_commands_at_once(mwaa, client):
    all_in, go_on = threading.Barrier(5), threading.Event()

    class Slow(ScriptedAirflow):
        def cli(self, arguments):
            all_in.wait(30)
            go_on.wait(30)
            return super().cli(arguments)

    env = mwaa.create_environment("target", Slow("3.3.1"))
    token = client.create_cli_token(Name="target")["CliToken"]
    statuses = []
    threads = [
        threading.Thread(target=lambda: statuses.append(Web(mwaa, env).cli(token, "version").status_code))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    all_in.wait(30)
    fifth = Web(mwaa, env).cli(token, "version")
    go_on.set()
    for thread in threads:
        thread.join()

    assert fifth.status_code == 503
    assert statuses == [200, 200, 200, 200]


def test_the_other_lines_paths_say_so(web, line):
    other = 5 - line
    login = web("POST", LOGIN[other], data={"token": "x"})
    api = web("GET", API[other] + "/dags")

    for answer, there, here in ((login, LOGIN[other], LOGIN[line]), (api, API[other], API[line])):
        assert answer.status_code == 404
        assert answer.json()["detail"] == (
            f"{there} is Airflow {other}'s; this environment runs Airflow {LINES[line]}: use {here}"
        )


def test_single_sign_on_page_posts_the_fragment(web, line):
    answer = web("GET", "/aws_mwaa/aws-console-sso?login=true")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert f'fetch("{LOGIN[line]}"' in answer.text
    assert "location.hash.slice(1)" in answer.text
    assert f'location.replace("{ {2: "/home", 3: "/"}[line] }")' in answer.text


def test_health_and_version_need_no_session(web, line):
    health = web.rest("GET", {2: "/health", 3: "/monitor/health"}[line])

    assert (health.status_code, health.json()["metadatabase"]) == (200, {"status": "healthy"})
    assert web.rest("GET", "/version").json()["version"] == LINES[line]
    assert web("GET", "/health").status_code == {2: 200, 3: 501}[line]


def test_pages_need_a_session(web, client):
    before = web("GET", "/home")
    web.login(client.create_web_login_token(Name="target")["WebToken"])
    after = web("GET", "/home")

    assert (before.status_code, "aws-console-sso?login=true#TOKEN" in before.text) == (403, True)
    assert (after.status_code, "no UI" in after.text) == (501, True)


def test_the_session_has_its_identitys_airflow_role(mwaa, web, run_body):
    viewer = boto3_client(mwaa, Identity("VIEWER", airflow_role="Viewer"))
    web.login(viewer.create_web_login_token(Name="target")["WebToken"])

    assert web.rest("GET", "/dags").status_code == 200
    assert web.rest("POST", "/dags/report/dagRuns", json=run_body("r")).status_code == 403
    assert web.rest("GET", "/variables").status_code == 403
    assert {entry.airflow_role for entry in mwaa.journal.entries(transport="session")} == {"Viewer"}


def test_the_certificate_is_the_local_authoritys(mwaa, env):
    session = requests.Session()
    session.trust_env = False
    with pytest.raises(requests.exceptions.SSLError):
        session.get(env.base_url + "/health", timeout=30)

    assert session.get(env.base_url + "/health", timeout=30, verify=str(mwaa.ca_file)).status_code in (200, 501)
    assert b"PRIVATE" not in mwaa.ca_file.read_bytes()


def test_both_transports_see_one_airflow(logged_in, mwaa, run_body):
    Signed(mwaa).rest("POST", "/dags/report/dagRuns", run_body("by-iam"))

    assert logged_in.rest("GET", "/dags/report/dagRuns/by-iam").json()["dag_run_id"] == "by-iam"
