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

#: A task instance in one of these states will not change it by itself any more. (``up_for_retry`` is no end.)
ENDED_TASK_STATES = frozenset({"success", "failed", "skipped", "upstream_failed", "removed"})

#: All states that a task instance has on some release, from 2.7.2 (``shutdown``) to 3.3.1 (``awaiting_input``).
TASK_STATES = ENDED_TASK_STATES | {
    "scheduled",
    "queued",
    "running",
    "restarting",
    "shutdown",
    "deferred",
    "up_for_retry",
    "up_for_reschedule",
    "awaiting_input",
}


@dataclass(frozen=True)
class Environment:
    """An MWAA environment, as GetEnvironment describes it.

    :param name: Its name.
    :param airflow_version: Its Airflow version, ``3.2.1`` for example.
    :param web_server_host: The host (and port, for a local MWAA) of its web server, without scheme.
    :param status: ``AVAILABLE``, ``UPDATING``, ...
    :param arn: Its Amazon resource name.
    :param last_update_status: How its last update went: ``PENDING``, ``SUCCESS`` or ``FAILED``; ``None`` if there was none.
    :param last_update_error: What AWS says went wrong with that, code and message; ``None`` if it says nothing.
    """

    name: str
    airflow_version: str
    web_server_host: str
    status: str
    arn: str
    last_update_status: str | None = None
    last_update_error: str | None = None

    @property
    def airflow_major(self) -> int:
        """2 or 3: which REST API it speaks and how one logs in."""
        return int(self.airflow_version.split(".", 1)[0])


@dataclass(frozen=True)
class Dag:
    """A DAG in an environment.

    :param dag_id: Its id.
    :param is_paused: Whether the scheduler leaves its runs queued.
    :param tags: Its tags, in alphabetical order.
    :param has_import_errors: Whether its file no longer parses; what is there is what it was before.
    """

    dag_id: str
    is_paused: bool
    tags: tuple[str, ...] = ()
    has_import_errors: bool = False


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
    :param run_type: ``manual``, ``scheduled``, ``backfill``, ...
    :param run_after: When it may begin at the earliest; ``None`` on Airflow 2, which does not tell.
    :param note: The note on it.
    :param data_interval_start: The beginning of the data it is for; ``None`` for a run without a logical date (Airflow 3).
    :param data_interval_end: The end of it.
    :param partition_key: The partition it is for; ``None`` for none, and before Airflow 3.2.1.
    """

    dag_id: str
    run_id: str
    state: str
    logical_date: datetime | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    conf: Mapping[str, Any] = field(default_factory=dict, repr=False)
    run_type: str = ""
    run_after: datetime | None = None
    note: str | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    partition_key: str | None = None

    @property
    def is_active(self) -> bool:
        """Whether it may still change its state by itself."""
        return self.state not in ENDED_STATES


@dataclass(frozen=True)
class TaskInstance:
    """One task of one run.

    :param dag_id: The DAG's id.
    :param run_id: The run's id.
    :param task_id: The task's id.
    :param map_index: Its number among the mapped instances of the task; -1 for a task that is not mapped.
    :param state: ``success``, ``failed``, ``skipped``, ...; ``None`` for one that was not scheduled yet.
    :param try_number: How often it was tried; 0 for never.
    :param max_tries: How often it may be tried again after the first time, in all.
    :param start_date: When its last try began.
    :param end_date: When its last try ended.
    :param operator: The operator's class; ``None`` if Airflow does not know (yet).
    :param pool: The pool it runs in.
    :param queue: The queue it runs in.
    :param note: The note on it.
    :param queued_when: When it was queued last.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    state: str | None = None
    try_number: int = 0
    max_tries: int = 0
    start_date: datetime | None = None
    end_date: datetime | None = None
    operator: str | None = None
    pool: str = "default_pool"
    queue: str = "default"
    note: str | None = None
    queued_when: datetime | None = None


@dataclass(frozen=True)
class XComEntry:
    """What a list of XComs tells: everything but the value.

    :param dag_id: The DAG's id.
    :param run_id: The run's id.
    :param task_id: The id of the task that pushed it.
    :param map_index: Which mapped instance of the task pushed it; -1 for a task that is not mapped.
    :param key: Its key, ``return_value`` for what a task returned.
    :param timestamp: When it was pushed.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    key: str
    timestamp: datetime | None = None


@dataclass(frozen=True)
class XCom(XComEntry):
    """An XCom with its value.

    :param value: Its value, as Airflow tells it: what JSON can hold, or (see ``is_text``) Python's text of it.
    :param is_text: Whether ``value`` is ``str(...)`` of what was pushed and not the thing itself: Airflow before 2.10 tells no other form.
        It is never evaluated; ``"1"`` may have been the number or the text.
    """

    value: Any = field(default=None, repr=False)
    is_text: bool = False


@dataclass(frozen=True)
class Variable:
    """An Airflow variable.

    :param key: Its key.
    :param value: Its value, a text. Airflow 3 answers ``***`` in place of a value whose key (or, in a JSON object, whose inner key) sounds
        like a secret, unless it is a number; nobody gets the value itself from its REST API. JSON it writes anew, with other spaces.
    :param description: Its description.
    """

    key: str
    value: str = field(repr=False)
    description: str | None = None


@dataclass(frozen=True)
class Connection:
    """An Airflow connection, without its password, which no release shows.

    :param connection_id: Its id.
    :param conn_type: Its type, such as ``postgres``.
    :param description: Its description.
    :param host: Its host.
    :param login: Its login.
    :param schema: Its schema.
    :param port: Its port.
    :param extra: Its extra, the text of a JSON object in which Airflow shows ``***`` for what sounds like a secret; ``None`` on Airflow 2,
        whose lists have none.
    """

    connection_id: str
    conn_type: str
    description: str | None = None
    host: str | None = None
    login: str | None = None
    schema: str | None = None
    port: int | None = None
    extra: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Pool:
    """A pool of slots for tasks.

    :param name: Its name.
    :param slots: How many it has; -1 for no limit.
    :param description: Its description.
    :param include_deferred: Whether deferred tasks hold their slots.
    :param occupied_slots: How many are held by running and queued tasks.
    :param running_slots: How many are held by running tasks.
    :param queued_slots: How many are held by queued tasks.
    :param scheduled_slots: How many tasks wait for one.
    :param open_slots: How many are free.
    """

    name: str
    slots: int
    description: str | None = None
    include_deferred: bool = False
    occupied_slots: int = 0
    running_slots: int = 0
    queued_slots: int = 0
    scheduled_slots: int = 0
    open_slots: int = 0


@dataclass(frozen=True)
class Asset:
    """An asset; on Airflow 2, a dataset.

    :param asset_id: Its number.
    :param uri: Its URI.
    :param name: Its name; on Airflow 2, the URI.
    """

    asset_id: int
    uri: str
    name: str


@dataclass(frozen=True)
class AssetEvent:
    """An update of an asset.

    :param event_id: Its number.
    :param asset: The asset.
    :param timestamp: When it was told of.
    :param extra: What goes with it.
    """

    event_id: int
    asset: Asset
    timestamp: datetime | None = None
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class DagImportError:
    """A DAG file that does not parse.

    :param import_error_id: Its number; another one after the file was parsed again.
    :param file_name: The file; on Airflow 3 below its bundle's folder.
    :param stack_trace: Why.
    :param timestamp: When it was noticed.
    :param bundle_name: The DAG bundle of the file; ``None`` on Airflow 2.
    """

    import_error_id: int
    file_name: str
    stack_trace: str
    timestamp: datetime | None = None
    bundle_name: str | None = None


@dataclass(frozen=True)
class ComponentHealth:
    """How one component of an Airflow is.

    :param status: ``healthy`` or ``unhealthy``; ``None`` if there is none of its own.
    :param latest_heartbeat: When it was last heard of.
    """

    status: str | None = None
    latest_heartbeat: datetime | None = None

    @property
    def is_healthy(self) -> bool:
        """Whether it says that it is well."""
        return self.status == "healthy"


@dataclass(frozen=True)
class Health:
    """How an Airflow is, by its own word.

    :param metadatabase: The metadata database; it has no heartbeat.
    :param scheduler: The scheduler.
    :param triggerer: The triggerer; without status where there is none.
    :param dag_processor: The DAG processor; without status on Airflow 2, where it lives in the scheduler.
    """

    metadatabase: ComponentHealth
    scheduler: ComponentHealth
    triggerer: ComponentHealth
    dag_processor: ComponentHealth

    @property
    def is_healthy(self) -> bool:
        """Whether every component that there is says that it is well."""
        parts = (self.metadatabase, self.scheduler, self.triggerer, self.dag_processor)
        return all(part.is_healthy for part in parts if part.status is not None)
