"""A local MWAA that speaks the service's wire protocol on 127.0.0.1, to try and test things on without an AWS account.

::

    from mwaa_provider.local import LocalMwaa, ScriptedAirflow

    with LocalMwaa() as mwaa:
        airflow = ScriptedAirflow("3.3.1")
        airflow.add_dag("report", run_takes=5)
        mwaa.create_environment("target", airflow)
        client = mwaa.boto3_session().client(
            "mwaa", endpoint_url=mwaa.endpoint_url, config=Config(inject_host_prefix=False)
        )
        client.invoke_rest_api(Name="target", Path="/dags", Method="GET")

Public names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mwaa_provider.local.backend import AirflowBackend as AirflowBackend
    from mwaa_provider.local.backend import BackendAnswer as BackendAnswer
    from mwaa_provider.local.backend import BackendRequest as BackendRequest
    from mwaa_provider.local.backend import CliAnswer as CliAnswer
    from mwaa_provider.local.clock import Clock as Clock
    from mwaa_provider.local.clock import ManualClock as ManualClock
    from mwaa_provider.local.clock import SystemClock as SystemClock
    from mwaa_provider.local.environment import LocalEnvironment as LocalEnvironment
    from mwaa_provider.local.faults import Fault as Fault
    from mwaa_provider.local.identity import Identity as Identity
    from mwaa_provider.local.journal import JournalEntry as JournalEntry
    from mwaa_provider.local.mwaa import LocalMwaa as LocalMwaa
    from mwaa_provider.local.rules import ServiceRules as ServiceRules
    from mwaa_provider.local.scripted.airflow import ScriptedAirflow as ScriptedAirflow

_HOME_OF = {
    "AirflowBackend": "mwaa_provider.local.backend",
    "BackendAnswer": "mwaa_provider.local.backend",
    "BackendRequest": "mwaa_provider.local.backend",
    "CliAnswer": "mwaa_provider.local.backend",
    "Clock": "mwaa_provider.local.clock",
    "Fault": "mwaa_provider.local.faults",
    "Identity": "mwaa_provider.local.identity",
    "JournalEntry": "mwaa_provider.local.journal",
    "LocalEnvironment": "mwaa_provider.local.environment",
    "LocalMwaa": "mwaa_provider.local.mwaa",
    "ManualClock": "mwaa_provider.local.clock",
    "ScriptedAirflow": "mwaa_provider.local.scripted.airflow",
    "ServiceRules": "mwaa_provider.local.rules",
    "SystemClock": "mwaa_provider.local.clock",
}

__all__ = [  # noqa: F822 - found by __getattr__
    "AirflowBackend",
    "BackendAnswer",
    "BackendRequest",
    "CliAnswer",
    "Clock",
    "Fault",
    "Identity",
    "JournalEntry",
    "LocalEnvironment",
    "LocalMwaa",
    "ManualClock",
    "ScriptedAirflow",
    "ServiceRules",
    "SystemClock",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
