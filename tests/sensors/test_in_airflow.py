"""The installed Airflow runs the three sensors: templates, mapping, default arguments, deferring, XCom."""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from tests.sensors.conftest import CONN_ID

if TYPE_CHECKING:
    from tests.support.dag_runs import RunDag


@pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
@pytest.mark.patient
def test_the_installed_airflow_runs_them(target: ScriptedAirflow, local_mwaa: LocalMwaa, run_dag: RunDag) -> None:
    target.add_run("load", "c", state="failed")
    defers = runs_triggers_inline()
    with appearing_when_looked_for(target, local_mwaa, ["a", "b", "d", "e"]):
        outcome = run_dag(
            """
        import os
        from datetime import datetime, timezone

        from airflow import DAG
        from mwaa_provider.sensors.dag_run import MwaaDagRunSensor
        from mwaa_provider.sensors.environment import MwaaEnvironmentSensor
        from mwaa_provider.sensors.task import MwaaTaskSensor

        COMMON = {
            "environment_name": "{{ 'tar' ~ 'get' }}", "aws_conn_id": "local_mwaa", "poke_interval": 0.2, "timeout": 60,
            "external_dag_id": "load",
        }

        with DAG(
            dag_id="waits", start_date=datetime(2024, 1, 1, tzinfo=timezone.utc), schedule=None, default_args=COMMON
        ) as dag:
            up = MwaaEnvironmentSensor(task_id="up")
            poked = MwaaDagRunSensor.partial(task_id="poked").expand(external_run_id=["a", "b"])
            rescheduled = MwaaTaskSensor(
                task_id="rescheduled",
                external_task_group_id="group",
                external_run_id="{{ ti.xcom_pull(task_ids='poked')[1]['runs'][0]['run_id'] }}",
                mode="reschedule",
            )
            soft = MwaaDagRunSensor(task_id="soft", external_run_id="c", soft_fail=True)
            up >> poked >> rescheduled
            if os.environ["DEFERS"]:
                deferred = MwaaDagRunSensor.partial(task_id="deferred", deferrable=True).expand(
                    external_run_id=["d", "{{ 'e' }}"]
                )
                rescheduled >> deferred >> soft
            else:
                rescheduled >> soft
        """,
            connections={CONN_ID: json.dumps(local_mwaa.airflow_connection())},
            environment={"DEFERS": "yes" if defers else ""},
        )
    done = ["up", "poked[0]", "poked[1]", "rescheduled", *(["deferred[0]", "deferred[1]"] if defers else [])]
    assert outcome.tasks == {**dict.fromkeys(done, "success"), "soft": "skipped"}, outcome.log
    results = {name: xcoms["return_value"] for name, xcoms in outcome.xcoms.items() if "return_value" in xcoms}
    assert results["up"]["status"] == "AVAILABLE"
    assert [results[f"poked[{index}]"]["runs"][0]["run_id"] for index in (0, 1)] == ["a", "b"]
    if defers:
        assert [results[f"deferred[{index}]"]["runs"][0]["run_id"] for index in (0, 1)] == ["d", "e"]
    assert results["rescheduled"]["tasks"] == {"group.one": {"success": 1}, "group.two": {"success": 1}}


@contextmanager
def appearing_when_looked_for(target: ScriptedAirflow, mwaa: LocalMwaa, run_ids: list[str]) -> Iterator[None]:
    """Each run comes, and has succeeded, once somebody has looked for it in vain."""
    is_over = threading.Event()

    def make_them() -> None:
        missing = list(run_ids)
        while missing and not is_over.wait(0.02):
            for run_id in [one for one in missing if mwaa.journal.count(path=f"/dags/load/dagRuns/{one}", status=404)]:
                target.add_run("load", run_id, state="running")
                for task_id in ("extract", "group.one", "group.two"):
                    target.set_task_state("load", run_id, task_id, "success")
                target.set_run_state("load", run_id, "success")
                missing.remove(run_id)

    thread = threading.Thread(target=make_them, daemon=True)
    thread.start()
    yield
    is_over.set()
    thread.join()


def runs_triggers_inline() -> bool:
    """Whether ``dag.test()`` of the installed Airflow runs a trigger by itself; before 2.9 it waits for a triggerer."""
    for name in ("airflow.sdk.definitions.dag", "airflow.models.dag"):
        with suppress(ImportError):
            if hasattr(importlib.import_module(name), "_run_inline_trigger"):
                return True
    return False
