"""From arguments to a clean-up: everything that cannot be right is named at once, before the first row goes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import InvalidInputError, MwaaError
from mwaa_provider.metadata.cleanup.archive_target import Target
from mwaa_provider.metadata.cleanup.cleaning import Progress
from mwaa_provider.metadata.cleanup.pace import Stop
from mwaa_provider.metadata.cleanup.plan import Wanted
from mwaa_provider.metadata.cleanup.preview import Preview
from mwaa_provider.metadata.cleanup.report import Report
from mwaa_provider.metadata.cleanup.request import ROUTES, CleanupRequest, read_archive, read_names, read_request
from mwaa_provider.metadata.cleanup.roads import Start, open_cleaner

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient


def run_cleanup(
    arguments: Mapping[str, Any],
    client: Callable[[], MwaaClient] | None = None,
    s3_client: Callable[[], Any] | None = None,
    *,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> Report | Preview:
    """Read the arguments, choose the road, and clean; or tell what would go.

    :param arguments: Those of :func:`mwaa_provider.metadata.cleanup.request.read_request`.
    :param client: Makes a client of MWAA, for the roads over a web server.
    :param s3_client: Makes boto3's client for S3, for an archive.
    :param stop: Ends it between two batches.
    :param progress: Is told how far it is.
    :raises InvalidInputError: naming every problem at once: of the arguments, of the tables, of rights.
    :raises CleanupError: No road leads to the database, or it failed half-way.
    """
    try:
        request = read_request(**arguments)
    except InvalidInputError as error:
        raise InvalidInputError([*error.facts["problems"], *_further_problems(arguments, client, s3_client)]) from None
    archive_to = _target(request.archive_to, s3_client, request.environment_name)
    cleaner = open_cleaner(Start(request.route, request.metadata_conn_id, request.environment_name, client, archive_to))
    return cleaner.preview(request) if request.dry_run else cleaner.clean(request, stop, progress)


def _target(
    archive_to: tuple[str, str] | None, s3_client: Callable[[], Any] | None, environment_name: str | None
) -> Target | None:
    if archive_to is None:
        return None
    if s3_client is None:
        raise InvalidInputError(["archive_to: there is no client for S3 to write with"])
    bucket, prefix = archive_to
    parts = (prefix, environment_name or os.environ.get("AIRFLOW_ENV_NAME", ""))
    return Target(s3_client(), bucket, "/".join(part for part in parts if part))


def _further_problems(
    arguments: Mapping[str, Any], client: Callable[[], MwaaClient] | None, s3_client: Callable[[], Any] | None
) -> list[str]:
    """Ask about the tables, although other arguments cannot be right."""
    tables, wrong = read_names("tables", arguments.get("tables"), "names of tables")
    name = arguments.get("environment_name")
    if wrong or (name is not None and input_checks.check_environment_name(name)):
        return []
    route = arguments.get("route", "auto")
    archive, _ = read_archive(arguments.get("archive_to"))
    try:
        request: CleanupRequest = read_request()
        cleaner = open_cleaner(
            Start(
                route if route in ROUTES else "auto",
                arguments.get("metadata_conn_id"),
                name,
                client,
                _target(archive, s3_client, name),
            )
        )
        cleaner.check(Wanted(request.wanted.before, tables), is_dry_run=bool(arguments.get("dry_run")))
    except InvalidInputError as error:
        problems: list[str] = list(error.facts["problems"])
        return problems
    except MwaaError:
        pass  # no road: the arguments come first
    return []
