"""A cancel of an earlier try and the newer try that takes the run up, in both orders; other people's runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from mwaa_provider.airflow_compat import RunningTask
from mwaa_provider.client.models import DagRun
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.client.waiting import CANCEL_SECONDS
from mwaa_provider.exceptions import DagRunExistsError, MwaaError, RestApiServerError
from mwaa_provider.hooks.mwaa import MwaaHook
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from mwaa_provider.operators.cleared import LINE_LENGTH, has_run_since, is_noted, note_to_run_again
from mwaa_provider.operators.dag_run import MwaaTriggerDagRunOperator
from mwaa_provider.operators.one_run import OneRun
from mwaa_provider.operators.run_identity import RunIdentity
from mwaa_provider.operators.trigger_input import TriggerInput
from tests.support.played import CONN_ID, play
from tests.support.tasks import context_of

DEFAULTS = {
    "task_id": "call",
    "environment_name": "target",
    "trigger_dag_id": "load",
    "aws_conn_id": CONN_ID,
    "wait_for_completion": True,
}

#: What becomes of an answer, with what was asked for done, or not.
FAULTS: dict[str, Callable[..., Fault]] = {
    "lost": Fault.lose_answer,
    "500 after acting": lambda **which: Fault.answer(500, after_acting=True, **which),
    "refused": Fault.refuse,
    "502": lambda **which: Fault.answer(502, **which),
}


@pytest.fixture(scope="module")
def local_mwaa() -> Iterator[LocalMwaa]:
    """One for all tests of this file; each has an Airflow of its own behind it."""
    with LocalMwaa() as mwaa:
        yield mwaa


@pytest.fixture(params=["2.7.2", "3.3.1"])
def target(request: pytest.FixtureRequest, local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch) -> ScriptedAirflow:
    airflow = ScriptedAirflow(request.param)
    airflow.add_dag("load", run_takes=None)
    play(airflow, local_mwaa, monkeypatch)
    return airflow


@pytest.fixture
def client(target: ScriptedAirflow) -> MwaaClient:
    return MwaaHook(CONN_ID).client


class Clock:
    """A clock on which something happens while somebody sleeps."""

    def __init__(self, during_sleep: Callable[[], Any] = lambda: None) -> None:
        self.slept = 0.0
        self._during_sleep = during_sleep

    def monotonic(self) -> float:
        return self.slept

    def time(self) -> float:
        return 1_700_000_000.0 + self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self._during_sleep()


def one_run(
    client: MwaaClient, clock: Clock, *, try_number: int = 1, max_tries: int = 0, context: Any = None, **arguments: Any
) -> OneRun:
    task = MwaaTriggerDagRunOperator(
        **{**DEFAULTS, **arguments},
    )
    context = context or context_of(task, try_number=try_number, max_tries=max_tries)
    log = logging.getLogger("test")
    running = RunningTask(context)
    identity = RunIdentity.of(running)
    return OneRun(client, "target", "load", TriggerInput.of(task, identity), running, identity, clock, log)


def cleared_try(client: MwaaClient, clock: Clock) -> Any:
    """The first try after a person cleared the task, whose run over there is active."""
    return one_run(client, clock, try_number=2, max_tries=1).start_or_take_up()


class TestBothOrders:
    """A person clears a waiting task: its old try ends the run, its new try takes the run up."""

    def test_the_end_comes_first(self, target: ScriptedAirflow, client: MwaaClient) -> None:
        run = one_run(client, Clock()).start_or_take_up()
        client.cancel_dag_run("target", "load", run.run_id)
        again = cleared_try(client, Clock())
        assert (again.run_id, again.is_active, len(target.runs("load"))) == (run.run_id, True, 1)

    def test_the_end_comes_while_the_newer_try_takes_the_run_up(
        self, target: ScriptedAirflow, client: MwaaClient
    ) -> None:
        run = one_run(client, Clock()).start_or_take_up()
        clock = Clock(during_sleep=lambda: client.cancel_dag_run("target", "load", run.run_id))
        again = cleared_try(client, clock)
        assert clock.slept > CANCEL_SECONDS  # by then no cancel is under way any more
        assert (again.run_id, again.is_active, len(target.runs("load"))) == (run.run_id, True, 1)

    def test_no_end_comes(self, target: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa) -> None:
        run = one_run(client, Clock()).start_or_take_up()
        assert cleared_try(client, Clock()).run_id == run.run_id
        assert local_mwaa.journal.count(path="*/clear") == 0


class TestSomebodyElsesRun:
    @pytest.fixture(params=["running", "success", "failed"])
    def state(self, request: pytest.FixtureRequest, target: ScriptedAirflow) -> str:
        target.add_run("load", "theirs", state=request.param)
        return str(request.param)

    def take_up(self, client: MwaaClient, choice: str) -> Any:
        return one_run(client, Clock(), trigger_run_id="theirs", when_run_exists=choice).start_or_take_up()

    def test_it_is_adopted(self, state: str, client: MwaaClient, local_mwaa: LocalMwaa) -> None:
        assert self.take_up(client, "adopt").state == state
        assert local_mwaa.journal.count(path="*/clear") == 0

    def test_it_is_cleared(self, state: str, client: MwaaClient, target: ScriptedAirflow) -> None:
        assert self.take_up(client, "clear").is_active
        assert len(target.runs("load")) == 1

    def test_the_task_is_skipped(self, state: str, client: MwaaClient) -> None:
        with pytest.raises(Exception, match=r"exists already .*when_run_exists says 'skip'") as caught:
            self.take_up(client, "skip")
        assert type(caught.value).__name__ == "AirflowSkipException"

    def test_the_task_fails_without_a_retry(self, state: str, client: MwaaClient) -> None:
        with pytest.raises(Exception, match="It was left as it is") as caught:
            self.take_up(client, "fail")
        assert type(caught.value).__name__ == "AirflowFailException"
        assert isinstance(caught.value.__cause__, DagRunExistsError)


@pytest.mark.parametrize("choice", ["adopt", "clear", "skip", "fail"])
def test_a_run_of_that_id_that_we_started_is_ours_whatever_the_choice(client: MwaaClient, choice: str) -> None:
    how = {"trigger_run_id": "mine", "when_run_exists": choice}
    one_run(client, Clock(), max_tries=1, retries=1, **how).start_or_take_up()
    taken_up = one_run(client, Clock(), try_number=2, max_tries=1, retries=1, **how).start_or_take_up()
    assert (taken_up.run_id, taken_up.is_active) == ("mine", True)


def test_on_airflow_2_a_run_without_a_date_gets_a_fresh_one(
    target: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa
) -> None:
    """Airflow 2 takes the moment for the logical date, and another run may have the same."""
    conflict = {"status": 409, "detail": "another run has this logical date", "title": "Conflict"}
    local_mwaa.faults.add(Fault.answer(409, conflict, operation="rest", method="POST", path="/dags/load/dagRuns"))
    run = one_run(client, Clock()).start_or_take_up()
    assert [one.run_id for one in target.runs("load")] == [run.run_id]


class TestLostOnTheWay:
    """Whatever answer is lost, one run is there, and the try does what it would have done."""

    def run_before(self, target: ScriptedAirflow, client: MwaaClient, state: str) -> str:
        """The run of an earlier try, which has ended."""
        run_id = one_run(client, Clock(), max_tries=1, retries=1).start_or_take_up().run_id
        target.set_run_state("load", run_id, state)
        return run_id

    @pytest.mark.parametrize(
        ("fault", "state", "max_tries", "clears"),
        [
            pytest.param(Fault.lose_answer, "failed", 1, 1, id="retry of a failure"),
            pytest.param(Fault.lose_answer, "success", 1, 0, id="retry of a success"),
            pytest.param(Fault.lose_answer, "failed", 2, 1, id="clear of a failure"),
            *(pytest.param(fault, "success", 2, 1, id=f"clear of a success, {name}") for name, fault in FAULTS.items()),
        ],
    )
    def test_the_word_that_the_run_is_there_already(
        self,
        target: ScriptedAirflow,
        client: MwaaClient,
        local_mwaa: LocalMwaa,
        fault: Callable[..., Fault],
        state: str,
        max_tries: int,
        clears: int,
    ) -> None:
        run_id = self.run_before(target, client, state)
        local_mwaa.faults.add(fault(operation="rest", method="POST", path="/dags/load/dagRuns"))
        run = one_run(client, Clock(), try_number=2, max_tries=max_tries, retries=1).start_or_take_up()
        assert [one.run_id for one in target.runs("load")] == [run.run_id] == [run_id]
        assert local_mwaa.journal.count(path="*/clear", status=200) == clears
        assert run.is_active == bool(clears)

    def test_the_same_word_where_airflow_counts_no_deferred_try(
        self, target: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa
    ) -> None:
        """Up to 2.9 a task that was cleared while it was deferred begins with its first try again."""
        run_id = self.run_before(target, client, "failed")
        local_mwaa.faults.add(Fault.lose_answer(operation="rest", method="POST", path="/dags/load/dagRuns"))
        context = context_of(MwaaTriggerDagRunOperator(**DEFAULTS))
        context["ti"]._try_number = 1
        task = one_run(client, Clock(), context=context)
        run = task.start_or_take_up()
        assert (run.run_id, run.is_active, local_mwaa.journal.count(path="*/clear", status=200)) == (run_id, True, 1)

    @pytest.mark.parametrize("choice", ["fail", "skip", "clear"])
    def test_the_word_that_somebody_else_s_run_is_there(
        self, target: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa, choice: str
    ) -> None:
        target.add_run("load", "theirs", state="success")
        local_mwaa.faults.add(Fault.lose_answer(operation="rest", method="POST", path="/dags/load/dagRuns"))
        task = one_run(client, Clock(), trigger_run_id="theirs", when_run_exists=choice)
        if choice == "clear":
            assert task.start_or_take_up().is_active
            return
        with pytest.raises(Exception, match=f"when_run_exists says '{choice}'"):
            task.start_or_take_up()

    @pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
    def test_the_answer_to_a_clear(
        self, target: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa, fault: Callable[..., Fault]
    ) -> None:
        run_id = self.run_before(target, client, "failed")
        local_mwaa.faults.add(fault(operation="rest", method="POST", path="*/clear"))
        run = one_run(client, Clock(), try_number=2, max_tries=1, retries=1).start_or_take_up()
        assert (run.run_id, run.is_active) == (run_id, True)
        assert [one.run_id for one in target.runs("load")] == [run_id]

    def test_a_clear_that_is_never_answered(
        self, target: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa
    ) -> None:
        self.run_before(target, client, "failed")
        local_mwaa.faults.add(Fault.answer(500, operation="rest", method="POST", path="*/clear", times=None))
        with pytest.raises(RestApiServerError):
            one_run(client, Clock(), try_number=2, max_tries=1, retries=1).start_or_take_up()
        assert local_mwaa.journal.count(path="*/clear") <= 5

    def test_a_run_that_ran_again_and_ended_while_the_answer_was_lost(
        self, target: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa
    ) -> None:
        run_id = self.run_before(target, client, "failed")
        local_mwaa.faults.add(Fault.lose_answer(operation="rest", method="POST", path="*/clear"))
        clock = Clock(during_sleep=lambda: target.set_run_state("load", run_id, "success"))
        run = one_run(client, clock, try_number=2, max_tries=1, retries=1).start_or_take_up()
        assert (run.state, local_mwaa.journal.count(path="*/clear")) == ("success", 1)


class TestKilledAfterAClear:
    """A person cleared the task, whose run had succeeded; the first try since then dies; its retry does what is left to do."""

    @pytest.fixture
    def run_id(self, target: ScriptedAirflow, client: MwaaClient) -> str:
        run_id = one_run(client, Clock(), max_tries=1, retries=1, note="for the audit").start_or_take_up().run_id
        target.set_run_state("load", run_id, "success")
        return run_id

    def take_up(self, client: MwaaClient, try_number: int) -> DagRun:
        again = one_run(client, Clock(), try_number=try_number, max_tries=2, retries=1, note="for the audit")
        assert not again.is_done() or try_number > 2
        return again.start_or_take_up()

    @pytest.mark.parametrize("method_and_path", [("PATCH", "/dags/load/dagRuns/*"), ("POST", "*/clear")])
    @pytest.mark.parametrize("status", [403, 502])
    def test_before_the_run_was_cleared(
        self,
        run_id: str,
        client: MwaaClient,
        local_mwaa: LocalMwaa,
        method_and_path: tuple[str, str],
        status: int,
    ) -> None:
        method, path = method_and_path
        local_mwaa.faults.add(Fault.answer(status, operation="rest", method=method, path=path, times=None))
        with pytest.raises(MwaaError):
            self.take_up(client, 2)
        local_mwaa.faults.clear()
        assert self.take_up(client, 3).is_active
        assert local_mwaa.journal.count(path="*/clear", status=200) == 1

    def test_after_the_run_was_cleared(
        self, run_id: str, target: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa
    ) -> None:
        assert self.take_up(client, 2).is_active
        assert self.take_up(client, 3).is_active
        target.set_run_state("load", run_id, "success")
        assert self.take_up(client, 3).state == "success"
        assert local_mwaa.journal.count(path="*/clear") == 1

    def test_after_it_adopted_the_run(
        self, run_id: str, target: ScriptedAirflow, client: MwaaClient, local_mwaa: LocalMwaa
    ) -> None:
        target.set_run_state("load", run_id, "running")
        assert self.take_up(client, 2).is_active
        target.set_run_state("load", run_id, "success")
        assert self.take_up(client, 3).state == "success"
        assert local_mwaa.journal.count(path="*/clear") == 0

    def test_each_clear_leaves_one_line_and_the_rest_of_the_note_stays(
        self, run_id: str, target: ScriptedAirflow, client: MwaaClient
    ) -> None:
        for tries, max_tries in ((2, 2), (4, 4)):
            one_run(client, Clock(), try_number=tries, max_tries=max_tries, retries=1).start_or_take_up()
            target.set_run_state("load", run_id, "success")
            [run] = target.runs("load")
            started, users, cleared = (run.note or "").split("\n")
            assert started.startswith("Started by task call of DAG calling_dag")
            assert (users, cleared.partition(";")[0]) == ("for the audit", f"To run again for tries up to {max_tries}")


@pytest.mark.parametrize("length", [0, 700, 900, 1000])
def test_a_note_stays_within_airflows_limit(length: int) -> None:
    now = datetime(2026, 1, 31, 1, 2, 3, 456789, tzinfo=timezone.utc)
    run = DagRun("load", "r", "success", start_date=now, end_date=now, note="x" * length)
    noted = replace(run, note=note_to_run_again(run, 12345))
    assert len(noted.note or "") == min(1000, length + 1 + len(note_to_run_again(replace(run, note=""), 12345)) - 1)
    assert is_noted(noted, 12345)
    assert not is_noted(noted, 1234)
    assert not has_run_since(noted, 12345)
    assert has_run_since(replace(noted, end_date=None), 12345)
    assert len(note_to_run_again(replace(run, note=""), 12345)) <= LINE_LENGTH


@pytest.mark.parametrize("state", ["success", "failed", "running"])
def test_the_run_of_a_namesake_is_not_ours(target: ScriptedAirflow, client: MwaaClient, state: str) -> None:
    """Its note begins like ours: ``run manual__1`` and ``run manual__10``."""
    ours = "Started by task call of DAG calling_dag, run manual__2026-01-31"
    target.add_run("load", "theirs", state=state, note=f"{ours}T10:00:00\nfor the audit")
    with pytest.raises(Exception, match="when_run_exists says 'fail'"):
        one_run(client, Clock(), trigger_run_id="theirs", when_run_exists="fail").start_or_take_up()


@pytest.mark.parametrize("how", [{"wait_for_completion": False}, {"cancel_on_kill": False}])
def test_where_no_end_can_come_nobody_holds_back(
    target: ScriptedAirflow, client: MwaaClient, how: dict[str, Any]
) -> None:
    run = one_run(client, Clock(), **how).start_or_take_up()
    clock = Clock()
    assert one_run(client, clock, try_number=2, max_tries=1, **how).start_or_take_up().run_id == run.run_id
    assert clock.slept == 0


def test_context_is_a_namespace() -> None:
    """RunningTask looks at nothing else of a task instance than what Airflow's own have on every release."""
    task = SimpleNamespace(retries=0)
    ti = SimpleNamespace(dag_id="d", task_id="t", run_id="r", map_index=None, try_number=1, max_tries=0)
    assert RunningTask({"ti": ti, "task": task}).key.map_index == -1
