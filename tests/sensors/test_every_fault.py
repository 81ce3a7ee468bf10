"""Every kind of misbehaviour the local MWAA knows, while the operator starts a run, and while it and the sensors wait: here, or deferred.

Once, the task ends as if nothing had been, or with a typed error if a second look would tell the same. For good, it ends in time. There is
one run over there, whatever happened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, get_args

import pytest

from mwaa_provider.exceptions import MwaaError
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow
from mwaa_provider.local.faults import FaultKind
from mwaa_provider.operators.dag_run import MwaaTriggerDagRunOperator
from mwaa_provider.sensors.dag_run import MwaaDagRunSensor
from mwaa_provider.sensors.environment import MwaaEnvironmentSensor
from mwaa_provider.sensors.task import MwaaTaskSensor
from tests.sensors.conftest import CONN_ID
from tests.sensors.modes import Driver, Outcome
from tests.support.tasks import context_of, run_try

PAGE = "<html>down</html>"
LOOK = "/dags/load/dagRuns/*"


@dataclass(frozen=True)
class Case:
    """One misbehaviour that strikes once.

    :param name: Its name in the test's report.
    :param fault: Makes it.
    :param operator: The error that the waiting operator ends with, if any.
    :param sensor: The same for a sensor.
    :param start: The same for an operator that starts a run.
    """

    name: str
    fault: Callable[..., Fault]
    operator: str | None = None
    sensor: str | None = None
    start: str | None = None


def made(make: Callable[..., Fault], *arguments: Any, **more: Any) -> Callable[..., Fault]:
    return lambda **which: make(*arguments, **{"operation": "rest", **more, **which})


def hide(path: str = "", **which: Any) -> Fault:
    every = 2 if path == LOOK else 1  # the operator has looked for the DAG itself before
    return Fault.hide_dag("load", **which, every=every)


CASES = [
    Case("answer lost", made(Fault.lose_answer)),
    Case("answer cut", made(Fault.cut_answer, 5)),
    Case("refused", made(Fault.refuse)),
    Case("502 page", made(Fault.answer, 502, PAGE)),
    Case("500 after acting", made(Fault.answer, 500, {"detail": "down"}, after_acting=True)),
    Case("a page for JSON", made(Fault.answer, 200, PAGE), "UnexpectedAnswerError", "UnexpectedAnswerError"),
    Case("late", made(Fault.delay, 0.05)),
    Case("throttled", made(Fault.throttle)),
    Case("sessions end", made(Fault.expire_sessions)),
    Case("denied", made(Fault.deny), "RestApiError", "RestApiError", "RestApiError"),
    # what is not there is waited for by a sensor; the operator knows that its run was there
    Case("DAG hidden", hide, "DagRunNotFoundError", None, "DagNotFoundError"),
]
every_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
#: What a sensor of an environment meets.
AT_AWS = {
    "answer lost": (Fault.lose_answer, None),
    "refused": (Fault.refuse, None),
    "500": (lambda **which: Fault.answer(500, {"message": "no"}, **which), None),
    "throttled": (Fault.throttle, None),
    "denied": (Fault.deny, "AccessDeniedError"),
}

pytestmark = pytest.mark.parametrize("target", ["3.3.1"], indirect=True)
waiting = pytest.mark.parametrize("deferrable", [False, True], ids=["waits", "defers"])
in_two_modes = pytest.mark.parametrize("drive", ["poke", "deferred"], indirect=True)


def operate(**arguments: Any) -> Outcome:
    """What comes of the operator."""
    task = MwaaTriggerDagRunOperator(
        task_id="call",
        environment_name="target",
        trigger_dag_id="load",
        wait_for_completion=True,
        poke_interval=0.01,
        aws_conn_id=CONN_ID,
        **arguments,
    )
    try:
        return Outcome(run_try(task, context_of(task))["state"])
    except MwaaError as error:
        return Outcome(error=type(error).__name__)


@waiting
@every_case
def test_the_operator_starts_a_run(
    target: ScriptedAirflow, local_mwaa: LocalMwaa, case: Case, deferrable: bool
) -> None:
    target.add_dag("load", run_takes=0)
    local_mwaa.faults.add(case.fault(method="POST", path="/dags/load/dagRuns"))
    ended = operate(deferrable=False)
    assert ended == (Outcome("success") if case.start is None else Outcome(error=case.start))
    assert len(target.runs("load")) == (case.start is None)
    assert local_mwaa.faults.pending() == ()


@waiting
@every_case
def test_the_operator_waits(target: ScriptedAirflow, local_mwaa: LocalMwaa, case: Case, deferrable: bool) -> None:
    target.add_dag("load", run_takes=0)
    local_mwaa.faults.add(case.fault(method="GET", path=LOOK))
    ended = operate(deferrable=deferrable)
    assert ended == (Outcome("success") if case.operator is None else Outcome(error=case.operator))
    assert len(target.runs("load")) == 1
    assert local_mwaa.faults.pending() == ()


@in_two_modes
@every_case
def test_a_sensor_of_runs_waits(target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver, case: Case) -> None:
    a_sensor_waits(target, local_mwaa, drive, case.fault(path="*/dagRuns/*"), case.sensor, MwaaDagRunSensor)


@pytest.mark.parametrize("drive", ["deferred"], indirect=True)
@every_case
def test_a_sensor_of_tasks_waits(target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver, case: Case) -> None:
    """Poking, it differs from a sensor of runs in nothing but the path that it asks for."""
    fault = case.fault(path="*taskInstances*")
    a_sensor_waits(target, local_mwaa, drive, fault, case.sensor, MwaaTaskSensor, external_task_id="extract")


def a_sensor_waits(
    target: ScriptedAirflow,
    mwaa: LocalMwaa,
    drive: Driver,
    fault: Fault,
    error: str | None,
    kind: Any,
    **arguments: Any,
) -> None:
    target.add_run("load", "r", state="running")

    def change() -> None:
        target.set_task_state("load", "r", "extract", "success")
        target.set_run_state("load", "r", "success")
        mwaa.faults.add(fault)

    how = common(external_dag_id="load", external_run_id="r", **arguments)
    ended = drive(lambda **mode: kind(**how, **mode), change)
    assert ended.error == error
    if error is None:
        assert ended.result["run_states"] == {"success": 1}
    assert mwaa.faults.pending() == ()


@in_two_modes
@pytest.mark.parametrize(("fault", "error"), AT_AWS.values(), ids=AT_AWS)
def test_a_sensor_of_an_environment_waits(
    target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver, fault: Callable[..., Fault], error: str | None
) -> None:
    [environment] = local_mwaa.environments
    environment.set_status("UPDATING")

    def change() -> None:
        environment.set_status("AVAILABLE")
        local_mwaa.faults.add(fault(operation="GetEnvironment"))

    assert drive(lambda **mode: MwaaEnvironmentSensor(**common(), **mode), change).error == error
    assert local_mwaa.faults.pending() == ()


@waiting
def test_what_lasts_ends_the_operator_in_time(target: ScriptedAirflow, local_mwaa: LocalMwaa, deferrable: bool) -> None:
    local_mwaa.faults.add(Fault.answer(502, PAGE, operation="rest", path=LOOK, times=None))
    assert operate(deferrable=deferrable, timeout=0.1) == Outcome(error="RestApiServerError")
    assert len(target.runs("load")) == 1


@in_two_modes
def test_what_lasts_ends_a_sensor_in_time(target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver) -> None:
    target.add_run("load", "r", state="running")
    local_mwaa.faults.add(Fault.answer(502, PAGE, operation="rest", path=LOOK, times=None))
    make = common(external_dag_id="load", external_run_id="r", timeout=0.1)
    assert drive(lambda **mode: MwaaDagRunSensor(**make, **mode)).error == "AirflowSensorTimeout"


def common(**arguments: Any) -> dict[str, Any]:
    return {
        "task_id": "wait",
        "environment_name": "target",
        "aws_conn_id": CONN_ID,
        "poke_interval": 0.01,
        **arguments,
    }


def test_no_kind_is_missing(target: ScriptedAirflow) -> None:
    assert {case.fault(times=1).kind for case in CASES} == set(get_args(FaultKind))
