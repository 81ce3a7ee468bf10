"""``mwaa export``."""

from __future__ import annotations

import getpass
import os
import signal
import socket
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import click

from mwaa_provider.cli.connection import Connection, with_connection
from mwaa_provider.cli.export_bar import ExportBar
from mwaa_provider.cli.output import output_for_the_result_alone, print_json
from mwaa_provider.metadata.export.formats import FORMATS
from mwaa_provider.metadata.export.keys import DEFAULT_TEMPLATE
from mwaa_provider.metadata.export.request import ROUTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mwaa_provider.metadata.export.progress import Progress


@click.group()
def export() -> None:
    """Export an environment's metadata database to S3, or verify an export.

    \b
      mwaa export run my-bucket --environment production --max-age-in-days 30
      mwaa export run my-bucket --table history --format parquet --compression zstd
      mwaa export verify s3://my-bucket/metadata/production/2026-01-31/manual/manifest.json
    """


@export.command()
@click.argument("bucket")
@click.option("--template", default=DEFAULT_TEMPLATE, show_default=True, help="The objects' keys.")
@click.option(
    "--table",
    "tables",
    multiple=True,
    metavar="NAME",
    help="A table, or `history`; repeatable.  [default: the AWS guide's three]",
)
@click.option("--max-age-in-days", type=float, metavar="DAYS", help="How many days back rows are taken.  [default: 30]")
@click.option("--since", metavar="MOMENT", help="The first moment instead, ISO 8601 with time zone.")
@click.option("--until", metavar="MOMENT", help="The moment after the last.")
@click.option(
    "--format", "file_format", type=click.Choice(FORMATS), default="csv", show_default=True, help="The format."
)
@click.option(
    "--compression",
    type=click.Choice(("gzip", "zstd", "none")),
    default="gzip",
    show_default=True,
    help="The compression.",
)
@click.option("--route", type=click.Choice(ROUTES), default="auto", show_default=True, help="The road to the rows.")
@click.option("--environment", metavar="NAME", help="The environment.  [default: the one this runs in]")
@click.option("--metadata-conn-id", metavar="ID", help="An Airflow connection to the metadata database.")
@click.option("--incremental-from", metavar="PREFIX", help="Go on where the last export under this prefix ends.")
@click.option("--overwrite", is_flag=True, help="Replace objects that lie there.")
@click.option("--verify", "verify_files", is_flag=True, help="Read everything back before the manifest is written.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@with_connection
def run(
    connection: Connection,
    *,
    bucket: str,
    template: str,
    tables: tuple[str, ...],
    compression: str,
    environment: str | None,
    verify_files: bool,
    quiet: bool,
    **given: Any,
) -> None:
    """Export to BUCKET, and print the manifest's address and the row counts as JSON.

    Ctrl-C and SIGTERM abort what is under way; an export without a manifest does not exist.

    IAM: s3:PutObject, s3:GetObject, s3:DeleteObject, s3:AbortMultipartUpload on arn:aws:s3:::BUCKET/*, s3:ListBucket and
    s3:ListBucketMultipartUploads on arn:aws:s3:::BUCKET; over a web server also `mwaa policy ENVIRONMENT --action session,rest`
    """
    from mwaa_provider.metadata.export.asking import run_export
    from mwaa_provider.metadata.export.bucket import owner_of

    identity = {"command": "mwaa export run", "user": _user(), "host": socket.gethostname()}
    arguments = {
        **given,
        "s3_bucket": bucket,
        "s3_key_template": template,
        "tables": list(tables) or None,
        "compression": None if compression == "none" else compression,
        "environment_name": environment,
        "verify": verify_files,
        "owner": owner_of(identity),
        "exported_by": identity,
    }
    with output_for_the_result_alone(), _ended_by_sigterm(), _progress(quiet) as progress:
        result = run_export(arguments, connection.s3_client(), connection.client, progress=progress)
    print_json(result.xcom())


@export.command()
@click.argument("manifest")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@with_connection
def verify(connection: Connection, *, manifest: str, quiet: bool) -> None:
    """Read back every object of an export and compare it with its MANIFEST (s3://BUCKET/KEY).

    Compared are bytes, sums (sha256) and row counts. The exit status is 1 if anything differs.

    IAM: s3:GetObject (with versions also s3:GetObjectVersion) on arn:aws:s3:::BUCKET/*
    """
    from mwaa_provider.metadata.export.verifying import verify as verify_export

    with output_for_the_result_alone():
        found = verify_export(
            connection.s3_client(),
            manifest,
            None
            if quiet
            else lambda file: click.echo(f"{file.key}: {file.row_count:,} rows, {file.size:,} bytes", err=True),
        )
    print_json({"manifest": manifest, "verified": True, "row_counts": found.row_counts})


def _user() -> str:
    with suppress(Exception):
        return getpass.getuser()
    return str(os.getuid())


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """Let a polite end run the aborts: uploads would stay, and cost."""

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress | None]:
    if quiet or not sys.stderr.isatty():
        yield None
        return
    bar = ExportBar(lambda text: click.echo(text, nl=False, err=True))
    try:
        yield bar.show
    finally:
        bar.end()
