"""DAGs of an environment."""

from __future__ import annotations

from mwaa_provider.client import input_checks
from mwaa_provider.client.core import ClientCore, raise_problems
from mwaa_provider.client.models import Dag
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
        try:
            return self._retry.repeat(lambda: airflow.get_dag(dag_id))
        except NotFoundError as error:
            raise DagNotFoundError(
                f"Environment {environment_name!r} has no DAG {dag_id!r}. Check the id and the environment; a DAG file that was just "
                "uploaded shows after up to five minutes, and one that cannot be imported shows under import errors.",
                environment_name=environment_name,
                dag_id=dag_id,
            ) from error
