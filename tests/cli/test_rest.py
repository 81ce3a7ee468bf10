"""``mwaa rest``."""

from __future__ import annotations

import json
from pathlib import Path

import boto3
import pytest

from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from tests.cli.conftest import RunMwaa

BOTO3_HAS_THE_OPERATION = hasattr(boto3.client("mwaa"), "invoke_rest_api")
TRANSPORTS = [
    "session",
    pytest.param("iam", marks=pytest.mark.skipif(not BOTO3_HAS_THE_OPERATION, reason="boto3 has no invoke_rest_api")),
]


@pytest.fixture(autouse=True)
def _dags(airflow: ScriptedAirflow) -> None:
    for number in range(5):
        airflow.add_dag(f"dag_{number}", paused=number == 0)
    airflow.set_variable("greeting", "grüße 🦉")


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_answer_as_json_by_each_way(run: RunMwaa, local_mwaa: LocalMwaa, transport: str) -> None:
    ended = run("rest", "production", "GET", "/dags", "--param", "limit=2", "--transport", transport)
    assert (ended.status, ended.stderr) == (0, "")
    answer = json.loads(ended.stdout)
    assert ([dag["dag_id"] for dag in answer["dags"]], answer["total_entries"]) == (["dag_0", "dag_1"], 5)
    (call,) = local_mwaa.journal.entries(is_rest=True)
    assert (call.method, call.path, call.query, call.transport) == ("GET", "/dags", {"limit": "2"}, transport)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_parameter_given_twice_has_both_values(
    run: RunMwaa, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, transport: str
) -> None:
    for state in ("failed", "success", "queued"):
        airflow.add_run("dag_0", state, state=state)
    states = ("--param", "state=failed", "--param", "state=success")
    ended = run("rest", "production", "GET", "/dags/dag_0/dagRuns", *states, "--transport", transport)
    assert (ended.status, ended.stderr) == (0, "")
    assert {one["dag_run_id"] for one in json.loads(ended.stdout)["dag_runs"]} == {"failed", "success"}
    (call,) = local_mwaa.journal.entries(is_rest=True)
    assert call.query == {"state": ["failed", "success"]}


def test_all_pages_as_one(run: RunMwaa, local_mwaa: LocalMwaa) -> None:
    ended = run("rest", "production", "GET", "/dags", "--param", "limit=2", "--all")
    assert (ended.status, ended.stderr) == (0, "")
    answer = json.loads(ended.stdout)
    assert [dag["dag_id"] for dag in answer["dags"]] == [f"dag_{number}" for number in range(5)]
    assert answer["total_entries"] == 5
    assert [call.query for call in local_mwaa.journal.entries(is_rest=True)] == [
        {"limit": "2", "offset": "0"},
        {"limit": "2", "offset": "2"},
        {"limit": "2", "offset": "4"},
    ]


@pytest.mark.parametrize("way", ["itself", "file", "stdin"])
def test_the_body(run: RunMwaa, airflow: ScriptedAirflow, tmp_path: Path, way: str) -> None:
    body = json.dumps({"key": "new", "value": "grüße"}, ensure_ascii=False)
    (tmp_path / "body.json").write_text(body, encoding="utf-8")
    given = {"itself": body, "file": f"@{tmp_path}/body.json", "stdin": "-"}[way]
    ended = run("rest", "production", "post", "/variables", "--body", given, stdin=body if way == "stdin" else None)
    assert (ended.status, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["key"] == "new"
    assert airflow.variables() == {"greeting": "grüße 🦉", "new": "grüße"}


def test_letters_are_printed_as_they_are(run: RunMwaa) -> None:
    assert '"value": "grüße 🦉"' in run("rest", "production", "GET", "/variables/greeting").stdout


def test_an_empty_answer_prints_nothing(run: RunMwaa, airflow: ScriptedAirflow) -> None:
    ended = run("rest", "production", "DELETE", "/variables/greeting")
    assert (ended.status, ended.stdout, ended.stderr) == (0, "", "")
    assert airflow.variables() == {}


def test_airflow_says_no(run: RunMwaa) -> None:
    ended = run("rest", "production", "GET", "/variables/missing")
    assert (ended.status, ended.stdout) == (3, "")
    assert ended.stderr.startswith("Error: GET /variables/missing on environment 'production': not found")


def test_a_lost_answer_to_a_change_has_a_status_of_its_own(
    run: RunMwaa, airflow: ScriptedAirflow, local_mwaa: LocalMwaa
) -> None:
    local_mwaa.faults.add(Fault.lose_answer(operation="rest", method="POST"))
    body = '{"key": "token", "value": "very secret"}'
    ended = run("rest", "production", "POST", "/variables", "--body", body, "--transport", "session")
    assert (ended.status, ended.stdout) == (4, "")
    assert "may have been carried out" in ended.error
    assert "very secret" not in ended.stderr
    assert local_mwaa.journal.count(is_rest=True, method="POST") == 1
    assert airflow.variables()["token"] == "very secret"


@pytest.mark.parametrize("airflow", ["3.3.1"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("GET", "/dags?limit=1"), "PATH: give what stands after the '?' with --param NAME=VALUE"),
        (("GET", "/dags", "--param", "limit"), "--param: 'limit' is not NAME=VALUE"),
        (
            ("POST", "/variables", "--body", "{"),
            "--body: this is not JSON: Expecting property name enclosed in double ",
        ),
        (("POST", "/variables", "--body", "[1]"), "--body: it must be a JSON object, {...}"),
        (("POST", "/variables", "--body", "@/no/such"), "--body: /no/such: No such file or directory"),
        (
            ("POST", "/dags", "--all"),
            "--all: method: POST /dags is no list; only a GET, and a POST to '.../list', have pages",
        ),
        (
            ("GET", "/dags", "--all", "--param", "offset=1"),
            "--all: offset: '1' was given, but all pages are read from the first; leave it out",
        ),
        (
            ("GET", "dags"),
            "Invalid input: PATH: 'dags' is not a path below /api/v1 or /api/v2; give for example '/dags'",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_wrong_usage(run: RunMwaa, arguments: tuple[str, ...], message: str) -> None:
    ended = run("rest", "production", *arguments)
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.error.startswith(f"Error: {message}")
