"""The listener in a real Airflow, with tasks that run at once, however CloudWatch behaves; the other tests here run beside it as well."""

from __future__ import annotations

import time

import pytest

from mwaa_provider.metrics.host import HOST_METRICS
from mwaa_provider.metrics.task_figures import TASK_METRICS
from tests.real_tasks.conftest import METRICS_INTERVAL, Source, until
from tests.support.cloudwatch import Mood

pytestmark = pytest.mark.real_airflow

SUCCESS = dict.fromkeys(("task_0", "task_1", "task_2", "after"), "success")
MIB = 1024 * 1024


def run_parallel(source: Source) -> dict[str, str | None]:
    """Run the DAG once, and return its tasks' states."""
    source.airflow.wait_for_dag("parallel")
    source.client.set_dag_paused("source", "parallel", False)
    run = source.client.trigger_dag_run("source", "parallel")
    states: dict[str, str | None] = {}

    def has_ended() -> bool:
        is_active = source.client.get_dag_run(
            "source", "parallel", run.run_id
        ).is_active  # before its tasks: they end first
        tasks = source.client.list_task_instances("source", "parallel", run.run_id)
        states.update({task.task_id: task.state for task in tasks})
        return not is_active

    until(has_ended, lambda: f"the run has not ended: {states}")
    return states


def test_workers_publish_their_host_and_their_tasks_once_per_interval(source: Source) -> None:
    cloud = source.cloud
    cloud.forget()
    began = time.monotonic()
    assert run_parallel(source) == SUCCESS
    until(lambda: tasks_published(source) or not run_parallel(source), lambda: f"published: {cloud.kept()}")
    assert cloud.calls <= (time.monotonic() - began) / METRICS_INTERVAL + 1

    kept = cloud.kept()
    of_host = [one for one in kept if one.dimensions["Category"] != "task"]
    assert {one.name for one in of_host} >= {
        name for name, metric in HOST_METRICS.items() if metric.category != "container"
    }
    assert {one.name for one in of_host} <= set(HOST_METRICS)
    assert {frozenset(one.dimensions) for one in of_host} == {frozenset({"Environment", "Category", "Host"})}
    assert len({one.dimensions["Host"] for one in of_host}) == 1
    assert {one.dimensions["Environment"] for one in kept} == {"source"}
    assert any(one.value >= 1 for one in of_host if one.name == "task_processes")

    of_task = [one for one in kept if one.dimensions.get("DAG") == "parallel" and one.dimensions["Task"] == "task_0"]
    assert {one.name for one in of_task} == set(TASK_METRICS)
    least = {name: min(one.value for one in of_task if one.name == name) for name in TASK_METRICS}
    assert least["task_duration"] >= 0.7
    assert least["task_cpu_time"] >= 0.2
    assert least["task_peak_memory"] >= 256 * MIB


def test_a_cloudwatch_that_does_not_answer_harms_no_task(source: Source) -> None:
    survives(source, "slow")


@pytest.mark.patient
@pytest.mark.parametrize("mood", ["throttled", "denied", "failing", "hangs_up"])
def test_a_cloudwatch_that_says_no_harms_no_task(source: Source, mood: Mood) -> None:
    survives(source, mood)


def survives(source: Source, mood: Mood) -> None:
    cloud = source.cloud
    cloud.forget()
    cloud.mood = mood
    began = time.monotonic()
    try:
        assert run_parallel(source) == SUCCESS
    finally:
        cloud.let_go()
    # One attempt in an interval, however many tasks there are.
    assert 1 <= cloud.calls <= (time.monotonic() - began) / METRICS_INTERVAL + 1
    assert cloud.kept() == []
    cloud.mood = "well"


def tasks_published(source: Source) -> bool:
    return any(one.dimensions.get("Task") == "task_0" for one in source.cloud.kept())
