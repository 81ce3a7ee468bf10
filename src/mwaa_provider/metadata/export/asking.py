"""From arguments to an export: everything that cannot be right is named at once, before anything is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from mwaa_provider.exceptions import InvalidInputError, MwaaError
from mwaa_provider.metadata.export.bucket import check_bucket
from mwaa_provider.metadata.export.progress import Progress
from mwaa_provider.metadata.export.request import ExportRequest, is_bucket, read_request, read_tables
from mwaa_provider.metadata.export.roads import open_source
from mwaa_provider.metadata.export.running import ExportResult, export
from mwaa_provider.metadata.export.source import Asked
from mwaa_provider.metadata.export.stopping import Stop

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient


def run_export(
    arguments: Mapping[str, Any],
    client: Any,
    mwaa_client: Callable[[], MwaaClient] | None = None,
    *,
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> ExportResult:
    """Read the arguments, choose the road and export.

    :param arguments: Those of :func:`mwaa_provider.metadata.export.request.read_request`.
    :param client: boto3's client for S3.
    :param mwaa_client: Makes a client of MWAA, for the roads over a web server.
    :param stop: Ends it from outside.
    :param progress: Is told how far it is.
    :raises InvalidInputError: naming every problem at once: of the arguments, of the tables, of the bucket.
    """
    try:
        request = read_request(**arguments)
    except InvalidInputError as error:
        further = _further_problems(arguments, client, mwaa_client)
        raise InvalidInputError([*error.facts["problems"], *further]) from None
    with open_source(request, mwaa_client) as chosen:
        return export(request, chosen.source, client, road_reason=chosen.reason, stop=stop, progress=progress)


def _further_problems(
    arguments: Mapping[str, Any], client: Any, mwaa_client: Callable[[], MwaaClient] | None
) -> list[str]:
    """Ask database and bucket about the arguments that can be read, although others cannot."""
    problems: list[str] = []
    tables, wrong = read_tables(arguments.get("tables"))
    if tables and not wrong:
        request = ExportRequest(
            "",
            "",
            Asked(tables),
            environment_name=arguments.get("environment_name"),
            metadata_conn_id=arguments.get("metadata_conn_id"),
        )
        try:
            with open_source(request, mwaa_client) as chosen:
                chosen.source.selections(request.asked)
        except InvalidInputError as error:
            problems += error.facts["problems"]
        except MwaaError:
            pass  # no road: the arguments come first
    bucket = arguments.get("s3_bucket")
    if is_bucket(bucket):
        with suppress(MwaaError):
            problems += check_bucket(client, str(bucket), (), "", overwrite=True)
    return problems
