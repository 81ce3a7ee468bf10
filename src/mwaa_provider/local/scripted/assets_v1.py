"""Airflow 2's REST API for datasets and their events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mwaa_provider.local.backend import BackendAnswer
from mwaa_provider.local.scripted import moments, shapes_v1
from mwaa_provider.local.scripted.records import ScriptedAsset, ScriptedAssetEvent
from mwaa_provider.local.scripted.routing import Call, Route, answer, route
from mwaa_provider.local.scripted.selecting import like, ordered
from mwaa_provider.local.scripted.store import Store, pages

if TYPE_CHECKING:
    from mwaa_provider.local.scripted.bodies_v1 import ProblemsV1

_EVENT = {"dataset_uri": "string", "extra": "object?"}
_FIRST_WITH_NEW_EVENTS = (2, 9)


class AssetsV1:
    """Answers for datasets and their events.

    :param store: The memory.
    :param problems: The release's errors.
    :param release: The release.
    """

    def __init__(self, store: Store, problems: ProblemsV1, release: shapes_v1.Release) -> None:
        self._store, self._problems, self._release = store, problems, release

    def routes(self) -> list[Route]:
        """Return what is answered here."""
        posts = [route("POST", "/datasets/events", self._post_event, "User")]
        return [
            route("GET", "/datasets", self._list_datasets, "Viewer"),
            route("GET", "/datasets/events", self._list_events, "Viewer"),
            *(posts if self._release >= _FIRST_WITH_NEW_EVENTS else []),
        ]

    def _list_datasets(self, call: Call) -> BackendAnswer:
        self._problems.only(call, "limit", "offset", "order_by", "uri_pattern")
        order = self._problems.order(call.first("order_by", "id"), {"id": "number", "uri": "uri"})
        rows = ordered([one for one in self._store.assets if like(one.uri, call.first("uri_pattern"))], order)
        page = pages(rows, self._problems.offset(call), self._problems.limit(call))
        return answer(200, {"datasets": [_dataset(one) for one in page], "total_entries": len(rows)})

    def _list_events(self, call: Call) -> BackendAnswer:
        self._problems.only(call, "limit", "offset", "order_by", "dataset_id")
        wanted = call.first("dataset_id")
        found = [
            (event, asset)
            for asset in self._store.assets
            if wanted in ("", str(asset.number))
            for event in asset.events
        ]
        ((_, is_reversed), *_) = self._problems.order(call.first("order_by", "timestamp"), {"timestamp": "timestamp"})
        found.sort(key=lambda pair: pair[0].timestamp, reverse=is_reversed)
        page = pages(found, self._problems.offset(call), self._problems.limit(call))
        return answer(200, {"dataset_events": [_event(*pair) for pair in page], "total_entries": len(found)})

    def _post_event(self, call: Call) -> BackendAnswer:
        body = self._problems.checked(call, _EVENT)
        self._problems.required(body, ("dataset_uri",))
        uri = body["dataset_uri"]
        asset = next((one for one in self._store.assets if one.uri == uri), None)
        if asset is None:
            raise self._problems.refusal(404, title="Dataset not found", detail=f"Dataset with uri: '{uri}' not found")
        event = self._store.add_asset_event(asset, {**(body.get("extra") or {}), "from_rest_api": True})
        return answer(200, _event(event, asset))


def _dataset(asset: ScriptedAsset) -> dict[str, Any]:
    created = moments.v1(asset.created)
    return {
        "consuming_dags": [{"created_at": created, "dag_id": one, "updated_at": created} for one in asset.dag_ids],
        "created_at": created,
        "extra": {},
        "id": asset.number,
        "producing_tasks": [],
        "updated_at": created,
        "uri": asset.uri,
    }


def _event(event: ScriptedAssetEvent, asset: ScriptedAsset) -> dict[str, Any]:
    return {
        "created_dagruns": [],
        "dataset_id": asset.number,
        "dataset_uri": asset.uri,
        "extra": event.extra,
        "id": event.number,
        "source_dag_id": None,
        "source_map_index": -1,
        "source_run_id": None,
        "source_task_id": None,
        "timestamp": moments.v1(event.timestamp),
    }
