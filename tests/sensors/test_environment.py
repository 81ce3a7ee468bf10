"""MwaaEnvironmentSensor: every status that MWAA has, and the same end in every mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mwaa_provider.exceptions import EnvironmentFailedError
from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from mwaa_provider.sensors.environment import MwaaEnvironmentSensor
from tests.sensors.conftest import CONN_ID
from tests.sensors.modes import Driver, Outcome

REASON = "The scheduler did not start: requirements.txt asks for no-such-package"


def sensor(**arguments: Any) -> Callable[..., MwaaEnvironmentSensor]:
    common = {"task_id": "wait", "environment_name": "target", "aws_conn_id": CONN_ID, "poke_interval": 0.01}
    return lambda **mode: MwaaEnvironmentSensor(**{**common, **arguments, **mode})


def available(mwaa: LocalMwaa, airflow: ScriptedAirflow) -> Outcome:
    [environment] = mwaa.environments
    return Outcome(
        {
            "environment_name": "target",
            "status": "AVAILABLE",
            "airflow_version": airflow.airflow_version,
            "arn": environment.arn,
            "url": environment.base_url,
        }
    )


pytestmark = pytest.mark.parametrize("target", ["3.3.1"], indirect=True)


def test_every_status_on_the_way(target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    [environment] = local_mwaa.environments
    task = sensor()()
    for status in ("CREATING", "CREATING_SNAPSHOT", "UPDATING", "PENDING", "ROLLING_BACK", "MAINTENANCE"):
        environment.set_status(status)
        assert task.poke({}) is False
    environment.set_status("AVAILABLE")
    assert Outcome(task.poke({}).xcom_value) == available(local_mwaa, target)


@pytest.mark.parametrize("status", ["AVAILABLE", "PENDING"])
def test_it_becomes_available(target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver, status: str) -> None:
    [environment] = local_mwaa.environments
    environment.set_status(status)
    ended = drive(sensor(), lambda: environment.set_status("AVAILABLE"))
    assert ended == available(local_mwaa, target)


def test_every_status_that_is_an_end(target: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    [environment] = local_mwaa.environments
    for status in ("UPDATE_FAILED", "CREATE_FAILED", "UNAVAILABLE", "DELETING", "DELETED"):
        environment.set_status(status)
        with pytest.raises(EnvironmentFailedError, match=f"{status} and will not .* AWS gives no reason") as caught:
            sensor()().poke({})
        assert caught.value.facts == {"environment_name": "target", "status": status, "reason": None}


@pytest.mark.parametrize("status", ["UPDATE_FAILED"])
def test_it_will_not_become_available(
    target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver, status: str
) -> None:
    [environment] = local_mwaa.environments
    environment.set_status("UPDATING")
    ended = drive(sensor(), lambda: environment.set_status(status, error=REASON))
    assert (ended.error, ended.facts["status"]) == ("EnvironmentFailedError", status)
    assert REASON in ended.facts["reason"]
    assert ended.message == (
        f"Environment 'target' is {status} and will not become AVAILABLE by itself. AWS says: {ended.facts['reason']}"
    )


def test_it_does_not_exist(target: ScriptedAirflow, drive: Driver) -> None:
    assert drive(sensor(environment_name="nowhere")).error == "EnvironmentNotFoundError"


def test_time_is_up(target: ScriptedAirflow, local_mwaa: LocalMwaa, drive: Driver) -> None:
    [environment] = local_mwaa.environments
    environment.set_status("PENDING")
    assert drive(sensor(timeout=0)).error == "AirflowSensorTimeout"
