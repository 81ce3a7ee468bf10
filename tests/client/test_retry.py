"""Reads are repeated for passing reasons, with jitter, a bounded number of times; nothing else ever is."""

from __future__ import annotations

import pytest

from mwaa_provider.client.retry import Retry
from mwaa_provider.exceptions import (
    AccessDeniedError,
    ConnectionFailedError,
    MwaaError,
    NotFoundError,
    RestApiServerError,
    ServiceError,
    ThrottledError,
    UnknownOutcomeError,
)
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow

PASSING = [
    ThrottledError("slow down"),
    UnknownOutcomeError("lost"),
    RestApiServerError("502", status=502),
    ServiceError("500", status=500),
]
LASTING = [
    AccessDeniedError("no"),
    ConnectionFailedError("no route"),
    NotFoundError("404", status=404),
    ServiceError("400", status=400),
]


def failing(times: int, error: MwaaError):
    attempts: list[int] = []

    def read() -> int:
        attempts.append(1)
        if len(attempts) <= times:
            raise error
        return len(attempts)

    return read, attempts


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_a_passing_failure_is_repeated_with_growing_pauses(clock, error: MwaaError) -> None:
    most: list[float] = []

    def jitter(seconds: float) -> float:
        most.append(seconds)
        return seconds / 2

    read, _ = failing(4, error)
    began = clock.monotonic()
    assert Retry(clock, jitter).read(read) == 5
    assert (most, clock.monotonic() - began) == ([1, 2, 4, 8], 7.5)


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_it_ends(clock, error: MwaaError) -> None:
    read, attempts = failing(99, error)
    with pytest.raises(type(error)):
        Retry(clock).read(read)
    assert len(attempts) == 5


@pytest.mark.parametrize("error", LASTING, ids=lambda error: type(error).__name__)
def test_what_will_not_pass_is_told_at_once(clock, error: MwaaError) -> None:
    read, attempts = failing(1, error)
    with pytest.raises(type(error)):
        Retry(clock).read(read)
    assert len(attempts) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault.answer(502, operation="rest", method="GET", times=2),
        Fault.lose_answer(operation="rest", method="GET", times=2),
        Fault.answer(503, {"detail": "starting"}, operation="rest", method="GET", times=4),
    ],
    ids=["502 page", "lost answer", "503 json"],
)
@pytest.mark.parametrize("transport", ["auto", "session"])
def test_a_look_survives(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, fault: Fault, transport: str
) -> None:
    local_mwaa.faults.add(fault)
    assert make_client(transport=transport).get_dag("target", "load").dag_id == "load"
    assert local_mwaa.faults.pending() == ()


def test_a_wait_survives(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    client = make_client()
    run = client.trigger_dag_run("target", "load")
    airflow.set_run_state("load", run.run_id, "success")
    local_mwaa.faults.add(Fault.answer(504, operation="rest", method="GET", times=3))
    assert client.wait_for_dag_run("target", "load", run.run_id).state == "success"


def test_a_trigger_is_sent_once(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    local_mwaa.faults.add(Fault.answer(502, operation="rest", method="POST", times=None))
    with pytest.raises(UnknownOutcomeError):
        make_client().trigger_dag_run("target", "load")
    assert local_mwaa.journal.count(is_rest=True, method="POST") == 1
    assert airflow.runs("load") == ()


@pytest.mark.parametrize("error", [*PASSING[1:], *LASTING], ids=lambda error: f"{type(error).__name__} {error}")
def test_a_change_is_not_repeated(clock, error: MwaaError) -> None:
    change, attempts = failing(1, error)
    with pytest.raises(type(error)):
        Retry(clock).change(change)
    assert len(attempts) == 1


def test_a_throttled_change_was_not_carried_out_and_is_repeated(clock) -> None:
    change, attempts = failing(4, PASSING[0])
    assert Retry(clock).change(change) == 5
    assert len(attempts) == 5


def test_a_throttled_trigger_starts_one_run(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    local_mwaa.faults.add(Fault.throttle(operation="InvokeRestApi", method="POST", times=3))
    make_client().trigger_dag_run("target", "load", run_id="once")
    assert [run.run_id for run in airflow.runs("load")] == ["once"]
