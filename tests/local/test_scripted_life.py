from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local import LocalMwaa, ManualClock, ScriptedAirflow

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def clock():
    return ManualClock(START)


@pytest.fixture
def airflow(line, clock):
    return ScriptedAirflow({2: "2.10.3", 3: "3.3.1"}[line], clock=clock)


def one(airflow, dag_id="report"):
    (run,) = airflow.runs(dag_id)
    return run


def tasks(run):
    return {(task.task_id, task.map_index): task.state for task in run.task_instances}


def test_queued_running_ended(airflow, clock):
    airflow.add_dag("report", tasks=("extract", "load"), queued_for=2, run_takes=10)
    airflow.add_run("report", "r")

    seen = []
    for _ in range(4):
        run = one(airflow)
        seen.append((run.state, tasks(run)["load", -1]))
        clock.advance(2 if len(seen) == 1 else 5)
    run = one(airflow)

    assert seen == [("queued", None), ("running", "running"), ("running", "running"), ("success", "success")]
    assert (run.start_date, run.end_date) == (START + timedelta(seconds=2), START + timedelta(seconds=12))
    assert [task.try_number for task in run.task_instances] == [1, 1]


def test_a_run_that_fails_fails_in_its_last_task(airflow, clock):
    airflow.add_dag("report", tasks=("extract", "load"), run_takes=1, run_ends_in="failed")
    airflow.add_run("report", "r")
    one(airflow)
    clock.advance(1)
    run = one(airflow)

    assert (run.state, tasks(run)) == ("failed", {("extract", -1): "success", ("load", -1): "failed"})


def test_without_run_takes_it_runs_until_told(airflow, clock):
    airflow.add_dag("report")
    airflow.add_run("report", "r")
    one(airflow)
    clock.advance(1_000_000)
    assert one(airflow).state == "running"

    airflow.set_run_state("report", "r", "failed")

    assert (one(airflow).state, tasks(one(airflow))) == ("failed", {("work", -1): "failed"})


def test_runs_of_a_paused_dag_stay_queued(airflow, clock, line):
    airflow.add_dag("report", paused=True, run_takes=5)
    airflow.add_run("report", "r")
    clock.advance(100)
    assert one(airflow).state == "queued"

    assert airflow.cli(["dags", "unpause", "report"]).exit_code == 0
    assert one(airflow).state == "running"
    clock.advance(5)
    run = one(airflow)
    assert (run.state, run.end_date, airflow.is_paused("report")) == ("success", START + timedelta(seconds=105), False)


def test_runs_are_copies(airflow):
    airflow.add_dag("report")
    airflow.add_run("report", "r")
    one(airflow).state = "success"

    assert one(airflow).state == "running"


def test_mapped_tasks_and_other_states(airflow):
    airflow.add_dag("report")
    airflow.add_run("report", "r")
    airflow.set_task_state("report", "r", "work", "success", map_index=0)
    airflow.set_task_state("report", "r", "work", "upstream_failed", map_index=1)

    assert tasks(one(airflow)) == {("work", 0): "success", ("work", 1): "upstream_failed"}


def test_variables_pools_and_xcoms(airflow):
    airflow.add_dag("report")
    airflow.add_run("report", "r")
    airflow.set_variable("k", "v")
    airflow.set_pool("p", 3)
    airflow.set_xcom("report", "r", "work", "return_value", 1)
    airflow.set_xcom("report", "r", "work", "return_value", {"a": 2})

    assert airflow.variables() == {"k": "v"}
    assert airflow.pools() == {"default_pool": 128, "p": 3}
    assert [(xcom.key, xcom.value) for xcom in one(airflow).xcoms] == [("return_value", {"a": 2})]


def test_mistakes_of_a_test_are_named(airflow):
    airflow.add_dag("report")
    airflow.add_run("report", "r")

    with pytest.raises(InvalidInputError, match=r"DAG 'nope' is not there; there are \['report'\]: add_dag first"):
        airflow.add_run("nope")
    with pytest.raises(InvalidInputError, match="run 'r' of DAG 'report' exists already"):
        airflow.add_run("report", "r")
    with pytest.raises(InvalidInputError, match=r"run 'x' of DAG 'report' is not there; there are \['r'\]"):
        airflow.set_run_state("report", "x", "success")


def test_what_was_scripted_before_moves_to_the_local_mwaas_clock(line):
    airflow = ScriptedAirflow({2: "2.10.3", 3: "3.3.1"}[line])
    airflow.add_dag("report", run_takes=10)
    airflow.add_run("report", "r")
    clock = ManualClock(START)
    with LocalMwaa(clock=clock) as mwaa:
        mwaa.create_environment("target", airflow)
        states = [one(airflow).state]
        clock.advance(10)
        states.append(one(airflow).state)

    assert states == ["running", "success"]


def test_two_triggers_at_one_instant_are_two_runs(airflow):
    airflow.add_dag("report")

    assert airflow.add_run("report") != airflow.add_run("report")
