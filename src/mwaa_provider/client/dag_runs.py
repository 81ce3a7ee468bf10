"""DAG runs of an environment."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from mwaa_provider.client import input_checks, urls
from mwaa_provider.client.core import ClientCore, raise_problems
from mwaa_provider.client.looks import Look
from mwaa_provider.client.models import DAG_RUN_STATES, DagRun
from mwaa_provider.client.rest.filters import RUN_ORDERS
from mwaa_provider.client.rest.paging import rows_of
from mwaa_provider.client.retry import UNKNOWN_OUTCOME
from mwaa_provider.client.waiting import wait
from mwaa_provider.client.watching import RunWatch, States, ended_well
from mwaa_provider.client.which_runs import WhichRuns
from mwaa_provider.exceptions import (
    DagNotFoundError,
    NotFoundError,
    UnknownOutcomeError,
)


class DagRunCalls(ClientCore):
    """Calls about DAG runs."""

    def trigger_dag_run(
        self,
        environment_name: str,
        dag_id: str,
        *,
        run_id: str | None = None,
        conf: Mapping[str, Any] | None = None,
        logical_date: datetime | None = None,
        note: str | None = None,
        data_interval_start: datetime | None = None,
        data_interval_end: datetime | None = None,
        run_after: datetime | None = None,
        partition_key: str | None = None,
    ) -> DagRun:
        """Start a run of a DAG, once.

        The run always has an id that we chose. If an answer is lost, the run is looked up by that id, and asked for again only if it is
        not there.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id (default: ``mwaa__`` and 32 random hexadecimal digits).
        :param conf: The run's configuration, a JSON object.
        :param logical_date: The date the run is for, with time zone (default: Airflow 2 takes now, Airflow 3 takes none).
        :param note: A note on the run.
        :param data_interval_start: The beginning of the data it is for, with time zone; Airflow 2.9.2 and later, and Airflow 3 with a
            ``logical_date`` only (default: what the DAG's timetable says).
        :param data_interval_end: The end of that, not before the beginning; both are given, or neither.
        :param run_after: When it may begin at the earliest, with time zone; Airflow 3.0.6 and later (default: now).
        :param partition_key: The partition it is for; Airflow 3.2.1 and later, on 3.3.1 for a partitioned DAG only (default: none).
        :raises InvalidInputError: naming every problem of the arguments, or everything that the environment's release does not do.
        :raises DagNotFoundError: if the environment has no such DAG.
        :raises ConflictError: if a run of that id, or on Airflow 2 of that logical date, exists.
        :raises UnknownOutcomeError: if the answer was lost and the run is not there (yet): call again with the same ``run_id``.
        """
        raise_problems(
            [
                *input_checks.check_environment_name(environment_name),
                *input_checks.check_dag_id("dag_id", dag_id),
                *input_checks.check_run_id("run_id", run_id),
                *input_checks.check_conf("conf", conf),
                *input_checks.check_moment("logical_date", logical_date),
                *input_checks.check_text("note", note),
                *input_checks.check_data_interval(data_interval_start, data_interval_end),
                *input_checks.check_moment("run_after", run_after),
                *input_checks.check_partition_key("partition_key", partition_key),
            ]
        )
        run_id = run_id or f"mwaa__{uuid.uuid4().hex}"
        airflow = self._airflow(environment_name)
        try:
            return self._retry.create(
                lambda: airflow.trigger_dag_run(
                    dag_id,
                    run_id=run_id,
                    conf=conf,
                    logical_date=logical_date,
                    note=note,
                    data_interval_start=data_interval_start,
                    data_interval_end=data_interval_end,
                    run_after=run_after,
                    partition_key=partition_key,
                ),
                look_up=lambda: self.find_dag_run(environment_name, dag_id, run_id),
            )
        except NotFoundError as error:
            raise DagNotFoundError(
                f"Environment {environment_name!r} has no DAG {dag_id!r}; no run was started.",
                environment_name=environment_name,
                dag_id=dag_id,
            ) from error
        except UNKNOWN_OUTCOME as error:
            raise UnknownOutcomeError(
                f"Nobody knows whether run {run_id!r} of DAG {dag_id!r} was started in environment {environment_name!r}: "
                f"{error.message} It is not there yet. Ask again with the same run id: it can exist only once.",
                environment_name=environment_name,
                dag_id=dag_id,
                run_id=run_id,
            ) from error

    def get_dag_run(self, environment_name: str, dag_id: str, run_id: str) -> DagRun:
        """Return a run as it is now. Like every read, it is repeated when it fails for a passing reason.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :raises NotFoundError: if there is no such run.
        """
        raise_problems(
            [*input_checks.check_dag_id("dag_id", dag_id), *input_checks.check_existing_run_id("run_id", run_id)]
        )
        airflow = self._airflow(environment_name)
        return self._retry.repeat(lambda: airflow.get_dag_run(dag_id, run_id))

    def find_dag_run(self, environment_name: str, dag_id: str, run_id: str) -> DagRun | None:
        """Return a run as it is now, or ``None`` if there is no such run.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        """
        try:
            return self.get_dag_run(environment_name, dag_id, run_id)
        except NotFoundError:
            return None

    def find_latest_dag_run(self, environment_name: str, dag_id: str) -> DagRun | None:
        """Return the run of a DAG that was to begin last (by ``run_after``; on Airflow 2 by logical date), or ``None`` if it has none.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        """
        is_airflow_3 = self._known_environment(environment_name).airflow_major >= 3
        order_by = "-run_after" if is_airflow_3 else "-logical_date"  # Airflow 3 has runs without a logical date
        return next(self.list_dag_runs(environment_name, dag_id, order_by=order_by), None)

    def list_dag_runs(
        self,
        environment_name: str,
        dag_ids: str | Collection[str] | None = None,
        *,
        states: str | Collection[str] | None = None,
        logical_date_gte: datetime | None = None,
        logical_date_lte: datetime | None = None,
        start_date_gte: datetime | None = None,
        start_date_lte: datetime | None = None,
        end_date_gte: datetime | None = None,
        end_date_lte: datetime | None = None,
        run_after_gte: datetime | None = None,
        run_after_lte: datetime | None = None,
        order_by: str = "id",
    ) -> Iterator[DagRun]:
        """Return runs, page by page as they are wanted. An unknown DAG has none.

        In the order in which they were made, every run that is there from beginning to end comes once, also while others come and go.
        A run that has no value in a range's date lies in no range.
        https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html

        :param environment_name: The environment's name.
        :param dag_ids: Only of this DAG, or these (default: all).
        :param states: Only in this state, or one of these: ``queued``, ``running``, ``success``, ``failed`` (default: all).
        :param logical_date_gte: Only for this date or later, with time zone (default: no limit).
        :param logical_date_lte: Only for this date or earlier.
        :param start_date_gte: Only begun then or later.
        :param start_date_lte: Only begun then or earlier.
        :param end_date_gte: Only ended then or later.
        :param end_date_lte: Only ended then or earlier.
        :param run_after_gte: Only those that may begin then or later; Airflow 3 only.
        :param run_after_lte: Only those that may begin then or earlier; Airflow 3 only.
        :param order_by: ``id`` (default: the order in which they were made), ``dag_id``, ``run_id``, ``state``, ``logical_date``,
            ``start_date``, ``end_date``, or on Airflow 3 ``run_after``; with ``-`` before it the other way round.
        :raises InvalidInputError: naming every problem of the arguments, before any call of the REST API.
        :raises IncompleteListError: while it is read, if runs change their places in this order faster than that.
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
        state_list, problems_of_states = input_checks.check_ids("states", states, _check_state)
        raise_problems(
            [
                *input_checks.check_environment_name(environment_name),
                *problems_of_dags,
                *problems_of_states,
                *(problem for field, limit in limits.items() for problem in input_checks.check_moment(field, limit)),
                *input_checks.check_one_of("order_by", str(order_by).removeprefix("-"), RUN_ORDERS),
            ]
        )
        airflow = self._airflow(environment_name)
        listing = airflow.dag_runs(dag_ids=dag_id_list, states=state_list, limits=limits, order_by=order_by)
        return rows_of(listing, repeat=self._retry.repeat)

    def dag_run_url(self, environment_name: str, dag_id: str, run_id: str) -> str:
        """Return the address of a run's page in the environment's user interface, whether the run is there or not.

        It is empty for a caller who may neither describe the environment nor log in to it: nobody tells its web server's host.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :raises InvalidInputError: naming every problem of the arguments.
        """
        raise_problems(
            [
                *input_checks.check_environment_name(environment_name),
                *input_checks.check_dag_id("dag_id", dag_id),
                *input_checks.check_existing_run_id("run_id", run_id),
            ]
        )
        return urls.dag_run_url(self._known_environment(environment_name), dag_id, run_id)

    def wait_for_dag_run(
        self,
        environment_name: str,
        dag_id: str,
        run_id: str,
        *,
        poke_interval: float = 60.0,
        timeout: float | None = None,
        allowed_states: Collection[str] = ("success",),
        failed_states: Collection[str] = ("failed",),
    ) -> DagRun:
        """Wait until a run has ended, and return it.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param run_id: The run's id.
        :param poke_interval: Seconds between two looks (default 60).
        :param timeout: Seconds to wait at most (default: no limit).
        :param allowed_states: States that end the wait well (default: ``success``).
        :param failed_states: States that end it with an error (default: ``failed``).
        :raises DagRunFailedError: if the run failed.
        :raises DagRunTimeoutError: if time was up; the run goes on.
        """
        raise_problems(
            input_checks.check_wait(
                poke_interval=poke_interval, timeout=timeout, allowed_states=allowed_states, failed_states=failed_states
            )
        )
        states = States(tuple(allowed_states), tuple(failed_states))
        watch = RunWatch(WhichRuns(dag_id, run_ids=(run_id,)), states, check_existence=True)

        def look() -> Look:
            run = self.find_dag_run(environment_name, dag_id, run_id)
            return watch.judge([] if run is None else [run], environment_name)

        seen = wait(look, poke_interval=poke_interval, timeout=timeout, clock=self._clock)
        return ended_well(seen, environment_name, allowed_states=allowed_states, timeout=timeout)


def _check_state(field: str, value: Any) -> list[str]:
    return input_checks.check_one_of(field, value, sorted(DAG_RUN_STATES))
