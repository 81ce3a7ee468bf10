"""What an environment's Airflow says of itself."""

from __future__ import annotations

from collections.abc import Iterator

from mwaa_provider.client import input_checks
from mwaa_provider.client.core import ClientCore, raise_problems
from mwaa_provider.client.models import DagImportError, Health
from mwaa_provider.client.rest.paging import rows_of


class MonitoringCalls(ClientCore):
    """Calls about an Airflow as a whole."""

    def list_import_errors(self, environment_name: str) -> Iterator[DagImportError]:
        """Return the DAG files that do not parse, in the order they were noticed, page by page as they are wanted.

        https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html

        :param environment_name: The environment's name.
        """
        raise_problems(input_checks.check_environment_name(environment_name))
        return rows_of(self._airflow(environment_name).import_errors(), repeat=self._retry.repeat)

    def get_health(self, environment_name: str) -> Health:
        """Return how the components of an environment's Airflow are, by Airflow's own word.

        https://airflow.apache.org/docs/apache-airflow/stable/administration-and-deployment/logging-monitoring/check-health.html

        :param environment_name: The environment's name.
        """
        raise_problems(input_checks.check_environment_name(environment_name))
        return self._retry.repeat(self._airflow(environment_name).get_health)

    def get_version(self, environment_name: str) -> str:
        """Return the version that an environment's Airflow tells, ``3.2.1`` for example.

        :param environment_name: The environment's name.
        """
        raise_problems(input_checks.check_environment_name(environment_name))
        return self._retry.repeat(self._airflow(environment_name).get_version)
