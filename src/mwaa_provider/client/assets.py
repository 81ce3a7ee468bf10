"""Assets of an environment (datasets, on Airflow 2), and events of them that happened elsewhere."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.client.core import ClientCore, raise_problems
from mwaa_provider.client.models import Asset, AssetEvent
from mwaa_provider.client.rest.api import AirflowRestApi
from mwaa_provider.client.rest.paging import rows_of
from mwaa_provider.exceptions import AssetNotFoundError

#: Under this name an event's extra holds what tells it from all others.
EVENT_KEY = "mwaa_event_key"
#: An event is looked for among so many of its asset's latest, in pages of so many.
_LOOKED_THROUGH, _PAGE = 500, 100
_URI_LENGTH = 1500


class AssetCalls(ClientCore):
    """Calls about assets and their events."""

    def list_assets(self, environment_name: str, *, uri_pattern: str = "") -> Iterator[Asset]:
        """Return the assets (datasets, on Airflow 2) in the order in which Airflow came to know them, page by page as they are wanted.

        :param environment_name: The environment's name.
        :param uri_pattern: Only those whose URI has this in it; ``%`` and ``_`` stand for anything (default: all).
        """
        raise_problems(
            [
                *input_checks.check_environment_name(environment_name),
                *input_checks.check_text("uri_pattern", uri_pattern),
            ]
        )
        return rows_of(self._airflow(environment_name).assets(uri_pattern), repeat=self._retry.repeat)

    def send_asset_event(
        self,
        environment_name: str,
        asset_uri: str,
        *,
        asset_name: str | None = None,
        extra: Mapping[str, Any] | None = None,
        event_key: str | None = None,
    ) -> AssetEvent:
        """Tell an environment that an asset (a dataset, on Airflow 2.9 and later) was updated elsewhere; DAGs there that wait for it run.

        One ``event_key`` makes one event: it goes with the event as ``extra["mwaa_event_key"]``, and an event that has it is looked for
        among the latest 500 of the asset, before a new one is made and after an answer that was lost.

        :param environment_name: The environment's name.
        :param asset_uri: The asset's URI, as Airflow shows it there.
        :param asset_name: Its name, where several assets have that URI (Airflow 3).
        :param extra: What goes with the event: what a JSON object can hold.
        :param event_key: What tells the event from all others (default: a new one).
        :raises InvalidInputError: naming every problem of the arguments, or that the release takes no events.
        :raises AssetNotFoundError: if the environment has no such asset; a DAG there must name it.
        """
        raise_problems(check_event(environment_name, asset_uri, asset_name, extra, event_key))
        airflow = self._airflow(environment_name)
        airflow.check_events()
        asset = self._asset(environment_name, airflow, asset_uri, asset_name)
        key = uuid.uuid4().hex if event_key is None else event_key

        def find() -> AssetEvent | None:
            for offset in range(0, _LOOKED_THROUGH, _PAGE):
                page = self._retry.repeat(partial(airflow.latest_asset_events, asset, offset=offset, limit=_PAGE))
                for event in page:
                    if event.extra.get(EVENT_KEY) == key:
                        return event
                if len(page) < _PAGE:
                    break
            return None

        sent_before = None if event_key is None else find()
        if sent_before is not None:
            return sent_before
        return self._retry.create(
            lambda: airflow.create_asset_event(asset, {**(extra or {}), EVENT_KEY: key}), look_up=find
        )

    def _asset(self, environment_name: str, airflow: AirflowRestApi, uri: str, name: str | None) -> Asset:
        found = [asset for asset in rows_of(airflow.assets(uri), repeat=self._retry.repeat) if asset.uri == uri]
        named = [asset for asset in found if name in (None, asset.name)]
        if len(named) == 1:
            return named[0]
        facts = {"environment_name": environment_name, "asset_uri": uri, "asset_name": name}
        if named:
            names = ", ".join(repr(asset.name) for asset in named)
            raise AssetNotFoundError(
                f"Environment {environment_name!r} has {len(named)} assets with the URI {uri!r}: {names}. Give asset_name.",
                **facts,
            )
        others = f" Those with that URI are named {', '.join(repr(asset.name) for asset in found)}." if found else ""
        called = "" if name is None else f" named {name!r}"
        raise AssetNotFoundError(
            f"Environment {environment_name!r} knows no asset{called} with the URI {uri!r}: no DAG of it that is parsed names one, as "
            f"what it waits for or what it makes. It must be the URI as Airflow shows it there.{others}",
            **facts,
        )


def check_event(environment_name: Any, asset_uri: Any, asset_name: Any, extra: Any, event_key: Any) -> list[str]:
    """Check what an event is made of.

    :param environment_name: What the caller gave.
    :param asset_uri: What the caller gave.
    :param asset_name: What the caller gave.
    :param extra: What the caller gave.
    :param event_key: What the caller gave.
    """
    problems = input_checks.check_environment_name(environment_name)
    if not isinstance(asset_uri, str) or not asset_uri.strip() or len(asset_uri) > _URI_LENGTH:
        problems.append(
            f"asset_uri: {asset_uri!r} cannot be one; give 1 to {_URI_LENGTH} characters, such as 's3://bucket/orders'"
        )
    problems += input_checks.check_text("asset_name", asset_name)
    problems += input_checks.check_fields("extra", extra)
    if isinstance(extra, Mapping) and EVENT_KEY in extra:
        problems.append(f"extra: {EVENT_KEY!r} is what tells events apart; give event_key instead")
    if event_key is not None and (not isinstance(event_key, str) or not event_key):
        problems.append(f"event_key: {event_key!r} cannot be one; give a text, or none")
    return problems
