"""Ending a run takes the time it is given and no longer, and what was not sent by then is never sent."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from mwaa_provider.client.models import DagRun
from mwaa_provider.client.time_limit import TimeLimit, within
from mwaa_provider.exceptions import (
    ConnectionFailedError,
    InvalidInputError,
    MwaaError,
    NotFoundError,
    RestApiServerError,
    ThrottledError,
    UnknownOutcomeError,
)
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from tests.client.conftest import MakeClient, SteppingClock, needs_invoke_rest_api

WAYS = [pytest.param("iam", marks=needs_invoke_rest_api), "session"]


def late(was_sent: bool) -> MwaaError:
    return (UnknownOutcomeError if was_sent else ConnectionFailedError)("late")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mwaa_provider.client.time_limit._FIRST_PAUSE_SECONDS", 0.01)


@pytest.fixture
def hold() -> Iterator[threading.Event]:
    """Keeps a call waiting until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_an_answer_and_an_error_come_through() -> None:
    assert within(60, lambda limit: limit.begin() > 0, late) is True
    with pytest.raises(NotFoundError, match="gone"):
        within(60, lambda limit: (_ for _ in ()).throw(NotFoundError("gone")), late)


def test_what_was_not_sent_in_time_is_never_sent(hold: threading.Event) -> None:
    refused = threading.Event()

    def call(limit: TimeLimit) -> None:
        hold.wait(60)
        try:
            limit.begin()
        except ConnectionFailedError:
            refused.set()

    with pytest.raises(ConnectionFailedError, match="late"):
        within(0.05, call, late)
    hold.set()
    assert refused.wait(60)


def test_what_was_sent_has_an_unknown_outcome(hold: threading.Event) -> None:
    def call(limit: TimeLimit) -> None:
        limit.begin()
        hold.wait(60)

    with pytest.raises(UnknownOutcomeError):
        within(0.05, call, late)


@pytest.mark.parametrize("transport", WAYS)
def test_a_run_is_ended_by_one_request(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient, transport: str
) -> None:
    client = make_client(transport=transport)
    run_id = airflow.add_run("load", "mine", state="running")
    cancelled = client.cancel_dag_run("target", "load", run_id, timeout=60)
    assert isinstance(cancelled, DagRun)
    assert (cancelled.run_id, cancelled.state) == ("mine", "failed")
    (entry,) = local_mwaa.journal.entries(is_rest=True)
    assert (entry.method, entry.path, entry.body) == ("PATCH", "/dags/load/dagRuns/mine", {"state": "failed"})
    assert [task.state for task in airflow.runs("load")[0].task_instances] == ["failed"]


FAULTS = [
    pytest.param(partial(Fault.answer, 502, after_acting=True), (RestApiServerError,), id="502"),
    pytest.param(Fault.lose_answer, (UnknownOutcomeError, RestApiServerError), id="lost"),
    pytest.param(partial(Fault.throttle, "rest"), (ThrottledError,), id="throttled"),
]


@pytest.mark.parametrize("transport", WAYS)
@pytest.mark.parametrize(("fault", "errors"), FAULTS)
def test_a_request_that_fails_is_repeated_while_there_is_time(
    airflow: ScriptedAirflow,
    local_mwaa: LocalMwaa,
    make_client: MakeClient,
    transport: str,
    fault: Callable[..., Fault],
    errors: tuple[type[MwaaError], ...],
) -> None:
    client = make_client(transport=transport)
    airflow.add_run("load", "mine", state="running")
    local_mwaa.faults.add(fault(method="PATCH", times=2))
    assert client.cancel_dag_run("target", "load", "mine", timeout=60).state == "failed"
    assert local_mwaa.journal.count(is_rest=True, method="PATCH") == 3


@pytest.mark.parametrize("transport", WAYS)
@pytest.mark.parametrize(("fault", "errors"), FAULTS)
def test_a_request_that_fails_for_good_says_whether_it_may_have_acted(
    airflow: ScriptedAirflow,
    local_mwaa: LocalMwaa,
    make_client: MakeClient,
    transport: str,
    fault: Callable[..., Fault],
    errors: tuple[type[MwaaError], ...],
) -> None:
    client = make_client(transport=transport)
    client.get_dag("target", "load")
    airflow.add_run("load", "mine", state="running")
    local_mwaa.faults.add(fault(method="PATCH", times=None))
    was_never_carried_out = errors == (ThrottledError,)
    late = ConnectionFailedError if was_never_carried_out else UnknownOutcomeError
    with pytest.raises((*errors, late)):
        client.cancel_dag_run("target", "load", "mine", timeout=0.6)
    assert airflow.runs("load")[0].state == ("running" if was_never_carried_out else "failed")


@pytest.mark.parametrize("transport", WAYS)
def test_a_request_that_is_wrong_is_not_repeated(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient, transport: str
) -> None:
    with pytest.raises(NotFoundError):
        make_client(transport=transport).cancel_dag_run("target", "load", "not_there", timeout=60)
    assert local_mwaa.journal.count(is_rest=True, method="PATCH") == 1


@pytest.mark.parametrize("transport", WAYS)
def test_an_answer_that_does_not_come_is_not_waited_for(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient, transport: str
) -> None:
    client = make_client(transport=transport)
    client.get_dag("target", "load")
    airflow.add_run("load", "mine", state="running")
    local_mwaa.faults.add(Fault.delay(600, after_acting=True, method="PATCH"))
    with pytest.raises(UnknownOutcomeError, match=r"no answer within 0\.5 seconds; it may have been ended") as caught:
        client.cancel_dag_run("target", "load", "mine", timeout=0.5)
    facts = {"environment_name": "target", "dag_id": "load", "run_id": "mine", "timeout": 0.5}
    assert caught.value.facts == facts


def test_a_description_that_does_not_come_in_time_sends_nothing(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client: MakeClient
) -> None:
    airflow.add_run("load", "mine", state="running")
    local_mwaa.faults.add(Fault.delay(600, operation="GetEnvironment"))
    with pytest.raises(ConnectionFailedError, match=r"could not be sent within 0\.2 seconds, so the run goes on"):
        make_client().cancel_dag_run("target", "load", "mine", timeout=0.2)
    assert local_mwaa.journal.count(is_rest=True) == 0
    assert airflow.runs("load")[0].state == "running"


@needs_invoke_rest_api
def test_it_does_not_wait_for_its_turn_either(
    airflow: ScriptedAirflow, make_client: MakeClient, hold: threading.Event
) -> None:
    class StuckClock(SteppingClock):
        def sleep(self, seconds: float) -> None:
            hold.wait(60)

    client = make_client(transport="iam", clock=StuckClock())
    client.get_dag("target", "load")  # the next turn is a ninth of a second away, which never passes
    airflow.add_run("load", "mine", state="running")
    with pytest.raises(ConnectionFailedError, match="could not be sent"):
        client.cancel_dag_run("target", "load", "mine", timeout=0.1)
    assert airflow.runs("load")[0].state == "running"


def test_its_problems_are_told_at_once(make_client: MakeClient) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make_client().cancel_dag_run("1", "a/b", "x/clear", timeout=0)
    fields = [problem.split(":")[0] for problem in caught.value.problems]
    assert fields == ["environment_name", "dag_id", "run_id", "timeout"]
