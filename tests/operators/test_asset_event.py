"""MwaaAssetEventOperator: one event per life of a task instance."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from mwaa_provider.operators.asset_event import MwaaAssetEventOperator
from tests.support.tasks import context_of

CONN_ID = "local_mwaa"
URI = "s3://bucket/orders"


@pytest.fixture(params=["2.9.2", "3.3.1"])
def target(request: pytest.FixtureRequest, local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch) -> ScriptedAirflow:
    airflow = ScriptedAirflow(request.param)
    airflow.add_dag("waits")
    airflow.add_asset(URI, dag_ids=["waits"])
    local_mwaa.create_environment("target", airflow)
    monkeypatch.setenv(f"AIRFLOW_CONN_{CONN_ID.upper()}", json.dumps(local_mwaa.airflow_connection()))
    return airflow


def operator(**arguments: Any) -> MwaaAssetEventOperator:
    defaults = {"task_id": "tell", "environment_name": "target", "asset_uri": URI, "aws_conn_id": CONN_ID, "retries": 2}
    return MwaaAssetEventOperator(**{**defaults, **arguments})


def test_the_event_and_what_is_told_of_it(target: ScriptedAirflow) -> None:
    task = operator(extra='{"rows": 3}', asset_name="")
    told = task.execute(context_of(task))
    assert {**told, "event_id": 0, "timestamp": ""} == {
        "event_id": 0,
        "asset_uri": URI,
        "asset_name": URI,
        "timestamp": "",
        "event_key": told["event_key"],
    }
    assert told["event_key"].startswith("mwaa__")
    json.dumps(told)
    assert target.asset_events(URI) == [{"rows": 3, "mwaa_event_key": told["event_key"], "from_rest_api": True}]
    assert len(target.runs("waits")) == 1


def test_a_retry_sends_no_second_one_and_a_clear_does(target: ScriptedAirflow) -> None:
    task = operator()
    first = task.execute(context_of(task))
    assert task.execute(context_of(task, try_number=2)) == first
    # A person clears the task: Airflow sets max_tries to the tries so far and the retries.
    cleared = task.execute(context_of(task, try_number=3, max_tries=4))
    assert cleared["event_key"] != first["event_key"]
    assert task.execute(context_of(task, try_number=4, max_tries=4)) == cleared
    assert len(target.asset_events(URI)) == 2


def test_a_retry_after_a_lost_answer(target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    local_mwaa.faults.add(Fault.lose_answer(operation="rest", method="POST"))
    local_mwaa.faults.add(Fault.answer(403, {"detail": "no"}, operation="rest", method="GET", path="*/events", every=2))
    task = operator()
    with pytest.raises(Exception, match="no"):
        task.execute(context_of(task))
    assert len(target.asset_events(URI)) == 1
    local_mwaa.faults.clear()
    task.execute(context_of(task, try_number=2))
    assert len(target.asset_events(URI)) == 1


def test_mapped_instances_have_events_of_their_own(target: ScriptedAirflow) -> None:
    task = operator()
    keys = {task.execute(context_of(task, map_index=index))["event_key"] for index in (-1, 0, 1)}
    assert len(keys) == len(target.asset_events(URI)) == 3


def test_all_problems_at_once(target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    task = operator(environment_name="9", asset_uri="", extra="{", event_key=3)
    with pytest.raises(InvalidInputError) as caught:
        task.execute(context_of(task))
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        *("extra", "environment_name", "asset_uri", "event_key")
    ]
    assert local_mwaa.journal.count() == 0
