"""What travels between the layers: frozen, and free of secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: A DAG run in one of these states will not change by itself any more.
ENDED_STATES = frozenset({"success", "failed"})

#: Airflow runs these states towards an end.
ACTIVE_STATES = frozenset({"queued", "running"})

DAG_RUN_STATES = ENDED_STATES | ACTIVE_STATES


@dataclass(frozen=True)
class Environment:
    """An MWAA environment, as GetEnvironment describes it.

    :param name: Its name.
    :param airflow_version: Its Airflow version, ``3.2.1`` for example.
    :param web_server_host: The host (and port, for a local MWAA) of its web server, without scheme.
    :param status: ``AVAILABLE``, ``UPDATING``, ...
    :param arn: Its Amazon resource name.
    """

    name: str
    airflow_version: str
    web_server_host: str
    status: str
    arn: str

    @property
    def airflow_major(self) -> int:
        """2 or 3: which REST API it speaks and how one logs in."""
        return int(self.airflow_version.split(".", 1)[0])


@dataclass(frozen=True)
class Dag:
    """A DAG in an environment.

    :param dag_id: Its id.
    :param is_paused: Whether the scheduler leaves its runs queued.
    """

    dag_id: str
    is_paused: bool


@dataclass(frozen=True)
class DagRun:
    """One run of a DAG in an environment.

    :param dag_id: The DAG's id.
    :param run_id: The run's id.
    :param state: ``queued``, ``running``, ``success`` or ``failed``.
    :param logical_date: The date the run is for; ``None`` for a run without one (Airflow 3).
    :param start_date: When its first task began.
    :param end_date: When it ended.
    :param conf: The configuration it was started with.
    """

    dag_id: str
    run_id: str
    state: str
    logical_date: datetime | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    conf: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_active(self) -> bool:
        """Whether it may still change its state by itself."""
        return self.state not in ENDED_STATES
