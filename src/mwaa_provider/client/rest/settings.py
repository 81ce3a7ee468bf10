"""Variables, pools and connections."""

from __future__ import annotations

from typing import Any

from mwaa_provider.client.models import Pool, Variable
from mwaa_provider.client.rest import endpoints, shapes
from mwaa_provider.client.rest.core import RestCore
from mwaa_provider.client.rest.endpoints import Endpoint
from mwaa_provider.client.rest.paging import Listing

DEFAULT_POOL = "default_pool"

#: Before that a variable is made without the description it was to have.
_FIRST_TO_KEEP_DESCRIPTIONS = (2, 9)


class SettingEndpoints(RestCore):
    """Calls about variables, pools and connections."""

    def variables(self) -> Listing[Variable]:
        """Return the list of variables, in the order of their keys."""
        return self._listing(
            endpoints.LIST_VARIABLES,
            rows="variables",
            read=shapes.variable,
            key=lambda variable: variable.key,
            asked={"order_by": "key"},
            order="fixed",
        )

    def get_variable(self, key: str) -> Variable:
        """Return a variable.

        :param key: Its key.
        """
        return self._variable(endpoints.GET_VARIABLE, key)

    def create_variable(self, key: str, value: str, description: str | None) -> Variable:
        """Make a variable. Airflow 2 replaces one that is there.

        :param key: Its key.
        :param value: Its value.
        :param description: Its description.
        """
        answer = self._call(endpoints.CREATE_VARIABLE, body=_variable_body(key, value, description))
        if description is not None and self._release < _FIRST_TO_KEEP_DESCRIPTIONS:
            return self.update_variable(key, value, description)
        return self._read(endpoints.CREATE_VARIABLE, lambda: shapes.variable(answer.body))

    def update_variable(self, key: str, value: str, description: str | None) -> Variable:
        """Change a variable that is there.

        :param key: Its key.
        :param value: Its value.
        :param description: Its description; ``None`` leaves it.
        """
        return self._variable(endpoints.PATCH_VARIABLE, key, _variable_body(key, value, description))

    def delete_variable(self, key: str) -> None:
        """Delete a variable.

        :param key: Its key.
        """
        self._call(endpoints.DELETE_VARIABLE, {"key": key})

    def _variable(self, endpoint: Endpoint, key: str, body: dict[str, Any] | None = None) -> Variable:
        answer = self._call(endpoint, {"key": key}, body=body)
        return self._read(endpoint, lambda: shapes.variable(answer.body))

    def pools(self) -> Listing[Pool]:
        """Return the list of pools, in the order of their names."""
        return self._listing(
            endpoints.LIST_POOLS,
            rows="pools",
            read=shapes.pool,
            key=lambda pool: pool.name,
            asked={"order_by": "name"},
            order="fixed",
        )

    def get_pool(self, name: str) -> Pool:
        """Return a pool.

        :param name: Its name.
        """
        return self._pool(endpoints.GET_POOL, {"name": self._pool_name(name)})

    def create_pool(self, name: str, slots: int, description: str | None, include_deferred: bool) -> Pool:
        """Make a pool.

        :param name: Its name.
        :param slots: How many slots it has.
        :param description: Its description.
        :param include_deferred: Whether deferred tasks hold their slots.
        """
        body: dict[str, Any] = {"name": name, "slots": slots, "include_deferred": include_deferred}
        if description is not None:
            body["description"] = description
        return self._pool(endpoints.CREATE_POOL, {}, body=body)

    def update_pool(self, wanted: Pool) -> Pool:
        """Change a pool that is there.

        :param wanted: What it shall be: slots, description, include_deferred.
        """
        # Airflow 3 wants the pool whole, and then changes what is in the mask, or all; of the default pool only two fields. A mask of two
        # is a list in the query, whose form by IAM is not published: two calls.
        body: dict[str, Any] = {
            "name": wanted.name,
            "slots": wanted.slots,
            "include_deferred": wanted.include_deferred,
        }
        ids = {"name": self._pool_name(wanted.name)}
        if wanted.name != DEFAULT_POOL or self._major == 2:
            return self._pool(endpoints.PATCH_POOL, ids, body={**body, "description": wanted.description})
        self._pool(endpoints.PATCH_POOL, ids, body=body, params={"update_mask": "slots"})
        return self._pool(endpoints.PATCH_POOL, ids, body=body, params={"update_mask": "include_deferred"})

    def delete_pool(self, name: str) -> None:
        """Delete a pool.

        :param name: Its name.
        """
        self._call(endpoints.DELETE_POOL, {"name": self._pool_name(name)})

    def _pool(
        self,
        endpoint: Endpoint,
        ids: dict[str, str],
        *,
        body: dict[str, Any] | None = None,
        params: dict[str, Any] | None = None,
    ) -> Pool:
        answer = self._call(endpoint, ids, body=body, params=params)
        return self._read(endpoint, lambda: shapes.pool(answer.body))

    def connection_ids(self) -> Listing[str]:
        """Return the list of the connections' ids; nothing else of the answer is kept."""
        return self._listing(
            endpoints.LIST_CONNECTIONS,
            rows="connections",
            read=lambda row: str(row["connection_id"]),
            key=lambda connection_id: connection_id,
            asked={"order_by": "connection_id"},
            order="fixed",
        )

    def _pool_name(self, name: str) -> str:
        return self._in_path("name", name, may_have_slash=self._major >= 3)


def _variable_body(key: str, value: str, description: str | None) -> dict[str, Any]:
    body = {"key": key, "value": value}
    return body if description is None else {**body, "description": description}
