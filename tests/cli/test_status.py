from __future__ import annotations

import json

import pytest

from mwaa_provider.cli import status as status_module
from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from tests.cli.conftest import RunMwaa


@pytest.fixture
def two(local_mwaa: LocalMwaa) -> dict[str, ScriptedAirflow]:
    airflows = {"a": ScriptedAirflow("2.10.3"), "b": ScriptedAirflow("3.3.1")}
    for name, airflow in airflows.items():
        airflow.add_dag("load", run_takes=None, tasks=("extract",))
        airflow.add_dag("sleeps", paused=True)
        airflow.add_run("load", "r1", state="running")
        local_mwaa.create_environment(name, airflow)
    return airflows


HEADINGS = [
    *("NAME", "AIRFLOW", "STATUS", "SCHEDULER", "TRIGGERER", "DAG PROCESSOR", "DAGS", "IMPORT ERRORS"),
    *("RUNS", "FAILED IN 1 H", "TASKS RUNNING", "QUEUED", "OLDEST", "OPEN SLOTS"),
]


def cells(line: str) -> list[str]:
    return [cell for cell in line.split("  ") if cell]


def test_the_table(run: RunMwaa, two: dict[str, ScriptedAirflow]) -> None:
    ended = run("status")
    assert (ended.status, ended.stderr) == (0, "")
    head, *rows = ended.stdout.splitlines()
    assert [cell.strip() for cell in cells(head)] == HEADINGS
    of_2, of_3 = ([cell.strip() for cell in cells(row)] for row in rows)
    assert of_2[:3] == ["a", "2.10.3", "AVAILABLE"]
    assert of_2[5:] == ["-", "2 (1 paused)", "0", "1", "0", "1", "0", "0 s", "128"]
    assert of_3[:3] == ["b", "3.3.1", "AVAILABLE"]
    assert all(cell.endswith(" s ago") for cell in (*of_2[3:5], *of_3[3:6]))


def test_one_of_them_for_programs(run: RunMwaa, two: dict[str, ScriptedAirflow]) -> None:
    ended = run("status", "b", "--json")
    (told,) = json.loads(ended.stdout)
    assert ended.status == 0
    assert (told["environment_name"], told["status"], told["airflow_version"], told["is_well"]) == (
        "b",
        "AVAILABLE",
        "3.3.1",
        True,
    )
    assert told["components"]["scheduler"]["status"] == "healthy"
    assert told["dag_runs"] == {"queued": 0, "running": 1}
    assert told["task_instances"]["running"] == 1
    assert (told["dags"], told["dags_paused"], told["import_errors"], told["oldest_queued_seconds"]) == (2, 1, 0, 0.0)
    assert [pool["name"] for pool in told["pools"]] == ["default_pool"]
    assert told["errors"] == []


def test_one_that_cannot_be_looked_at_is_a_row_and_not_the_end(run: RunMwaa, two: dict[str, ScriptedAirflow]) -> None:
    ended = run("status", "a", "gone")
    assert ended.status == 1
    rows = [[cell.strip() for cell in cells(row)] for row in ended.stdout.splitlines()[1:]]
    assert rows[0][:3] == ["a", "2.10.3", "AVAILABLE"]
    assert rows[1] == ["gone", "-", "EnvironmentNotFoundError", *["-"] * 11]
    assert ended.stderr.startswith("Error: gone: There is no MWAA environment 'gone'")
    (told,) = json.loads(run("status", "gone", "--json").stdout)
    assert (told["is_well"], told["errors"][0]["kind"], told["components"]) == (False, "EnvironmentNotFoundError", {})


def test_it_looks_again_until_it_is_stopped(
    run: RunMwaa, two: dict[str, ScriptedAirflow], monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        two["b"].add_run("load", f"r{len(pauses) + 1}", state="running")
        if len(pauses) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(status_module, "sleep", sleep)
    ended = run("status", "b", "--watch", "--every", "5", "--json")
    assert ended.status == 130
    assert pauses == [5.0, 5.0]
    assert ended.stdout.count('"environment_name": "b"') == 2
    assert [f'"running": {number}' in ended.stdout for number in (1, 2)] == [True, True]


def test_names_that_cannot_be(run: RunMwaa, local_mwaa: LocalMwaa) -> None:
    ended = run("status", "1x")
    assert (ended.status, ended.stdout) == (2, "")
    assert "ENVIRONMENT: '1x' is not the name of an MWAA environment" in ended.stderr
    assert local_mwaa.journal.entries() == ()


def test_none(run: RunMwaa) -> None:
    assert run("status").stderr == "There is no environment in this account and region.\n"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (119.4, "119 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h")]
)
def test_ages_are_for_people(seconds: float, text: str) -> None:
    assert status_module._age(seconds) == text
