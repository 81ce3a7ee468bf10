from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest

from mwaa_provider.local import CliAnswer, ManualClock, ScriptedAirflow

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def airflow(line):
    scripted = ScriptedAirflow({2: "2.10.3", 3: "3.3.1"}[line], clock=ManualClock(START))
    scripted.add_dag("report")
    return scripted


def test_version(airflow, line):
    assert airflow.cli(["version"]) == CliAnswer({2: "2.10.3\n", 3: "3.3.1\n"}[line], "", 0)


def test_dags_list(airflow, line):
    table, as_json = airflow.cli(["dags", "list"]), airflow.cli(["dags", "list", "-o", "json"])

    row = {
        "dag_id": "report",
        "fileloc": "/usr/local/airflow/dags/report.py",
        "owners": ["airflow"],
        "is_paused": "False",
    }
    assert json.loads(as_json.stdout) == [
        row if line == 2 else {**row, "bundle_name": "dags-folder", "bundle_version": None}
    ]
    if line == 2:
        assert table.stdout == (
            "dag_id | fileloc                           | owners  | is_paused\n"
            "=======+===================================+=========+==========\n"
            "report | /usr/local/airflow/dags/report.py | airflow | False    \n"
            "                                                                \n"
        )


def test_dags_trigger(airflow, line):
    flag = {2: "-e", 3: "-l"}[line]
    other = {2: "--logical-date", 3: "--exec-date"}[line]
    arguments = ["dags", "trigger", "report", "-r", "mine", "-c", '{"a": 1}', flag, "2025-01-01T00:00:00Z"]
    done = airflow.cli([*arguments, "-o", "json"])
    log, printed = done.stdout.splitlines()
    again, wrong_flag = airflow.cli(arguments), airflow.cli(["dags", "trigger", "report", other, "2025-01-01"])
    unknown, no_json = airflow.cli(["dags", "trigger", "nope"]), airflow.cli(["dags", "trigger", "report", "-c", "x"])

    (run,) = airflow.runs("report")
    assert (run.run_id, run.conf, run.triggered_by) == ("mine", {"a": 1}, "cli")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "nfo" in log.lower()
    (row,) = json.loads(printed)
    assert (row["dag_run_id"], row["logical_date"], row["state"]) == ("mine", "2025-01-01 00:00:00+00:00", "queued")
    assert again.exit_code == 1
    assert "airflow.exceptions.DagRunAlreadyExists: A DAG Run already exists for DAG report" in again.stderr
    assert (wrong_flag.exit_code, "unrecognized arguments" in wrong_flag.stderr) == (2, True)
    assert unknown.stderr.endswith("airflow.exceptions.DagNotFound: Dag id nope not found in DagModel\n")
    assert (no_json.exit_code, "JSONDecodeError" in no_json.stderr) == (1, True)


def test_dags_pause_and_unpause(airflow, line):
    paused, again = airflow.cli(["dags", "pause", "report"]), airflow.cli(["dags", "pause", "report"])
    printed = {2: "True     ", 3: "False    "}[line]

    assert paused == CliAnswer(
        f"dag_id | is_paused\n=======+==========\nreport | {printed}\n                  \n", "", 0
    )
    assert again == CliAnswer("No unpaused DAGs were found\n", "", 0)
    assert airflow.is_paused("report")
    assert airflow.cli(["dags", "unpause", "report", "-y"]).exit_code == 0
    assert not airflow.is_paused("report")


def test_runs_and_their_state(airflow, line):
    date = datetime(2025, 1, 1, tzinfo=timezone.utc)
    airflow.add_run("report", "r", logical_date=date, conf={"a": 1}, state="success")
    of = ["-d", "report"] if line == 2 else ["report"]

    (row,) = json.loads(airflow.cli(["dags", "list-runs", *of, "-o", "json"]).stdout)
    assert (row["run_id"], row["state"]) == ("r", "success")
    assert airflow.cli(["dags", "list-runs", *of, "--state", "failed", "-o", "json"]).stdout == "[]\n"
    assert airflow.cli(["dags", "state", "report", "2025-01-01T00:00:00Z"]).stdout == 'success, {"a": 1}\n'
    assert airflow.cli(["dags", "state", "report", "2020-01-01"]).stdout == "None\n"
    assert airflow.cli(["dags", "state", "nope", "2020-01-01"]) == CliAnswer(
        "", "DAG: nope does not exist in 'dag' table\n", 1
    )


def test_variables(airflow, line):
    assert airflow.cli(["variables", "set", "k", '{"x": 1}']).stdout == "Variable k created\n"
    assert airflow.cli(["variables", "get", "k"]).stdout == '{"x": 1}\n'
    assert airflow.cli(["variables", "get", "k", "--json"]).stdout == "{'x': 1}\n"
    assert airflow.cli(["variables", "get", "nope", "-d", "fallback"]).stdout == "fallback\n"
    assert airflow.cli(["variables", "list"]).stdout == "key\n===\nk  \n   \n"
    assert airflow.cli(["variables", "list", "-o", "json"]).stdout == '[{"key": "k"}]\n'
    dot = "." if line == 3 else ""
    assert airflow.cli(["variables", "get", "nope"]) == CliAnswer("", f"Variable nope does not exist{dot}\n", 1)
    assert airflow.cli(["variables", "delete", "k"]).stdout == "Variable k deleted\n"
    assert airflow.variables() == {}


def test_scripted_answers_come_first(airflow):
    airflow.script_cli(["db", "clean"], CliAnswer("cleaned\n", "", 0))
    airflow.script_cli(["version"], CliAnswer("x\n", "", 0))

    assert airflow.cli(["db", "clean", "--yes"]).stdout == "cleaned\n"
    assert airflow.cli(["version"]).stdout == "x\n"


def test_what_is_not_scripted_says_so(airflow):
    assert airflow.cli(["tasks", "list", "report"]) == CliAnswer(
        "", "The scripted back end does not run 'airflow tasks list'; a real Airflow would.\n", 2
    )
