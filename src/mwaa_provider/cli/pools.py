"""``mwaa pools``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mwaa_provider.cli.connection import Connection, with_connection
from mwaa_provider.cli.importing import import_options, tell
from mwaa_provider.client.settings_file import read_settings_file

if TYPE_CHECKING:
    from mwaa_provider.client.routing import TransportChoice


@click.group()
def pools() -> None:
    """Import pools into an environment.

    \b
      mwaa pools import production pools.json --dry-run
    """


@pools.command("import")
@import_options("pools")
@with_connection
@click.pass_context
def import_pools(
    context: click.Context,
    connection: Connection,
    *,
    environment: str,
    file: str,
    dry_run: bool,
    prune: str | None,
    as_json: bool,
    transport: TransportChoice,
) -> None:
    """Make the pools of ENVIRONMENT what FILE says: JSON or YAML, on disk or s3://BUCKET/KEY.

    FILE is what `airflow pools export` writes: {"NAME": {"slots": 5, "description": "...", "include_deferred": false}}.
    What is left out stays as it is. Only what differs is written, by Airflow's REST API. One that fails does not stop
    the others; the exit status tells of it, and the same command does the rest. Airflow's default pool is never deleted.

    --json gives the same object as `mwaa variables import --json`.

    IAM: `mwaa policy ENVIRONMENT --action rest --role Op`, or session; s3:GetObject for a file in S3
    """
    content = read_settings_file(file, connection.s3_client)
    report = connection.client(transport).import_pools(environment, content, prune_prefix=prune, dry_run=dry_run)
    tell(context, report, as_json=as_json)
