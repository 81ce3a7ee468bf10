"""DAGs and their runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from mwaa_provider.client.models import Dag, DagRun
from mwaa_provider.client.rest import endpoints, filters, new_run, shapes
from mwaa_provider.client.rest.core import RestCore
from mwaa_provider.client.rest.endpoints import Endpoint
from mwaa_provider.client.rest.paging import Listing
from mwaa_provider.client.time_limit import TimeLimit


class RunEndpoints(RestCore):
    """Calls about DAGs and their runs."""

    def dags(self, *, is_paused: bool | None, dag_id_pattern: str | None, tag: str | None) -> Listing[Dag]:
        """Return the list of DAGs, in the order of their ids.

        :param is_paused: Whether only those that are, or are not, paused.
        :param dag_id_pattern: Part of the id.
        :param tag: A tag they have.
        """
        asked = {
            "paused": filters.boolean(is_paused),
            "dag_id_pattern": dag_id_pattern,
            "tags": tag,
            "order_by": "dag_id",
        }
        return self._listing(
            endpoints.LIST_DAGS,
            rows="dags",
            read=shapes.dag,
            key=lambda dag: dag.dag_id,
            asked=filters.without_none(asked),
            order="fixed",
        )

    def get_dag(self, dag_id: str) -> Dag:
        """Return a DAG.

        :param dag_id: The DAG's id.
        """
        answer = self._call(endpoints.GET_DAG, {"dag_id": dag_id})
        return self._read(endpoints.GET_DAG, lambda: shapes.dag(answer.body))

    def set_dag_paused(self, dag_id: str, is_paused: bool) -> Dag:
        """Pause a DAG, or let it go on, and return it.

        :param dag_id: The DAG's id.
        :param is_paused: Whether to pause it.
        """
        answer = self._call(endpoints.PATCH_DAG, {"dag_id": dag_id}, body={"is_paused": is_paused})
        return self._read(endpoints.PATCH_DAG, lambda: shapes.dag(answer.body))

    def dag_runs(
        self,
        *,
        dag_ids: Sequence[str] | None,
        states: Sequence[str] | None,
        limits: Mapping[str, datetime | None],
        order_by: str,
    ) -> Listing[DagRun]:
        """Return the list of runs.

        :param dag_ids: The ids of their DAGs.
        :param states: States of which they are in one.
        :param limits: Ranges of their dates.
        :param order_by: What to sort them by.
        """
        sort, order = filters.run_order(order_by, self._major)
        asked = {"dag_ids": dag_ids, "states": states, "order_by": sort, **filters.ranges(limits, self._major)}
        return self._listing(
            endpoints.LIST_DAG_RUNS,
            rows="dag_runs",
            read=shapes.dag_run,
            key=lambda run: (run.dag_id, run.run_id),
            asked=filters.without_none(asked),
            order=order,
        )

    def trigger_dag_run(
        self,
        dag_id: str,
        *,
        run_id: str,
        conf: Mapping[str, Any] | None = None,
        logical_date: datetime | None = None,
        note: str | None = None,
        data_interval_start: datetime | None = None,
        data_interval_end: datetime | None = None,
        run_after: datetime | None = None,
        partition_key: str | None = None,
    ) -> DagRun:
        """Start a run of a DAG.

        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param conf: The run's configuration, a JSON object (default: empty).
        :param logical_date: The date the run is for (default: what the release takes).
        :param note: A note on the run (default: none).
        :param data_interval_start: The beginning of its data interval (default: what the DAG's timetable says).
        :param data_interval_end: The end of its data interval.
        :param run_after: When it may begin at the earliest (default: now).
        :param partition_key: The partition it is for (default: none).
        :raises InvalidInputError: naming everything that the release does not do.
        """
        body = new_run.body_of(
            self._release,
            run_id=run_id,
            conf=conf,
            logical_date=logical_date,
            note=note,
            data_interval_start=data_interval_start,
            data_interval_end=data_interval_end,
            run_after=run_after,
            partition_key=partition_key,
        )
        return self._dag_run(endpoints.TRIGGER_DAG_RUN, {"dag_id": dag_id}, body)

    def get_dag_run(self, dag_id: str, run_id: str) -> DagRun:
        """Return a run.

        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        """
        return self._dag_run(endpoints.GET_DAG_RUN, {"dag_id": dag_id, "run_id": run_id})

    def set_dag_run_state(self, dag_id: str, run_id: str, state: str, *, limit: TimeLimit | None = None) -> DagRun:
        """Set the state of a run, with what Airflow then does to its tasks, and return it.

        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param state: ``success``, ``failed`` or ``queued``.
        :param limit: The time the call has (default: what the way gives it).
        """
        ids = {"dag_id": dag_id, "run_id": run_id}
        return self._dag_run(endpoints.PATCH_DAG_RUN, ids, {"state": state}, limit=limit)

    def set_dag_run_note(self, dag_id: str, run_id: str, note: str) -> DagRun:
        """Replace the note on a run, and return it.

        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param note: The note.
        """
        endpoint = endpoints.NOTE_DAG_RUN if self._major == 2 else endpoints.PATCH_DAG_RUN
        return self._dag_run(endpoint, {"dag_id": dag_id, "run_id": run_id}, {"note": note})

    def clear_dag_run(self, dag_id: str, run_id: str) -> DagRun:
        """Clear all tasks of a run, so that it runs again, and return it.

        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        """
        # dry_run is true by default in v1 and v2: without it nothing would happen
        return self._dag_run(endpoints.CLEAR_DAG_RUN, {"dag_id": dag_id, "run_id": run_id}, {"dry_run": False})

    def _dag_run(
        self,
        endpoint: Endpoint,
        ids: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
        limit: TimeLimit | None = None,
    ) -> DagRun:
        answer = self._call(endpoint, ids, body=body, limit=limit)
        return self._read(endpoint, lambda: shapes.dag_run(answer.body))
