"""What ends the run over there when its task is taken away, in a worker and in the triggerer, and what does not; never late."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest

from mwaa_provider.airflow_compat import AIRFLOW_3, LocalTask, TaskNow, has_on_kill
from mwaa_provider.client.models import DagRun
from mwaa_provider.hooks.mwaa import MwaaHook
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from mwaa_provider.operators.cancelling import Cancelling
from mwaa_provider.triggers.dag_run import MwaaDagRunTrigger
from tests.support.played import CONN_ID, play

TASK = LocalTask("calling_dag", "manual__1", "call", 3)
ENDED = [None, "success", "failed", "skipped", "upstream_failed", "removed"]


@pytest.fixture(scope="module")
def local_mwaa() -> Iterator[LocalMwaa]:
    with LocalMwaa() as mwaa:
        yield mwaa


@pytest.fixture
def target(local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch) -> ScriptedAirflow:
    airflow = ScriptedAirflow("3.3.1")
    airflow.add_dag("load", run_takes=None)
    airflow.add_run("load", "r", state="running")
    play(airflow, local_mwaa, monkeypatch)
    return airflow


@pytest.fixture(autouse=True)
def time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried is whether a run is ended, on a busy machine too; the limit has a test of its own."""
    monkeypatch.setattr("mwaa_provider.operators.cancelling.CANCEL_SECONDS", 30.0)
    monkeypatch.setattr("mwaa_provider.operators.cancelling._ASK_SECONDS", 10.0)


def state_of(airflow: ScriptedAirflow) -> str:
    [run] = airflow.runs("load")
    return run.state


def stands(patch: pytest.MonkeyPatch, state: str | None, seconds: float = 0.0, **more: Any) -> None:
    """Let Airflow say how the local task stands, after so many seconds."""

    def now(task: LocalTask) -> TaskNow:
        assert task == TASK
        time.sleep(seconds)
        return TaskNow(state, **more)

    patch.setattr(LocalTask, "now", now)


class TestInAWorker:
    """Airflow calls ``on_kill`` in a signal handler, also where a worker is shut down and where time is up."""

    def kill(self) -> Cancelling:
        client = MwaaHook(CONN_ID).client
        client.get_dag_run("target", "load", "r")
        cancelling = Cancelling(client, "target", DagRun("load", "r", "running"), TASK, logging.getLogger("test"))
        cancelling.when_killed()
        assert cancelling.was_killed
        return cancelling

    @pytest.mark.parametrize("state", [*ENDED, "restarting"])
    def test_a_person_took_it_away(self, target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
        stands(monkeypatch, state)
        self.kill()
        assert state_of(target) == "failed"

    @pytest.mark.parametrize("state", ["running", "up_for_retry", "scheduled", "queued", "deferred"])
    def test_nobody_did(self, target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
        stands(monkeypatch, state)
        self.kill()
        assert state_of(target) == "running"

    def test_where_airflow_does_not_tell_a_kill_is_a_kill(
        self, target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(LocalTask, "now", lambda task: 1 / 0)
        self.kill()
        assert state_of(target) == "failed"

    def test_where_airflow_tells_too_late_too(self, target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("mwaa_provider.operators.cancelling._ASK_SECONDS", 0.1)
        stands(monkeypatch, "running", seconds=0.5)
        self.kill()
        assert state_of(target) == "failed"

    def test_an_environment_that_does_not_answer_holds_up_nobody(
        self, target: ScriptedAirflow, local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("mwaa_provider.operators.cancelling.CANCEL_SECONDS", 0.3)
        stands(monkeypatch, "failed")
        local_mwaa.faults.add(Fault.delay(600, operation="rest", method="PATCH"))
        began = time.monotonic()
        self.kill()
        assert time.monotonic() - began < 60
        assert state_of(target) == "running"


class TestInTheTriggerer:
    """From 3.3 on Airflow calls ``on_kill``; before, a trigger is only told that it is cancelled, as it is at a restart too."""

    def take_away(self, target: ScriptedAirflow, *, cancel_on_kill: bool = True, **more: Any) -> MwaaDagRunTrigger:
        trigger = MwaaDagRunTrigger(
            environment_name="target",
            aws_conn_id=CONN_ID,
            poke_interval=0.05,
            dag_id="load",
            run_ids=["r"],
            cancel_on_kill=cancel_on_kill,
        )
        trigger.task_instance = SimpleNamespace(
            dag_id=TASK.dag_id, run_id=TASK.run_id, task_id=TASK.task_id, map_index=TASK.map_index
        )
        for name, value in more.items():
            setattr(trigger, name, value)
        asyncio.run(asyncio.wait_for(self._taken_away(trigger), 30))
        return trigger

    async def _taken_away(self, trigger: MwaaDagRunTrigger) -> None:
        async def wait() -> None:
            async for _ in trigger.run():
                return  # the run's end, which it sees before it is cancelled

        task = asyncio.create_task(wait())
        while trigger._poller is None:
            await asyncio.sleep(0.01)
        if has_on_kill():
            await trigger.on_kill()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    @pytest.mark.parametrize("state", [*ENDED, "scheduled", "queued"])
    def test_a_person_took_it_away(self, target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
        stands(monkeypatch, state)
        self.take_away(target)
        assert state_of(target) == "failed"

    @pytest.mark.parametrize("state", ["deferred", "running", "up_for_retry"])
    def test_nobody_did(self, target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
        stands(monkeypatch, state)
        self.take_away(target)
        assert state_of(target) == "running"

    @pytest.mark.parametrize("state", ["scheduled", "queued"])
    def test_its_time_was_up(self, target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch, state: str) -> None:
        stands(monkeypatch, state, is_out_of_time=True)
        self.take_away(target)
        assert state_of(target) == "running"

    @pytest.mark.parametrize(("seconds", "ends_as"), [(1.0, "failed"), (5.9, "running"), (60.0, "running")])
    def test_a_newer_try_runs_already(
        self, target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch, seconds: float, ends_as: str
    ) -> None:
        """It holds back for ten seconds, of which the end may take three, and the clocks may differ by one."""
        stands(monkeypatch, "running", seconds=0.2, running_seconds=seconds)
        self.take_away(target)
        assert state_of(target) == ends_as

    def test_what_is_known_too_late_ends_nothing(
        self, target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("mwaa_provider.triggers.dag_run.HOLD_BACK_SECONDS", 4.2)
        stands(monkeypatch, "failed", seconds=0.4)
        self.take_away(target)
        assert state_of(target) == "running"

    def test_a_slow_client_does_not_make_it_late(
        self, target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The newer try begins while the client is made."""
        stands(monkeypatch, "queued")

        async def client() -> Any:
            stands(monkeypatch, "running", running_seconds=30.0)
            return MwaaHook(CONN_ID).client

        self.take_away(target, client=client)
        assert state_of(target) == "running"

    def test_who_does_not_want_that_leaves_it(self, target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch) -> None:
        stands(monkeypatch, "failed")
        self.take_away(target, cancel_on_kill=False)
        assert state_of(target) == "running"

    def test_airflow_cannot_tell(self, target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(LocalTask, "now", lambda task: 1 / 0)
        self.take_away(target)
        assert state_of(target) == "running"


@pytest.mark.skipif(
    AIRFLOW_3, reason="Airflow 3 asks its API for tasks, which only a real triggerer has: tests/real_tasks"
)
@pytest.mark.usefixtures("airflow_database")
class TestWhatAirflow2SaysOfATask:
    """In its database, as its own scheduler and its own clear write it; mapped tasks are told apart by their index."""

    @pytest.fixture
    def task_instance(self) -> Iterator[Any]:
        from datetime import datetime, timezone

        from airflow import DAG
        from airflow.operators.bash import BashOperator
        from airflow.utils.session import create_session
        from airflow.utils.types import DagRunType

        date = datetime(2026, 1, 31, tzinfo=timezone.utc)
        with DAG("asked", start_date=date, schedule=None) as dag:
            BashOperator.partial(task_id="call", retries=2).expand(bash_command=["a", "b"])
        with create_session() as session:
            run = dag.create_dagrun(
                run_id=f"r{time.monotonic_ns()}",
                run_type=DagRunType.MANUAL,
                state="running",
                execution_date=datetime.now(timezone.utc),
                data_interval=(date, date),
                session=session,
            )
            instance = next(one for one in run.get_task_instances(session=session) if one.map_index == 1)
            instance.task = dag.get_task("call")
            yield SimpleNamespace(row=instance, session=session, dag=dag)

    def now(self, task_instance: Any) -> TaskNow:
        row = task_instance.row
        task_instance.session.merge(row)  # Airflow's own session is the same one, and is closed by who has asked
        task_instance.session.commit()
        return LocalTask(row.dag_id, row.run_id, row.task_id, row.map_index).now()

    def test_how_it_stands(self, task_instance: Any) -> None:
        from datetime import datetime, timedelta, timezone

        row = task_instance.row
        row.state = "deferred"
        assert self.now(task_instance) == TaskNow("deferred")
        row.state, row.next_method = "scheduled", "__fail__"
        assert self.now(task_instance) == TaskNow("scheduled", is_out_of_time=True)
        row.state, row.next_method = "running", None
        row.start_date = datetime.now(timezone.utc) - timedelta(seconds=30)
        told = self.now(task_instance)
        assert (told.state, 29 < (told.running_seconds or 0) < 60) == ("running", True)
        assert LocalTask(row.dag_id, row.run_id, row.task_id, 0).now() == TaskNow(None)

    def test_the_first_try_since_a_person_cleared_it(self, task_instance: Any) -> None:
        from airflow.models.taskinstance import clear_task_instances

        from mwaa_provider.airflow_compat import RunningTask

        row = task_instance.row
        row.max_tries = 2

        def is_first(try_number: int) -> bool:
            running = SimpleNamespace(
                dag_id=row.dag_id,
                run_id=row.run_id,
                task_id=row.task_id,
                map_index=1,
                try_number=try_number,
                max_tries=row.max_tries,
            )
            return RunningTask({"ti": running, "task": SimpleNamespace(retries=2)}).is_first_try_since_clear

        assert [is_first(number) for number in (1, 2, 3)] == [True, False, False]
        for tried in (2, 3):  # after an automatic retry; and at once, after the first try since then
            row.state = "success"
            setattr(row, "_try_number" if hasattr(type(row), "_try_number") else "try_number", tried)
            clear_task_instances([row], task_instance.session, dag=task_instance.dag)
            assert [is_first(number) for number in (tried + 1, tried + 2)] == [True, False]
