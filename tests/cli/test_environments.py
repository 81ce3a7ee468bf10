"""``mwaa environments``."""

from __future__ import annotations

import json

import pytest

from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from tests.cli.conftest import RunMwaa


@pytest.fixture
def hosts(local_mwaa: LocalMwaa) -> list[str]:
    versions = {"a": "2.10.3", "production-and-more": "3.3.1"}
    return [local_mwaa.create_environment(name, ScriptedAirflow(version)).host for name, version in versions.items()]


def test_a_table(run: RunMwaa, hosts: list[str]) -> None:
    ended = run("environments")
    assert (ended.status, ended.stderr) == (0, "")
    assert ended.stdout == (
        "NAME                 AIRFLOW  STATUS     WEB SERVER\n"
        f"a                    2.10.3   AVAILABLE  {hosts[0]}\n"
        f"production-and-more  3.3.1    AVAILABLE  {hosts[1]}\n"
    )


def test_json(run: RunMwaa, hosts: list[str]) -> None:
    ended = run("environments", "--json")
    assert (ended.status, ended.stderr) == (0, "")
    start = "arn:aws:airflow:us-east-1:123456789012:environment"
    assert json.loads(ended.stdout) == [
        {
            "name": name,
            "airflow_version": version,
            "status": "AVAILABLE",
            "web_server_host": host,
            "arn": f"{start}/{name}",
            "error": None,
        }
        for name, version, host in (("a", "2.10.3", hosts[0]), ("production-and-more", "3.3.1", hosts[1]))
    ]


def test_one_that_cannot_be_described_is_a_row_and_not_the_end(
    run: RunMwaa, hosts: list[str], local_mwaa: LocalMwaa
) -> None:
    local_mwaa.identities.deny("GetEnvironment", environment="a")

    table = run("environments")
    assert table.status == 1
    assert table.stdout == (
        "NAME                 AIRFLOW  STATUS             WEB SERVER\n"
        "a                    -        AccessDeniedError  -\n"
        f"production-and-more  3.3.1    AVAILABLE          {hosts[1]}\n"
    )
    assert "airflow:GetEnvironment" in table.stderr
    assert table.stderr.startswith("Error: ")
    assert table.stderr.count("\n") == 1

    as_json = run("environments", "--json")
    assert (as_json.status, as_json.stderr) == (1, table.stderr)
    failed, described = json.loads(as_json.stdout)
    assert failed == {
        "name": "a",
        "airflow_version": None,
        "status": None,
        "web_server_host": None,
        "arn": None,
        "error": {"kind": "AccessDeniedError", "message": table.stderr.removeprefix("Error: ").rstrip("\n")},
    }
    assert described["error"] is None


def test_none(run: RunMwaa) -> None:
    people, programs = run("environments"), run("environments", "--json")
    assert (people.status, people.stdout) == (0, "")
    assert people.stderr == "There is no environment in this account and region.\n"
    assert (programs.status, programs.stdout, programs.stderr) == (0, "[]\n", "")


def test_the_list_itself_denied(run: RunMwaa, local_mwaa: LocalMwaa) -> None:
    local_mwaa.identities.deny("ListEnvironments")
    ended = run("environments")
    assert (ended.status, ended.stdout) == (1, "")
    assert "airflow:ListEnvironments" in ended.error
