"""Which road a clean-up takes, and why."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mwaa_provider.exceptions import CleanupError, MetadataDatabaseError
from mwaa_provider.metadata import database
from mwaa_provider.metadata.cleanup.cleaning import Progress
from mwaa_provider.metadata.cleanup.database_cleaner import DatabaseCleaner
from mwaa_provider.metadata.cleanup.pace import Stop
from mwaa_provider.metadata.cleanup.plan import Plan, Wanted
from mwaa_provider.metadata.cleanup.preview import Preview
from mwaa_provider.metadata.cleanup.report import Report
from mwaa_provider.metadata.cleanup.request import CleanupRequest

log = logging.getLogger(__name__)

_WAYS_OUT = (
    "Give metadata_conn_id (an Airflow connection of type 'postgres' to the metadata database), or run `mwaa db clean` where the database "
    "can be reached, or `airflow db clean` through the environment's CLI endpoint (`mwaa cli`)."
)


class Cleaner(Protocol):
    """One road, open for one clean-up."""

    @property
    def road(self) -> str:
        """Its name."""

    def plan(self, wanted: Wanted, *, is_dry_run: bool = False) -> Plan:
        """Find out what will be cleaned, and whether it may be.

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


def open_cleaner(route: str, metadata_conn_id: str | None) -> Cleaner:
    """Open the first road that leads to the rows, and say why.

    :param route: The road, or ``auto``.
    :param metadata_conn_id: The connection to the metadata database.
    :raises CleanupError: No road leads there; with what each said and the ways out.
    """
    refused: list[tuple[str, str]] = []
    for road in roads(metadata_conn_id):
        if route not in ("auto", road.name):
            continue
        try:
            cleaner = road.open()
        except MetadataDatabaseError as error:
            refused.append((road.by, str(error)))
            continue
        asked = "as was asked for" if route != "auto" else "the first that leads there"
        earlier = "".join(f" Not by {by}: {why}" for by, why in refused)
        log.info("Cleaning by %s (road %r), %s.%s", road.by, road.name, asked, earlier)
        return cleaner
    tried = "".join(f"\n  - {by}: {why}" for by, why in refused)
    raise CleanupError(f"No road leads to the metadata database (route={route!r}):{tried}\n{_WAYS_OUT}", rows={})


def roads(metadata_conn_id: str | None) -> list[Road]:
    """Name the roads that may be taken, the best first; one that cannot be says why when it is opened.

    :param metadata_conn_id: The connection to the metadata database, which then is the only way.
    """
    ways = database.ways(metadata_conn_id)
    if not ways:
        return [Road("database", "this process's database", _closed)]
    return [_by_database(way) for way in ways]


def _by_database(way: database.MetadataDatabase) -> Road:
    return Road("database", way.origin, lambda: DatabaseCleaner(way))


def _closed() -> Cleaner:
    here = "in this container" if os.environ.get("AIRFLOW_ENV_NAME") else "here"
    raise MetadataDatabaseError(
        f"Airflow 3 keeps its settings from tasks, and no variables MWAA__DB__* are shown {here}.",
        origin="this process's database",
    )
