"""What sensors read from their arguments, and what they refuse, all at once and before any call."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.sensors.dag_run import MwaaDagRunSensor
from mwaa_provider.sensors.environment import MwaaEnvironmentSensor
from mwaa_provider.sensors.task import MwaaTaskSensor

DAY = datetime(2026, 1, 31, tzinfo=timezone.utc)
LOCAL = {"logical_date": DAY + timedelta(days=1), "marker": 1}
COMMON = {"task_id": "wait", "environment_name": "target", "external_dag_id": "load", "timeout": 60}


def watched(sensor: Any, context: Any = None) -> dict[str, Any]:
    """What the trigger of a sensor would watch."""
    arguments = {**sensor.way, "poke_interval": sensor.poke_interval}
    told: dict[str, Any] = sensor.new_trigger(LOCAL if context is None else context, **arguments).watched()
    return told


def refused(sensor: Any, context: Any = None) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        watched(sensor, context)
    return list(caught.value.problems)


RUNS = {"dag_id": "load", "run_ids": [], "logical_dates": [], "window": None, "check_existence": False}
RUN_STATES = {"allowed_states": ["success"], "failed_states": ["failed"], "skipped_states": []}
THAT_DAY = {"logical_dates": ["2026-01-31T00:00:00+00:00"]}


@pytest.mark.parametrize(
    ("way", "read"),
    [
        ({}, {"logical_dates": ["2026-02-01T00:00:00+00:00"]}),
        ({"external_run_id": "r"}, {"run_ids": ["r"]}),
        ({"external_run_id": ("r", "s", "r")}, {"run_ids": ["r", "s"]}),
        ({"external_run_id": "['r', 's']"}, {"run_ids": ["r", "s"]}),
        ({"logical_date": DAY}, THAT_DAY),
        ({"logical_date": "2026-01-31 00:00:00Z"}, THAT_DAY),
        ({"logical_date": [DAY, "2026-01-31T00:00:00+00:00"]}, THAT_DAY),
        ({"execution_delta": timedelta(days=1)}, THAT_DAY),
        ({"execution_delta": 86400}, THAT_DAY),
        ({"execution_delta": "86400"}, THAT_DAY),
        ({"execution_date_fn": lambda date: date - timedelta(days=1)}, THAT_DAY),
        ({"execution_date_fn": lambda date, marker: [date - timedelta(days=marker)]}, THAT_DAY),
        ({"execution_date_fn": lambda date, **more: date - timedelta(days=more["marker"])}, THAT_DAY),
        ({"execution_date_fn": lambda date, context: date - timedelta(days=context["marker"])}, THAT_DAY),
        (
            {"window": ("2026-01-31T01:00:00+01:00", DAY + timedelta(days=1))},
            {"window": ["2026-01-31T01:00:00+01:00", "2026-02-01T00:00:00+00:00"]},
        ),
        ({"latest": True}, {}),
    ],
)
def test_which_runs(way: dict[str, Any], read: dict[str, Any]) -> None:
    assert watched(MwaaDagRunSensor(**COMMON, **way)) == {**RUNS, **RUN_STATES, "cancel_on_kill": False, **read}


@pytest.mark.parametrize(
    ("arguments", "context", "told"),
    [
        ({}, {}, "this run has no logical date to go by; say which run to wait for by external_run_id, logical_date, "),
        ({"execution_delta": 1}, {}, "execution_delta: this run has no logical date"),
        ({"external_run_id": "r", "latest": True}, LOCAL, "external_run_id, latest: give one of them, not 2"),
        # nothing rendered is not nothing said: else another run would be waited for
        ({"external_run_id": "None"}, LOCAL, "external_run_id: 'None' is what it was rendered to"),
        ({"external_run_id": ""}, LOCAL, "external_run_id: '' is what it was rendered to"),
        ({"external_run_id": []}, LOCAL, "external_run_id: it is empty"),
        ({"external_run_id": "a/b"}, LOCAL, "external_run_id: 'a/b' cannot be a run's id"),
        ({"logical_date": "yesterday"}, LOCAL, "logical_date: 'yesterday' is not a moment"),
        ({"logical_date": datetime(2026, 1, 31)}, LOCAL, "is not a moment with time zone"),
        ({"logical_date": [None]}, LOCAL, "logical_date: None is not a moment"),
        ({"execution_delta": "soon"}, LOCAL, "execution_delta: 'soon' is not a duration"),
        ({"execution_date_fn": lambda date: None}, LOCAL, "execution_date_fn: None is not a moment"),
        ({"window": DAY}, LOCAL, "is not a pair"),
        ({"window": (DAY, DAY)}, LOCAL, "is not before"),
        ({"window": (DAY, None)}, LOCAL, "has an open end"),
        ({"latest": "yes"}, LOCAL, "latest: 'yes' is not one of True"),
        ({"latest": True, "allowed_states": ["skipped"]}, LOCAL, "'skipped' is not a DAG run state"),
        ({"latest": True, "allowed_states": []}, LOCAL, "allowed_states: it is empty"),
        ({"latest": True, "failed_states": ["success"]}, LOCAL, "allowed_states: it is empty"),
        (
            {"latest": True, "skipped_states": ["failed"], "allowed_states": ["failed"]},
            LOCAL,
            "failed stands in more than one",
        ),
        ({"latest": True, "poke_interval": 0}, LOCAL, "poke_interval: 0.0 is not a duration"),
    ],
)
def test_what_cannot_be(arguments: dict[str, Any], context: Any, told: str) -> None:
    [problem] = refused(MwaaDagRunSensor(**COMMON, **arguments), context)
    assert told in problem


TASKS = {"task_ids": [], "task_group_id": None, "map_index": None}
TASK_STATES = {
    "allowed_states": ["success"],
    "failed_states": ["failed", "upstream_failed", "removed"],
    "skipped_states": ["skipped"],
}


@pytest.mark.parametrize(
    ("arguments", "read"),
    [
        ({"external_task_id": "work"}, {"task_ids": ["work"]}),
        ({"external_task_id": "work", "map_index": "2"}, {"task_ids": ["work"], "map_index": 2}),
        ({"external_task_ids": "['a', 'b']"}, {"task_ids": ["a", "b"]}),
        ({"external_task_group_id": "group"}, {"task_group_id": "group"}),
        (
            {"external_task_id": "work", "allowed_states": ["success", "skipped"]},
            {"task_ids": ["work"], "allowed_states": ["success", "skipped"], "skipped_states": []},
        ),
        (
            {"external_task_id": "work", "skipped_states": ["upstream_failed"]},
            {"task_ids": ["work"], "skipped_states": ["upstream_failed"], "failed_states": ["failed", "removed"]},
        ),
    ],
)
def test_which_tasks(arguments: dict[str, Any], read: dict[str, Any]) -> None:
    runs = {**RUNS, "run_ids": ["r"]}
    sensor = MwaaTaskSensor(**COMMON, external_run_id="r", **arguments)
    assert watched(sensor) == {**runs, **TASKS, **TASK_STATES, **read}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "give exactly one of external_task_id, external_task_ids, external_task_group_id"),
        (
            {"external_task_id": "a", "external_task_ids": ["b"]},
            "external_task_id, external_task_ids: give exactly one",
        ),
        ({"external_task_id": "a/b"}, "external_task_id: 'a/b' is not a task id"),
        ({"external_task_ids": []}, "external_task_ids: it is empty"),
        ({"external_task_ids": ["a", "b"], "map_index": 1}, "map_index: it goes with external_task_id only"),
        ({"external_task_id": "a", "map_index": "x"}, "map_index: 'x' is not a map index"),
        ({"external_task_id": "a", "allowed_states": ["queue"]}, "'queue' is not a task state"),
    ],
)
def test_which_tasks_cannot_be(arguments: dict[str, Any], told: str) -> None:
    [problem] = refused(MwaaTaskSensor(**COMMON, external_run_id="r", **arguments))
    assert told in problem


def test_all_problems_at_once() -> None:
    sensor = MwaaTaskSensor(
        task_id="wait",
        environment_name="9",
        external_dag_id="a/b",
        external_run_id="x/y",
        external_task_group_id="g h",
        map_index=0.5,
        allowed_states="succes",
        poke_interval=0,
        timeout=60,
    )
    fields = [problem.split(":")[0] for problem in refused(sensor)]
    assert fields == [
        "environment_name",
        "external_dag_id",
        "external_run_id",
        "map_index",
        "external_task_group_id",
        "allowed_states",
        "poke_interval",
    ]
    environment = MwaaEnvironmentSensor(task_id="wait", environment_name="9", poke_interval=0, timeout=60)
    assert [problem.split(":")[0] for problem in refused(environment)] == ["environment_name", "poke_interval"]
