"""The back end that is a real Airflow: processes of an installed 2.x or 3.x with a PostgreSQL database of their own.

=================  ==============================================================================
``airflow``        :class:`RealAirflow`, what users hold
``line``           what differs between Airflow 2 and 3: ``airflow2``, ``airflow3``
``settings``       the environment variables that Airflow and MWAA's containers have
``interpreter``    which Airflow is installed beside a Python interpreter
``postgres``       :class:`PostgresServer`; ``postgres_binaries`` finds what it runs
``processes``      all processes of one environment, and their logs
``launch``         running them as forks of ``launcher``, which has imported Airflow already
``process``        a process that does not outlive its owner; ``guard`` runs beside each of them
``forward``        passing requests on to Airflow's web server; ``web`` speaks HTTP with it
``database``       one environment's metadata database
=================  ==============================================================================

Names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mwaa_provider.local.real.airflow import RealAirflow as RealAirflow
    from mwaa_provider.local.real.errors import StartFailedError as StartFailedError
    from mwaa_provider.local.real.postgres import PostgresServer as PostgresServer

_HOME_OF = {
    "PostgresServer": "mwaa_provider.local.real.postgres",
    "RealAirflow": "mwaa_provider.local.real.airflow",
    "StartFailedError": "mwaa_provider.local.real.errors",
}

__all__ = ["PostgresServer", "RealAirflow", "StartFailedError"]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
