"""The poller that the triggers share: every wait ends as it would by itself, and a thousand of them cost a few calls."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.config import Config

from mwaa_provider.client.clock import SystemClock
from mwaa_provider.client.looks import Look
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.client.watching import RunWatch, States, TaskWatch, Watch
from mwaa_provider.client.which_runs import WhichRuns
from mwaa_provider.exceptions import AccessDeniedError, DagRunNotFoundError, MwaaError, TaskNotFoundError
from mwaa_provider.local import Fault, Identity, LocalMwaa, ScriptedAirflow
from mwaa_provider.triggers import poller as poller_module
from mwaa_provider.triggers.poller import Poller, Wait, shared_poller

INTERVAL = 0.02
STATES = States(("success",), ("failed",))
TASK_STATES = States(("success",), ("failed", "upstream_failed", "removed"), ("skipped",))


@pytest.fixture(params=["2.7.2", "2.10.3", "3.3.1"])
def airflow(request: pytest.FixtureRequest, local_mwaa: LocalMwaa) -> ScriptedAirflow:
    airflow = ScriptedAirflow(request.param)
    airflow.add_dag("load", tasks=("extract", "transform"), run_takes=None)
    airflow.add_dag("other", run_takes=None)
    local_mwaa.create_environment("target", airflow)
    return airflow


def client_for(mwaa: LocalMwaa, identity: Identity | None = None) -> MwaaClient:
    return MwaaClient(
        session=mwaa.boto3_session(identity),
        endpoint_url=mwaa.endpoint_url,
        botocore_config=Config(inject_host_prefix=False, retries={"total_max_attempts": 1}),
        verify=str(mwaa.ca_file),
        transport="session",
    )


@asynccontextmanager
async def polling(mwaa: LocalMwaa, environment_name: str = "target", **how: Any) -> AsyncIterator[Poller]:
    async def make_client() -> MwaaClient:
        return client_for(mwaa, **how)

    yield Poller(environment_name, make_client, SystemClock())


async def outcome(poller: Poller, watch: Watch, *, since: datetime | None = None, **how: Any) -> list[Look | MwaaError]:
    """Everything that was told of a wait, an error that ended it last."""
    told: list[Look | MwaaError] = []
    since = since or datetime.now(timezone.utc)
    try:
        async for seen in poller.looks(Wait(watch, how.pop("poke_interval", INTERVAL), since, **how)):
            told.append(seen)
    except MwaaError as error:
        told.append(error)
    return told


def run_of(*run_ids: str, dag_id: str = "load", **how: Any) -> RunWatch:
    return RunWatch(WhichRuns(dag_id, run_ids=run_ids), STATES, **how)


def tasks_of(run_id: str, *task_ids: str) -> TaskWatch:
    return TaskWatch(WhichRuns("load", run_ids=(run_id,)), TASK_STATES, task_ids=task_ids)


def rest_calls(mwaa: LocalMwaa) -> int:
    return mwaa.journal.count(is_rest=True)


async def once(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.005)


def run(scenario: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(asyncio.wait_for(scenario, 60))


def verdicts(told: list[Look | MwaaError]) -> list[str]:
    return [seen.verdict if isinstance(seen, Look) else type(seen).__name__ for seen in told]


def test_each_wait_ends_as_its_run_does(airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    for run_id in ("good", "bad", "running"):
        airflow.add_run("load", run_id, state="running")
    airflow.add_run("other", "good", state="running")

    async def scenario() -> list[Any]:
        async with polling(local_mwaa) as poller:
            waits = [
                asyncio.create_task(outcome(poller, run_of("good"))),
                asyncio.create_task(outcome(poller, run_of("bad"))),
                asyncio.create_task(outcome(poller, run_of("running"), deadline=SystemClock().time() + 1.0)),
                asyncio.create_task(outcome(poller, run_of("good", dag_id="other"))),
                asyncio.create_task(outcome(poller, run_of("good", "bad"))),
            ]
            await once(lambda: rest_calls(local_mwaa) >= 2)
            airflow.set_run_state("load", "good", "success")
            airflow.set_run_state("load", "bad", "failed")
            airflow.set_run_state("other", "good", "success")
            return [verdicts(told)[-1] for told in await asyncio.gather(*waits)]

    assert run(scenario()) == ["met", "failed", "wait", "met", "failed"]


def test_what_ended_before_the_first_look_is_seen(airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    """The task was deferred, the run ended, and only then the triggerer took the trigger up; or it was moved to another one."""
    for number in range(5):
        airflow.add_run("load", f"r{number}", state="success" if number else "failed")

    async def scenario() -> list[Any]:
        async with polling(local_mwaa) as poller:
            since = datetime.now(timezone.utc) - timedelta(hours=1)
            return await asyncio.gather(*[outcome(poller, run_of(f"r{number}"), since=since) for number in range(5)])

    assert [verdicts(told) for told in run(scenario())] == [["failed"], ["met"], ["met"], ["met"], ["met"]]


def test_a_thousand_waits_cost_a_few_calls(airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    count, runs = 200, 20
    for number in range(count):
        airflow.add_run("load", f"r{number}", state="running")
    for number in range(500):
        airflow.add_run("other", f"o{number}", state="running")

    async def scenario() -> list[Any]:
        async with polling(local_mwaa) as poller:
            watches = [run_of(f"r{number}") for number in range(count)]
            watches += [tasks_of(f"r{number}", task) for number in range(runs) for task in ("extract", "transform")]
            waits = [asyncio.create_task(outcome(poller, watch, poke_interval=0.5)) for watch in watches]
            await once(lambda: rest_calls(local_mwaa) >= 3)
            for number in range(count):
                for task in ("extract", "transform"):
                    airflow.set_task_state("load", f"r{number}", task, "success")
                airflow.set_run_state("load", f"r{number}", "success")
            return [verdicts(told)[-1] for told in await asyncio.gather(*waits)]

    assert run(scenario()) == ["met"] * (count + 2 * runs)
    # two or three looks, each a few pages of a hundred runs
    assert rest_calls(local_mwaa) < 30


def test_a_run_that_is_deleted_is_noticed(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mwaa_provider.triggers.board._CENSUS_SECONDS", 0.0)
    airflow.add_dag("sleeping", paused=True)  # so that its run stays queued: Airflow 3 deletes no run that runs
    airflow.add_run("sleeping", "r")

    async def scenario() -> list[Any]:
        async with polling(local_mwaa) as poller:
            wait = asyncio.create_task(outcome(poller, run_of("r", dag_id="sleeping", check_existence=True)))
            await once(lambda: rest_calls(local_mwaa) >= 3)
            client_for(local_mwaa).invoke_rest_api("target", "DELETE", "/dags/sleeping/dagRuns/r")
            return await wait

    told = run(scenario())
    assert verdicts(told) == ["wait", "DagRunNotFoundError"]
    assert isinstance(told[-1], DagRunNotFoundError)


def test_waits_of_different_intervals_share_the_looks(airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    airflow.add_run("load", "fast", state="running")
    airflow.add_run("load", "slow", state="running")

    async def scenario() -> list[Any]:
        async with polling(local_mwaa) as poller:
            fast = asyncio.create_task(outcome(poller, run_of("fast")))
            slow = asyncio.create_task(outcome(poller, run_of("slow"), poke_interval=3600))
            await once(lambda: rest_calls(local_mwaa) >= 2)
            airflow.set_run_state("load", "slow", "success")
            told = await slow  # an hour before its time, since the fast one looks
            airflow.set_run_state("load", "fast", "success")
            return [verdicts(told)[-1], verdicts(await fast)[-1]]

    assert run(scenario()) == ["met", "met"]


def test_errors_that_pass_are_told_and_waited_out(airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    airflow.add_run("load", "r", state="running")

    async def scenario() -> list[Any]:
        async with polling(local_mwaa) as poller:
            wait = asyncio.create_task(outcome(poller, run_of("r")))
            await once(lambda: rest_calls(local_mwaa) >= 1)
            local_mwaa.faults.add(Fault.answer(404, {"detail": "gone"}, operation="rest"))
            local_mwaa.faults.add(Fault.answer(400, {"detail": "strange"}, operation="rest"))
            return await wait

    told = run(scenario())
    assert not isinstance(told[-1], Look)


def test_an_error_that_does_not_pass_ends_the_wait(airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    airflow.add_run("load", "r", state="running")
    nobody = Identity("NOBODY", denied_actions=frozenset({"GetEnvironment", "InvokeRestApi", "CreateWebLoginToken"}))

    async def scenario() -> list[Any]:
        async with polling(local_mwaa, identity=nobody) as poller:
            return await asyncio.gather(outcome(poller, run_of("r")), outcome(poller, run_of("s")))

    for told in run(scenario()):
        assert len(told) == 1
        assert isinstance(told[0], AccessDeniedError)


def test_one_wait_that_cannot_be_right_harms_no_other(airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    airflow.add_run("load", "r", state="running")

    async def scenario() -> list[Any]:
        async with polling(local_mwaa) as poller:
            wrong = asyncio.create_task(outcome(poller, tasks_of("r", "typo")))
            right = asyncio.create_task(outcome(poller, tasks_of("r", "extract")))
            told = [(await wrong)[-1]]
            airflow.set_task_state("load", "r", "extract", "success")
            return [*told, (await right)[-1]]

    wrong, right = run(scenario())
    assert isinstance(wrong, TaskNotFoundError)
    assert right.verdict == "met"
    assert [(task.task_id, task.state) for task in right.tasks] == [("extract", "success")]


def test_a_slow_environment_holds_up_nobody(airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    quick = ScriptedAirflow("3.3.1")
    quick.add_dag("load", run_takes=None)
    local_mwaa.create_environment("quick", quick)
    for one in (airflow, quick):
        one.add_run("load", "r", state="running")
    local_mwaa.faults.add(Fault.delay(5, environment="target", operation="rest"))

    async def scenario() -> str:
        async with polling(local_mwaa) as slow_poller, polling(local_mwaa, "quick") as quick_poller:
            slow = asyncio.create_task(outcome(slow_poller, run_of("r")))
            fast = asyncio.create_task(outcome(quick_poller, run_of("r")))
            await once(lambda: local_mwaa.journal.count(environment="quick", is_rest=True) >= 1)
            quick.set_run_state("load", "r", "success")
            verdict = verdicts(await fast)[-1]
            assert not slow.done()
            slow.cancel()
            return verdict

    assert run(scenario()) == "met"


def test_the_poller_is_shared_and_ends_with_its_last_wait(airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    airflow.add_run("load", "r", state="running")

    async def make_client() -> MwaaClient:
        return client_for(local_mwaa)

    async def scenario() -> None:
        poller = shared_poller(("key",), "target", make_client)
        assert shared_poller(("key",), "target", make_client) is poller
        assert shared_poller(("other",), "target", make_client) is not poller
        first, second = (asyncio.create_task(outcome(poller, run_of("r"))) for _ in range(2))
        await once(lambda: rest_calls(local_mwaa) >= 1)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        airflow.set_run_state("load", "r", "success")
        assert verdicts(await second)[-1] == "met"
        assert shared_poller(("key",), "target", make_client) is not poller
        await once(lambda: not any("Poller" in repr(task.get_coro()) for task in asyncio.all_tasks()))

    run(scenario())


def test_another_event_loop_has_pollers_of_its_own(local_mwaa: LocalMwaa) -> None:
    async def poller() -> Poller:
        async def make_client() -> MwaaClient:
            raise AssertionError

        return shared_poller(("key",), "target", make_client)

    assert asyncio.run(poller()) is not asyncio.run(poller())
    gc.collect()  # a loop that has ended lies in cycles
    assert not poller_module._POLLERS
