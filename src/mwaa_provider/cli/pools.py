"""``mwaa pools``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mwaa_provider.cli.importing import import_command

if TYPE_CHECKING:
    from mwaa_provider.client.importing import ImportReport
    from mwaa_provider.client.mwaa import MwaaClient


@click.group()
def pools() -> None:
    """Import pools into an environment.

    \b
      mwaa pools import production pools.json --dry-run
    """


@pools.command("import")
@import_command("pools")
def import_pools(client: MwaaClient, environment: str, content: Any, **how: Any) -> ImportReport:
    """Make the pools of ENVIRONMENT what FILE says: JSON or YAML, on disk or s3://BUCKET/KEY.

    FILE is what `airflow pools export` writes: {"NAME": {"slots": 5, "description": "...", "include_deferred": false}}.
    What is left out stays as it is. Only what differs is written, by Airflow's REST API. One that fails does not stop
    the others; the exit status tells of it, and the same command does the rest. Airflow's default pool is never deleted.

    --json gives the same object as `mwaa variables import --json`.

    IAM: `mwaa policy ENVIRONMENT --action rest --role Op`, or session; s3:GetObject for a file in S3
    """
    return client.import_pools(environment, content, **how)
