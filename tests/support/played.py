"""An Airflow played in memory, put behind the environment ``target`` of a local MWAA that many tests share."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from mwaa_provider.local import LocalMwaa, ScriptedAirflow

CONN_ID = "local_mwaa"


def play(airflow: ScriptedAirflow, mwaa: LocalMwaa, patch: pytest.MonkeyPatch) -> None:
    """Let an Airflow be that of the environment ``target``, with no memory of the last test, and make the connection to it.

    :param airflow: The Airflow.
    :param mwaa: The local MWAA.
    :param patch: For the connection, and for a clock on which nobody waits: what is repeated is repeated at once.
    """
    from mwaa_provider.client.clock import SystemClock

    line = int(airflow.airflow_version[0])
    if mwaa.environments and mwaa.environments[0].airflow_line != line:
        mwaa.delete_environment("target")  # its web server is that of its line
    if not mwaa.environments:
        mwaa.create_environment("target", airflow)
    [environment] = mwaa.environments
    environment.backend = airflow
    environment.set_status("AVAILABLE")
    mwaa.faults.clear()
    mwaa.journal.clear()
    patch.setenv(f"AIRFLOW_CONN_{CONN_ID.upper()}", json.dumps(mwaa.airflow_connection()))
    patch.setattr(SystemClock, "sleep", lambda clock, seconds: None)
