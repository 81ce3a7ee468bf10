"""The examples that reach other environments run, as they stand, against environments that are played in memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from tests.example_dags.running import run_example
from tests.support.dag_runs import RunDag

CONN_ID = "local_mwaa"
PARAMS = {"environment_name": "target", "aws_conn_id": CONN_ID}
OTHER_LINE = ["2.10.3", "3.3.1"]
pytestmark = pytest.mark.patient


@pytest.fixture
def target(local_mwaa: LocalMwaa) -> ScriptedAirflow:
    airflow = ScriptedAirflow("3.3.1")
    airflow.add_dag("example_target", run_takes=0, task_returns={"work": 5})
    local_mwaa.create_environment("target", airflow)
    return airflow


@pytest.fixture
def connections(local_mwaa: LocalMwaa) -> dict[str, str]:
    return {CONN_ID: json.dumps(local_mwaa.airflow_connection())}


def test_import_variables(
    run_dag: RunDag, target: ScriptedAirflow, connections: dict[str, str], tmp_path: Path
) -> None:
    target.set_variable("etl_old", "x")
    (tmp_path / "v.yaml").write_text("etl_rows: 100\nnote: |\n  two\n  tell-nobody\n")
    params = {**PARAMS, "file": str(tmp_path / "v.yaml"), "prune_prefix": "etl_"}
    outcome = run_example(run_dag, "example_import_variables", params, connections=connections)
    assert outcome.state == "success", outcome.log
    assert target.variables() == {"etl_rows": "100", "note": "two\ntell-nobody\n"}
    done = outcome.xcoms["import_variables"]["return_value"]
    assert (done["create"], done["delete"]) == (2, 1)
    assert outcome.xcoms["say_what_differs"]["return_value"]["create"] == 2
    assert "tell-nobody" not in outcome.log


def test_an_asset_event(run_dag: RunDag, target: ScriptedAirflow, connections: dict[str, str]) -> None:
    target.add_dag("example_asset_target")
    target.add_asset("s3://my-bucket/orders", dag_ids=["example_asset_target"])
    outcome = run_example(run_dag, "example_asset_event", PARAMS, connections=connections)
    assert outcome.state == "success", outcome.log
    (event,) = target.asset_events("s3://my-bucket/orders")
    assert event["loaded_by"] == "example_asset_event"
    assert len(target.runs("example_asset_target")) == 1


def test_the_target_of_an_asset_event(run_dag: RunDag) -> None:
    """By hand it runs without an event; what an event brings is tried with a real environment."""
    outcome = run_example(run_dag, "example_asset_target")
    assert (outcome.state, outcome.xcoms["load_orders"]["return_value"]) == ("success", []), outcome.log
