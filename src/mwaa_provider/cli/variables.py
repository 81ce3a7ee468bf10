"""``mwaa variables``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mwaa_provider.cli.importing import import_command

if TYPE_CHECKING:
    from mwaa_provider.client.importing import ImportReport
    from mwaa_provider.client.mwaa import MwaaClient


@click.group()
def variables() -> None:
    """Import variables into an environment.

    \b
      mwaa variables import production variables.json --dry-run
      mwaa variables import production s3://my-bucket/variables.yaml --prune team_a_
    """


@variables.command("import")
@import_command("variables")
def import_variables(client: MwaaClient, environment: str, content: Any, **how: Any) -> ImportReport:
    """Make the variables of ENVIRONMENT what FILE says: JSON or YAML, on disk or s3://BUCKET/KEY.

    What is there is read first, and only what differs is written, by Airflow's REST API. A text is kept as it is,
    anything else as JSON; {"value": ..., "description": ...} is a value with a description. No value is printed.
    One that fails does not stop the others; the exit status tells of it, and the same command does the rest.

    Airflow 3 does not show values of keys that sound like secrets: those are written each time (overwrite).

    \b
    --json gives an object with these keys:
      environment_name, dry_run
      changes     name, action (create, update, overwrite, keep, delete), outcome (done, planned, failed, not tried)
      errors      by name: kind, message

    IAM: `mwaa policy ENVIRONMENT --action rest --role Op`, or session; s3:GetObject for a file in S3
    """
    return client.import_variables(environment, content, **how)
