"""A cancel of an earlier try and the newer try that takes the run up, in both orders; other people's runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from mwaa_provider.airflow_compat import RunningTask
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.client.waiting import CANCEL_SECONDS
from mwaa_provider.exceptions import DagRunExistsError, RestApiServerError
from mwaa_provider.hooks.mwaa import MwaaHook
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
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
