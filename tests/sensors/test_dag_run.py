"""MwaaDagRunSensor: every state and fault, and the same end in every mode."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from mwaa_provider.client.looks import Look
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from mwaa_provider.sensors.dag_run import MwaaDagRunSensor
from tests.sensors.conftest import CONN_ID
from tests.sensors.modes import Driver, Outcome, exceptions_of_airflow
from tests.support.tasks import context_of, deferral_of, event_of

DAY = datetime(2026, 1, 31, tzinfo=timezone.utc)

#: An answer that will be the same the next time.
REFUSED = Fault.answer(400, {"title": "Bad Request", "detail": "no"}, operation="rest", times=None)


class HalfHours:
    """A clock on which half an hour passes whenever somebody looks at it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        self.seconds += 1800
        return self.seconds

    def time(self) -> float:
        return self.monotonic()

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def sensor(**arguments: Any) -> Callable[..., MwaaDagRunSensor]:
    defaults = {
        "task_id": "wait",
        "environment_name": "target",
        "external_dag_id": "load",
        "aws_conn_id": CONN_ID,
        "poke_interval": 0.01,
    }
    return lambda **mode: MwaaDagRunSensor(**{**defaults, **arguments, **mode})


def seen(airflow: ScriptedAirflow, mwaa: LocalMwaa, *run_ids: str) -> dict[str, Any]:
    """What a sensor returns that has seen these runs."""
    by_id = {run.run_id: run for run in airflow.runs("load")}
    runs = [by_id[run_id] for run_id in run_ids]
    states = [run.state for run in runs]
    [environment] = mwaa.environments
    major = airflow.airflow_version[0]
    page = "/dags/load/grid?dag_run_id={}" if major == "2" else "/dags/load/runs/{}"
    return {
        "environment_name": "target",
        "dag_id": "load",
        "runs": [
            {
                "run_id": run.run_id,
                "state": run.state,
                **{
                    name: date.isoformat() if (date := getattr(run, name)) else None
                    for name in ("logical_date", "start_date", "end_date")
                },
            }
            for run in runs
        ],
        "run_states": {state: states.count(state) for state in sorted(set(states))},
        "url": environment.base_url + page.format(run_ids[0]) if len(run_ids) == 1 else None,
    }


class TestStates:
    """Each state of a run ends the wait as it should, or does not."""

    def test_what_is_there_already(self, target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver) -> None:
        target.add_run("load", "r", state="success")
        assert drive(sensor(external_run_id="r")) == Outcome(seen(target, local_mwaa, "r"))

    @pytest.mark.parametrize("before", [None, "running"])
    def test_what_is_to_come(
        self, target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver, before: str | None
    ) -> None:
        if before is not None:
            target.add_run("load", "r", state=before)

        def change() -> None:
            if before is None:
                target.add_run("load", "r")
            target.set_run_state("load", "r", "success")

        assert drive(sensor(external_run_id="r"), change) == Outcome(seen(target, local_mwaa, "r"))

    def test_a_failure_tells_its_story(self, target: ScriptedAirflow, drive: Driver) -> None:
        target.add_run("load", "r", state="running")

        def change() -> None:
            target.set_task_state("load", "r", "extract", "failed")
            target.set_task_state("load", "r", "group.one", "upstream_failed")
            target.set_run_state("load", "r", "failed")

        ended = drive(sensor(external_run_id="r"), change)
        facts = {"environment_name": "target", "dag_id": "load", "run_id": "r", "state": "failed"}
        assert (ended.error, ended.facts) == ("DagRunFailedError", facts)
        assert ended.message.startswith(
            "Run 'r' of DAG 'load' in environment 'target' ended as 'failed' (wanted: success)."
        )
        assert "Task extract (" in ended.message
        assert "1 tasks did not run because of these (upstream_failed)" in ended.message

    @pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
    def test_soft_fail_skips(self, target: ScriptedAirflow, drive: Driver) -> None:
        target.add_run("load", "r", state="running")
        ended = drive(sensor(external_run_id="r", soft_fail=True), lambda: target.set_run_state("load", "r", "failed"))
        assert ended.error == "AirflowSkipException"

    @pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
    @pytest.mark.parametrize(
        ("states", "state", "error"),
        [
            ({"allowed_states": ["success", "failed"]}, "failed", None),
            ({"allowed_states": ["running"]}, "running", None),
            ({"failed_states": ["running"]}, "running", "DagRunFailedError"),
            ({"skipped_states": ["failed"]}, "failed", "AirflowSkipException"),
            ({"failed_states": [], "allowed_states": ["failed"]}, "success", "DagRunFailedError"),
        ],
    )
    def test_what_is_wanted_can_be_said(
        self,
        target: ScriptedAirflow,
        local_mwaa: LocalMwaa,
        drive: Driver,
        states: dict[str, Any],
        state: str,
        error: str | None,
    ) -> None:
        target.add_run("load", "r")
        target.add_dag("load", paused=True, run_takes=None)  # or it would begin by itself
        ended = drive(sensor(external_run_id="r", **states), lambda: target.set_run_state("load", "r", state))
        if error is None:
            assert ended == Outcome(seen(target, local_mwaa, "r"))
        else:
            assert ended.error == error


class TestWhich:
    """By which ways it can be said which runs are meant."""

    def test_several_runs(self, target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver) -> None:
        target.add_run("load", "a", state="success")
        target.add_run("load", "b", state="running")
        ended = drive(sensor(external_run_id=["a", "b"]), lambda: target.set_run_state("load", "b", "success"))
        assert ended == Outcome(seen(target, local_mwaa, "a", "b"))

    def test_one_failure_of_several(self, target: ScriptedAirflow, drive: Driver) -> None:
        for run_id, state in (("a", "success"), ("b", "failed"), ("c", "running")):
            target.add_run("load", run_id, state=state)
        ended = drive(sensor(external_run_id="['a', 'b', 'c']"))
        assert (ended.error, ended.facts["run_id"]) == ("DagRunFailedError", "b")
        assert "3 runs of DAG load in environment target: 1 failed, 1 running, 1 success." in ended.message

    @pytest.mark.parametrize("way", [{"logical_date": DAY}, {"window": (DAY, "2026-02-01T00:00:00Z")}])
    def test_by_date(self, target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver, way: dict[str, Any]) -> None:
        target.add_run("load", "before", logical_date=DAY - timedelta(microseconds=1), state="failed")
        target.add_run("load", "after", logical_date=DAY + timedelta(days=1), state="failed")

        def change() -> None:
            target.add_run("load", "r", logical_date=DAY, state="success")

        assert drive(sensor(**way), change) == Outcome(seen(target, local_mwaa, "r"))

    @pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
    def test_without_a_word_the_local_date_counts(
        self, target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver
    ) -> None:
        target.add_run("load", "r", logical_date=DAY, state="success")
        assert drive(sensor(), context={"logical_date": DAY}) == Outcome(seen(target, local_mwaa, "r"))

    def test_the_latest(self, target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver) -> None:
        target.add_run("load", "old", state="failed")

        def change() -> None:
            target.add_run("load", "new", state="success")

        target.add_run("load", "middle", state="running")
        assert drive(sensor(latest=True), change) == Outcome(seen(target, local_mwaa, "new"))

    @pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
    def test_of_many_runs_fifty_are_told(self, target: ScriptedAirflow, drive: Driver) -> None:
        for number in range(120):
            target.add_run("load", f"r{number}", logical_date=DAY + timedelta(minutes=number), state="success")
        ended = drive(sensor(window=(DAY, DAY + timedelta(days=1))))
        assert ended.result["run_states"] == {"success": 120}
        assert [run["run_id"] for run in ended.result["runs"]] == [f"r{number}" for number in range(50)]


def test_the_latest_of_thousands(target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    """Made in any order, over many pages, on Airflow 3 with runs that have no logical date."""
    for number in range(2000):
        target.add_run("load", f"r{number}", logical_date=DAY - timedelta(minutes=number), state="success")
    last = target.add_run("load", "the_latest", logical_date=None, state="success")
    local_mwaa.journal.clear()
    found = sensor(latest=True)().poke({}).xcom_value
    assert [run["run_id"] for run in found["runs"]] == [last]
    assert local_mwaa.journal.count(is_rest=True) == 1


@pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
class TestMissing:
    """A run that is not there is waited for, unless check_existence says no."""

    def test_the_run(self, target: ScriptedAirflow, drive: Driver) -> None:
        ended = drive(sensor(external_run_id="nowhere", check_existence=True))
        assert ended.error == "DagRunNotFoundError"
        assert "has no run 'nowhere' of DAG 'load'" in ended.message

    @pytest.mark.parametrize("way", [{"external_run_id": "r"}, {"latest": True}])
    def test_the_dag(self, target: ScriptedAirflow, drive: Driver, way: dict[str, Any]) -> None:
        target.add_import_error("/usr/local/airflow/dags/gone.py", "Traceback\nImportError: no module named gone")
        ended = drive(sensor(external_dag_id="gone", check_existence=True, **way))
        assert ended.error == "DagNotFoundError"
        assert "ImportError: no module named gone" in ended.message


@pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
class TestTrouble:
    """Faults on the way, and time that runs out."""

    @pytest.mark.parametrize(
        ("operation", "status"),
        [("GetEnvironment", 503), ("rest", 502)],
    )
    def test_what_passes_is_put_up_with(
        self, target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver, operation: str, status: int
    ) -> None:
        target.add_run("load", "r", state="success")
        local_mwaa.faults.add(Fault.answer(status, operation=operation, times=None))
        ended = drive(sensor(external_run_id="r"), local_mwaa.faults.clear)
        assert ended == Outcome(seen(target, local_mwaa, "r"))

    def test_what_does_not_pass_ends_it(self, target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver) -> None:
        target.add_run("load", "r", state="running")
        local_mwaa.faults.add(Fault.deny("*", times=None))
        ended = drive(sensor(external_run_id="r"))
        assert (ended.error, ended.facts["action"]) == ("AccessDeniedError", "airflow:GetEnvironment")

    def test_what_begins_later_ends_it_too(self, target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver) -> None:
        target.add_run("load", "r", state="running")
        ended = drive(sensor(external_run_id="r"), lambda: local_mwaa.faults.add(REFUSED))
        assert ended.error == "RestApiError"

    @pytest.mark.parametrize(("soft_fail", "error"), [(False, "AirflowSensorTimeout"), (True, "AirflowSkipException")])
    def test_time_is_up(self, target: ScriptedAirflow, drive: Driver, soft_fail: bool, error: str) -> None:
        target.add_run("load", "r", state="running")
        ended = drive(sensor(external_run_id="r", timeout=0, soft_fail=soft_fail))
        assert ended.error == error

    def test_time_is_up_while_nothing_can_be_seen(
        self, target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver
    ) -> None:
        local_mwaa.faults.add(Fault.answer(503, operation="GetEnvironment", times=None))
        ended = drive(sensor(external_run_id="r", timeout=0))
        assert ended.error == "AirflowSensorTimeout"

    def test_silent_fail_goes_on_after_any_error(
        self, target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver
    ) -> None:
        target.add_run("load", "r", state="failed")
        ended = drive(
            sensor(external_run_id="r", silent_fail=True), lambda: target.set_run_state("load", "r", "success")
        )
        assert ended == Outcome(seen(target, local_mwaa, "r"))

    def test_soft_fail_and_never_fail_are_the_release_s(
        self, target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver
    ) -> None:
        """Before 2.10 soft_fail skips whatever the error, since then never_fail does."""
        target.add_run("load", "r", state="running")
        has_never_fail = hasattr(sensor(external_run_id="r")(), "never_fail")
        soft = drive(sensor(external_run_id="r", soft_fail=True), lambda: local_mwaa.faults.add(REFUSED))
        assert soft.error == ("RestApiError" if has_never_fail else "AirflowSkipException")
        if has_never_fail:
            local_mwaa.faults.clear()
            never = drive(sensor(external_run_id="r", never_fail=True), lambda: local_mwaa.faults.add(REFUSED))
            assert never.error == "AirflowSkipException"


@pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
def test_errors_that_pass_are_put_up_with_until_the_timeout(target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    """For hours, as in mode="reschedule", where Airflow forgets them between two looks; deferred, the trigger has the deadline."""
    local_mwaa.faults.add(Fault.answer(503, operation="GetEnvironment", times=None))
    task = sensor(external_run_id="r")()
    task.clock = HalfHours()
    assert [task.poke({}) for _ in range(5)] == [False] * 5


@pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
def test_the_trigger_ends_with_the_shorter_time(target: ScriptedAirflow) -> None:
    """Airflow 3 forgets the task's execution_timeout while it is deferred."""
    raised = exceptions_of_airflow()
    task = sensor(external_run_id="r", execution_timeout=timedelta(seconds=100), timeout=1000, deferrable=True)()
    task.clock = HalfHours()
    with pytest.raises(raised.TaskDeferred) as deferred:
        task.poke(context_of(task))
    assert deferred.value.trigger.deadline == deferred.value.kwargs["deadline"] == 1800 + 100
    nothing = {"look": Look("wait", "There is no run").as_plain()}
    with pytest.raises(raised.AirflowTaskTimeout, match=r"Time was up after 100 seconds\. There is no run"):
        task.execute_complete(context_of(task), nothing, **deferred.value.kwargs)


@pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
def test_a_retry_begins_anew_wherever_airflow_lets_it_begin(target: ScriptedAirflow) -> None:
    """Airflow 3.0 calls ``execute_complete`` again, with the event that the try before it ended with."""
    target.add_run("load", "r", state="running")
    task = sensor(external_run_id="r", deferrable=True, retries=1)()
    deferred = deferral_of(task, context_of(task))
    target.set_run_state("load", "r", "failed")
    event = event_of(deferred.trigger)
    target.set_run_state("load", "r", "success")
    task = sensor(external_run_id="r", deferrable=True, retries=1)()
    result = task.execute_complete(context_of(task, try_number=2), event=event, **deferred.kwargs)
    assert result["run_states"] == {"success": 1}


@pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
def test_without_a_triggerer_it_says_so(target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    log = SimpleNamespace(info=lambda *_: None, warning=lambda message, *_: told.append(message))
    monkeypatch.setattr(MwaaDagRunSensor, "log", log)
    for enabled in ("True", "False"):
        monkeypatch.setenv("AIRFLOW__MWAA__TRIGGERER_ENABLED", enabled)
        with pytest.raises(exceptions_of_airflow().TaskDeferred):
            (task := sensor(external_run_id="r", deferrable=True)()).poke(context_of(task))
    assert [message.split(":")[0] for message in told] == ["mwaa.triggerer_enabled is False"]


@pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
def test_a_change_is_news_and_a_look_is_none(target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch) -> None:
    target.add_run("load", "r", state="running")
    told: list[str] = []
    monkeypatch.setattr(
        MwaaDagRunSensor, "log", SimpleNamespace(info=lambda message, *args: told.append(message % args))
    )
    task = sensor(external_run_id="r")()
    for _ in range(3):
        assert task.poke({}) is False
    target.set_run_state("load", "r", "success")
    assert task.poke({})
    assert told == [
        "Run r of DAG load in environment target is running",
        "Run r of DAG load in environment target is success",
    ]
