"""Which try takes a run up, and which runs it again: told by what a real scheduler counts, mapped tasks included."""

from __future__ import annotations

import pytest

from tests.real_tasks.conftest import Call, Source, until

pytestmark = pytest.mark.real_airflow


@pytest.mark.parametrize(
    "dag_id",
    [
        "waits",
        "defers",
        pytest.param("mapped_waits", marks=pytest.mark.patient),
        pytest.param("mapped_defers", marks=pytest.mark.patient),
    ],
)
def test_a_retry_runs_a_failure_again_and_a_clear_by_a_person_a_success(source: Source, dag_id: str) -> None:
    call = source.start(dag_id)
    run_id = call.until_it_waits()
    clears = source.clears()

    call.end_remote("failed")
    until_cleared(source, call, clears + 1)  # by the automatic retry
    assert call.until_it_waits() == run_id
    call.end_remote("success")
    call.until("success")
    assert call.try_number == 2

    call.until_its_run_ends()
    call.clear()
    until_cleared(source, call, clears + 2)  # by the first try since a person cleared the task
    assert call.until_it_waits() == run_id
    call.end_remote("failed")
    until_cleared(source, call, clears + 3)  # it has a retry again
    assert call.until_it_waits() == run_id
    call.end_remote("success")
    call.until("success")
    assert source.clears() == clears + 3


def test_a_retry_of_a_killed_process_is_done_with_a_run_that_succeeded(source: Source) -> None:
    if source.is_airflow_3_0:
        pytest.skip("Airflow 3.0 tries a task whose process was killed no second time")
    call = source.start("waits")
    call.until_it_waits()
    clears = source.clears()
    call.kill_its_process()
    call.end_remote("success")
    call.until("success")
    assert (call.try_number, source.clears()) == (2, clears)


@pytest.mark.patient
def test_a_retry_of_a_killed_first_try_since_a_clear_is_done_with_the_run_that_it_ran_again(source: Source) -> None:
    if source.is_airflow_3_0:
        pytest.skip("Airflow 3.0 tries a task whose process was killed no second time")
    call = source.start("waits")
    call.until_it_waits()
    call.end_remote("success")
    call.until("success")
    call.until_its_run_ends()
    clears = source.clears()
    call.clear()
    until_cleared(source, call, clears + 1)
    call.until_it_waits()
    call.kill_its_process()
    call.end_remote("success")
    call.until("success")
    assert (call.try_number, source.clears()) == (3, clears + 1)


def until_cleared(source: Source, call: Call, times: int) -> None:
    until(
        lambda: source.clears() == times,
        lambda: f"{source.clears()} clears, not {times}; the task is {call.state}\n{call.log()}",
    )
