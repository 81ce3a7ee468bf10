"""How many there are: DAGs, runs, tasks, import errors. Each is one call, whatever the number."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.client.core import ClientCore, raise_problems
from mwaa_provider.client.models import DAG_RUN_STATES, TASK_STATES
from mwaa_provider.client.rest.paging import Listing


class CountCalls(ClientCore):
    """Calls that count."""

    def count_dags(self, environment_name: str, *, is_paused: bool | None = None) -> int:
        """Return how many DAGs the scheduler knows.

        :param environment_name: The environment's name.
        :param is_paused: Only those that are (``True``) or are not (``False``) paused (default: both).
        """
        raise_problems(input_checks.check_environment_name(environment_name))
        return self._count(self._airflow(environment_name).dags(is_paused=is_paused, dag_id_pattern=None, tag=None))

    def count_import_errors(self, environment_name: str) -> int:
        """Return how many DAG files do not parse; Airflow 3.2 counts a file once for each DAG that it had.

        :param environment_name: The environment's name.
        """
        raise_problems(input_checks.check_environment_name(environment_name))
        return self._count(self._airflow(environment_name).import_errors())

    def count_dag_runs(
        self,
        environment_name: str,
        *,
        states: str | Collection[str] | None = None,
        end_date_gte: datetime | None = None,
    ) -> int:
        """Return how many runs there are.

        :param environment_name: The environment's name.
        :param states: Only in this state, or one of these (default: all).
        :param end_date_gte: Only ended then or later, with time zone (default: no limit).
        :raises InvalidInputError: naming every problem of the arguments.
        """
        wanted, problems = input_checks.check_ids("states", states, _check_run_state)
        raise_problems(
            [
                *input_checks.check_environment_name(environment_name),
                *problems,
                *input_checks.check_moment("end_date_gte", end_date_gte),
            ]
        )
        limits = {"end_date_gte": end_date_gte}
        return self._count(
            self._airflow(environment_name).dag_runs(dag_ids=None, states=wanted, limits=limits, order_by="id")
        )

    def count_task_instances(self, environment_name: str, *, states: str | Collection[str] | None = None) -> int:
        """Return how many task instances there are. Airflow 2.7 to 2.9 sends them all to be counted.

        :param environment_name: The environment's name.
        :param states: Only in this state, or one of these (default: all).
        :raises InvalidInputError: naming every problem of the arguments.
        """
        wanted, problems = input_checks.check_ids("states", states, _check_task_state)
        raise_problems([*input_checks.check_environment_name(environment_name), *problems])
        return self._count(
            self._airflow(environment_name).task_instances(
                dag_ids=None, run_ids=None, task_ids=None, states=wanted, limits={}
            )
        )

    def _count(self, listing: Listing[Any]) -> int:
        return self._retry.repeat(lambda: listing.fetch(0, 1).total)


def _check_run_state(field: str, value: Any) -> list[str]:
    return input_checks.check_one_of(field, value, sorted(DAG_RUN_STATES))


def _check_task_state(field: str, value: Any) -> list[str]:
    return input_checks.check_one_of(field, value, sorted(TASK_STATES))
