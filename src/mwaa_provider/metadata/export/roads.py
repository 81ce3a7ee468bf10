"""Which road an export takes, and why: the connection, this process's database, the metadata API, the public REST API."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mwaa_provider.exceptions import ExportError, InvalidInputError, MetadataDatabaseError, MwaaError
from mwaa_provider.metadata import database
from mwaa_provider.metadata.export.database_source import open_database
from mwaa_provider.metadata.export.request import ExportRequest
from mwaa_provider.metadata.export.source import Source

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient

log = logging.getLogger(__name__)

_WAYS_OUT = {
    "database": "Give metadata_conn_id (an Airflow connection of type 'postgres' to the metadata database), or take "
    "route='metadata_api' or 'rest'.",
    "metadata_api": "Name the environment (environment_name), switch the metadata API on there (docs/metadata-api.md), or take "
    "route='rest'.",
    "rest": "Name the environment (environment_name), and allow the REST API to this role (docs/cli-and-rest.md).",
}


@dataclass(frozen=True)
class Road:
    """A road that may lead there.

    :param name: ``database``, ``metadata_api`` or ``rest``.
    :param by: By what, for the log.
    :param open: Opens it; what it raises of ours says that it does not lead there.
    """

    name: str
    by: str
    open: Callable[[], AbstractContextManager[Source]]


@dataclass(frozen=True)
class Chosen:
    """The road that was taken.

    :param source: The rows.
    :param reason: Why it and no other.
    """

    source: Source
    reason: str


@contextmanager
def open_source(request: ExportRequest, client: Callable[[], MwaaClient] | None = None) -> Iterator[Chosen]:
    """Open the first road that leads to the rows, and say why.

    :param request: What is wanted.
    :param client: Makes a client of MWAA, for the roads over a web server; ``None`` if there is none.
    :raises ExportError: No road leads there; with what each said and the ways out.
    """
    with ExitStack() as stack:
        chosen = _first_open(request, roads(request, client), stack)
        log.info("%s", chosen.reason)
        yield chosen


def _first_open(request: ExportRequest, found: list[Road], stack: ExitStack) -> Chosen:
    refused: list[tuple[str, str]] = []
    for road in found:
        try:
            source = stack.enter_context(road.open())
        except InvalidInputError:
            raise
        except MwaaError as error:
            refused.append((road.by, str(error)))
            continue
        earlier = "".join(f" Not by {by}: {why}" for by, why in refused)
        asked = "as was asked for" if request.route != "auto" else "the first that leads there"
        return Chosen(source, f"The rows come by {road.by} (road {road.name!r}), {asked}.{earlier}")
    tried = "".join(f"\n  - {by}: {why}" for by, why in refused)
    ways_out = _WAYS_OUT.get(request.route) or " ".join(_WAYS_OUT.values())
    raise ExportError(
        f"No road leads to the metadata (route={request.route!r}):{tried}\n{ways_out}", bucket=request.bucket, key=""
    )


def roads(request: ExportRequest, client: Callable[[], MwaaClient] | None) -> list[Road]:
    """Name the roads that may be taken, the best first; one that cannot be says why when it is opened.

    :param request: What is wanted.
    :param client: Makes a client of MWAA.
    """
    found = _by_database(request)
    if request.metadata_conn_id is None:  # a connection that was given is meant
        found += _by_web_server(request, client)
    return [road for road in found if request.route in ("auto", road.name)]


def _by_database(request: ExportRequest) -> list[Road]:
    ways, why = database.ways_to(request.environment_name, request.metadata_conn_id)
    return [_database_road(way, request.environment_name) for way in ways] or [
        _closed("database", "this process's database", why)
    ]


def _database_road(way: database.MetadataDatabase, environment: str | None) -> Road:
    return Road("database", way.origin, lambda: open_database(way, environment=environment))


def _by_web_server(request: ExportRequest, client: Callable[[], MwaaClient] | None) -> list[Road]:
    name = request.environment_name or os.environ.get("AIRFLOW_ENV_NAME")
    if not name or client is None:
        why = "no environment is named: give environment_name."
        return [
            _closed("metadata_api", "the metadata API", why),
            _closed("rest", "the public REST API", why),
        ]
    return [
        Road("metadata_api", f"the metadata API of environment {name}", lambda: _api_source(client(), name)),
        Road("rest", f"the public REST API of environment {name}", lambda: _rest_source(client(), name)),
    ]


def _api_source(client: MwaaClient, environment_name: str) -> AbstractContextManager[Source]:
    from mwaa_provider.metadata.export.api_source import ApiSource

    return ApiSource(client, environment_name)


def _rest_source(client: MwaaClient, environment_name: str) -> AbstractContextManager[Source]:
    from mwaa_provider.metadata.export.rest_source import RestSource

    return RestSource(client, environment_name)


def _closed(name: str, by: str, why: str) -> Road:
    def refuse() -> AbstractContextManager[Source]:
        raise MetadataDatabaseError(why, origin=by) if name == "database" else ExportError(why, bucket="", key="")

    return Road(name, by, refuse)
