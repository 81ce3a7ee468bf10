"""What a finished task has used: its duration, its peak of memory, its processor time."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from mwaa_provider.metrics.model import Measurement, dimension_value

#: Name to unit of the metrics of a task.
TASK_METRICS = {"task_duration": "Seconds", "task_peak_memory": "Bytes", "task_cpu_time": "Seconds"}
#: What stands for the DAG and the task of those that are beyond the cap.
OTHER = "(other)"
#: The kernel counts in KiB, macOS in bytes.
_MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class TaskFigures:
    """What one task has used in one try.

    :param dag_id: The DAG's id.
    :param task_id: The task's id.
    :param at: When it had finished, in seconds since 1970.
    :param seconds: How long it ran.
    :param memory: The peak of memory of its process, or of the largest one that it has started and waited for, in bytes.
    :param cpu_seconds: Processor time of its process, and of those that it has started and waited for.
    """

    dag_id: str
    task_id: str
    at: float
    seconds: float
    memory: int
    cpu_seconds: float

    @property
    def key(self) -> str:
        """What tells its series from those of other tasks."""
        return f"{self.dag_id} {self.task_id}"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it, short."""
        return {
            "d": self.dag_id,
            "t": self.task_id,
            "at": self.at,
            "s": self.seconds,
            "m": self.memory,
            "c": self.cpu_seconds,
        }

    @classmethod
    def from_json(cls, line: Any) -> TaskFigures | None:
        """Return what :meth:`to_json` gave, or ``None`` if it is something else.

        :param line: What JSON held.
        """
        try:
            return cls(
                str(line["d"]), str(line["t"]), float(line["at"]), float(line["s"]), int(line["m"]), float(line["c"])
            )
        except (KeyError, TypeError, ValueError):
            return None


class TaskMeter:
    """Measures this process from now on, for the task that it runs.

    :param dag_id: The DAG's id.
    :param task_id: The task's id.
    """

    def __init__(self, dag_id: str, task_id: str) -> None:
        self._dag_id = dag_id
        self._task_id = task_id
        self._began = time.monotonic()
        self._cpu = _cpu_seconds()

    def read(self, not_ours: float = 0.0) -> TaskFigures:
        """Tell what was used until now.

        :param not_ours: Processor seconds that the process has spent on something else (default 0).
        """
        memory = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return TaskFigures(
            self._dag_id,
            self._task_id,
            time.time(),
            time.monotonic() - self._began,
            memory * _MEMORY_UNIT,
            max(0.0, _cpu_seconds() - self._cpu - not_ours),
        )


def task_measurements(
    environment_name: str, figures: Iterable[TaskFigures], known: Collection[str]
) -> list[Measurement]:
    """Return the values of finished tasks, by DAG and task; those that are not known count together as others.

    :param environment_name: The environment's name.
    :param figures: What the tasks have used.
    :param known: The keys of those that may have series of their own.
    """
    measurements = []
    for one in figures:
        dag_id, task_id = (one.dag_id, one.task_id) if one.key in known else (OTHER, OTHER)
        dimensions = {
            "Environment": environment_name,
            "Category": "task",
            "DAG": dimension_value(dag_id),
            "Task": dimension_value(task_id),
        }
        at = datetime.fromtimestamp(one.at, timezone.utc)
        values = {"task_duration": one.seconds, "task_peak_memory": float(one.memory), "task_cpu_time": one.cpu_seconds}
        measurements += [Measurement(name, values[name], unit, at, dimensions) for name, unit in TASK_METRICS.items()]
    return measurements


def _cpu_seconds() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )
