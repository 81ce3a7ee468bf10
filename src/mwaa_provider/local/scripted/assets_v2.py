"""Airflow 3's REST API for assets and their events."""

from __future__ import annotations

from typing import Any

from mwaa_provider.local.backend import BackendAnswer
from mwaa_provider.local.scripted import bodies_v2, moments, shapes_v2
from mwaa_provider.local.scripted.bodies_v2 import Check, checked, refusal
from mwaa_provider.local.scripted.records import ScriptedAsset, ScriptedAssetEvent
from mwaa_provider.local.scripted.routing import Call, Route, answer, route
from mwaa_provider.local.scripted.selecting import like, ordered
from mwaa_provider.local.scripted.store import Store, pages

_EVENT: dict[str, Check] = {"asset_id": bodies_v2.at_least(0), "extra": bodies_v2.mapping}


class AssetsV2:
    """Answers for assets and their events.

    :param store: The memory.
    :param release: The release.
    """

    def __init__(self, store: Store, release: shapes_v2.Release) -> None:
        self._store, self._release = store, release

    def routes(self) -> list[Route]:
        """Return what is answered here."""
        return [
            route("GET", "/assets", self._list_assets, "Viewer"),
            route("GET", "/assets/events", self._list_events, "Viewer"),
            route("POST", "/assets/events", self._post_event, "User"),
        ]

    def _page(self, call: Call, rows: list[Any]) -> list[Any]:
        return pages(rows, *bodies_v2.page(call, clamp=self._release >= (3, 2, 1)))

    def _list_assets(self, call: Call) -> BackendAnswer:
        bodies_v2.only(call, "limit", "offset", "order_by", "uri_pattern")
        allowed = {"id": "number", "uri": "uri", "name": "name"}
        found = [one for one in self._store.assets if like(one.uri, call.first("uri_pattern"))]
        rows = ordered(found, bodies_v2.order(call.query.get("order_by", []), allowed, "number"))
        return answer(200, {"assets": [_asset(one) for one in self._page(call, rows)], "total_entries": len(rows)})

    def _list_events(self, call: Call) -> BackendAnswer:
        bodies_v2.only(call, "limit", "offset", "order_by", "asset_id")
        wanted = bodies_v2.parameter(call, "asset_id", bodies_v2.at_least(0))
        found = [
            (event, asset)
            for asset in self._store.assets
            if wanted in (None, str(asset.number))
            for event in asset.events
        ]
        ((_, is_reversed), *_) = bodies_v2.order(
            call.query.get("order_by", []), {"timestamp": "timestamp"}, "timestamp"
        )
        found.sort(key=lambda pair: pair[0].timestamp, reverse=is_reversed)
        page = [_event(*pair) for pair in self._page(call, found)]
        return answer(200, {"asset_events": page, "total_entries": len(found)})

    def _post_event(self, call: Call) -> BackendAnswer:
        body = checked(call, _EVENT, required=["asset_id"])
        asset = next((one for one in self._store.assets if one.number == int(body["asset_id"])), None)
        if asset is None:
            raise refusal(404, f"Asset with ID: `{body['asset_id']}` was not found")
        event = self._store.add_asset_event(asset, {**body.get("extra", {}), "from_rest_api": True})
        return answer(200, _event(event, asset))


def _asset(asset: ScriptedAsset) -> dict[str, Any]:
    created = moments.v2(asset.created)
    return {
        "id": asset.number,
        "name": asset.name,
        "uri": asset.uri,
        "group": "asset",
        "extra": {},
        "created_at": created,
        "updated_at": created,
        "producing_tasks": [],
        "aliases": [],
    }


def _event(event: ScriptedAssetEvent, asset: ScriptedAsset) -> dict[str, Any]:
    return {
        "id": event.number,
        "asset_id": asset.number,
        "uri": asset.uri,
        "name": asset.name,
        "group": "asset",
        "extra": event.extra,
        "source_task_id": None,
        "source_dag_id": None,
        "source_run_id": None,
        "source_map_index": -1,
        "created_dagruns": [],
        "timestamp": moments.v2(event.timestamp),
    }
