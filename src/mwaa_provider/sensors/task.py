"""MwaaTaskSensor: wait for tasks of a run in another MWAA environment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from mwaa_provider.client.looks import Look
from mwaa_provider.client.models import TASK_STATES
from mwaa_provider.client.watching import TaskWatch
from mwaa_provider.exceptions import MwaaError, TaskFailedError
from mwaa_provider.operators import story
from mwaa_provider.sensors import run_input
from mwaa_provider.sensors.runs import MwaaRunsSensor

if TYPE_CHECKING:
    from mwaa_provider.triggers.task import MwaaTaskTrigger

_TOLD = 5


class MwaaTaskSensor(MwaaRunsSensor):
    """Wait until tasks of a run in another MWAA environment have succeeded: one, several, or a task group; mapped ones included.

    Which run is said as for :class:`mwaa_provider.sensors.dag_run.MwaaDagRunSensor`, which tasks by exactly one of
    ``external_task_id``, ``external_task_ids`` and ``external_task_group_id``.

    All their instances have to reach ``allowed_states``. Every end of a task ends the wait: ``failed``, ``upstream_failed`` and
    ``removed`` fail this task, as does a state of none of the three lists in a run that has ended; ``skipped`` skips it.
    ``up_for_retry`` is no end. A default gives way: ``allowed_states=["success", "skipped"]`` takes ``skipped`` for well.

    Where the other environment's Airflow is older than 3.2.1, a task group's tasks are told by their ids, which begin with the group's;
    a group with ``prefix_group_id=False`` cannot be waited for there.

    The result (XCom) is that of :class:`mwaa_provider.sensors.dag_run.MwaaDagRunSensor`, and ``tasks``: of each task id, how many
    instances are in which state.

    IAM actions: ``airflow:GetEnvironment`` on the environment; ``airflow:InvokeRestApi`` or ``airflow:CreateWebLoginToken`` on
    ``arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE``.
    https://docs.aws.amazon.com/mwaa/latest/userguide/access-mwaa-apache-airflow-rest-api.html

    :param environment_name: The other environment's name. (templated)
    :param external_dag_id: The DAG's id over there. (templated)
    :param external_task_id: The task's id; in a group, ``GROUP.TASK``. (templated)
    :param external_task_ids: The ids of several tasks. (templated)
    :param external_task_group_id: The id of a task group. (templated)
    :param map_index: Only this mapped instance of ``external_task_id`` (default: all). (templated)
    :param kwargs: ``external_run_id``, ``logical_date``, ``execution_delta``, ``execution_date_fn``, ``window``, ``latest``,
        ``allowed_states`` (default ``["success"]``), ``failed_states`` (default ``["failed", "upstream_failed", "removed"]``),
        ``skipped_states`` (default ``["skipped"]``), ``check_existence`` (see :class:`mwaa_provider.sensors.runs.MwaaRunsSensor`),
        ``deferrable``, and all else that :class:`mwaa_provider.sensors.base.MwaaBaseSensor` takes.
    :raises InvalidInputError: naming every problem of the arguments, before anything is asked.
    :raises TaskFailedError: if a task failed; it tells the end of its log, or what failed before it.
    :raises TaskNotFoundError: if a run has begun and has no such task.
    :raises DagRunNotFoundError: with ``check_existence``, if there is no such run.
    :raises DagNotFoundError: with ``check_existence``, if there is no such DAG; it tells the import errors.
    """

    template_fields: Sequence[str] = (
        *MwaaRunsSensor.template_fields,
        "external_task_id",
        "external_task_ids",
        "external_task_group_id",
        "map_index",
    )
    default_states = {
        "allowed_states": ("success",),
        "failed_states": ("failed", "upstream_failed", "removed"),
        "skipped_states": ("skipped",),
    }
    known_states = TASK_STATES
    noun = "task"

    def __init__(
        self,
        *,
        environment_name: str,
        external_dag_id: str,
        external_task_id: str | None = None,
        external_task_ids: Collection[str] | None = None,
        external_task_group_id: str | None = None,
        map_index: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(environment_name=environment_name, external_dag_id=external_dag_id, **kwargs)
        self.external_task_id = external_task_id
        self.external_task_ids = external_task_ids
        self.external_task_group_id = external_task_group_id
        self.map_index = map_index

    def read_more(self) -> run_input.Read:
        """Read which tasks are meant."""
        return run_input.read_tasks(self)

    def trigger_of_runs(self, **arguments: Any) -> MwaaTaskTrigger:
        """Return the trigger that would wait."""
        from mwaa_provider.triggers.task import MwaaTaskTrigger

        return MwaaTaskTrigger(**arguments)

    def result(self, look: Look) -> dict[str, Any]:
        """Return what was seen of the runs and the tasks.

        :param look: The last look.
        """
        tasks = {task_id: dict(states) for task_id, states in (look.task_states or {}).items()}
        return {**super().result(look), "tasks": tasks}

    def failure(self, look: Look, watch: TaskWatch) -> MwaaError:
        """Return the error that tells which tasks failed, and how.

        :param look: The last look.
        :param watch: What was looked at.
        """
        failed = watch.failed_of(look) or list(look.tasks)
        first = failed[0]
        states = {story.name_of(task): task.state for task in failed}
        told = [f"task {name} is {state or 'not scheduled'}" for name, state in list(states.items())[:_TOLD]]
        error = TaskFailedError(
            f"{look.news}: {', '.join(told)} (wanted: {', '.join(sorted(watch.states.allowed))}).",
            environment_name=self.environment_name,
            dag_id=first.dag_id,
            run_id=first.run_id,
            states=states,
        )
        return story.of_failed_tasks(error, failed, self.hook.client, self.environment_name)
