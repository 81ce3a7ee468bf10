"""Every command that docs/command.md shows is run, and prints what the page shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from mwaa_provider.client.policy import ACTIONS_FOR
from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from tests.support.command import run_mwaa

PAGE = (Path(__file__).parents[2] / "docs/command.md").read_text(encoding="utf-8")
HOSTS = {
    "production": "4f21.c10.eu-west-1.airflow.amazonaws.com",
    "staging": "9b07-vpce.c10.eu-west-1.airflow.amazonaws.com",
}


def help_of(*arguments: str) -> str:
    return run_mwaa([*arguments, "--help"], {"COLUMNS": "140"}).stdout


def shown() -> list[tuple[str, str]]:
    """Return each command that follows a prompt, and the output under it."""
    blocks = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    return [
        (command, output)
        for block in blocks
        for command, output in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
    ]


def test_the_page_shows_what_the_command_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "variable.json").write_text('{"key": "day", "value": "2026-01-31"}')
    (tmp_path / "variables.json").write_text('{"greeting": "Good day", "limits": {"rows": 100}}')
    (tmp_path / "pools.json").write_text('{"etl": {"slots": 4}}')
    (tmp_path / "connections.json").write_text(
        '{"sales": {"conn_type": "postgres", "host": "db.example.com", "password": "secretsmanager://prod/sales#password"}}'
    )
    (tmp_path / "password.txt").write_text("p/@:+\n")
    (tmp_path / "requirements.txt").write_text(
        "-c https://raw.githubusercontent.com/apache/airflow/constraints-3.2.1/constraints-3.11.txt\nsnowflake-connector-python\n"
    )
    (tmp_path / "startup.sh").write_text("#!/bin/bash\nsudo yum -y install libaio\n")
    monkeypatch.chdir(tmp_path)
    printed = []
    with LocalMwaa(region_name="eu-west-1") as service:
        airflow = ScriptedAirflow("3.3.1")
        airflow.set_variable("greeting", "Grüße")
        airflow.add_dag("load_orders")
        addresses = {
            service.create_environment("production", airflow).host: HOSTS["production"],
            service.create_environment("staging", ScriptedAirflow("2.10.3")).host: HOSTS["staging"],
        }
        for command, _ in shown():
            line, _, tells_status = command.partition("; ")
            ended = run_mwaa(shlex.split(line)[1:], service.environment_variables())
            output = re.sub(r"login=true#\S+", "login=true#TOKEN", ended.stdout + ended.stderr)
            for local, there in addresses.items():
                output = output.replace(local, there)
            printed.append((command, output + (f"{ended.status}\n" if tells_status == "echo $?" else "")))
    assert len(printed) > 10
    assert printed == shown()


def test_options_actions_and_exit_statuses_are_those_of_the_command() -> None:
    options = set(re.findall(r"^  (--[a-z-]+) [A-Z]", help_of(), re.MULTILINE))
    assert set(re.findall(r"^\| `(--\S+) [A-Z]+` \|", PAGE, re.MULTILINE)) == options
    statuses = re.findall(r"^ +(\d+)  (\w.*)$", help_of(), re.MULTILINE)
    assert re.findall(r"^\| (\d+) \| (.*) \|$", PAGE, re.MULTILINE) == statuses
    actions = re.findall(r"^\| `([a-z]+)` \|", PAGE, re.MULTILINE)
    assert sorted(actions) == sorted(ACTIONS_FOR)
    for action in actions:
        assert re.search(rf"^ +(--action )? *{action}  +\S", help_of("policy"), re.MULTILINE), action
