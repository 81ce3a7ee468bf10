"""``mwaa environments``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mwaa_provider.cli.connection import Connection, with_connection
from mwaa_provider.cli.exit_status import CALL_FAILED
from mwaa_provider.cli.output import print_json, print_table
from mwaa_provider.exceptions import MwaaError

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list with one object for each environment.")
@with_connection
@click.pass_context
def environments(context: click.Context, connection: Connection, *, as_json: bool) -> None:
    """List the environments of the account and region.

    Shows each environment's name, Airflow version, status and web server. One that cannot be described is listed with
    the kind of its error, the error itself goes to standard error, and the exit status is 1.

    \b
    --json gives for each environment an object with these keys, always all of them:
      name, airflow_version, status, web_server_host, arn   text; null if not known
      error                                                 null, or {"kind": ..., "message": ...}

    IAM: `mwaa policy ENVIRONMENT --action environments`
    """
    client = connection.client()
    found = [_described(client, name) for name in client.list_environments()]
    if as_json:
        print_json(found)
    elif found:
        print_table(("NAME", "AIRFLOW", "STATUS", "WEB SERVER"), [_row(one) for one in found])
    else:
        click.echo("There is no environment in this account and region.", err=True)
    errors = [one["error"]["message"] for one in found if one["error"]]
    for message in errors:
        click.echo(f"Error: {message}", err=True)
    if errors:
        context.exit(CALL_FAILED)


def _described(client: MwaaClient, name: str) -> dict[str, Any]:
    unknown = dict.fromkeys(("airflow_version", "status", "web_server_host", "arn"))
    try:
        one = client.get_environment(name)
    except MwaaError as error:
        return {"name": name, **unknown, "error": {"kind": type(error).__name__, "message": str(error)}}
    return {"name": name, **{key: getattr(one, key) or None for key in unknown}, "error": None}


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    status = one["error"]["kind"] if one["error"] else one["status"]
    return tuple(text or "-" for text in (one["name"], one["airflow_version"], status, one["web_server_host"]))
