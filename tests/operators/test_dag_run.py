"""MwaaTriggerDagRunOperator: what it asks, what it gives back, what it refuses, what it takes up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from mwaa_provider.airflow_compat import AIRFLOW_3
from mwaa_provider.exceptions import (
    DagNotFoundError,
    DagPausedError,
    DagRunError,
    DagRunExistsError,
    DagRunFailedError,
    DagRunTimeoutError,
    EnvironmentNotFoundError,
    InvalidInputError,
    MwaaError,
    ResultTooLargeError,
)
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from mwaa_provider.operators.dag_run import MwaaTriggerDagRunOperator
from tests.support.played import CONN_ID, play
from tests.support.tasks import MODES, Mode, context_of, deferral_of, event_of, run_try

if TYPE_CHECKING:
    from tests.support.dag_runs import RunDag

DAY = "2026-01-31T00:00:00+00:00"


@pytest.fixture(scope="module")
def local_mwaa() -> Iterator[LocalMwaa]:
    """One for all tests of this file; each has an Airflow of its own behind it."""
    with LocalMwaa() as mwaa:
        yield mwaa


@pytest.fixture(params=["2.7.2", "3.3.1"])
def target(request: pytest.FixtureRequest, local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch) -> ScriptedAirflow:
    """An environment ``target`` of an Airflow 2 or 3, and the connection to it."""
    airflow = ScriptedAirflow(request.param)
    airflow.add_dag("load", run_takes=0)
    airflow.add_dag("breaks", run_takes=0, run_ends_in="failed")
    airflow.add_dag("endless", run_takes=None)
    airflow.add_dag("sleeping", paused=True, run_takes=0)
    play(airflow, local_mwaa, monkeypatch)
    monkeypatch.setenv("AIRFLOW_ENV_NAME", "source")
    return airflow


@pytest.fixture(params=MODES, autouse=True)
def mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Mode:
    """Every test runs twice: the task waits in the worker, or it is deferred."""
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", str(request.param == "defers"))
    # A run that is taken up is looked at again when a cancel of an earlier try would be over.
    monkeypatch.setattr("mwaa_provider.operators.one_run.HOLD_BACK_SECONDS", 0.0)
    return request.param


class Said:
    """What a task logged; Airflow 3 does not let pytest see it."""

    def __init__(self) -> None:
        self.text = ""

    def info(self, message: str, *arguments: Any) -> None:
        self.text += message % arguments + "\n"

    warning = info


def operator(**arguments: Any) -> MwaaTriggerDagRunOperator:
    defaults = {
        "task_id": "over_there",
        "environment_name": "target",
        "trigger_dag_id": "load",
        "aws_conn_id": CONN_ID,
        "poke_interval": 0.01,
        "timeout": 60,
    }
    return MwaaTriggerDagRunOperator(**{**defaults, **arguments})


def runs_started(mwaa: LocalMwaa) -> int:
    return mwaa.journal.count(is_rest=True, method="POST", path="/dags/*/dagRuns")


def test_a_run_is_started_and_waited_for(target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    task = operator(conf={"day": "2026-01-31"}, logical_date="2026-01-31T12:00:00Z", wait_for_completion=True)
    result = run_try(task, context_of(task))
    run_id = result["run_id"]
    [run] = target.runs("load")
    host = local_mwaa.environments[0].host
    page = f"runs/{run_id}" if target.airflow_version.startswith("3.") else f"grid?dag_run_id={run_id}"
    assert result == {
        "environment_name": "target",
        "dag_id": "load",
        "run_id": run_id,
        "state": "success",
        "logical_date": "2026-01-31T12:00:00+00:00",
        "start_date": run.start_date.isoformat(),
        "end_date": run.end_date.isoformat(),
        "url": f"https://{host}/dags/load/{page}",
        "xcoms": {},
    }
    [request] = local_mwaa.journal.entries(is_rest=True, method="POST")
    assert request.body == {
        "dag_run_id": result["run_id"],
        "conf": {"day": "2026-01-31"},
        "logical_date": "2026-01-31T12:00:00+00:00",
        "note": "Started by task over_there of DAG calling_dag, run manual__2026-01-31, in environment source",
    }
    assert json.loads(json.dumps(result)) == result


def test_without_a_date_airflow_3_is_sent_null(target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    task = operator()
    result = run_try(task, context_of(task))
    [request] = local_mwaa.journal.entries(is_rest=True, method="POST")
    if target.airflow_version.startswith("3."):
        assert request.body["logical_date"] is None
        assert result["logical_date"] is None
    else:
        assert "logical_date" not in request.body
        assert datetime.fromisoformat(result["logical_date"]).tzinfo is not None


def test_not_waiting_returns_at_once(target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    task = operator(trigger_dag_id="endless", wait_for_completion=False)
    assert run_try(task, context_of(task))["state"] in ("queued", "running")
    assert local_mwaa.journal.count(is_rest=True, path="/dags/*/dagRuns/*") == 0


def test_a_failed_run_fails_the_task(target: ScriptedAirflow) -> None:
    task = operator(trigger_dag_id="breaks", wait_for_completion=True)
    with pytest.raises(DagRunFailedError, match="ended as 'failed'"):
        run_try(task, context_of(task))


def test_a_wait_ends_in_time_and_the_retry_takes_up_the_run(target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    task = operator(trigger_dag_id="endless", wait_for_completion=True, timeout=0.05, retries=1)
    with pytest.raises(DagRunTimeoutError, match="a retry of this task waits for the same run") as caught:
        run_try(task, context_of(task))
    target.set_run_state("endless", caught.value.run_id, "success")
    result = run_try(task, context_of(task, try_number=2))
    assert (result["run_id"], result["state"]) == (caught.value.run_id, "success")
    assert len(target.runs("endless")) == 1


def test_a_deferred_wait_ends_with_the_shorter_time(target: ScriptedAirflow, mode: Mode) -> None:
    """In a worker it is Airflow itself that ends a task after its execution_timeout."""
    limits = {"timeout": 60, "execution_timeout": timedelta(seconds=0.05)}
    task = operator(trigger_dag_id="endless", wait_for_completion=True, deferrable=True, **limits)
    with pytest.raises(DagRunTimeoutError, match=r"after 0\.05 seconds"):
        run_try(task, context_of(task))


@pytest.mark.parametrize("allowed", [["success", "failed"], ["failed"]])
def test_failure_may_be_what_is_wanted(target: ScriptedAirflow, allowed: list[str]) -> None:
    task = operator(trigger_dag_id="breaks", wait_for_completion=True, allowed_states=allowed, failed_states=[])
    assert run_try(task, context_of(task))["state"] == "failed"


@pytest.mark.parametrize("mode", ["defers"], indirect=True)
def test_a_retry_begins_anew_wherever_airflow_lets_it_begin(target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    """Airflow 3.0 calls ``execute_complete`` again, with the event that the try before it ended with."""
    task = operator(trigger_dag_id="breaks", wait_for_completion=True, retries=1)
    deferred = deferral_of(task, context_of(task))
    event = event_of(deferred.trigger)
    again = context_of(task, try_number=2)
    with pytest.raises(type(deferred)):
        task.execute_complete(again, event=event, **deferred.kwargs)
    assert (len(target.runs("breaks")), local_mwaa.journal.count(path="*/clear", status=200)) == (1, 1)
    with pytest.raises(DagRunFailedError):
        task.execute_complete(context_of(task), event=event, **deferred.kwargs)


class TestOneRun:
    """One local task instance, one run over there."""

    def test_the_id_is_stable_over_tries_and_differs_between_mapped_tasks(self, target: ScriptedAirflow) -> None:
        task = operator(trigger_dag_id="endless", retries=2)
        first = run_try(task, context_of(task))["run_id"]
        assert run_try(task, context_of(task, try_number=2))["run_id"] == first
        ids = {run_try(task, context_of(task, map_index=index))["run_id"] for index in (0, 1)} | {first}
        assert len(ids) == 3
        assert all(len(run_id) == 38 and run_id.isascii() and run_id.startswith("mwaa__") for run_id in ids)

    def test_the_id_is_another_in_another_environment(
        self, target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        task = operator(trigger_dag_id="endless")
        ids = [run_try(task, context_of(task))["run_id"]]
        monkeypatch.setenv("AIRFLOW_ENV_NAME", "source2")
        ids.append(run_try(task, context_of(task))["run_id"])
        assert len(set(ids)) == len(target.runs("endless")) == 2

    def test_a_lost_answer(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        local_mwaa.faults.add(Fault.lose_answer(operation="rest", method="POST"))
        task = operator(wait_for_completion=True)
        assert run_try(task, context_of(task))["state"] == "success"
        assert (runs_started(local_mwaa), len(target.runs("load"))) == (1, 1)

    def test_a_retry_of_a_success_is_done(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        task = operator(wait_for_completion=True, retries=1)
        first = run_try(task, context_of(task))
        assert run_try(task, context_of(task, try_number=2)) == first
        assert local_mwaa.journal.count(path="*/clear") == 0

    @pytest.mark.parametrize(("max_tries", "ended"), [(1, "success"), (2, DagPausedError)])
    def test_a_retry_of_a_success_is_done_if_the_dag_was_paused_since(
        self, target: ScriptedAirflow, local_mwaa: LocalMwaa, max_tries: int, ended: Any
    ) -> None:
        """A person who cleared the task (then ``max_tries`` is higher) wants a run that would not begin."""
        task = operator(wait_for_completion=True, retries=1)
        first = run_try(task, context_of(task))
        task.hook.client.set_dag_paused("target", "load", True)
        again = context_of(task, try_number=2, max_tries=max_tries)
        if ended == "success":
            assert run_try(task, again) == first
        else:
            with pytest.raises(ended, match="is paused"):
                run_try(task, again)
        assert (len(target.runs("load")), local_mwaa.journal.count(path="*/clear")) == (1, 0)

    def test_a_retry_of_a_failure_runs_it_again(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        task = operator(trigger_dag_id="breaks", wait_for_completion=True, retries=1, conf={"a": 1})
        for try_number in (1, 2):
            with pytest.raises(DagRunFailedError):
                run_try(task, context_of(task, try_number=try_number))
        assert (len(target.runs("breaks")), local_mwaa.journal.count(path="*/clear", status=200)) == (1, 1)

    def test_a_clear_by_a_person_runs_it_again(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        task = operator(wait_for_completion=True, retries=1)
        run_try(task, context_of(task))
        # Airflow sets max_tries to try_number + retries when a finished task is cleared
        run_try(task, context_of(task, try_number=2, max_tries=2))
        assert (len(target.runs("load")), local_mwaa.journal.count(path="*/clear", status=200)) == (1, 1)

    @pytest.mark.parametrize("conf", [{"day": 2}, {}, None])
    def test_a_cleared_run_cannot_change_its_conf(
        self, target: ScriptedAirflow, local_mwaa: LocalMwaa, conf: dict[str, int] | None
    ) -> None:
        before = operator(wait_for_completion=True, conf={"day": 1})
        run_try(before, context_of(before))
        after = operator(wait_for_completion=True, conf=conf)
        with pytest.raises(DagRunError, match="another conf"):
            run_try(after, context_of(after, try_number=2, max_tries=1))
        assert local_mwaa.journal.count(path="*/clear") == 0

    @pytest.mark.parametrize("path", ["/dags/load", "/dags/load/dagRuns/*", "*/clear"])
    def test_a_cleared_task_is_never_green_for_the_run_before(
        self, target: ScriptedAirflow, local_mwaa: LocalMwaa, path: str
    ) -> None:
        """Its first try did not come to the run; the retry finds it succeeded, and knows that this was before."""
        task = operator(wait_for_completion=True, retries=1)
        run_try(task, context_of(task))
        local_mwaa.faults.add(Fault.answer(502, operation="rest", path=path, times=None))
        with pytest.raises(MwaaError):
            run_try(task, context_of(task, try_number=2, max_tries=2))
        local_mwaa.faults.clear()
        assert run_try(task, context_of(task, try_number=3, max_tries=2))["state"] == "success"
        assert (len(target.runs("load")), local_mwaa.journal.count(path="*/clear", status=200)) == (1, 1)

    @pytest.mark.parametrize(("try_number", "max_tries"), [(1, 1), (2, 1)])
    def test_another_try_may_be_tried_again(
        self, target: ScriptedAirflow, local_mwaa: LocalMwaa, try_number: int, max_tries: int
    ) -> None:
        local_mwaa.faults.add(Fault.answer(502, operation="rest", path="/dags/load", times=None))
        task = operator(wait_for_completion=True, retries=1)
        with pytest.raises(MwaaError):
            run_try(task, context_of(task, try_number=try_number, max_tries=max_tries))

    def test_a_run_somebody_else_named_is_taken_as_it_is(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        other = operator(task_id="other", trigger_run_id="by_hand", wait_for_completion=True)
        run_try(other, context_of(other))
        task = operator(trigger_run_id="by_hand", wait_for_completion=True)
        assert run_try(task, context_of(task))["run_id"] == "by_hand"
        assert local_mwaa.journal.count(path="*/clear") == 0

    def test_a_clash_of_dates_is_not_our_run(self, target: ScriptedAirflow) -> None:
        date = datetime(2026, 1, 31, tzinfo=timezone.utc)
        other = operator(task_id="other", logical_date=date)
        run_try(other, context_of(other))
        task = operator(logical_date=date)
        with pytest.raises(DagRunExistsError, match="for 2026-01-31T00:00:00") as caught:
            run_try(task, context_of(task))
        [run] = target.runs("load")
        assert caught.value.run_id == run.run_id


class TestTheStory:
    """What the error of a failed task tells, so that nobody has to go and look."""

    def test_the_tasks_that_failed_and_the_end_of_their_logs(
        self, target: ScriptedAirflow, local_mwaa: LocalMwaa
    ) -> None:
        target.add_dag("chain", tasks=("extract", "transform", "load"), run_takes=None)
        task = operator(trigger_dag_id="chain", trigger_run_id="r", wait_for_completion=True, timeout=20)
        target.add_run("chain", "r", state="running")
        target.set_task_state("chain", "r", "extract", "success")
        target.set_task_state("chain", "r", "transform", "failed")
        target.set_task_state("chain", "r", "load", "upstream_failed")
        target.set_task_log("chain", "r", "transform", "reading the file\nValueError: day 32\n")
        target.set_run_state("chain", "r", "failed")
        with pytest.raises(DagRunFailedError) as caught:
            run_try(task, context_of(task))
        told = str(caught.value)
        host = local_mwaa.environments[0].host
        assert "Run 'r' of DAG 'chain' in environment 'target' ended as 'failed'" in told
        assert re.search(
            r"Task transform \(EmptyOperator\) failed, try 1 of 1; its log ends with:\n(    .*\n)*    .*ValueError: day 32\n",
            told,
        )
        assert "1 tasks did not run because of these (upstream_failed)" in told
        assert f"See https://{host}/dags/chain/" in told
        assert (caught.value.dag_id, caught.value.run_id, caught.value.state) == ("chain", "r", "failed")

    def test_a_run_that_somebody_marked(self, target: ScriptedAirflow) -> None:
        target.add_run("endless", "r", state="failed")
        task = operator(trigger_dag_id="endless", trigger_run_id="r", wait_for_completion=True)
        with pytest.raises(DagRunFailedError, match="None of its tasks failed: somebody may have marked the run"):
            run_try(task, context_of(task))

    def test_the_failure_is_told_also_where_its_tasks_cannot_be_read(
        self, target: ScriptedAirflow, local_mwaa: LocalMwaa
    ) -> None:
        target.add_run("endless", "r", state="failed")
        local_mwaa.faults.add(Fault.answer(403, {"detail": "no"}, operation="rest", path="*taskInstances*", times=9))
        task = operator(trigger_dag_id="endless", trigger_run_id="r", wait_for_completion=True)
        with pytest.raises(DagRunFailedError, match="Its tasks could not be read"):
            run_try(task, context_of(task))

    def test_a_dag_that_is_not_there_for_its_file_does_not_parse(self, target: ScriptedAirflow) -> None:
        target.add_import_error("other.py", "Traceback\nKeyError: 'x'")
        target.add_import_error("lode.py", "Traceback\nSyntaxError: dag no_such_dag")
        task = operator(trigger_dag_id="no_such_dag")
        with pytest.raises(DagNotFoundError) as caught:
            run_try(task, context_of(task))
        told = str(caught.value)
        assert told.index("lode.py: SyntaxError: dag no_such_dag") < told.index("other.py: KeyError: 'x'")


class TestXComs:
    """What the run returned, brought home."""

    def test_one_key_several_and_mapped_ones(self, target: ScriptedAirflow) -> None:
        target.add_run("endless", "r", state="success")
        for task_id in ("extract", "transform"):
            target.set_xcom("endless", "r", task_id, "return_value", {"rows": 3})
        target.set_xcom("endless", "r", "extract", "path", "s3://b/k")
        is_text = target.airflow_version == "2.7.2"

        def value(of: Any) -> dict[str, Any]:
            return {"value": str(of) if is_text else of, "is_text": is_text}

        task = operator(
            trigger_dag_id="endless",
            trigger_run_id="r",
            wait_for_completion=True,
            return_xcoms={"extract": ["return_value", "path"], "transform": "return_value", "extra": "none"},
        )
        assert run_try(task, context_of(task))["xcoms"] == {
            "extract": {"return_value": value({"rows": 3}), "path": value("s3://b/k")},
            "transform": {"return_value": value({"rows": 3})},
            "extra": {},
        }

    def test_too_much_is_refused(self, target: ScriptedAirflow) -> None:
        target.add_run("endless", "r", state="success")
        target.set_xcom("endless", "r", "extract", "return_value", "x" * 50_000)
        task = operator(
            trigger_dag_id="endless", trigger_run_id="r", wait_for_completion=True, return_xcoms=["extract"]
        )
        with pytest.raises(ResultTooLargeError, match="Bring fewer XComs home"):
            run_try(task, context_of(task))


class TestChoices:
    def test_unpause(self, target: ScriptedAirflow) -> None:
        task = operator(trigger_dag_id="sleeping", unpause=True, wait_for_completion=True)
        assert run_try(task, context_of(task))["state"] == "success"
        assert not target.is_paused("sleeping")

    def test_a_note_of_the_users_stands_below_ours(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        task = operator(note="for the audit")
        run_try(task, context_of(task))
        [request] = local_mwaa.journal.entries(is_rest=True, method="POST", path="/dags/load/dagRuns")
        ours = "Started by task over_there of DAG calling_dag, run manual__2026-01-31, in environment source"
        assert request.body["note"] == f"{ours}\nfor the audit"

    def test_what_templates_render_is_converted(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        task = operator(
            trigger_run_id="None",
            conf='{"a": 1}',
            logical_date="2026-01-31T12:00:00Z",
            poke_interval="0.01",
            timeout="30",
            allowed_states="['success', 'failed']",
            failed_states="[]",
            wait_for_completion=True,
        )
        result = run_try(task, context_of(task))
        assert result["run_id"].startswith("mwaa__")
        assert result["logical_date"] == "2026-01-31T12:00:00+00:00"

    @pytest.mark.parametrize("asked", ["['extract']", '{"extract": ["return_value"]}', "{'extract': 'return_value'}"])
    def test_a_template_may_say_which_xcoms(self, target: ScriptedAirflow, asked: str) -> None:
        target.add_run("endless", "r", state="success")
        target.set_xcom("endless", "r", "extract", "return_value", "text")
        task = operator(trigger_dag_id="endless", trigger_run_id="r", wait_for_completion=True, return_xcoms=asked)
        assert run_try(task, context_of(task))["xcoms"]["extract"]["return_value"]["value"] == "text"

    @pytest.mark.parametrize("waits", [True, False])
    def test_a_template_may_say_that_no_xcoms_are_wanted(self, target: ScriptedAirflow, waits: bool) -> None:
        task = operator(return_xcoms="None", wait_for_completion=waits)
        assert run_try(task, context_of(task))["xcoms"] == {}

    def test_only_airflow_3_runs_later(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        task = operator(run_after="2030-01-01T00:00:00Z")
        if target.airflow_version.startswith("3."):
            assert run_try(task, context_of(task))["state"] == "queued"
            return
        with pytest.raises(InvalidInputError, match=r"run_after.*3\.0"):
            run_try(task, context_of(task))
        assert runs_started(local_mwaa) == 0

    def test_the_link_is_there_as_soon_as_the_run_is(self, target: ScriptedAirflow) -> None:
        task = operator(trigger_dag_id="endless")
        context = context_of(task)
        result = run_try(task, context)
        assert context["ti"].xcoms == {"_link_MwaaDagRunLink": result["url"]}

    def test_no_triggerer_is_said_at_once(
        self, target: ScriptedAirflow, monkeypatch: pytest.MonkeyPatch, mode: Mode
    ) -> None:
        monkeypatch.setenv("AIRFLOW__MWAA__TRIGGERER_ENABLED", "False")
        monkeypatch.setattr(MwaaTriggerDagRunOperator, "log", said := Said())
        task = operator(wait_for_completion=True)
        run_try(task, context_of(task))
        assert ("this environment has no triggerer" in said.text) == (mode == "defers")


def test_waiting_and_deferring_survive_the_same_faults(target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    for fault in (Fault.answer(502, operation="rest"), Fault.lose_answer(operation="rest"), Fault.throttle()):
        local_mwaa.faults.add(fault)
    local_mwaa.faults.add(Fault.expire_sessions())
    task = operator(wait_for_completion=True)
    assert run_try(task, context_of(task))["state"] == "success"
    assert len(target.runs("load")) == 1


@pytest.mark.parametrize("mode", ["waits"], indirect=True)
class TestRefused:
    """Bad input: named, with what to do, before a run is made."""

    @pytest.mark.parametrize(
        ("arguments", "error", "told"),
        [
            ({"environment_name": "nowhere"}, EnvironmentNotFoundError, "no MWAA environment 'nowhere'"),
            ({"trigger_dag_id": "no_such_dag"}, DagNotFoundError, "has no DAG 'no_such_dag'"),
            ({"trigger_dag_id": "sleeping", "wait_for_completion": True}, DagPausedError, "Unpause the DAG there"),
            ({"trigger_dag_id": "a/b"}, InvalidInputError, "trigger_dag_id: 'a/b' is not a DAG id"),
            ({"trigger_run_id": "with space"}, InvalidInputError, "trigger_run_id: 'with space' is not a run id"),
            ({"trigger_run_id": "scheduled__x"}, InvalidInputError, "which Airflow keeps for its own runs"),
            ({"trigger_run_id": "x" * 251}, InvalidInputError, "250 characters at most"),
            ({"conf": "{not json"}, InvalidInputError, "conf: the text is not JSON"),
            ({"conf": "[1]"}, InvalidInputError, "conf: list is not a JSON object"),
            ({"conf": {"when": datetime(2026, 1, 1)}}, InvalidInputError, "conf: it cannot be written as JSON"),
            ({"conf": {"nan": float("nan")}}, InvalidInputError, "conf: it cannot be written as JSON"),
            ({"logical_date": "tomorrow"}, InvalidInputError, "logical_date: 'tomorrow' is not a moment"),
            ({"logical_date": datetime(2026, 1, 1)}, InvalidInputError, "with time zone"),
            ({"poke_interval": 0}, InvalidInputError, "poke_interval: 0 is not a duration"),
            ({"timeout": -1}, InvalidInputError, "timeout: -1 is not a duration"),
            ({"allowed_states": "success"}, InvalidInputError, "allowed_states: 'success' is not a list"),
            ({"allowed_states": ["succes"]}, InvalidInputError, "'succes' is not a DAG run state"),
            ({"failed_states": ["success"]}, InvalidInputError, "stands in both"),
            ({"data_interval_start": DAY}, InvalidInputError, "data_interval_end: it is missing"),
            ({"data_interval_start": DAY, "data_interval_end": "2026-01-30T00:00:00Z"}, InvalidInputError, "is after"),
            ({"partition_key": "  "}, InvalidInputError, "partition_key: '  ' is not a partition's key"),
            # Airflow keeps 1,000 characters of a note; 92 of them say who started the run here, 140 how it stood before a clear
            ({"note": "x" * 767}, InvalidInputError, "note: 767 characters are too many; give 766 characters at most"),
            ({"note": 5}, InvalidInputError, "note: 5 is not a text"),
            ({"return_xcoms": ["a"]}, InvalidInputError, "return_xcoms: nothing comes home from a run that is not"),
            ({"return_xcoms": {"a": 5}, "wait_for_completion": True}, InvalidInputError, "5 is neither a key nor a"),
            ({"when_run_exists": "ask"}, InvalidInputError, "'ask' is not one of adopt, clear, skip, fail"),
        ],
    )
    def test_it_says_what_is_wrong(
        self,
        target: ScriptedAirflow,
        local_mwaa: LocalMwaa,
        arguments: dict[str, Any],
        error: type[Exception],
        told: str,
    ) -> None:
        task = operator(**arguments)
        with pytest.raises(error) as caught:
            run_try(task, context_of(task))
        assert told in str(caught.value)
        assert runs_started(local_mwaa) == 0

    def test_all_problems_at_once_before_any_call(self, target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
        task = operator(environment_name="9", trigger_run_id="a b", conf="x", logical_date="y", poke_interval="z")
        with pytest.raises(InvalidInputError) as caught:
            run_try(task, context_of(task))
        fields = [problem.split(":")[0] for problem in caught.value.problems]
        assert fields == ["environment_name", "trigger_run_id", "conf", "logical_date", "poke_interval"]
        assert local_mwaa.journal.count() == 0

    @pytest.mark.parametrize("target", ["2.7.2"], indirect=True)
    def test_nothing_is_unpaused_for_what_the_release_does_not_do(self, target: ScriptedAirflow) -> None:
        task = operator(trigger_dag_id="sleeping", unpause=True, partition_key="eu", run_after="2030-01-01T00:00:00Z")
        with pytest.raises(InvalidInputError) as caught:
            run_try(task, context_of(task))
        fields = sorted(problem.split(":")[0] for problem in caught.value.problems)
        assert (fields, target.is_paused("sleeping")) == (["partition_key", "run_after"], True)

    def test_a_paused_dag_may_be_triggered_without_waiting(self, target: ScriptedAirflow, caplog: Any) -> None:
        task = operator(trigger_dag_id="sleeping")
        assert run_try(task, context_of(task))["state"] == "queued"


@pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
@pytest.mark.patient
def test_the_installed_airflow_runs_it(
    target: ScriptedAirflow, local_mwaa: LocalMwaa, run_dag: RunDag, mode: Mode
) -> None:
    """Templates, `.partial().expand()`, XCom, and a task that fails with its run, in one real DAG run."""
    if mode == "defers" and not (AIRFLOW_3 or hasattr(import_module("airflow.models.dag"), "_run_inline_trigger")):
        pytest.skip("dag.test() of this release does not resume a deferred task; tests/real_tasks has a triggerer")
    outcome = run_dag(
        """
        from datetime import datetime, timedelta, timezone

        from airflow import DAG
        from mwaa_provider.operators.dag_run import MwaaTriggerDagRunOperator

        COMMON = {"wait_for_completion": True, "poke_interval": 0.05, "aws_conn_id": "local_mwaa"}

        with DAG(dag_id="calls", start_date=datetime(2024, 1, 1, tzinfo=timezone.utc), schedule=None) as dag:
            one = MwaaTriggerDagRunOperator(
                task_id="one",
                environment_name="{{ 'tar' ~ 'get' }}",
                trigger_dag_id="load",
                conf='{"part": "{{ dag.dag_id }}"}',
                **COMMON,
            )
            many = MwaaTriggerDagRunOperator.partial(
                task_id="many", environment_name="target", trigger_dag_id="load", **COMMON
            ).expand(conf=[{"part": 1}, {"part": 2}])
            # last, because dag.test() of Airflow 3 ends with the first task that fails
            [one, many] >> MwaaTriggerDagRunOperator(task_id="bad", environment_name="target", trigger_dag_id="breaks", **COMMON)
        """,
        connections={CONN_ID: json.dumps(local_mwaa.airflow_connection())},
    )
    ended = {"one": "success", "many[0]": "success", "many[1]": "success", "bad": "failed"}
    assert (outcome.state, outcome.tasks) == ("failed", ended)
    assert "DagRunFailedError" in outcome.log
    results = {name: xcoms["return_value"] for name, xcoms in outcome.xcoms.items() if "return_value" in xcoms}
    parts = {"one": "calls", "many[0]": 1, "many[1]": 2}
    started = {
        entry.body["dag_run_id"]: entry.body["conf"]
        for entry in local_mwaa.journal.entries(is_rest=True, method="POST", path="/dags/*/dagRuns")
    }
    assert {name: started[result["run_id"]]["part"] for name, result in results.items()} == parts
    for result in results.values():
        assert (result["environment_name"], result["dag_id"], result["state"]) == ("target", "load", "success")
