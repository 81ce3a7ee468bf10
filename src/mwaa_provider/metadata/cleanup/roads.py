"""Which road a clean-up takes, and why."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mwaa_provider.exceptions import CleanupError, InvalidInputError, MetadataDatabaseError, MwaaError
from mwaa_provider.metadata import database
from mwaa_provider.metadata.cleanup.cleaning import Progress
from mwaa_provider.metadata.cleanup.database_cleaner import DatabaseCleaner
from mwaa_provider.metadata.cleanup.pace import Stop
from mwaa_provider.metadata.cleanup.plan import Wanted
from mwaa_provider.metadata.cleanup.preview import Preview
from mwaa_provider.metadata.cleanup.report import Report
from mwaa_provider.metadata.cleanup.request import CleanupRequest

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient
    from mwaa_provider.metadata.cleanup.archive_target import Target

log = logging.getLogger(__name__)

_WAYS_OUT = {
    "database": "Give metadata_conn_id (an Airflow connection of type 'postgres' to the metadata database), or run `mwaa db clean` where "
    "the database can be reached.",
    "metadata_api": "Name the environment (environment_name), and switch the metadata API and its clean-up on there (docs/clean-up.md).",
    "cli": "Name the environment (environment_name), and allow its CLI endpoint and its REST API to this role (docs/clean-up.md).",
}


class Cleaner(Protocol):
    """One road, open for one clean-up."""

    @property
    def road(self) -> str:
        """Its name."""

    def check(self, wanted: Wanted, *, is_dry_run: bool = False) -> None:
        """Find out whether it can be cleaned, and may be.

        :param wanted: Which rows.
        :param is_dry_run: Whether nothing is to be removed.
        """

    def clean(self, request: CleanupRequest, stop: Stop | None = None, progress: Progress | None = None) -> Report:
        """Clean.

        :param request: What was asked for.
        :param stop: Ends it between two batches.
        :param progress: Is told how far it is.
        """

    def preview(self, request: CleanupRequest) -> Preview:
        """Tell what would go.

        :param request: What was asked for.
        """


@dataclass(frozen=True)
class Road:
    """A road that may lead there.

    :param name: Its name, as ``route`` has it.
    :param by: By what, for the log.
    :param open: Opens it; what it raises of ours says that it does not lead there.
    """

    name: str
    by: str
    open: Callable[[], Cleaner]


@dataclass(frozen=True)
class Start:
    """From where a road is looked for.

    :param route: The road, or ``auto``.
    :param metadata_conn_id: The connection to the metadata database, which then is the only way.
    :param environment_name: The environment (default: the one that this runs in).
    :param client: Makes a client of MWAA, for the roads over a web server; ``None`` if there is none.
    :param archive_to: Where what goes is archived (default: nowhere).
    """

    route: str = "auto"
    metadata_conn_id: str | None = None
    environment_name: str | None = None
    client: Callable[[], MwaaClient] | None = None
    archive_to: Target | None = None


def open_cleaner(start: Start) -> Cleaner:
    """Open the first road that leads to the rows, and say why.

    :param start: From where.
    :raises CleanupError: No road leads there; with what each said and the ways out.
    """
    refused: list[tuple[str, str]] = []
    for road in roads(start):
        try:
            cleaner = road.open()
        except InvalidInputError:
            raise
        except MwaaError as error:
            refused.append((road.by, str(error)))
            continue
        asked = "as was asked for" if start.route != "auto" else "the first that leads there"
        earlier = "".join(f" Not by {by}: {why}" for by, why in refused)
        log.info("Cleaning by %s (road %r), %s.%s", road.by, road.name, asked, earlier)
        return cleaner
    tried = "".join(f"\n  - {by}: {why}" for by, why in refused)
    ways_out = _WAYS_OUT.get(start.route) or " ".join(_WAYS_OUT.values())
    raise CleanupError(f"No road leads to the metadata database (route={start.route!r}):{tried}\n{ways_out}", rows={})


def roads(start: Start) -> list[Road]:
    """Name the roads that may be taken, the best first; one that cannot be says why when it is opened.

    :param start: From where.
    """
    found = _by_database(start)
    if start.metadata_conn_id is None:  # a connection that was given is meant
        found += _by_web_server(start)
    return [road for road in found if start.route in ("auto", road.name)]


def _by_database(start: Start) -> list[Road]:
    ways, why = database.ways_to(start.environment_name, start.metadata_conn_id)
    return [_database_road(way, start.archive_to) for way in ways] or [
        _closed("database", "this process's database", why)
    ]


def _database_road(way: database.MetadataDatabase, archive_to: Target | None) -> Road:
    return Road("database", way.origin, lambda: DatabaseCleaner(way, archive_to))


def _by_web_server(start: Start) -> list[Road]:
    name, client = start.environment_name or os.environ.get("AIRFLOW_ENV_NAME"), start.client
    archive_to = start.archive_to
    api, cli = ("metadata_api", "the metadata API"), ("cli", "the CLI endpoint")
    cannot = "it cannot archive what goes; leave archive_to out, and export before (docs/export.md)."
    if not name or client is None:
        why = "no environment is named: give environment_name."
        return [_closed(*api, why), _closed(*cli, why if archive_to is None else cannot)]
    by_api = Road(api[0], f"{api[1]} of environment {name}", lambda: _api_cleaner(client(), name, archive_to))
    if archive_to is not None:
        return [by_api, _closed(*cli, cannot)]
    return [by_api, Road(cli[0], f"{cli[1]} of environment {name}", lambda: _cli_cleaner(client(), name))]


def _api_cleaner(client: MwaaClient, environment_name: str, archive_to: Target | None) -> Cleaner:
    from mwaa_provider.metadata.cleanup.api_cleaner import ApiCleaner

    return ApiCleaner(client, environment_name, archive_to)


def _cli_cleaner(client: MwaaClient, environment_name: str) -> Cleaner:
    from mwaa_provider.metadata.cleanup.cli_cleaner import CliCleaner

    return CliCleaner(client, environment_name)


def _closed(name: str, by: str, why: str) -> Road:
    def refuse() -> Cleaner:
        raise MetadataDatabaseError(why, origin=by)

    return Road(name, by, refuse)
