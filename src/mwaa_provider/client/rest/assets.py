"""Assets (Airflow 3) and datasets (Airflow 2), and the events of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mwaa_provider.client.models import Asset, AssetEvent
from mwaa_provider.client.rest import endpoints, shapes
from mwaa_provider.client.rest.core import RestCore
from mwaa_provider.client.rest.paging import Listing
from mwaa_provider.exceptions import InvalidInputError

_FIRST_WITH_EVENTS = (2, 9)


class AssetEndpoints(RestCore):
    """Calls about assets and their events."""

    def assets(self, uri: str) -> Listing[Asset]:
        """Return the list of assets whose URI has this in it.

        :param uri: A part of the URI, in which ``%`` and ``_`` stand for anything.
        """
        is_two = self._major == 2
        return self._listing(
            endpoints.LIST_DATASETS if is_two else endpoints.LIST_ASSETS,
            rows="datasets" if is_two else "assets",
            read=_asset,
            key=lambda asset: asset.asset_id,
            asked={"uri_pattern": uri, "order_by": "id"},
            order="fixed",
        )

    def check_events(self) -> None:
        """Check that the release takes events.

        :raises InvalidInputError: if it does not.
        """
        if self._release < _FIRST_WITH_EVENTS:
            raise InvalidInputError(
                [
                    f"environment_name: Airflow {self._environment.airflow_version} of environment {self._environment.name!r} takes no "
                    "dataset events from elsewhere, 2.9 and later do; trigger the DAG, or update the environment"
                ]
            )

    def create_asset_event(self, asset: Asset, extra: Mapping[str, Any]) -> AssetEvent:
        """Make an event; every call makes another.

        :param asset: The asset.
        :param extra: What goes with it.
        """
        if self._major == 2:
            answer = self._call(endpoints.CREATE_DATASET_EVENT, body={"dataset_uri": asset.uri, "extra": dict(extra)})
            return self._read(endpoints.CREATE_DATASET_EVENT, lambda: _event(answer.body, asset))
        answer = self._call(endpoints.CREATE_ASSET_EVENT, body={"asset_id": asset.asset_id, "extra": dict(extra)})
        return self._read(endpoints.CREATE_ASSET_EVENT, lambda: _event(answer.body, asset))

    def latest_asset_events(self, asset: Asset, *, offset: int, limit: int) -> list[AssetEvent]:
        """Return the latest events of an asset, the last one first.

        :param asset: The asset.
        :param offset: How many to pass over.
        :param limit: How many at most.
        """
        is_two = self._major == 2
        endpoint = endpoints.LIST_DATASET_EVENTS if is_two else endpoints.LIST_ASSET_EVENTS
        which = {"dataset_id" if is_two else "asset_id": asset.asset_id}
        answer = self._call(endpoint, params={**which, "order_by": "-timestamp", "offset": offset, "limit": limit})
        rows = "dataset_events" if is_two else "asset_events"
        return self._read(endpoint, lambda: [_event(row, asset) for row in answer.body[rows]])


def _asset(body: Mapping[str, Any]) -> Asset:
    return Asset(asset_id=body["id"], uri=body["uri"], name=body.get("name") or body["uri"])


def _event(body: Mapping[str, Any], asset: Asset) -> AssetEvent:
    return AssetEvent(
        event_id=body["id"],
        asset=asset,
        timestamp=shapes.moment(body["timestamp"]),
        extra=dict(body.get("extra") or {}),
    )
