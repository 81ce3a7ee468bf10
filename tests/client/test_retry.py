"""What may be sent again, when, and how often; and that what creates something creates it once."""

from __future__ import annotations

import pytest

from mwaa_provider.client.retry import Retry
from mwaa_provider.exceptions import (
    AccessDeniedError,
    ConflictError,
    ConnectionFailedError,
    MwaaError,
    NotFoundError,
    RestApiLimitError,
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
    ConnectionFailedError("connect time-out", may_pass=True),
    RestApiLimitError("504", status=504, may_pass=True),
]
LASTING = [
    AccessDeniedError("no"),
    ConnectionFailedError("no route"),
    NotFoundError("404", status=404),
    ServiceError("400", status=400),
    RestApiLimitError("413", status=413, may_pass=False),
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
    assert Retry(clock, jitter).repeat(read) == 5
    assert (most, clock.monotonic() - began) == ([1, 2, 4, 8], 7.5)


@pytest.mark.parametrize("error", PASSING[1:], ids=lambda error: type(error).__name__)
def test_it_ends(clock, error: MwaaError) -> None:
    read, attempts = failing(99, error)
    with pytest.raises(type(error)):
        Retry(clock).repeat(read)
    assert len(attempts) == 5


def test_being_throttled_ends_by_time(clock) -> None:
    read, attempts = failing(999, ThrottledError("slow down"))
    began = clock.monotonic()
    with pytest.raises(ThrottledError):
        Retry(clock, lambda most: most).repeat(read)
    # pauses of 1, 2, 4, 8, 16, 20, 20, 20, 20: one more would end after two minutes
    assert (len(attempts), clock.monotonic() - began) == (10, 111)


def test_what_the_server_asks_for_is_honoured(clock) -> None:
    read, _ = failing(2, ThrottledError("slow down", retry_after=30.0))
    began = clock.monotonic()
    assert Retry(clock, lambda most: most).repeat(read) == 3
    assert clock.monotonic() - began == 60


def test_a_server_that_asks_for_too_much_is_not_waited_for(clock) -> None:
    read, attempts = failing(1, RestApiServerError("503", status=503, retry_after=600.0))
    with pytest.raises(RestApiServerError):
        Retry(clock).repeat(read)
    assert len(attempts) == 1


@pytest.mark.parametrize("error", LASTING, ids=lambda error: type(error).__name__)
def test_what_will_not_pass_is_told_at_once(clock, error: MwaaError) -> None:
    read, attempts = failing(1, error)
    with pytest.raises(type(error)):
        Retry(clock).repeat(read)
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


def test_a_trigger_without_any_answer_is_told(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    local_mwaa.faults.add(Fault.answer(502, operation="rest", method="POST", times=None))
    with pytest.raises(UnknownOutcomeError, match=r"It is not there yet\. Ask again with the same run id") as caught:
        make_client().trigger_dag_run("target", "load", run_id="mine")
    assert (caught.value.dag_id, caught.value.run_id) == ("load", "mine")
    # each sending is followed by a look for what it may have made
    methods = [entry.method for entry in local_mwaa.journal.entries(is_rest=True)]
    assert methods == ["POST", "GET"] * 5
    assert airflow.runs("load") == ()


@pytest.mark.parametrize("transport", ["auto", "session"])
@pytest.mark.parametrize("acts", [True, False], ids=["acted", "did not act"])
@pytest.mark.parametrize(
    "kind",
    [
        lambda acts: Fault.answer(502, after_acting=acts, method="POST", times=2),
        lambda acts: Fault.answer(500, {"detail": "no"}, after_acting=acts, method="POST", times=2),
        lambda acts: Fault.answer(200, "<html>hello</html>", after_acting=acts, method="POST", times=2),
        lambda acts: (Fault.lose_answer if acts else Fault.refuse)(method="POST", times=2),
    ],
    ids=["502 page", "500", "200 page", "cut"],
)
def test_one_trigger_makes_one_run(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, kind, acts: bool, transport: str
) -> None:
    local_mwaa.faults.add(kind(acts))
    run = make_client(transport=transport).trigger_dag_run("target", "load", run_id="once")
    assert run.run_id == "once"
    assert [found.run_id for found in airflow.runs("load")] == ["once"]
    # found when looked for, or made by the third
    assert local_mwaa.journal.count(is_rest=True, method="POST") == (1 if acts else 3)


def test_a_first_call_that_arrives_late_is_found_by_the_conflict_of_the_second(clock) -> None:
    looks = iter([None, "made by the first"])
    sendings = []

    def send() -> str:
        sendings.append(1)
        raise UnknownOutcomeError("lost") if len(sendings) == 1 else ConflictError("409", status=409)

    assert Retry(clock).create(send, lambda: next(looks)) == "made by the first"
    assert len(sendings) == 2


def test_a_conflict_of_the_first_sending_is_told(clock) -> None:
    def send() -> str:
        raise ConflictError("409", status=409)

    with pytest.raises(ConflictError):
        Retry(clock).create(send, lambda: "somebody else's")


NOT_DONE = (ThrottledError, ConnectionFailedError)


@pytest.mark.parametrize(
    "error",
    [*(error for error in PASSING if not isinstance(error, NOT_DONE)), *LASTING],
    ids=lambda error: f"{type(error).__name__} {error}",
)
def test_a_change_is_not_repeated(clock, error: MwaaError) -> None:
    change, attempts = failing(1, error)
    with pytest.raises(type(error)):
        Retry(clock).once(change)
    assert len(attempts) == 1


def test_a_throttled_change_was_not_carried_out_and_is_repeated(clock) -> None:
    change, attempts = failing(4, PASSING[0])
    assert Retry(clock).once(change) == 5
    assert len(attempts) == 5


def test_a_throttled_trigger_starts_one_run(airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client) -> None:
    local_mwaa.faults.add(Fault.throttle(operation="InvokeRestApi", method="POST", times=3))
    make_client().trigger_dag_run("target", "load", run_id="once")
    assert [run.run_id for run in airflow.runs("load")] == ["once"]
