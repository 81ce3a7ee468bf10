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


def test_a_task_fails_is_tried_again_and_is_cleared(airflow, clock):
    airflow.add_dag("report", retries=2, operators={"work": "BashOperator"})
    airflow.add_run("report", "r", state="running", note="a note")

    def seen():
        (task,) = one(airflow).task_instances
        return task.state, task.try_number, task.max_tries, task.start_date, task.end_date

    history = [seen()]
    for state in ("up_for_retry", "queued", "running", "failed", None, "running", "deferred", "success"):
        clock.advance(1)
        airflow.set_task_state("report", "r", "work", state)
        history.append(seen())

    def at(seconds):
        return START + timedelta(seconds=seconds)

    assert history == [
        ("running", 1, 2, at(0), None),
        ("up_for_retry", 1, 2, at(0), at(1)),
        ("queued", 1, 2, at(0), at(1)),
        ("running", 2, 2, at(3), None),
        ("failed", 2, 2, at(3), at(4)),
        (None, 2, 4, at(3), at(4)),
        ("running", 3, 4, at(6), None),
        ("deferred", 3, 4, at(6), None),
        ("success", 3, 4, at(6), at(8)),
    ]
    assert (one(airflow).note, one(airflow).task_instances[0].operator) == ("a note", "BashOperator")


@pytest.mark.parametrize("state", ["removed", "upstream_failed", "skipped", "up_for_reschedule", "restarting"])
def test_every_state_of_a_task_can_be_set(airflow, state):
    airflow.add_dag("report", tasks=("extract", "load"))
    airflow.add_run("report", "r", state="running")
    airflow.set_task_state("report", "r", "load", state)

    assert tasks(one(airflow)) == {("extract", -1): "running", ("load", -1): state}
    with pytest.raises(InvalidInputError, match="state: 'done' is none of this Airflow's; give one of removed, sched"):
        airflow.set_task_state("report", "r", "load", "done")


def test_a_run_that_is_ended_ends_its_tasks_as_airflow_does(airflow):
    states = ("success", "skipped", "upstream_failed", "removed", "running", "deferred", "up_for_reschedule")
    airflow.add_dag("report", tasks=[*states, "up_for_retry", "queued", "none"])
    airflow.add_run("report", "r", state="running")
    for state in (*states, "up_for_retry", "queued"):
        airflow.set_task_state("report", "r", state, state)
    airflow.set_task_state("report", "r", "none", None)
    airflow.set_run_state("report", "r", "failed")

    after = {task_id: state for (task_id, _), state in tasks(one(airflow)).items()}
    stopped = dict.fromkeys(("running", "deferred", "up_for_reschedule"), "failed")
    never = dict.fromkeys(("up_for_retry", "queued", "none"), "skipped")
    assert after == {state: state for state in states} | stopped | never


def test_a_run_waits_for_its_time(airflow, clock):
    airflow.add_dag("report")
    airflow.add_run("report", "r", run_after=START + timedelta(seconds=10))
    states = [one(airflow).state]
    clock.advance(10)
    states.append(one(airflow).state)

    assert states == ["queued", "running"]


def test_what_a_task_said_is_kept_by_try(airflow):
    airflow.add_dag("report", retries=1)
    airflow.add_run("report", "r", state="running")
    airflow.set_task_log("report", "r", "work", "by a test")
    airflow.set_task_state("report", "r", "work", "up_for_retry")
    airflow.set_task_state("report", "r", "work", "running")
    airflow.set_task_state("report", "r", "work", "failed")
    (task,) = one(airflow).task_instances

    said = [task.log_of(at) for at in range(4)]
    assert said == [None, "by a test", "Starting attempt 2 of 2\nTask failed with exception", None]
    with pytest.raises(InvalidInputError, match="task 'nope' with map index -1 is not in run 'r'"):
        airflow.set_task_log("report", "r", "nope", "a text")


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
