"""MwaaTaskSensor: every state of a task, mapped tasks and groups, and the same end in every mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from mwaa_provider.sensors.task import MwaaTaskSensor
from tests.sensors.conftest import CONN_ID
from tests.sensors.modes import Driver, Outcome
from tests.sensors.test_dag_run import seen


def sensor(**arguments: Any) -> Callable[..., MwaaTaskSensor]:
    defaults = {
        "task_id": "wait",
        "environment_name": "target",
        "external_dag_id": "load",
        "external_run_id": "r",
        "aws_conn_id": CONN_ID,
        "poke_interval": 0.01,
    }
    return lambda **mode: MwaaTaskSensor(**{**defaults, **arguments, **mode})


def ended(airflow: ScriptedAirflow, mwaa: LocalMwaa, tasks: dict[str, dict[str, int]]) -> Outcome:
    return Outcome({**seen(airflow, mwaa, "r"), "tasks": tasks})


@pytest.mark.parametrize("before", [None, "running", "up_for_retry"])
def test_a_task_that_goes_on(target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver, before: str | None) -> None:
    target.add_run("load", "r", state="running")
    target.set_task_state("load", "r", "extract", before)
    outcome = drive(
        sensor(external_task_id="extract"), lambda: target.set_task_state("load", "r", "extract", "success")
    )
    assert outcome == ended(target, local_mwaa, {"extract": {"success": 1}})


@pytest.mark.parametrize("state", ["failed", "upstream_failed", "removed", "skipped"])
def test_every_end_ends_the_wait(target: ScriptedAirflow, drive: Driver, state: str) -> None:
    target.add_run("load", "r", state="running")

    def change() -> None:
        target.set_task_state("load", "r", "extract", "success" if state == "skipped" else "failed")
        target.set_task_state("load", "r", "group.one", state)

    outcome = drive(sensor(external_task_id="group.one"), change)
    if state == "skipped":
        assert outcome.error == "AirflowSkipException"
        return
    assert outcome.error == "TaskFailedError"
    assert outcome.facts == {
        "environment_name": "target",
        "dag_id": "load",
        "run_id": "r",
        "states": {"group.one": state},
    }
    assert outcome.message.startswith(
        f"Task group.one of run r of DAG load in environment target is {state}: task group.one is {state} (wanted: success)."
    )
    assert ("Task group.one (" in outcome.message) == (state == "failed")
    assert ("What failed before:\nTask extract (" in outcome.message) == (state == "upstream_failed")


@pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
@pytest.mark.parametrize(
    ("states", "state", "error"),
    [
        ({"allowed_states": ["success", "skipped"]}, "skipped", None),
        ({"allowed_states": ["running"]}, "running", None),
        ({"skipped_states": ["upstream_failed"]}, "upstream_failed", "AirflowSkipException"),
        ({"failed_states": ["up_for_retry"]}, "up_for_retry", "TaskFailedError"),
        ({"soft_fail": True}, "failed", "AirflowSkipException"),
    ],
)
def test_what_is_wanted_can_be_said(
    target: ScriptedAirflow,
    local_mwaa: LocalMwaa,
    drive: Driver,
    states: dict[str, Any],
    state: str,
    error: str | None,
) -> None:
    target.add_run("load", "r", state="running")
    target.set_task_state("load", "r", "extract", "scheduled")
    outcome = drive(
        sensor(external_task_id="extract", **states), lambda: target.set_task_state("load", "r", "extract", state)
    )
    if error is None:
        assert outcome == ended(target, local_mwaa, {"extract": {state: 1}})
    else:
        assert outcome.error == error


@pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
def test_a_task_that_never_ran_in_a_run_that_is_over(target: ScriptedAirflow, drive: Driver) -> None:
    target.add_run("load", "r", state="running")

    def change() -> None:
        target.set_run_state("load", "r", "failed")
        target.set_task_state("load", "r", "extract", None)

    outcome = drive(sensor(external_task_id="extract"), change)
    assert (outcome.error, outcome.facts["states"]) == ("TaskFailedError", {"extract": None})


@pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
def test_a_run_that_is_to_come(target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver) -> None:
    def change() -> None:
        target.add_run("load", "r", state="running")
        target.set_task_state("load", "r", "extract", "success")

    assert drive(sensor(external_task_id="extract"), change) == ended(target, local_mwaa, {"extract": {"success": 1}})


class TestSeveral:
    """Several tasks, mapped ones, groups."""

    def test_several_tasks(self, target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver) -> None:
        target.add_run("load", "r", state="running")
        target.set_task_state("load", "r", "extract", "success")
        outcome = drive(
            sensor(external_task_ids=["extract", "group.one"]),
            lambda: target.set_task_state("load", "r", "group.one", "success"),
        )
        assert outcome == ended(target, local_mwaa, {"extract": {"success": 1}, "group.one": {"success": 1}})

    def test_a_group(self, target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver) -> None:
        target.add_run("load", "r", state="running")
        target.set_task_state("load", "r", "group.one", "success")
        outcome = drive(
            sensor(external_task_group_id="group"), lambda: target.set_task_state("load", "r", "group.two", "success")
        )
        assert outcome == ended(target, local_mwaa, {"group.one": {"success": 1}, "group.two": {"success": 1}})

    def test_mapped_tasks(self, target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver) -> None:
        """More than a deferred wait keeps in its event."""
        target.add_run("load", "r", state="running")
        for index in range(70):
            target.set_task_state("load", "r", "extract", "success" if index else "running", map_index=index)
        outcome = drive(
            sensor(external_task_id="extract"),
            lambda: target.set_task_state("load", "r", "extract", "success", map_index=0),
        )
        assert outcome == ended(target, local_mwaa, {"extract": {"success": 70}})

    def test_one_failure_of_many_mapped_tasks(self, target: ScriptedAirflow, drive: Driver) -> None:
        target.add_run("load", "r", state="running")
        for index in range(70):
            target.set_task_state("load", "r", "extract", "success", map_index=index)
        target.set_task_state("load", "r", "extract", "running", map_index=69)
        outcome = drive(
            sensor(external_task_id="extract"),
            lambda: target.set_task_state("load", "r", "extract", "failed", map_index=69),
        )
        assert (outcome.error, outcome.facts["states"]) == ("TaskFailedError", {"extract [69]": "failed"})
        assert "70 task instances of run r of DAG load in environment target: 1 failed, 69 success" in outcome.message
        assert "Task extract [69] (" in outcome.message

    def test_one_mapped_instance(self, target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver) -> None:
        target.add_run("load", "r", state="running")
        for index in range(3):
            target.set_task_state("load", "r", "extract", "running", map_index=index)
        outcome = drive(
            sensor(external_task_id="extract", map_index="1"),
            lambda: target.set_task_state("load", "r", "extract", "success", map_index=1),
        )
        assert outcome == ended(target, local_mwaa, {"extract": {"success": 1}})

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ({"external_task_id": "one"}, "has no task 'one'. Check the ids; a task in a group is called GROUP.TASK"),
            ({"external_task_group_id": "grou"}, "grou"),
            ({"external_task_id": "extract", "map_index": 5}, "has no mapped instance 5 of task 'extract'"),
        ],
    )
    def test_what_is_not_there(
        self, target: ScriptedAirflow, drive: Driver, arguments: dict[str, Any], told: str
    ) -> None:
        target.add_run("load", "r", state="running")
        target.set_task_state("load", "r", "extract", "running", map_index=0)
        outcome = drive(sensor(**arguments))
        assert outcome.error == "TaskNotFoundError"
        assert told in outcome.message


@pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
def test_a_dag_that_is_not_there(target: ScriptedAirflow, drive: Driver) -> None:
    outcome = drive(sensor(external_dag_id="gone", external_task_id="extract", check_existence=True))
    assert (outcome.error, outcome.facts["dag_id"]) == ("DagNotFoundError", "gone")
