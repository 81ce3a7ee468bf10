"""What one look at an environment told: how far things are, as one line of news, and in a plain form that an event can hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, TypeVar

from mwaa_provider.client.models import DagRun, Environment, TaskInstance

#: ``wait``: it may still become what is wanted. ``met``: it is. ``failed``, ``skipped``: it ended as something else.
Verdict = Literal["wait", "met", "failed", "skipped"]

_Seen = TypeVar("_Seen", DagRun, TaskInstance)


@dataclass(frozen=True)
class Look:
    """What one look told.

    :param verdict: What to do next.
    :param news: What there is to see, as one line; a line that did not change is no news.
    :param runs: The runs that were seen.
    :param tasks: The task instances that were seen.
    :param environment: The environment, where it is what is waited for.
    :param run_states: How many runs are in which state; only of a look that was :meth:`shortened`, which may have lost some of them.
    :param task_states: How many instances of which task are in which state; likewise.
    """

    verdict: Verdict
    news: str
    runs: tuple[DagRun, ...] = ()
    tasks: tuple[TaskInstance, ...] = ()
    environment: Environment | None = None
    run_states: Mapping[str, int] | None = None
    task_states: Mapping[str, Mapping[str, int]] | None = None

    def shortened(self) -> Look:
        """Return the look as an event can hold it: all are counted; of many runs and tasks fifty are kept, those without success first."""
        if self.run_states is not None:
            return self
        task_ids = sorted({task.task_id for task in self.tasks})
        return replace(
            self,
            runs=_most_telling(self.runs),
            tasks=_most_telling(self.tasks),
            run_states=_counts(self.runs),
            task_states={name: _counts([task for task in self.tasks if task.task_id == name]) for name in task_ids},
        )

    def as_plain(self) -> dict[str, Any]:
        """Return what an event can hold: the look, shortened."""
        short = self.shortened()
        return {
            "verdict": short.verdict,
            "news": short.news,
            "runs": [_plain(run, _RUN_FIELDS) for run in short.runs],
            "tasks": [_plain(task, _TASK_FIELDS) for task in short.tasks],
            "environment": None if short.environment is None else _plain(short.environment, _ENVIRONMENT_FIELDS),
            "run_states": short.run_states,
            "task_states": short.task_states,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Look:
        """Return the look that this is the plain form of.

        :param plain: What ``as_plain`` gave.
        """
        environment = plain["environment"]
        return cls(
            plain["verdict"],
            plain["news"],
            runs=tuple(DagRun(**_with_dates(run)) for run in plain["runs"]),
            tasks=tuple(TaskInstance(**_with_dates(task)) for task in plain["tasks"]),
            environment=None if environment is None else Environment(**environment),
            run_states=plain["run_states"],
            task_states=plain["task_states"],
        )


#: How many runs, and how many task instances, a look keeps that is shortened.
_SHOWN = 50
_RUN_FIELDS = ("dag_id", "run_id", "state", "logical_date", "start_date", "end_date", "run_type")
_TASK_FIELDS = (
    "dag_id",
    "run_id",
    "task_id",
    "map_index",
    "state",
    "try_number",
    "max_tries",
    "start_date",
    "end_date",
    "operator",
)
_ENVIRONMENT_FIELDS = ("name", "airflow_version", "web_server_host", "status", "arn", "last_update_error")


def _plain(model: DagRun | TaskInstance | Environment, fields: Sequence[str]) -> dict[str, Any]:
    values = {name: getattr(model, name) for name in fields}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def _with_dates(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value) if name.endswith("_date") and value is not None else value
        for name, value in plain.items()
    }


def _most_telling(seen: tuple[_Seen, ...]) -> tuple[_Seen, ...]:
    if len(seen) <= _SHOWN:
        return seen
    return tuple(sorted(seen, key=lambda one: one.state == "success")[:_SHOWN])


_NOT_YET = "not scheduled yet"


def news_of_runs(runs: Sequence[DagRun], dag_id: str, missing: str, environment_name: str) -> str:
    """Return how runs of a DAG stand, as one line.

    :param runs: The runs.
    :param dag_id: The DAG's id.
    :param missing: What is not there, if there is none.
    :param environment_name: The environment's name.
    """
    if not runs:
        return f"There is no {missing} in environment {environment_name} yet"
    if len(runs) == 1:
        return f"Run {runs[0].run_id} of DAG {dag_id} in environment {environment_name} is {runs[0].state}"
    return f"{len(runs)} runs of DAG {dag_id} in environment {environment_name}: {_told(runs)}"


def news_of_tasks(tasks: Sequence[TaskInstance], environment_name: str) -> str:
    """Return how task instances of a DAG stand, as one line.

    :param tasks: The task instances; one at least.
    :param environment_name: The environment's name.
    """
    first = tasks[0]
    run_ids = {task.run_id for task in tasks}
    runs = f"run {first.run_id}" if len(run_ids) == 1 else f"{len(run_ids)} runs"
    where = f"{runs} of DAG {first.dag_id} in environment {environment_name}"
    if len(tasks) == 1:
        return f"Task {first.task_id} of {where} is {first.state or _NOT_YET}"
    return f"{len(tasks)} task instances of {where}: {_told(tasks)}"


def _counts(seen: Sequence[DagRun] | Sequence[TaskInstance]) -> dict[str, int]:
    """Return how many are in which state; one that was not scheduled yet is in the state ``none``."""
    counts = Counter(one.state or "none" for one in seen)
    return dict(sorted(counts.items()))


def _told(seen: Sequence[DagRun] | Sequence[TaskInstance]) -> str:
    return ", ".join(f"{count} {_NOT_YET if state == 'none' else state}" for state, count in _counts(seen).items())
