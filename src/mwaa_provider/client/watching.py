"""What is waited for over there, and what one look at it tells.

Waiting in a task, a sensor's poke and a trigger ask the same watch, so they come to the same end. ``look`` asks the environment;
``judge`` only thinks: the triggers' poller, which sees many runs in one answer, calls it with what it saw.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mwaa_provider.client.looks import Look, Verdict, news_of_runs, news_of_tasks
from mwaa_provider.client.models import ENDED_TASK_STATES, DagRun, TaskInstance
from mwaa_provider.client.which_runs import WhichRuns
from mwaa_provider.exceptions import DagRunFailedError, DagRunNotFoundError, DagRunTimeoutError, TaskNotFoundError

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient


class Watch(Protocol):
    """Something in an environment that is waited for."""

    def look(self, client: MwaaClient, environment_name: str) -> Look:
        """Look at it once.

        :param client: The client.
        :param environment_name: The environment's name.
        :raises MwaaError: if it could not be seen, or cannot be waited for.
        """


@dataclass(frozen=True)
class States:
    """Which states end a wait, and how. An ended state that stands nowhere counts as failed: it will not change by itself.

    :param allowed: End it well.
    :param failed: End it with an error.
    :param skipped: End it by skipping the local task.
    """

    allowed: Collection[str]
    failed: Collection[str] = ()
    skipped: Collection[str] = ()

    def verdict(self, state: str | None, *, is_ended: bool) -> Verdict:
        """Judge one state.

        :param state: The state.
        :param is_ended: Whether it will not change by itself any more.
        """
        if state in self.allowed:
            return "met"
        if state in self.skipped:
            return "skipped"
        if state in self.failed or is_ended:
            return "failed"
        return "wait"


def together(verdicts: Collection[Verdict]) -> Verdict:
    """Return the verdict over several: one failure fails all, one skipped skips all, and all have to be met.

    :param verdicts: One or more.
    """
    kinds: tuple[Verdict, ...] = ("failed", "skipped", "wait")
    return next((verdict for verdict in kinds if verdict in verdicts), "met")


@dataclass(frozen=True)
class RunWatch:
    """Waiting for runs of a DAG.

    :param which: Which runs.
    :param states: Which states end the wait, and how.
    :param check_existence: Whether a run that is not there is an error (default: it is waited for).
    """

    which: WhichRuns
    states: States
    check_existence: bool = False

    def look(self, client: MwaaClient, environment_name: str) -> Look:
        """Look at them once.

        :param client: The client.
        :param environment_name: The environment's name.
        """
        return self.judge(self.which.find(client, environment_name), environment_name)

    def judge(self, runs: Sequence[DagRun], environment_name: str) -> Look:
        """Say what there is to be seen.

        :param runs: Those of the runs that there are.
        :param environment_name: The environment's name.
        :raises DagRunNotFoundError: if one is missing that has to be there.
        """
        verdict = together([self._verdict(run) for run in runs])
        if not self.which.is_whole(runs):
            _check_existence(self.which, self.check_existence, environment_name)
            verdict = "failed" if verdict == "failed" else "wait"
        return Look(verdict, news_of_runs(runs, self.which.dag_id, str(self.which), environment_name), runs=tuple(runs))

    def failed_of(self, look: Look) -> list[DagRun]:
        """Return those that make a look a failure.

        :param look: The look.
        """
        return [run for run in look.runs if self._verdict(run) == "failed"]

    def _verdict(self, run: DagRun) -> Verdict:
        return self.states.verdict(run.state, is_ended=not run.is_active)


@dataclass(frozen=True)
class TaskWatch:
    """Waiting for tasks of runs of a DAG, mapped ones included.

    :param which: Which runs.
    :param states: Which states end the wait, and how.
    :param task_ids: The tasks' ids.
    :param task_group_id: The id of a task group, instead of ``task_ids``.
    :param map_index: Only this mapped instance (default: all).
    :param check_existence: Whether a run that is not there is an error (default: it is waited for).
    """

    which: WhichRuns
    states: States
    task_ids: tuple[str, ...] = ()
    task_group_id: str | None = None
    map_index: int | None = None
    check_existence: bool = False

    def look(self, client: MwaaClient, environment_name: str) -> Look:
        """Look at them once.

        :param client: The client.
        :param environment_name: The environment's name.
        """
        runs = self.which.find(client, environment_name)
        tasks: list[TaskInstance] = []
        if runs:
            tasks = list(
                client.list_task_instances(
                    environment_name,
                    self.which.dag_id,
                    [run.run_id for run in runs],
                    task_ids=list(self.task_ids) or None,
                    task_group_id=self.task_group_id,
                )
            )
        return self.judge(runs, tasks, environment_name)

    def means(self, task: TaskInstance) -> bool:
        """Tell whether a task is one of those that were named; which belong to a group only the environment knows.

        :param task: The task instance.
        """
        return not self.task_ids or task.task_id in self.task_ids

    def judge(self, runs: Sequence[DagRun], tasks: Sequence[TaskInstance], environment_name: str) -> Look:
        """Say what there is to be seen.

        :param runs: Those of the runs that there are.
        :param tasks: Their task instances, as far as they are meant; ``map_index`` is looked at here.
        :param environment_name: The environment's name.
        :raises DagRunNotFoundError: if a run is missing that has to be there.
        :raises TaskNotFoundError: if a run has begun and has no such task.
        """
        verdicts: list[Verdict] = []
        meant: list[TaskInstance] = []
        for run in runs:
            of_run = [task for task in tasks if task.run_id == run.run_id and task.dag_id == run.dag_id]
            found = self._meant_of(run, of_run, environment_name)
            meant += found
            verdicts += [self._verdict(task, is_over=not run.is_active) for task in found] or ["wait"]
        verdict = together(verdicts)
        if not self.which.is_whole(runs):
            _check_existence(self.which, self.check_existence, environment_name)
            verdict = "failed" if verdict == "failed" else "wait"
        news = (
            news_of_tasks(meant, environment_name)
            if meant
            else news_of_runs(runs, self.which.dag_id, str(self.which), environment_name)
        )
        return Look(verdict, news, runs=tuple(runs), tasks=tuple(meant))

    def _meant_of(self, run: DagRun, tasks: Sequence[TaskInstance], environment_name: str) -> list[TaskInstance]:
        missing = set(self.task_ids) - {task.task_id for task in tasks}
        has_begun = run.state != "queued"  # until then Airflow may not have made its task instances
        if has_begun and (missing or not tasks):
            what = (
                f"task {', '.join(map(repr, sorted(missing)))}" if missing else f"task in group {self.task_group_id!r}"
            )
            raise TaskNotFoundError(
                f"Run {run.run_id!r} of DAG {run.dag_id!r} in environment {environment_name!r} has no {what}. Check the ids; a task in a "
                "group is called GROUP.TASK unless the group says prefix_group_id=False.",
                environment_name=environment_name,
                dag_id=run.dag_id,
                run_id=run.run_id,
                task_ids=sorted(missing),
            )
        if self.map_index is None:
            return list(tasks)
        found = [task for task in tasks if task.map_index == self.map_index]
        is_expanded = all(task.map_index >= 0 for task in tasks)
        if tasks and not found and (is_expanded or not run.is_active):
            raise TaskNotFoundError(
                f"Run {run.run_id!r} of DAG {run.dag_id!r} in environment {environment_name!r} has no mapped instance {self.map_index} of "
                f"task {tasks[0].task_id!r}; it has {len(tasks)}.",
                environment_name=environment_name,
                dag_id=run.dag_id,
                run_id=run.run_id,
                task_ids=[tasks[0].task_id],
            )
        return found

    def failed_of(self, look: Look) -> list[TaskInstance]:
        """Return those that make a look a failure.

        :param look: The look.
        """
        ended = {run.run_id for run in look.runs if not run.is_active}
        return [task for task in look.tasks if self._verdict(task, is_over=task.run_id in ended) == "failed"]

    def _verdict(self, task: TaskInstance, *, is_over: bool) -> Verdict:
        # A task of a run that has ended does not begin any more, whatever its own state says.
        return self.states.verdict(task.state, is_ended=task.state in ENDED_TASK_STATES or is_over)


def _check_existence(which: WhichRuns, check_existence: bool, environment_name: str) -> None:
    if check_existence:
        raise DagRunNotFoundError(
            f"Environment {environment_name!r} has no {which}, or not all of them. Check the ids and dates, or set "
            "check_existence=False to wait for them to appear.",
            environment_name=environment_name,
            dag_id=which.dag_id,
            run_id=which.run_ids[0] if len(which.run_ids) == 1 else None,
        )


#: Statuses of an environment on its way to AVAILABLE; PENDING may last up to 72 hours.
#: https://docs.aws.amazon.com/mwaa/latest/API/API_Environment.html
ON_THE_WAY = frozenset({"CREATING", "CREATING_SNAPSHOT", "UPDATING", "PENDING", "ROLLING_BACK", "MAINTENANCE"})


@dataclass(frozen=True)
class EnvironmentWatch:
    """Waiting for an environment to be available."""

    def look(self, client: MwaaClient, environment_name: str) -> Look:
        """Look at it once.

        :param client: The client.
        :param environment_name: The environment's name.
        """
        environment = client.get_environment(environment_name)
        verdict: Verdict = "wait" if environment.status in ON_THE_WAY else "failed"
        if environment.status == "AVAILABLE":
            verdict = "met"
        return Look(verdict, f"Environment {environment_name} is {environment.status}", environment=environment)


def ended_well(look: Look, environment_name: str, *, allowed_states: Collection[str], timeout: float | None) -> DagRun:
    """Return the run of the last look at one run, or say how it ended otherwise.

    :param look: The last look; a verdict of ``wait`` means that time was up.
    :param environment_name: The environment's name.
    :param allowed_states: What was wanted.
    :param timeout: How long was waited, in seconds.
    :raises DagRunFailedError: if the run failed.
    :raises DagRunTimeoutError: if time was up; the run goes on.
    """
    run = look.runs[0]
    where = f"Run {run.run_id!r} of DAG {run.dag_id!r} in environment {environment_name!r}"
    facts = {"environment_name": environment_name, "dag_id": run.dag_id, "run_id": run.run_id, "state": run.state}
    if look.verdict == "wait":
        raise DagRunTimeoutError(
            f"{where} is still {run.state!r} after {timeout} seconds. It goes on there; a retry of this task waits for the same run.",
            timeout=timeout,
            **facts,
        )
    if look.verdict == "failed":
        raise DagRunFailedError(
            f"{where} ended as {run.state!r} (wanted: {', '.join(sorted(allowed_states))}). Look at its tasks there; a retry or a clear of "
            "this task runs it again.",
            **facts,
        )
    return run
