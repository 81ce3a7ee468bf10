"""Task instances of an environment, and their XComs."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.client.core import ClientCore, raise_problems
from mwaa_provider.client.models import TaskInstance, XCom, XComEntry
from mwaa_provider.client.rest.logs import LogPage
from mwaa_provider.client.rest.paging import Listing, rows_of
from mwaa_provider.client.urls import task_instance_url
from mwaa_provider.exceptions import NotFoundError

#: After so many parts a log is taken as it is; MWAA's log handler gives all of it in one.
_MOST_LOG_PAGES = 20


class TaskInstanceCalls(ClientCore):
    """Calls about task instances and XComs."""

    def list_task_instances(
        self,
        environment_name: str,
        dag_ids: str | Collection[str] | None = None,
        run_ids: str | Collection[str] | None = None,
        *,
        task_ids: str | Collection[str] | None = None,
        task_group_id: str | None = None,
        states: str | Collection[str | None] | None = None,
        logical_date_gte: datetime | None = None,
        logical_date_lte: datetime | None = None,
        start_date_gte: datetime | None = None,
        start_date_lte: datetime | None = None,
        end_date_gte: datetime | None = None,
        end_date_lte: datetime | None = None,
        run_after_gte: datetime | None = None,
        run_after_lte: datetime | None = None,
    ) -> Iterator[TaskInstance]:
        """Return task instances of one run or of many, page by page as they are wanted. An unknown DAG or run has none.

        They come in the order in which they were last tried on Airflow 3, and in none on Airflow 2. Airflow 2.7 to 2.9 answers for more
        than one run, or with filters, with all at once: narrow it, or an answer beyond 6 MB goes by web session only. Deep in a long list
        each page takes longer: read it by ranges of dates.
        https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html

        :param environment_name: The environment's name.
        :param dag_ids: Only of this DAG, or these (default: all).
        :param run_ids: Only of the run of this id, or these (default: all).
        :param task_ids: Only of this task, or these (default: all).
        :param task_group_id: Only of the tasks of this group of the one DAG, inner groups included (default: all). Before Airflow 3.2.1,
            whose REST API knows no groups, of the tasks whose ids begin with the group's id and a dot: those of a group that was made
            with ``prefix_group_id=False`` are not found. A group that is not there has none.
        :param states: Only in this state, or one of these; ``[None]`` for those that were not scheduled yet (default: all).
        :param logical_date_gte: Only of runs for this date or later, with time zone (default: no limit).
        :param logical_date_lte: Only of runs for this date or earlier.
        :param start_date_gte: Only begun then or later.
        :param start_date_lte: Only begun then or earlier.
        :param end_date_gte: Only ended then or later.
        :param end_date_lte: Only ended then or earlier.
        :param run_after_gte: Only of runs that may begin then or later; Airflow 3 only.
        :param run_after_lte: Only of runs that may begin then or earlier; Airflow 3 only.
        :raises InvalidInputError: naming every problem of the arguments, before any call of the REST API.
        :raises IncompleteListError: while it is read, if the list changes faster than that.
        """
        limits = {
            "logical_date_gte": logical_date_gte,
            "logical_date_lte": logical_date_lte,
            "start_date_gte": start_date_gte,
            "start_date_lte": start_date_lte,
            "end_date_gte": end_date_gte,
            "end_date_lte": end_date_lte,
            "run_after_gte": run_after_gte,
            "run_after_lte": run_after_lte,
        }
        dag_id_list, problems_of_dags = input_checks.check_ids("dag_ids", dag_ids, input_checks.check_dag_id)
        run_id_list, problems_of_runs = input_checks.check_ids("run_ids", run_ids, input_checks.check_existing_run_id)
        task_id_list, problems_of_tasks = input_checks.check_ids("task_ids", task_ids, input_checks.check_task_id)
        state_list, problems_of_states = input_checks.check_ids("states", states, _check_state)
        raise_problems(
            [
                *input_checks.check_environment_name(environment_name),
                *problems_of_dags,
                *problems_of_runs,
                *problems_of_tasks,
                *_problems_of_group(task_group_id, dag_id_list),
                *problems_of_states,
                *(problem for field, limit in limits.items() for problem in input_checks.check_moment(field, limit)),
            ]
        )
        airflow = self._airflow(environment_name)
        if task_group_id is not None and dag_id_list is not None and airflow.knows_task_groups:
            wanted = _Wanted(task_ids=task_id_list, states=state_list)
            listings = [
                airflow.task_instances_of_group(dag_id_list[0], run_id, task_group_id, limits)
                for run_id in run_id_list or ["~"]
            ]
            return (task for listing in listings for task in self._rows_if_there(listing) if wanted.has(task))
        listing = airflow.task_instances(
            dag_ids=dag_id_list, run_ids=run_id_list, task_ids=task_id_list, states=state_list, limits=limits
        )
        tasks = rows_of(listing, repeat=self._retry.repeat)
        if task_group_id is None:
            return tasks
        return (task for task in tasks if task.task_id.startswith(f"{task_group_id}."))

    def _rows_if_there(self, listing: Listing[TaskInstance]) -> Iterator[TaskInstance]:
        # This list says that a run or a group is not there, where the others have no rows.
        with suppress(NotFoundError):
            yield from rows_of(listing, repeat=self._retry.repeat)

    def get_task_instance(
        self, environment_name: str, dag_id: str, run_id: str, task_id: str, *, map_index: int = -1
    ) -> TaskInstance:
        """Return a task instance as it is now.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param task_id: The task's id.
        :param map_index: Its number among the mapped instances of the task (default -1: the task is not mapped).
        :raises InvalidInputError: naming every problem of the arguments.
        :raises NotFoundError: if there is none, or the task is mapped and no ``map_index`` was given.
        """
        raise_problems(
            [
                *_problems_of_task(environment_name, dag_id, run_id, task_id),
                *input_checks.check_map_index("map_index", map_index),
            ]
        )
        airflow = self._airflow(environment_name)
        return self._retry.repeat(lambda: airflow.get_task_instance(dag_id, run_id, task_id, map_index))

    def get_task_log(
        self,
        environment_name: str,
        dag_id: str,
        run_id: str,
        task_id: str,
        *,
        try_number: int,
        map_index: int = -1,
        tail: int = 4000,
    ) -> str:
        """Return the end of what a task said in one try, with its secrets masked as Airflow masked them.

        Of a task that is running, what it said so far. Airflow gives the whole log, so by IAM alone one beyond 6 MB cannot be had.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param task_id: The task's id.
        :param try_number: Which try, from 1.
        :param map_index: Its number among the mapped instances of the task (default -1: the task is not mapped).
        :param tail: How many characters to return at most; the first line of them is a whole one (default 4,000).
        :raises InvalidInputError: naming every problem of the arguments.
        :raises NotFoundError: if there is no such task instance, or on Airflow 3 no such try; Airflow 2 says that in the text.
        """
        raise_problems(
            [
                *_problems_of_task(environment_name, dag_id, run_id, task_id),
                *input_checks.check_map_index("map_index", map_index),
                *input_checks.check_count("try_number", try_number),
                *input_checks.check_count("tail", tail),
            ]
        )
        airflow = self._airflow(environment_name)

        def ask(token: str | None) -> LogPage:
            return self._retry.repeat(
                lambda: airflow.get_task_log(dag_id, run_id, task_id, try_number, map_index=map_index, token=token)
            )

        page = ask(None)
        text = page.text
        for _ in range(_MOST_LOG_PAGES):
            if page.token is None or not page.text.strip():
                break
            page = ask(page.token)
            text = "\n".join(part for part in (text[-tail:], page.text) if part)
        return _end_of(text.rstrip(), tail)

    def task_instance_url(
        self, environment_name: str, dag_id: str, run_id: str, task_id: str, *, map_index: int = -1
    ) -> str:
        """Return the address of a task instance's page in the environment's user interface, whether it is there or not.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param task_id: The task's id.
        :param map_index: Its number among the mapped instances of the task (default -1: the task is not mapped).
        :raises InvalidInputError: naming every problem of the arguments.
        """
        raise_problems(
            [
                *_problems_of_task(environment_name, dag_id, run_id, task_id),
                *input_checks.check_map_index("map_index", map_index),
            ]
        )
        environment = self._known_environment(environment_name)
        return task_instance_url(environment, dag_id, run_id, task_id, map_index=map_index)

    def list_xcoms(
        self,
        environment_name: str,
        dag_id: str,
        run_id: str,
        *,
        task_id: str | None = None,
        map_index: int | None = None,
    ) -> Iterator[XComEntry]:
        """Return what XComs a run has, without their values, page by page as they are wanted.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param task_id: Only of this task (default: of all).
        :param map_index: Only of this mapped instance; -1 for tasks that are not mapped (default: of all).
        :raises InvalidInputError: naming every problem of the arguments.
        """
        raise_problems(
            [
                *_problems_of_task(environment_name, dag_id, run_id, "any" if task_id is None else task_id),
                *input_checks.check_map_index("map_index", map_index, optional=True),
            ]
        )
        listing = self._airflow(environment_name).xcoms(dag_id, run_id, task_id=task_id, map_index=map_index)
        return rows_of(listing, repeat=self._retry.repeat)

    def get_xcom(
        self,
        environment_name: str,
        dag_id: str,
        run_id: str,
        task_id: str,
        key: str = "return_value",
        *,
        map_index: int = -1,
    ) -> XCom:
        """Return an XCom with its value, as the release tells it: before Airflow 2.10 as Python's text of it (see ``XCom.is_text``).

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param task_id: The id of the task that pushed it.
        :param key: Its key (default: what the task returned); one with ``/`` can be asked for on 2.11 and from 3.1 on.
        :param map_index: Which mapped instance of the task pushed it (default -1: the task is not mapped).
        :raises InvalidInputError: naming every problem of the arguments.
        :raises NotFoundError: if there is none.
        """
        raise_problems(
            [
                *_problems_of_task(environment_name, dag_id, run_id, task_id),
                *input_checks.check_key("key", key),
                *input_checks.check_map_index("map_index", map_index),
            ]
        )
        airflow = self._airflow(environment_name)
        return self._retry.repeat(lambda: airflow.get_xcom(dag_id, run_id, task_id, key, map_index=map_index))


def _end_of(text: str, most: int) -> str:
    end = text[-most:]
    is_whole = len(end) == len(text) or text[-most - 1] == "\n"
    return end if is_whole else end[end.find("\n") + 1 :]


@dataclass(frozen=True)
class _Wanted:
    """What to leave over of a list that cannot be narrowed by several values: how MWAA writes them into a query is not published."""

    task_ids: list[str] | None
    states: list[str] | None

    def has(self, task: TaskInstance) -> bool:
        return (self.task_ids is None or task.task_id in self.task_ids) and (
            self.states is None or task.state in self.states
        )


def _problems_of_group(task_group_id: str | None, dag_ids: list[str] | None) -> list[str]:
    if task_group_id is None:
        return []
    problems = input_checks.check_task_group_id("task_group_id", task_group_id)
    if dag_ids is None or len(dag_ids) != 1:
        problems.append(f"task_group_id: {task_group_id!r} is a group of one DAG; give that as dag_ids")
    return problems


def _problems_of_task(environment_name: str, dag_id: str, run_id: str, task_id: str) -> list[str]:
    return [
        *input_checks.check_environment_name(environment_name),
        *input_checks.check_dag_id("dag_id", dag_id),
        *input_checks.check_existing_run_id("run_id", run_id),
        *input_checks.check_task_id("task_id", task_id),
    ]


def _check_state(field: str, value: Any) -> list[str]:
    # Which states there are differs by release; Airflow says so itself.
    if value is None or (isinstance(value, str) and value):
        return []
    return [f"{field}: {value!r} is not a task instance's state; give for example 'failed', or None for no state"]
