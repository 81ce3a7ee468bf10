"""What becomes of the run over there when the task that waits for it is marked, cleared, killed, restarted or out of time.

All of it in a real Airflow: scheduler, workers and triggerer.
"""

from __future__ import annotations

import pytest

from tests.real_tasks.conftest import Source, until

pytestmark = pytest.mark.real_airflow

both = pytest.mark.parametrize("dag_id", ["waits", "defers"])


@both
def test_it_ends_as_the_run_does(source: Source, dag_id: str) -> None:
    call = source.start(dag_id)
    call.until_it_waits()
    call.end_remote("success")
    call.until("success")
    xcom = source.client.get_xcom("source", dag_id, call.run_id, "call").value
    assert call.remote()[0] in str(xcom)


@both
@pytest.mark.parametrize("state", ["failed", "success"])
def test_marked_by_a_person_the_run_ends(source: Source, dag_id: str, state: str) -> None:
    call = source.start(dag_id)
    call.until_it_waits()
    call.mark(state)
    call.until_remote("failed")
    assert call.state == state


@both
def test_cleared_by_a_person_the_run_ends_and_the_same_run_runs_again(source: Source, dag_id: str) -> None:
    call = source.start(dag_id)
    run_id = call.until_it_waits()
    source.let_no_task_begin()
    try:
        call.clear_while_it_runs()
        call.until_remote("failed")
    finally:
        source.let_tasks_begin()
    assert call.until_it_waits() == run_id
    call.end_remote("success")
    call.until("success")


@both
def test_cleared_by_a_person_there_is_one_run_however_quick_the_newer_try_is(source: Source, dag_id: str) -> None:
    call = source.start(dag_id)
    run_id = call.until_it_waits()
    began = call.began
    call.clear_while_it_runs()
    until(lambda: call.began not in (began, None) and call.state in ("running", "deferred"), call.log)
    assert call.until_it_waits() == run_id
    call.end_remote("success")
    call.until("success")


@both
def test_the_link_leads_to_the_run_while_the_task_waits(source: Source, dag_id: str) -> None:
    call = source.start(dag_id)
    run_id = call.until_it_waits()
    page = f"https://{source.mwaa.environments[0].host}/dags/load/runs/{run_id}"
    assert call.links() == {"Remote DAG run": page}
    call.end_remote("success")
    call.until("success")
    assert call.links() == {"Remote DAG run": page}


def test_a_killed_process_leaves_the_run_to_the_next_try(source: Source) -> None:
    call = source.start("waits")
    run_id = call.until_it_waits()
    call.kill_its_process()
    assert call.until_it_waits() == run_id
    assert call.try_number == 2
    call.end_remote("success")
    call.until("success")


def test_a_restart_of_the_triggerer_leaves_the_run_alone(source: Source) -> None:
    call = source.start("defers")
    call.until_it_waits()
    source.airflow.restart("triggerer")
    assert call.remote()[1] in ("queued", "running")
    call.end_remote("success")
    call.until("success")


@pytest.mark.patient
@pytest.mark.parametrize("dag_id", ["waits_briefly", "defers_briefly"])
def test_a_time_out_leaves_the_run_alone(source: Source, dag_id: str) -> None:
    call = source.start(dag_id)
    call.until_remote("queued", "running")
    call.until("failed")
    assert call.remote()[1] in ("queued", "running")
