"""``mwaa connections``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mwaa_provider.cli.importing import import_command
from mwaa_provider.client.secret_references import SecretReader

if TYPE_CHECKING:
    from mwaa_provider.client.importing import ImportReport
    from mwaa_provider.client.mwaa import MwaaClient


@click.group()
def connections() -> None:
    """Import connections into an environment.

    \b
      mwaa connections import production connections.json --dry-run
    """


@connections.command("import")
@import_command("connections", lambda connection: {"resolve": SecretReader(connection.secretsmanager_client)})
def import_connections(client: MwaaClient, environment: str, content: Any, **how: Any) -> ImportReport:
    """Make the connections of ENVIRONMENT what FILE says: JSON or YAML, on disk or s3://BUCKET/KEY.

    FILE is what `airflow connections export` writes, but for its secrets, which stand in Secrets Manager:

    \b
      {"sales": {"conn_type": "postgres", "host": "db.example.com", "login": "etl",
                 "password": "secretsmanager://prod/sales#password",
                 "extra": {"sslmode": "require"}}}

    A password, or a text of extra whose name sounds like a secret, that stands there in clear is refused. Secrets are
    read when they are sent, not for --dry-run, and printed nowhere. What is left out of FILE stays as it is.
    Airflow shows no passwords, so that a connection with one is written each time (overwrite). One that fails does
    not stop the others; the exit status tells of it. aws_default is MWAA's own, and never touched.

    --json gives the same object as `mwaa variables import --json`.

    IAM: `mwaa policy ENVIRONMENT --action rest --role Op`, or session; secretsmanager:GetSecretValue on the secrets;
    s3:GetObject for a file in S3
    """
    return client.import_connections(environment, content, **how)
