"""What a scripted Airflow's memory is made of."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: Makes the ids that Airflow draws at random the same in every test run.
_NAMESPACE = uuid.UUID("6f1c1d5e-6f0c-4f0e-9f5e-0d1c6a1b2c3d")


@dataclass
class ScriptedTaskInstance:
    """One task instance; ``state`` None is Airflow's "no status"."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    state: str | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    try_number: int = 0
    max_tries: int = 0
    note: str | None = None
    operator: str = "EmptyOperator"
    retries: int = 0
    #: What it said, by try, where a test has told.
    logs: dict[int, str] = field(default_factory=dict)

    def log_of(self, try_number: int) -> str | None:
        """Return what it said in one try; None if there was no such try.

        :param try_number: The try.
        """
        if try_number in self.logs or not 1 <= try_number <= self.try_number:
            return self.logs.get(try_number)
        failed = "\nTask failed with exception" if (self.state, self.try_number) == ("failed", try_number) else ""
        return f"Starting attempt {try_number} of {self.max_tries + 1}{failed}"

    @property
    def id(self) -> str:
        """The id that Airflow 3 gives; another one for every try."""
        return str(
            uuid.uuid5(
                _NAMESPACE,
                repr((self.dag_id, self.run_id, self.task_id, self.map_index, self.max_tries, self.try_number)),
            )
        )

    @property
    def has_run(self) -> bool:
        """Whether it was ever begun, and not merely marked."""
        return self.try_number > 0

    @property
    def pid(self) -> int | None:
        """The id of the process of its last try."""
        return 1000 + self.try_number if self.has_run else None

    def begin(self, when: datetime) -> None:
        """Start a try.

        :param when: The time.
        """
        self.state, self.start_date, self.end_date = "running", when, None
        self.try_number += 1

    def end(self, state: str, when: datetime) -> None:
        """Reach a state for good.

        :param state: The state.
        :param when: The time.
        """
        self.state = state
        # As in Airflow, a task that is marked again keeps the times of its last try.
        if self.start_date is None or self.end_date is None:
            self.start_date, self.end_date = self.start_date or when, when

    def clear(self) -> None:
        """Wait for another try; as in Airflow, the times of the last one stay until then."""
        self.state = None
        self.max_tries = self.try_number + self.retries


@dataclass
class ScriptedXCom:
    """One XCom."""

    key: str
    value: Any
    task_id: str
    map_index: int
    timestamp: datetime


@dataclass
class ScriptedRun:
    """One DAG run."""

    number: int
    dag_id: str
    run_id: str
    logical_date: datetime | None
    run_after: datetime
    data_interval: tuple[datetime, datetime] | None
    conf: dict[str, Any]
    note: str | None
    run_type: str
    triggered_by: str
    queued_at: datetime
    partition_key: str | None = None
    state: str = "queued"
    start_date: datetime | None = None
    end_date: datetime | None = None
    last_scheduling_decision: datetime | None = None
    task_instances: list[ScriptedTaskInstance] = field(default_factory=list)
    xcoms: list[ScriptedXCom] = field(default_factory=list)

    def set_xcom(self, key: str, value: Any, task_id: str, map_index: int, when: datetime) -> None:
        """Set an XCom, in place of any it had.

        :param key: Its key.
        :param value: Its value.
        :param task_id: The task that pushes it.
        :param map_index: The map index.
        :param when: The time.
        """
        identity = (task_id, key, map_index)
        self.xcoms = [xcom for xcom in self.xcoms if (xcom.task_id, xcom.key, xcom.map_index) != identity]
        self.xcoms.append(ScriptedXCom(key, value, task_id, map_index, when))


@dataclass
class ScriptedDag:
    """One DAG and the life its runs lead."""

    dag_id: str
    is_paused: bool
    tasks: tuple[str, ...]
    run_takes: float | None
    run_ends_in: str
    queued_for: float
    added_at: datetime
    unpaused_at: datetime | None = None
    has_import_errors: bool = False
    task_returns: dict[str, Any] = field(default_factory=dict)
    task_pushes: dict[str, dict[str, Any]] = field(default_factory=dict)
    mapped: dict[str, int] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    is_partitioned: bool = False
    #: The ids of a group's tasks, inner groups included, by the group's id.
    groups: dict[str, frozenset[str]] = field(default_factory=dict)
    operators: dict[str, str] = field(default_factory=dict)
    retries: int = 0

    def task_instance(self, run_id: str, task_id: str, map_index: int = -1) -> ScriptedTaskInstance:
        """Return a task instance that never ran.

        :param run_id: Its run id.
        :param task_id: The task.
        :param map_index: The map index; -1 for a task that is not mapped.
        """
        operator = self.operators.get(task_id, "EmptyOperator")
        return ScriptedTaskInstance(
            self.dag_id, run_id, task_id, map_index, max_tries=self.retries, operator=operator, retries=self.retries
        )

    def task_instances(self, run_id: str) -> list[ScriptedTaskInstance]:
        """Return the task instances of a new run.

        :param run_id: Its run id.
        """
        return [
            self.task_instance(run_id, task_id, map_index)
            for task_id in self.tasks
            for map_index in (range(self.mapped[task_id]) if task_id in self.mapped else (-1,))
        ]

    @property
    def version_id(self) -> str:
        """The id of its version that Airflow 3 gives."""
        return str(uuid.uuid5(_NAMESPACE, self.dag_id))


@dataclass
class ScriptedVariable:
    """One variable."""

    number: int
    key: str
    value: str
    description: str | None


@dataclass
class ScriptedPool:
    """One pool."""

    number: int
    name: str
    slots: int
    description: str | None
    include_deferred: bool = False
    running: int = 0
    queued: int = 0
    scheduled: int = 0


@dataclass
class ScriptedAssetEvent:
    """One event of an asset."""

    number: int
    timestamp: datetime
    extra: dict[str, Any]
    run_ids: dict[str, str] = field(default_factory=dict)


@dataclass
class ScriptedAsset:
    """One asset (a dataset, on Airflow 2), and the DAGs that it alone schedules."""

    number: int
    uri: str
    name: str
    created: datetime
    dag_ids: tuple[str, ...] = ()
    events: list[ScriptedAssetEvent] = field(default_factory=list)


@dataclass
class ScriptedConnection:
    """One connection; ``fields`` are those beside its id and type."""

    number: int
    connection_id: str
    conn_type: str
    fields: dict[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class ScriptedImportError:
    """One import error."""

    number: int
    timestamp: datetime
    filename: str
    stack_trace: str


def groups_of(task_ids: Iterable[str], further: Mapping[str, Iterable[str]]) -> dict[str, frozenset[str]]:
    """Return the ids of the tasks of each group, inner groups included.

    :param task_ids: The ids of all tasks; what stands before a dot is a group's id.
    :param further: The ids of the tasks of groups that cannot be told so.
    """
    groups: dict[str, set[str]] = {group_id: set(tasks) for group_id, tasks in further.items()}
    for task_id in task_ids:
        steps = task_id.split(".")
        for end in range(1, len(steps)):
            groups.setdefault(".".join(steps[:end]), set()).add(task_id)
    return {group_id: frozenset(tasks) for group_id, tasks in groups.items()}
