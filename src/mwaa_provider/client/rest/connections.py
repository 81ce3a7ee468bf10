"""Connections; what comes back of them holds no password."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mwaa_provider.client.models import Connection
from mwaa_provider.client.rest import endpoints, shapes
from mwaa_provider.client.rest.core import RestCore
from mwaa_provider.client.rest.endpoints import Endpoint
from mwaa_provider.client.rest.paging import Listing


class ConnectionEndpoints(RestCore):
    """Calls about connections."""

    def connections(self) -> Listing[Connection]:
        """Return the list of connections, in the order of their ids."""
        return self._listing(
            endpoints.LIST_CONNECTIONS,
            rows="connections",
            read=lambda row: shapes.connection(row, has_extra=self._major >= 3),
            key=lambda connection: connection.connection_id,
            asked={"order_by": "connection_id"},
            order="fixed",
        )

    def create_connection(self, connection_id: str, fields: Mapping[str, Any]) -> Connection:
        """Make a connection.

        :param connection_id: Its id.
        :param fields: What it shall have; ``conn_type`` among it.
        """
        return self._connection(endpoints.CREATE_CONNECTION, {}, {"connection_id": connection_id, **fields})

    def update_connection(self, connection_id: str, fields: Mapping[str, Any]) -> Connection:
        """Change a connection that is there.

        :param connection_id: Its id.
        :param fields: What it shall have, ``conn_type`` among it; what is left out stays.
        """
        ids = {"connection_id": connection_id}
        return self._connection(endpoints.PATCH_CONNECTION, ids, {**ids, **fields})

    def delete_connection(self, connection_id: str) -> None:
        """Delete a connection.

        :param connection_id: Its id.
        """
        self._call(endpoints.DELETE_CONNECTION, {"connection_id": connection_id})

    def _connection(self, endpoint: Endpoint, ids: Mapping[str, str], body: Mapping[str, Any]) -> Connection:
        answer = self._call(endpoint, ids, body=body)
        return self._read(endpoint, lambda: shapes.connection(answer.body, has_extra=self._major >= 3))
