"""``mwaa db clean``: a process of its own, ended by signals between two batches."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from mwaa_provider.local import CliAnswer, LocalMwaa, ScriptedAirflow
from tests.metadata.cleanup.history import CUT, History
from tests.support.command import run_mwaa


@pytest.fixture
def history(airflow_database):
    with History.of_this_airflow(airflow_database.home) as history:
        yield history


def command(*arguments):
    return [sys.executable, "-m", "mwaa_provider.cli.main", "db", "clean", *arguments]


def run(*arguments, **given):
    return subprocess.run(
        command("--before", CUT.isoformat(), *arguments),
        capture_output=True,
        text=True,
        env=os.environ,
        check=False,
        timeout=120,
        **given,
    )


@pytest.mark.patient
def test_it_asks_then_looks_then_cleans(history):
    history.run("old", 60)
    history.run("newest", 1)
    asked = run(stdin=subprocess.DEVNULL)
    assert asked.returncode == 1
    assert "cannot be brought back" in asked.stderr
    looked = run("--dry-run", "--table", "dag_run")
    assert looked.returncode == 0, looked.stderr
    assert json.loads(looked.stdout)["rows"]["task_instance"] == 2
    assert history.run_ids() == ["newest", "old"]
    cleaned = run("--yes", "--table", "dag_run", "--parallel", "2")
    assert cleaned.returncode == 0, cleaned.stderr
    assert json.loads(cleaned.stdout)["rows"]["dag_run"] == 1
    assert history.run_ids() == ["newest"]


@pytest.mark.patient
def test_what_is_wrong_is_said_in_the_words_of_the_command(history):
    ended = run("--yes", "--table", "dagrun", "--parallel", "100")
    assert ended.returncode == 2
    assert "--parallel: 100 connections are too many; give 8 at most" in ended.stderr
    assert "--table: there is no table 'dagrun' in this release" in ended.stderr


@pytest.mark.patient
def test_a_polite_end_comes_between_two_batches_and_tells_what_was_done(history):
    for number in range(40):
        history.run(f"old_{number:02}", 60)
    history.run("newest", 1)
    process = subprocess.Popen(
        command("--before", CUT.isoformat(), "--yes", "--batch-size", "2", "--pause", "0.5"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    deadline = time.monotonic() + 100
    while history.count("dag_run") == 41 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    told = json.loads(output)
    assert told["stopped"] == "told to by a signal"
    assert told["rows"]["dag_run"] == 41 - history.count("dag_run")
    assert 0 < told["rows"]["dag_run"] < 40
    assert history.violations() == []


def test_another_environment_is_cleaned_by_its_cli_endpoint():
    airflow = ScriptedAirflow("2.10.3")
    airflow.script_cli(
        ["db", "clean"], CliAnswer("\nChecking table log\nFound 0 rows meeting deletion criteria.\n", "", 0)
    )
    with LocalMwaa() as mwaa:
        mwaa.create_environment("there", airflow)
        ended = run_mwaa(
            [
                "db",
                "clean",
                "--environment",
                "there",
                "--max-age-in-days",
                "30",
                "--table",
                "log",
                "--route",
                "cli",
                "--yes",
            ],
            mwaa.environment_variables(),
        )
    assert ended.status == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert (told["rows"], told["complete"]) == ({}, True)
    assert told["notes"] == ["`airflow db clean` did it, by its own rules: see docs/clean-up.md."]
