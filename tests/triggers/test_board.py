"""What the poller knows of runs: right also when something was cleared, is not there yet, or must not be seen; with few calls."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from mwaa_provider.client.looks import Look
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.client.watching import TaskWatch, Watch
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from mwaa_provider.triggers.board import RunBoard
from tests.support.played import play
from tests.triggers.test_poller import client_for, run_of, tasks_of

FORBIDDEN = {"operation": "rest", "path": "/dags/other/*", "times": None}


class Clock:
    """The machine's, and what is put to it."""

    def __init__(self) -> None:
        self.more = 0.0

    def monotonic(self) -> float:
        return time.monotonic() + self.more

    def time(self) -> float:
        return time.time() + self.more

    def sleep(self, seconds: float) -> None:
        self.more += seconds


@pytest.fixture(scope="module")
def local_mwaa() -> Iterator[LocalMwaa]:
    with LocalMwaa() as mwaa:
        yield mwaa


@pytest.fixture
def airflow(local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch) -> ScriptedAirflow:
    airflow = ScriptedAirflow("3.3.1")
    airflow.add_dag("load", tasks=("extract", "transform"), run_takes=None)
    airflow.add_dag("other", tasks=("extract",), run_takes=None)
    play(airflow, local_mwaa, monkeypatch)
    return airflow


class Board:
    """A board, and what it is asked for."""

    def __init__(self, mwaa: LocalMwaa) -> None:
        self.clock = Clock()
        self._board = RunBoard("target", self.clock)
        self._mwaa = mwaa
        self._client: MwaaClient = client_for(mwaa)
        self._since = datetime.now(timezone.utc) - timedelta(minutes=1)

    def look(self, *watches: Watch) -> list[str]:
        """The verdicts, or the names of errors."""
        seen = self._board.look(self._client, [(watch, self._since) for watch in watches])
        return [one.verdict if isinstance(one, Look) else type(one).__name__ for one in seen]

    def news(self, watch: Watch) -> str:
        [seen] = self._board.look(self._client, [(watch, self._since)])
        assert isinstance(seen, Look)
        return seen.news

    def calls(self, *watches: Watch) -> int:
        """How many calls a look takes."""
        before = self._mwaa.journal.count(is_rest=True)
        self.look(*watches)
        return self._mwaa.journal.count(is_rest=True) - before


@pytest.fixture
def board(airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> Board:
    return Board(local_mwaa)


class TestCleared:
    """A run that had ended, and runs again, is no more what it was."""

    def test_since_its_last_wait_ended(self, airflow: ScriptedAirflow, board: Board) -> None:
        """A retry clears the run and waits for it again, before the poller, which waits for others too, looks again."""
        airflow.add_run("load", "a", state="running")
        airflow.add_run("load", "b", state="running")
        assert board.look(run_of("a"), run_of("b")) == ["wait", "wait"]
        airflow.set_run_state("load", "a", "failed")
        assert board.look(run_of("a"), run_of("b")) == ["failed", "wait"]
        airflow.set_run_state("load", "a", "queued")
        assert board.look(run_of("a"), run_of("b")) == ["wait", "wait"]

    @pytest.mark.parametrize("count", [2, 5])
    def test_while_others_are_waited_for_too(self, airflow: ScriptedAirflow, board: Board, count: int) -> None:
        names = [f"r{number}" for number in range(count)]
        for name in names:
            airflow.add_run("load", name, state="running")
        assert board.look(run_of(*names)) == ["wait"]
        for name in names[:-1]:
            airflow.set_run_state("load", name, "success")
        assert board.look(run_of(*names)) == ["wait"]
        airflow.set_run_state("load", names[0], "queued")
        airflow.set_run_state("load", names[-1], "success")
        assert board.look(run_of(*names)) == ["wait"]
        airflow.set_run_state("load", names[0], "success")
        assert board.look(run_of(*names)) == ["met"]

    def test_its_tasks_are_on_the_way_again(self, airflow: ScriptedAirflow, board: Board) -> None:
        for name in ("a", "b"):
            airflow.add_run("load", name, state="running")
        watch = TaskWatch(run_of("a", "b").which, tasks_of("a").states, task_ids=("extract",))
        airflow.set_task_state("load", "a", "extract", "success")
        airflow.set_run_state("load", "a", "success")
        assert board.look(watch) == ["wait"]
        airflow.set_run_state("load", "a", "queued")
        airflow.set_task_state("load", "a", "extract", None)
        assert board.look(watch) == ["wait"]


class TestForbidden:
    """A DAG that the connection's role must not see is the trouble of those alone who wait for it."""

    @pytest.fixture(autouse=True)
    def runs(self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        airflow.add_run("load", "r", state="success")
        airflow.set_task_state("load", "r", "extract", "success")
        local_mwaa.faults.add(Fault.answer(403, {"detail": "Forbidden"}, **FORBIDDEN))

    @pytest.mark.parametrize("count", [1, 5])
    def test_its_runs(self, board: Board, count: int) -> None:
        others = [run_of(f"r{number}", dag_id="other") for number in range(count)]
        assert board.look(*others, run_of("r")) == ["RestApiError"] * count + ["met"]

    def test_its_tasks(self, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, board: Board) -> None:
        """Airflow 2 refuses a list of the tasks of several DAGs if one of them is forbidden."""
        airflow.add_run("other", "r", state="success")
        local_mwaa.faults.clear()
        local_mwaa.faults.add(Fault.answer(403, {"detail": "Forbidden"}, operation="rest", path="*/taskInstances/list"))
        local_mwaa.faults.add(
            Fault.answer(403, {"detail": "Forbidden"}, operation="rest", path="/dags/other/*/taskInstances*")
        )
        other = TaskWatch(run_of("r", dag_id="other").which, tasks_of("r").states, task_ids=("extract",))
        seen = board.look(other, tasks_of("r", "extract"), run_of("r"))
        assert seen[1:] == ["met", "met"]

    def test_what_passes_is_everybody_s_trouble(self, local_mwaa: LocalMwaa, board: Board) -> None:
        local_mwaa.faults.clear()
        local_mwaa.faults.add(Fault.answer(502, **{**FORBIDDEN, "path": "/dags/*/dagRuns/*"}))
        assert board.look(run_of("x", dag_id="other"), run_of("r")) == ["RestApiServerError"] * 2


class TestCalls:
    """What a look costs."""

    def test_runs_that_are_not_there_yet_are_not_looked_up_one_by_one(
        self, airflow: ScriptedAirflow, board: Board
    ) -> None:
        watches = [run_of(f"r{number}") for number in range(30)]
        board.look(*watches)  # the first look has to
        assert board.calls(*watches) == 2
        airflow.add_run("load", "r1", state="running")
        airflow.add_run("load", "r2", state="running")
        airflow.set_run_state("load", "r2", "success")
        airflow.add_run("load", "r3", state="failed")
        assert board.look(*watches[:5]) == ["wait", "wait", "met", "failed", "wait"]

    def test_one_that_no_list_shows_is_found_in_the_end(self, airflow: ScriptedAirflow, board: Board) -> None:
        watches = [run_of(f"r{number}") for number in range(5)]
        board.look(*watches)
        airflow.add_run("load", "r1", state="success")
        set_end(airflow, "load", "r1", None)
        board.clock.sleep(301)
        assert board.look(*watches)[1] == "met"

    def test_a_wait_costs_a_call(self, airflow: ScriptedAirflow, board: Board) -> None:
        watches = [run_of(f"r{number}") for number in range(30)]
        for number in range(30):
            airflow.add_run("load", f"r{number}", state="running")
        board.look(*watches)
        assert board.calls(*watches) == 1

    def test_a_queued_run_is_not_said_to_be_queued_for_long_after_it_has_begun(
        self, airflow: ScriptedAirflow, board: Board
    ) -> None:
        airflow.add_dag("load", paused=True, run_takes=None)  # or it would begin by itself
        airflow.add_run("load", "r")
        assert board.news(run_of("r")).endswith("is queued")
        airflow.set_run_state("load", "r", "running")
        board.clock.sleep(61)
        assert board.news(run_of("r")).endswith("is running")


def test_a_slow_look_misses_nothing(airflow: ScriptedAirflow, board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run ends while the lists are read for waits that join for another DAG, whose runs have ended a while later."""
    airflow.add_run("load", "early", state="running")
    assert board.look(run_of("early")) == ["wait"]
    joining = [run_of(f"r{number}", dag_id="other") for number in range(4)]
    for number in range(4):
        airflow.add_run("other", f"r{number}", state="success")
    list_dag_runs = MwaaClient.list_dag_runs

    def slowly(client: MwaaClient, *arguments: Any, **more: Any) -> Any:
        if more["states"] == ["failed", "success"]:
            airflow.set_run_state("load", "early", "success")
            set_end(airflow, "load", "early", datetime.now(timezone.utc) - timedelta(seconds=20))
        return list_dag_runs(client, *arguments, **more)

    monkeypatch.setattr(MwaaClient, "list_dag_runs", slowly)
    first = board.look(run_of("early"), *joining)
    monkeypatch.undo()
    assert (first[1:], "met" in (first[0], *board.look(run_of("early")))) == (["met"] * 4, True)


def set_end(airflow: ScriptedAirflow, dag_id: str, run_id: str, end_date: datetime | None) -> None:
    airflow._run(dag_id, run_id).end_date = end_date
