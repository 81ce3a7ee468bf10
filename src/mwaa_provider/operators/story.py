"""Why a run over there failed, or could not begin: told in the local task's error, so that nobody has to go and look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mwaa_provider.client.models import DagRun, TaskInstance
from mwaa_provider.exceptions import DagNotFoundError, DagRunFailedError, MwaaError, TaskFailedError

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient

_TASKS_TOLD = 5
_LOG_CHARACTERS = 1500
_IMPORT_ERRORS_TOLD = 3


def of_failed_run(error: DagRunFailedError, run: DagRun, client: MwaaClient, environment_name: str) -> MwaaError:
    """Return the error with the tasks that failed over there, the end of their logs, and the link.

    What cannot be read is left out, and that is said: the error must not be lost for another.

    :param error: That the run failed.
    :param run: The run.
    :param client: The client.
    :param environment_name: The environment's name.
    """
    try:
        url = client.dag_run_url(environment_name, run.dag_id, run.run_id)
        failed = list(
            client.list_task_instances(environment_name, run.dag_id, run.run_id, states=["failed", "upstream_failed"])
        )
    except MwaaError as problem:
        return error.with_note(f"Its tasks could not be read: {problem}")
    causes = sorted(
        (task for task in failed if task.state == "failed"), key=lambda task: (task.end_date is None, task.end_date)
    )
    lines = _of_tasks(causes, client, environment_name)
    if len(failed) > len(causes):
        lines.append(f"{len(failed) - len(causes)} tasks did not run because of these (upstream_failed)")
    if not failed:
        lines.append("None of its tasks failed: somebody may have marked the run, or its dagrun_timeout was reached")
    return error.with_note("\n".join(["", *lines, *([f"See {url}"] if url else [])]))


def of_failed_tasks(
    error: TaskFailedError, tasks: Sequence[TaskInstance], client: MwaaClient, environment_name: str
) -> MwaaError:
    """Return the error with the end of the tasks' logs, or of those whose failure kept them from running, and the link.

    What cannot be read is left out, and that is said: the error must not be lost for another.

    :param error: That the tasks failed.
    :param tasks: The tasks; one at least.
    :param client: The client.
    :param environment_name: The environment's name.
    """
    first = tasks[0]
    told = [task for task in tasks if task.state == "failed"]
    lines: list[str] = []
    try:
        url = client.dag_run_url(environment_name, first.dag_id, first.run_id)
        if not told and any(task.state == "upstream_failed" for task in tasks):
            lines.append("What failed before:")
            told = list(client.list_task_instances(environment_name, first.dag_id, first.run_id, states="failed"))
    except MwaaError as problem:
        return error.with_note(f"More could not be read: {problem}")
    lines += _of_tasks(told, client, environment_name)
    return error.with_note("\n".join(["", *lines, *([f"See {url}"] if url else [])]))


def _of_tasks(tasks: Sequence[TaskInstance], client: MwaaClient, environment_name: str) -> list[str]:
    lines = [_of_task(task, client, environment_name) for task in tasks[:_TASKS_TOLD]]
    if len(tasks) > _TASKS_TOLD:
        lines.append(f"... and {len(tasks) - _TASKS_TOLD} more failed tasks")
    return lines


def name_of(task: TaskInstance) -> str:
    """Return how a task instance is called.

    :param task: The task instance.
    """
    return task.task_id if task.map_index < 0 else f"{task.task_id} [{task.map_index}]"


def _of_task(task: TaskInstance, client: MwaaClient, environment_name: str) -> str:
    what = f"Task {name_of(task)} ({task.operator or 'unknown operator'}) failed, try {task.try_number} of {task.max_tries + 1}"
    try:
        log = client.get_task_log(
            environment_name,
            task.dag_id,
            task.run_id,
            task.task_id,
            map_index=task.map_index,
            try_number=max(1, task.try_number),
            tail=_LOG_CHARACTERS,
        )
    except MwaaError as problem:
        return f"{what}; its log could not be read: {problem.message}"
    end = log.strip()
    return f"{what}; its log ends with:\n{_indented(end)}" if end else f"{what}; its log is empty"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())


def of_missing_dag(error: DagNotFoundError, client: MwaaClient, environment_name: str) -> MwaaError:
    """Return the error with the import errors of the environment: a DAG whose file does not parse is not there.

    :param error: That there is no such DAG.
    :param client: The client.
    :param environment_name: The environment's name.
    """
    try:
        broken = sorted(
            client.list_import_errors(environment_name),
            key=lambda one: (error.dag_id not in f"{one.file_name} {one.stack_trace}", one.file_name),
        )
    except MwaaError:
        return error
    if not broken:
        return error.with_note("It has no import errors.")
    lines = [
        f"    {one.file_name}: {(one.stack_trace.strip().splitlines() or ['no reason given'])[-1]}"
        for one in broken[:_IMPORT_ERRORS_TOLD]
    ]
    if len(broken) > _IMPORT_ERRORS_TOLD:
        lines.append(f"    ... and {len(broken) - _IMPORT_ERRORS_TOLD} more")
    return error.with_note("\n".join(["These files cannot be imported there:", *lines]))
