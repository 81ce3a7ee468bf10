"""An environment to look at, on Airflow 2 and 3, and every mode of a sensor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mwaa_provider.airflow_compat import AIRFLOW_3
from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from tests.sensors.modes import MODES, Driver
from tests.support.played import CONN_ID, play

__all__ = ["CONN_ID"]


@pytest.fixture(scope="module")
def local_mwaa() -> Iterator[LocalMwaa]:
    """One for all scenarios of a file; each has an Airflow of its own behind it."""
    with LocalMwaa() as mwaa:
        yield mwaa


@pytest.fixture(params=["2.7.2", "3.3.1"])
def target(request: pytest.FixtureRequest, local_mwaa: LocalMwaa, monkeypatch: pytest.MonkeyPatch) -> ScriptedAirflow:
    """The Airflow 2 or 3 of the environment ``target``, and the connection to it."""
    airflow = ScriptedAirflow(request.param)
    airflow.add_dag("load", tasks=("extract", "group.one", "group.two"), run_takes=None)
    play(airflow, local_mwaa, monkeypatch)
    return airflow


@pytest.fixture(params=MODES)
def drive(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Driver:
    """Runs sensors in one of the modes."""
    if request.param == "reschedule" and not AIRFLOW_3:
        request.getfixturevalue(
            "airflow_database"
        )  # it is there that Airflow 2 looks when a sensor was rescheduled first
    return Driver(request.param, monkeypatch)
