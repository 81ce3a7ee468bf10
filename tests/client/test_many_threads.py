"""Many threads of one process on one environment, while a tenth of their requests fails: nothing is doubled, and nobody waits for ever."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.client.retry import BUDGET_SECONDS
from mwaa_provider.exceptions import MwaaError, RestApiError, RestApiServerError, UnknownOutcomeError
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow, ServiceRules
from tests.support.shared_time import SharedTime

#: Five kinds, each at every fiftieth request: one in ten fails.
FAULTS = [
    fault(times=None, every=50)
    for fault in (
        Fault.expire_sessions,
        partial(Fault.throttle, "*"),
        partial(Fault.answer, 503),
        partial(Fault.answer, 502, after_acting=True),
        Fault.lose_answer,
    )
]
_TRANSPORTS = ["session", "iam", "auto"]


@dataclass
class Outcome:
    """What became of one call: ``right``, ``wrong``, or what it raised."""

    name: str
    seconds: float
    error: BaseException | None = None


@dataclass
class Callers:
    """Threads that read and trigger in turns, and what became of each call."""

    client: MwaaClient
    time: SharedTime
    reads: list[Outcome] = field(default_factory=list)
    triggers: dict[str, Outcome] = field(default_factory=dict)

    def run(self, *, threads: int, calls: int) -> None:
        self.time.run([partial(self._work, number, calls) for number in range(threads)])

    def _work(self, number: int, calls: int) -> None:
        for call in range(0, calls, 2):
            self.reads.append(self._outcome(lambda: self.client.get_dag("target", "load").dag_id, "load"))
            run_id = f"thread-{number}.call-{call + 1}"
            trigger = partial(self.client.trigger_dag_run, "target", "load", run_id=run_id, conf={"call": run_id})
            self.triggers[run_id] = self._outcome(lambda ask=trigger: (run := ask()) and run.run_id, run_id)

    def _outcome(self, call: Callable[[], Any], right: Any) -> Outcome:
        began = self.time.monotonic()
        try:
            name, error = ("right" if call() == right else "wrong"), None
        except BaseException as raised:
            name, error = type(raised).__name__, raised
        return Outcome(name, self.time.monotonic() - began, error)


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> SharedTime:
    """The time of a test; the client's locks go by it, for a login sleeps between its attempts while others wait for it."""
    time = SharedTime()
    locks = SimpleNamespace(**{**vars(threading), "Lock": time.lock})
    for name, module in list(sys.modules.items()):
        if name.startswith("mwaa_provider.client.") and hasattr(module, "threading"):
            monkeypatch.setattr(module, "threading", locks)
    return time


@pytest.fixture
def mwaa(time: SharedTime) -> Iterator[LocalMwaa]:
    # Real seconds count against this rule too: it is not what these tests are about.
    with LocalMwaa(clock=time, rules=ServiceRules(rest_seconds=60)) as service:
        yield service


@pytest.fixture(params=["2.10.3", "3.3.1"])
def airflow(request: pytest.FixtureRequest, mwaa: LocalMwaa) -> ScriptedAirflow:
    airflow = ScriptedAirflow(request.param)
    airflow.add_dag("load", run_takes=None)
    mwaa.create_environment("target", airflow)
    return airflow


@pytest.fixture
def callers(request: pytest.FixtureRequest, mwaa: LocalMwaa, airflow: ScriptedAirflow, time: SharedTime) -> Callers:
    if request.param == "iam":
        _needs_invoke_rest_api()
    client = MwaaClient(
        session=mwaa.boto3_session(),
        endpoint_url=mwaa.endpoint_url,
        verify=str(mwaa.ca_file),
        botocore_config=Config(inject_host_prefix=False, max_pool_connections=64),
        transport=request.param,
        clock=time,
    )
    return Callers(client, time)


def _needs_invoke_rest_api() -> None:
    if "InvokeRestApi" not in botocore.session.Session().get_service_model("mwaa").operation_names:
        pytest.skip("this release's boto3 has no invoke_rest_api")


@pytest.mark.parametrize("callers", _TRANSPORTS, indirect=True)
def test_each_call_ends_well_or_says_why_and_none_creates_twice(
    callers: Callers, mwaa: LocalMwaa, airflow: ScriptedAirflow
) -> None:
    mwaa.faults.add(*FAULTS)
    callers.run(threads=30, calls=10)
    _assert_all_is_well(callers, mwaa, airflow, calls=300)


@pytest.mark.slow
@pytest.mark.parametrize("callers", _TRANSPORTS, indirect=True)
def test_two_hundred_threads(callers: Callers, mwaa: LocalMwaa, airflow: ScriptedAirflow) -> None:
    mwaa.faults.add(*FAULTS)
    callers.run(threads=200, calls=20)
    _assert_all_is_well(callers, mwaa, airflow, calls=4000)


def _assert_all_is_well(callers: Callers, mwaa: LocalMwaa, airflow: ScriptedAirflow, *, calls: int) -> None:
    outcomes = [*callers.reads, *callers.triggers.values()]
    failures = [outcome.error for outcome in outcomes if outcome.error is not None]
    names = Counter(outcome.name for outcome in outcomes)
    assert names.total() == calls
    assert names["wrong"] == 0
    assert [error for error in failures if not isinstance(error, MwaaError)] == []
    assert [str(error) for error in failures if isinstance(error, RestApiError) and error.status in (401, 403)] == []
    # One call in ten meets a fault, and only five in a row make an error.
    assert len(failures) <= calls / 100, names

    _assert_in_bounded_time(callers)
    _assert_created_once(callers, mwaa, airflow)
    ended = mwaa.journal.count(fault="expire_sessions")
    opened = mwaa.journal.count(operation="login", status=200)
    assert opened <= ended + 1, "more sessions were opened than ended"
    tokens = mwaa.journal.count(operation="CreateWebLoginToken", status=200)
    assert tokens == mwaa.journal.count(operation="login")


def _assert_in_bounded_time(callers: Callers) -> None:
    """By the client's clock, and waiting for one's turn among all threads included.

    A read has its own budget and that of the login it may wait for; a trigger has those of sending, of looking up and of sending again.
    """
    assert max(outcome.seconds for outcome in callers.reads) <= 2 * BUDGET_SECONDS
    assert max(outcome.seconds for outcome in callers.triggers.values()) <= 4 * BUDGET_SECONDS


def _assert_created_once(callers: Callers, mwaa: LocalMwaa, airflow: ScriptedAirflow) -> None:
    # By what was asked for and not by run id: a second run would have another.
    runs = Counter(run.conf["call"] for run in airflow.runs("load"))
    asked = mwaa.journal.entries(is_rest=True, method="POST", path="/dags/load/dagRuns", backend_call=True)
    carried_out = Counter(entry.body["conf"]["call"] for entry in asked)
    right = {run_id for run_id, outcome in callers.triggers.items() if outcome.name == "right"}
    in_doubt = {
        run_id
        for run_id, outcome in callers.triggers.items()
        if isinstance(outcome.error, (UnknownOutcomeError, RestApiServerError))
    }
    assert set(runs.values()) == {1}
    assert set(carried_out.values()) == {1}, "Airflow was asked twice to create a run"
    assert right <= set(runs) <= right | in_doubt
    assert set(carried_out) == set(runs)


def test_the_time_goes_on_only_when_all_sleep(time: SharedTime) -> None:
    seen: list[tuple[str, float]] = []

    def sleep(name: str, *pauses: float) -> None:
        for pause in pauses:
            time.sleep(pause)
            seen.append((name, time.monotonic()))

    time.run([lambda: sleep("short", 1, 1), lambda: sleep("long", 1.5)])
    assert seen == [("short", 1.0), ("long", 1.5), ("short", 2.0)]


def test_the_time_goes_on_while_one_sleeps_with_a_lock_that_others_wait_for(time: SharedTime) -> None:
    lock, seen = time.lock(), []

    def hold(seconds: float) -> None:
        with lock:
            time.sleep(seconds)
            seen.append(time.monotonic())

    time.run([partial(hold, 2)] * 3)
    assert seen == [2.0, 4.0, 6.0]


def test_a_thread_that_sleeps_with_a_lock_that_another_needs_is_told(
    time: SharedTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.shared_time.PATIENCE", 0.3)
    lock, held = threading.Lock(), threading.Event()

    def sleep_with_it() -> None:
        with lock:
            held.set()
            with pytest.raises(TimeoutError, match="another waits for a lock that it holds"):
                time.sleep(1)

    def need_it() -> None:
        held.wait()
        with lock:
            pass

    time.run([sleep_with_it, need_it])
