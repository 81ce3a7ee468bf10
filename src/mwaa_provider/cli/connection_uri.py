"""``mwaa connection``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from mwaa_provider.client.connection_uri import connection_uri


@click.group()
def connection() -> None:
    """Write connections as Airflow reads them."""


@connection.command()
@click.argument("conn_type", metavar="TYPE")
@click.option("--host", metavar="TEXT", help="The host.")
@click.option("--login", metavar="TEXT", help="The login.")
@click.option(
    "--password",
    "given_as",
    metavar="@FILE|-",
    help="@ and the name of a file with the password, or - for standard input; a newline at its end is left out.",
)
@click.option("--port", type=int, metavar="NUMBER", help="The port.")
@click.option("--schema", metavar="TEXT", help="The schema, a database say.")
@click.option(
    "--extra",
    "extra_from",
    metavar="JSON|@FILE|-",
    help="The extra, a JSON object; @FILE or - keep secrets off the screen.",
)
def uri(
    conn_type: str,
    host: str | None,
    login: str | None,
    given_as: str | None,
    port: int | None,
    schema: str | None,
    extra_from: str | None,
) -> None:
    """Print the URI of a connection of TYPE (postgres, aws ...), from which Airflow reads these same fields.

    \b
      mwaa connection uri postgres --host db.example.com --login etl --password @password.txt --schema sales
      mwaa connection uri aws --extra '{"role_arn": "arn:aws:iam::123456789012:role/etl"}'
      mwaa connection uri snowflake --login etl --password - --extra @extra.json > uri.txt
      aws secretsmanager create-secret --name airflow/connections/sales --secret-string file://uri.txt

    The URI holds the password: send it into a file or a pipe. Nothing here asks AWS.
    """
    if given_as == "-" and extra_from == "-":
        raise click.UsageError("--password, --extra: only one of them can be standard input")
    if given_as is not None and given_as != "-" and not given_as.startswith("@"):
        raise click.UsageError(
            "--password: everybody on this machine can read what stands on a command line; give @ and a file's name, or -"
        )
    click.echo(
        connection_uri(
            conn_type,
            host=host,
            login=login,
            password=None if given_as is None else _text("--password", given_as).rstrip("\r\n"),
            port=port,
            schema=schema,
            extra=None if extra_from is None else _object(extra_from),
        )
    )


def _text(option: str, given: str) -> str:
    if given == "-":
        return sys.stdin.read()
    try:
        return Path(given[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{option}: {given[1:]} cannot be read: {error}") from error


def _object(given: str) -> Any:
    text = _text("--extra", given) if given == "-" or given.startswith("@") else given
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise click.UsageError(f"--extra: this is not JSON: {error.msg}, line {error.lineno}") from None
    if not isinstance(content, dict):
        raise click.UsageError("--extra: it must be a JSON object, {...}")
    return content
