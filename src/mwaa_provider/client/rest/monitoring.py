"""What an Airflow says of itself."""

from __future__ import annotations

from mwaa_provider.client.models import DagImportError, Health
from mwaa_provider.client.rest import endpoints, shapes
from mwaa_provider.client.rest.core import RestCore
from mwaa_provider.client.rest.paging import Listing


class MonitoringEndpoints(RestCore):
    """Calls about an Airflow as a whole."""

    def import_errors(self) -> Listing[DagImportError]:
        """Return the list of DAG files that do not parse, in the order they were noticed."""
        return self._listing(
            endpoints.LIST_IMPORT_ERRORS,
            rows="import_errors",
            read=shapes.import_error,
            key=lambda error: error.import_error_id,
            asked={"order_by": "import_error_id"},
            # 3.2.1 counts an error once for each DAG that the file had, and shows it once.
            order="merged" if self._major >= 3 else "fixed",
        )

    def get_version(self) -> str:
        """Return the version that Airflow tells."""
        answer = self._call(endpoints.GET_VERSION)
        return self._read(endpoints.GET_VERSION, lambda: str(answer.body["version"]))

    def get_health(self) -> Health:
        """Return how Airflow's components are."""
        endpoint = endpoints.GET_HEALTH_3 if self._major >= 3 else endpoints.GET_HEALTH_2
        answer = self._call(endpoint)
        return self._read(endpoint, lambda: shapes.health(answer.body))
