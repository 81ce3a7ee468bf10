"""Task instances and their XComs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from mwaa_provider.client.models import TaskInstance, XCom, XComEntry
from mwaa_provider.client.rest import endpoints, filters, logs, shapes
from mwaa_provider.client.rest.core import RestCore
from mwaa_provider.client.rest.logs import LogPage
from mwaa_provider.client.rest.paging import Listing

#: Up to here, the list by POST answers with all rows, whatever page was asked for.
_LAST_WITHOUT_PAGES = (2, 9, 99)
#: From here on an XCom's value comes as what it is.
_FIRST_WITH_VALUES = (2, 10)
#: From here on the list of XComs is sorted by all that tells one from another.
_FIRST_WITH_ORDERED_XCOMS = (2, 9)


class TaskEndpoints(RestCore):
    """Calls about task instances and XComs."""

    def task_instances(
        self,
        *,
        dag_ids: Sequence[str] | None,
        run_ids: Sequence[str] | None,
        task_ids: Sequence[str] | None,
        states: Sequence[str | None] | None,
        limits: Mapping[str, datetime | None],
    ) -> Listing[TaskInstance]:
        """Return the list of task instances.

        :param dag_ids: The ids of their DAGs.
        :param run_ids: The ids of their runs.
        :param task_ids: The ids of their tasks.
        :param states: States of which they are in one; ``None`` among them for no state.
        :param limits: Ranges of their runs' and their own dates.
        """
        given = {name: limit for name, limit in limits.items() if limit is not None}
        asks_for_more = bool(given) or task_ids is not None or states is not None
        if self._major == 2 and dag_ids and run_ids and len(dag_ids) == len(run_ids) == 1 and not asks_for_more:
            # Only this one pages on the releases whose list by POST does not.
            ids = {"dag_id": dag_ids[0], "run_id": run_ids[0]}
            return self._task_listing(endpoints.LIST_TASK_INSTANCES_OF_RUN, ids, {})
        asked: dict[str, object] = {"dag_ids": dag_ids, "dag_run_ids": run_ids, "task_ids": task_ids}
        asked |= filters.ranges(given, self._major)
        if states is not None:
            asked["state"] = [_state(state, self._major) for state in states]
        if self._major >= 3:
            asked["order_by"] = "id"
        return self._task_listing(endpoints.LIST_TASK_INSTANCES, {}, filters.without_none(asked))

    @property
    def knows_task_groups(self) -> bool:
        """Whether task instances can be asked for by their group."""
        return self._release >= endpoints.LIST_TASK_INSTANCES_OF_GROUP.since

    def task_instances_of_group(
        self, dag_id: str, run_id: str, task_group_id: str, limits: Mapping[str, datetime | None]
    ) -> Listing[TaskInstance]:
        """Return the list of the task instances of a group, inner groups included; Airflow 3.2.1 and later.

        :param dag_id: The DAG's id.
        :param run_id: The run's id; ``~`` for all runs.
        :param task_group_id: The group's id.
        :param limits: Ranges of their runs' and their own dates.
        """
        asked = {"task_group_id": task_group_id, "order_by": "id", **filters.ranges(limits, self._major)}
        return self._task_listing(endpoints.LIST_TASK_INSTANCES_OF_GROUP, {"dag_id": dag_id, "run_id": run_id}, asked)

    def _task_listing(
        self, endpoint: endpoints.Endpoint, ids: Mapping[str, str], asked: Mapping[str, object]
    ) -> Listing[TaskInstance]:
        return self._listing(
            endpoint,
            ids,
            rows="task_instances",
            read=shapes.task_instance,
            key=lambda task: (task.dag_id, task.run_id, task.task_id, task.map_index),
            asked=asked,
            # v2 gives a task instance another id with every try, and so another place: the last. v1 cannot sort them at all.
            order="moving" if self._major >= 3 else "none",
            obeys_limit=endpoint.method == "GET" or self._release > _LAST_WITHOUT_PAGES,
        )

    def get_task_instance(self, dag_id: str, run_id: str, task_id: str, map_index: int) -> TaskInstance:
        """Return a task instance.

        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param task_id: The task's id.
        :param map_index: Its number among the mapped ones; -1 for a task that is not mapped.
        """
        endpoint, ids = endpoints.GET_TASK_INSTANCE, {"dag_id": dag_id, "run_id": run_id, "task_id": task_id}
        if map_index >= 0:
            endpoint, ids = endpoints.GET_MAPPED_TASK_INSTANCE, {**ids, "map_index": str(map_index)}
        answer = self._call(endpoint, ids)
        return self._read(endpoint, lambda: shapes.task_instance(answer.body))

    def get_task_log(
        self, dag_id: str, run_id: str, task_id: str, try_number: int, *, map_index: int, token: str | None
    ) -> LogPage:
        """Return a part of what a task said in one try.

        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param task_id: The task's id.
        :param try_number: Which try.
        :param map_index: Its number among the mapped ones; -1 for a task that is not mapped.
        :param token: What the part before gave; ``None`` for the first.
        """
        ids = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "try_number": str(try_number)}
        params = filters.without_none({"map_index": map_index if map_index >= 0 else None, "token": token})
        answer = self._call(endpoints.GET_TASK_LOG, ids, params=params)
        return self._read(endpoints.GET_TASK_LOG, lambda: logs.page(answer.body))

    def xcoms(self, dag_id: str, run_id: str, *, task_id: str | None, map_index: int | None) -> Listing[XComEntry]:
        """Return the list of a run's XComs, without their values.

        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param task_id: The task's id; ``None`` for all tasks.
        :param map_index: Only of this mapped instance; ``None`` for all.
        """
        return self._listing(
            endpoints.LIST_XCOMS,
            {"dag_id": dag_id, "run_id": run_id, "task_id": task_id or "~"},
            rows="xcom_entries",
            read=lambda row: shapes.xcom_entry(row, run_id),
            key=lambda entry: (entry.task_id, entry.map_index, entry.key),
            asked=filters.without_none({"map_index": map_index}),
            order="fixed" if self._release >= _FIRST_WITH_ORDERED_XCOMS else "none",
        )

    def get_xcom(self, dag_id: str, run_id: str, task_id: str, key: str, *, map_index: int) -> XCom:
        """Return an XCom.

        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param task_id: The task's id.
        :param key: Its key.
        :param map_index: Which mapped instance of the task pushed it; -1 for a task that is not mapped.
        """
        self._in_path("key", key, may_have_slash=(2, 11) <= self._release < (3,) or self._release >= (3, 1))
        has_values = self._release >= _FIRST_WITH_VALUES
        params: dict[str, object] = {"map_index": map_index} if map_index >= 0 else {}
        if has_values:
            params["stringify"] = "false"
        ids = {"dag_id": dag_id, "run_id": run_id, "task_id": task_id, "key": key}
        answer = self._call(endpoints.GET_XCOM, ids, params=params)
        return self._read(endpoints.GET_XCOM, lambda: shapes.xcom(answer.body, run_id, is_text=not has_values))


def _state(state: str | None, major: int) -> str | None:
    return "none" if state is None and major == 2 else state
