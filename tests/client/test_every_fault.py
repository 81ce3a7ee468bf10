"""Every kind of misbehaviour the local MWAA knows, by each way to the REST API: for a read, and for a call that creates.

Once, the caller gets the right answer. For good, the caller gets a typed error, in bounded time, and nothing is created twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

import pytest
from botocore.config import Config

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.exceptions import (
    AccessDeniedError,
    DagNotFoundError,
    LoginFailedError,
    MwaaError,
    RestApiError,
    RestApiLimitError,
    RestApiServerError,
    ThrottledError,
    UnexpectedAnswerError,
    UnknownOutcomeError,
)
from mwaa_provider.local import Fault, LocalMwaa, ManualClock, ScriptedAirflow, ServiceRules
from mwaa_provider.local.faults import FaultKind
from tests.client.conftest import SteppingClock, needs_invoke_rest_api


@dataclass(frozen=True)
class Case:
    """One misbehaviour.

    :param name: Its name in the test's report.
    :param fault: Makes it.
    :param read: What a read raises when it lasts; ``None`` if it succeeds.
    :param create: The same for a trigger.
    :param once_read: What a read raises when it happens once.
    :param once_create: The same for a trigger.
    :param ways: By which ways it can happen.
    """

    name: str
    fault: Callable[..., Fault]
    read: type[MwaaError] | None
    create: type[MwaaError] | None
    once_read: type[MwaaError] | None = None
    once_create: type[MwaaError] | None = None
    ways: tuple[str, ...] = ("iam", "session")


def at_aws(make: Callable[..., Fault], *arguments: Any, **more: Any) -> Callable[..., Fault]:
    return lambda **which: make(*arguments, **more, **which, operation="InvokeRestApi")


def at_airflow(make: Callable[..., Fault], *arguments: Any, **more: Any) -> Callable[..., Fault]:
    return lambda **which: make(*arguments, **more, **which, operation="rest")


PAGE, DETAIL = "<html>down</html>", {"detail": "down"}
IAM, SESSION = ("iam",), ("session",)
CASES = [
    Case("answer lost", at_airflow(Fault.lose_answer), RestApiServerError, None, ways=IAM),  # AWS makes it a 502
    Case("answer lost", at_airflow(Fault.lose_answer), UnknownOutcomeError, None, ways=SESSION),
    Case("answer of AWS lost", at_aws(Fault.lose_answer), UnknownOutcomeError, None, ways=IAM),
    Case("answer cut", at_airflow(Fault.cut_answer, 5), UnknownOutcomeError, None, ways=SESSION),
    Case("answer of AWS cut", at_aws(Fault.cut_answer, 5), UnknownOutcomeError, None, ways=IAM),
    Case("refused", at_airflow(Fault.refuse), RestApiServerError, UnknownOutcomeError, ways=IAM),
    Case("refused", at_airflow(Fault.refuse), UnknownOutcomeError, UnknownOutcomeError, ways=SESSION),
    Case("refused by AWS", at_aws(Fault.refuse), UnknownOutcomeError, UnknownOutcomeError, ways=IAM),
    Case("500", at_airflow(Fault.answer, 500, DETAIL), RestApiServerError, UnknownOutcomeError),
    Case("502 page", at_airflow(Fault.answer, 502, PAGE), RestApiServerError, UnknownOutcomeError),
    Case("503 empty", at_airflow(Fault.answer, 503, ""), RestApiServerError, UnknownOutcomeError),
    Case("500 after acting", at_airflow(Fault.answer, 500, DETAIL, after_acting=True), RestApiServerError, None),
    Case("504", at_airflow(Fault.answer, 504, PAGE), RestApiLimitError, UnknownOutcomeError, ways=IAM),
    Case("504", at_airflow(Fault.answer, 504, PAGE), RestApiServerError, UnknownOutcomeError, ways=SESSION),
    Case(
        "a page for JSON",
        at_airflow(Fault.answer, 200, PAGE),
        UnexpectedAnswerError,
        UnknownOutcomeError,
        once_read=UnexpectedAnswerError,
    ),
    Case("429", at_airflow(Fault.throttle), ThrottledError, ThrottledError),
    Case("throttled by AWS", at_aws(Fault.throttle), ThrottledError, ThrottledError, ways=IAM),
    Case("500 of AWS", at_aws(Fault.answer, 500, {"message": "no"}), MwaaError, UnknownOutcomeError, ways=IAM),
    Case("late", at_airflow(Fault.delay, 11), RestApiLimitError, None, ways=IAM),
    Case("late after acting", at_airflow(Fault.delay, 11, after_acting=True), RestApiLimitError, None, ways=IAM),
    Case("late", at_airflow(Fault.delay, 11), None, None, ways=SESSION),
    Case("sessions end", at_airflow(Fault.expire_sessions), None, None, ways=IAM),
    Case("sessions end", at_airflow(Fault.expire_sessions), LoginFailedError, LoginFailedError, ways=SESSION),
    Case("denied by Airflow", at_airflow(Fault.deny), RestApiError, RestApiError, RestApiError, RestApiError),
    Case(
        "denied by AWS",
        at_aws(Fault.deny),
        AccessDeniedError,
        AccessDeniedError,
        AccessDeniedError,
        AccessDeniedError,
        ways=IAM,
    ),
    Case(
        "DAG not parsed yet",
        lambda **which: Fault.hide_dag("load", **which),
        DagNotFoundError,
        DagNotFoundError,
        DagNotFoundError,
        DagNotFoundError,
    ),
]


class Place:
    """One environment for all cases: on a clock that moves by hand, so that being late takes no time, and with no count of calls on it.

    :param airflow_version: The Airflow it runs.
    """

    def __init__(self, airflow_version: str) -> None:
        self.mwaa = LocalMwaa(clock=ManualClock(), rules=ServiceRules(rest_calls_per_second=None))
        self.airflow = ScriptedAirflow(airflow_version)
        self.airflow.add_dag("load", run_takes=None)
        self.mwaa.create_environment("target", self.airflow)
        self._clients: dict[str, MwaaClient] = {}

    def client(self, way: str) -> MwaaClient:
        if way not in self._clients:
            self._clients[way] = self.new_client(way)
        return self._clients[way]

    def new_client(self, way: str) -> MwaaClient:
        return MwaaClient(
            session=self.mwaa.boto3_session(),
            endpoint_url=self.mwaa.endpoint_url,
            verify=str(self.mwaa.ca_file),
            botocore_config=Config(inject_host_prefix=False),
            transport=way,
            clock=SteppingClock(),
        )

    def begin(self, fault: Fault) -> None:
        self.mwaa.journal.clear()
        self.mwaa.faults.clear()
        self.mwaa.faults.add(fault)


@pytest.fixture(scope="module", params=["2.10.3", "3.3.1"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    place = Place(request.param)
    with place.mwaa:
        yield place


def cases() -> list[Any]:
    return [
        pytest.param(case, way, id=f"{way}-{case.name}", marks=needs_invoke_rest_api if way == "iam" else ())
        for case in CASES
        for way in case.ways
    ]


def outcome(call: Callable[[], object], expected: type[MwaaError] | None) -> None:
    if expected is None:
        call()
        return
    with pytest.raises(expected) as caught:
        call()
    assert caught.value.environment_name == "target"


@pytest.mark.parametrize("times", [1, None], ids=["once", "for good"])
@pytest.mark.parametrize(("case", "way"), cases())
def test_a_read(place: Place, case: Case, way: str, times: int | None) -> None:
    place.begin(case.fault(method="GET", times=times))
    outcome(lambda: place.client(way).get_dag("target", "load"), case.read if times is None else case.once_read)
    assert 1 <= place.mwaa.journal.count(is_rest=True) <= 60


@pytest.mark.parametrize("times", [1, None], ids=["once", "for good"])
@pytest.mark.parametrize(("case", "way"), cases())
def test_a_trigger(place: Place, case: Case, way: str, times: int | None) -> None:
    place.begin(case.fault(method="POST", times=times))
    before = len(place.airflow.runs("load"))
    expected = case.create if times is None else case.once_create
    run_id = f"run_{before}"
    outcome(lambda: place.client(way).trigger_dag_run("target", "load", run_id=run_id), expected)
    assert [run.run_id for run in place.airflow.runs("load")[before:]] == ([run_id] if expected is None else [])
    assert 1 <= place.mwaa.journal.count(is_rest=True) <= 60


ON_THE_WAY = {
    "cut": Fault.refuse,
    "lost": Fault.lose_answer,
    "throttled": Fault.throttle,
    "500": lambda **which: Fault.answer(500, {"message": "no"}, **which),
    "502 page": lambda **which: Fault.answer(502, PAGE, **which),
}


@pytest.mark.parametrize("operation", ["GetEnvironment", "CreateWebLoginToken", "login"])
@pytest.mark.parametrize("what", ON_THE_WAY)
def test_trouble_on_the_way_to_airflow(place: Place, what: str, operation: str) -> None:
    """The call itself was not sent yet, so that one which must not be sent twice comes through too, and once."""
    before = len(place.airflow.runs("load"))
    place.begin(ON_THE_WAY[what](operation=operation, times=2))
    client = place.new_client("session")
    client.clear_dag_run("target", "load", place.airflow.add_run("load"))
    assert place.mwaa.faults.pending() == ()
    assert place.mwaa.journal.count(is_rest=True) == 1
    assert len(place.airflow.runs("load")) == before + 1


@pytest.mark.parametrize("operation", ["CreateWebLoginToken", "login"])
@pytest.mark.parametrize("what", ON_THE_WAY)
def test_no_login_for_good(place: Place, what: str, operation: str) -> None:
    place.begin(ON_THE_WAY[what](operation=operation, times=None))
    with pytest.raises(LoginFailedError) as caught:
        place.new_client("session").get_dag("target", "load")
    assert caught.value.environment_name == "target"
    assert place.mwaa.journal.count(operation=operation) <= 100
    assert place.mwaa.journal.count(is_rest=True) == 0


def test_no_kind_is_missing() -> None:
    assert {case.fault(times=1).kind for case in CASES} == set(get_args(FaultKind))
