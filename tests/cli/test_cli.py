"""``mwaa cli``."""

from __future__ import annotations

import json

import pytest

from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from mwaa_provider.local.backend import CliAnswer
from tests.cli.conftest import RunMwaa


def test_what_it_prints_goes_to_the_same_streams(run: RunMwaa, airflow: ScriptedAirflow) -> None:
    warning = "/airflow/configuration.py:7 FutureWarning: sieh „da“\n"
    airflow.script_cli(["dags", "list"], CliAnswer('[{"dag_id": "größe"}]\n', warning, 0))
    ended = run("cli", "production", "--", "dags", "list", "-o", "json")
    assert (ended.status, ended.stdout, ended.stderr) == (0, '[{"dag_id": "größe"}]\n', warning)


@pytest.mark.parametrize("dashes", [("--",), ()])
@pytest.mark.parametrize("line", [("variables", "set", "a key", "a 'value'"), ("variables set 'a key' \"a 'value'\"",)])
def test_arguments_arrive_as_they_were_given(
    run: RunMwaa, airflow: ScriptedAirflow, dashes: tuple[str, ...], line: tuple[str, ...]
) -> None:
    ended = run("cli", "production", *dashes, *line)
    assert (ended.status, ended.stdout, ended.stderr) == (0, "Variable a key created\n", "")
    assert airflow.variables() == {"a key": "a 'value'"}


def test_a_command_that_fails_over_there(run: RunMwaa, airflow: ScriptedAirflow) -> None:
    ended = run("cli", "production", "--", "variables", "get", "missing")
    assert (ended.status, ended.stdout) == (3, "")
    said, verdict = ended.stderr.splitlines()
    assert said.rstrip(".") == "Variable missing does not exist"
    assert verdict == "Error: `airflow variables get` failed in environment 'production'."


@pytest.mark.parametrize("line", [("dags", "trigger", "load"), ("dags trigger load",)])
def test_json_alone_for_programs(run: RunMwaa, airflow: ScriptedAirflow, line: tuple[str, ...]) -> None:
    airflow.add_dag("load")
    airflow.add_dag("other")
    plain = run("cli", "production", "--", "dags", "trigger", "other", "-o", "json")
    assert plain.stdout.splitlines()[0].startswith(("[20", "20"))  # Airflow's log comes before the result
    ended = run("cli", "--json", "production", "--", *line)
    assert (ended.status, ended.stderr) == (0, "")
    (row,) = json.loads(ended.stdout)
    assert (row["dag_id"], row["state"]) == ("load", "queued")


def test_json_without_rows_and_of_a_command_that_fails(run: RunMwaa, airflow: ScriptedAirflow) -> None:
    airflow.script_cli(["dags", "list"], CliAnswer("a log line\nNo data found\n", "a warning\n", 0))
    ended = run("cli", "production", "--json", "--", "dags", "list")
    assert (ended.status, ended.stdout, ended.stderr) == (0, "[]\n", "a warning\n")
    for printed, verdict in (("", "failed"), ("half a li", "printed no JSON")):
        airflow.script_cli(["dags", "list"], CliAnswer(printed, "Traceback (most recent call last):\nKeyError: 1\n", 1))
        ended = run("cli", "production", "--json", "--", "dags", "list")
        assert (ended.status, ended.stdout) == (3, "")
        assert ended.stderr == (
            f"{printed}Traceback (most recent call last):\nKeyError: 1\nError: `airflow dags list` {verdict} in environment 'production'.\n"
        )


def test_a_command_that_mwaa_does_not_take(run: RunMwaa, airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    ended = run("cli", "production", "--", "users", "list")
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Error: Invalid input: COMMAND: ")
    assert "users list" in ended.stderr
    assert local_mwaa.journal.count(operation="cli") == 0


def test_a_lost_answer(run: RunMwaa, airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    airflow.add_dag("load")
    local_mwaa.faults.add(Fault.lose_answer(operation="cli"))
    ended = run("cli", "production", "--", "dags", "trigger", "load")
    assert (ended.status, ended.stdout) == (4, "")
    assert "may have been run" in ended.error
    assert len(airflow.runs("load")) == 1


def test_forgotten_dashes(run: RunMwaa) -> None:
    ended = run("cli", "production", "dags", "list", "-o", "json")
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.error.endswith("Airflow's own options go after --, as in mwaa cli ENVIRONMENT -- dags list -o json")


@pytest.mark.parametrize("fault", [None, Fault.answer(500, operation="cli"), Fault.answer(500, "no", operation="rest")])
def test_no_token_is_printed_unless_asked_for(
    run: RunMwaa,
    airflow: ScriptedAirflow,
    local_mwaa: LocalMwaa,
    caplog: pytest.LogCaptureFixture,
    fault: Fault | None,
) -> None:
    caplog.set_level("DEBUG", logger="mwaa_provider")  # botocore itself logs whole answers at this level
    airflow.add_dag("load")
    if fault:
        local_mwaa.faults.add(fault)
    printed = [
        run("cli", "production", "--", "dags", "trigger", "load"),
        run("rest", "production", "POST", "/pools", "--body", "{}", "--transport", "session"),
        run("environments", "--json"),
    ]
    shown = "".join(ended.stdout + ended.stderr for ended in printed) + caplog.text
    tokens = list(local_mwaa._service.tokens._grants)
    assert len(tokens) == 3  # CLI token, web login token, session
    assert [token for token in tokens if token in shown] == []
