"""DAGs of an environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mwaa_provider.client import input_checks
from mwaa_provider.client.core import ClientCore, raise_problems
from mwaa_provider.client.models import Dag
from mwaa_provider.client.rest.paging import rows_of
from mwaa_provider.exceptions import DagNotFoundError, NotFoundError


class DagCalls(ClientCore):
    """Calls about DAGs."""

    def get_dag(self, environment_name: str, dag_id: str) -> Dag:
        """Return a DAG.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :raises InvalidInputError: if this cannot be a DAG's id.
        :raises DagNotFoundError: if the environment has no such DAG.
        """
        raise_problems(input_checks.check_dag_id("dag_id", dag_id))
        airflow = self._airflow(environment_name)
        return self._of_a_dag(environment_name, dag_id, lambda: airflow.get_dag(dag_id))

    def list_dags(
        self,
        environment_name: str,
        *,
        is_paused: bool | None = None,
        dag_id_pattern: str | None = None,
        tag: str | None = None,
    ) -> Iterator[Dag]:
        """Return the DAGs that the scheduler knows, in the order of their ids, page by page as they are wanted.

        https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html

        :param environment_name: The environment's name.
        :param is_paused: Only those that are (``True``) or are not (``False``) paused (default: both).
        :param dag_id_pattern: Only those with this in their id, in any case; ``%`` stands for anything (default: all).
        :param tag: Only those with this tag (default: all).
        :raises InvalidInputError: naming every problem of the arguments, before any call.
        """
        raise_problems(
            [
                *input_checks.check_environment_name(environment_name),
                *([] if is_paused is None else input_checks.check_one_of("is_paused", is_paused, (True, False))),
                *(
                    []
                    if tag is None or "," not in tag
                    else [f"tag: {tag!r} has a comma; Airflow 2 takes it for two tags"]
                ),
            ]
        )
        airflow = self._airflow(environment_name)
        return rows_of(
            airflow.dags(is_paused=is_paused, dag_id_pattern=dag_id_pattern, tag=tag), repeat=self._retry.repeat
        )

    def set_dag_paused(self, environment_name: str, dag_id: str, is_paused: bool) -> Dag:
        """Pause a DAG (runs that are not running yet stay queued), or let it go on, and return it.

        :param environment_name: The environment's name.
        :param dag_id: The DAG's id.
        :param is_paused: ``True`` to pause it, ``False`` to let it go on.
        :raises InvalidInputError: if this cannot be a DAG's id.
        :raises DagNotFoundError: if the environment has no such DAG.
        """
        raise_problems(
            [
                *input_checks.check_environment_name(environment_name),
                *input_checks.check_dag_id("dag_id", dag_id),
                *input_checks.check_one_of("is_paused", is_paused, (True, False)),
            ]
        )
        airflow = self._airflow(environment_name)
        return self._of_a_dag(environment_name, dag_id, lambda: airflow.set_dag_paused(dag_id, is_paused))

    def _of_a_dag(self, environment_name: str, dag_id: str, call: Callable[[], Dag]) -> Dag:
        try:
            return self._retry.repeat(call)
        except NotFoundError as error:
            raise DagNotFoundError(
                f"Environment {environment_name!r} has no DAG {dag_id!r}. Check the id and the environment; a DAG file that was just "
                "uploaded shows after up to five minutes, and one that cannot be imported shows under import errors.",
                environment_name=environment_name,
                dag_id=dag_id,
            ) from error
