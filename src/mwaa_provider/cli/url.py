"""``mwaa url``."""

from __future__ import annotations

import click

from mwaa_provider.cli.connection import Connection, with_connection


@click.command()
@click.argument("environment")
@with_connection
def url(connection: Connection, *, environment: str) -> None:
    """Print a link that logs a browser in to ENVIRONMENT.

    Open it within 30 seconds. Whoever opens it is you: do not pass it on, and do not keep it in a log.

    IAM: `mwaa policy ENVIRONMENT --action url`
    """
    click.echo(connection.client().web_login_url(environment))
