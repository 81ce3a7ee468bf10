"""``mwaa secrets``."""

from __future__ import annotations

import click

from mwaa_provider.cli.connection import Connection
from mwaa_provider.cli.output import print_json
from mwaa_provider.cli.secrets_move import move_command
from mwaa_provider.client.secrets_options import BACKENDS, asks_for_own_connection, secrets_options


@click.group()
def secrets() -> None:
    """Have connections and variables read from Secrets Manager or the parameter store."""


secrets.add_command(move_command)


@secrets.command()
@click.option(
    "--backend",
    type=click.Choice(tuple(BACKENDS)),
    default="secretsmanager",
    metavar="NAME",
    help="secretsmanager, or ssm, the parameter store of Systems Manager.  [default: secretsmanager]",
)
@click.option("--connections-prefix", metavar="TEXT", help="Stands before the ids of connections, with a / between.")
@click.option("--variables-prefix", metavar="TEXT", help="Stands before the keys of variables, with a / between.")
@click.option("--connections-lookup-pattern", metavar="REGEX", help="Ask only for connections whose id begins so.")
@click.option("--variables-lookup-pattern", metavar="REGEX", help="Ask only for variables whose key begins so.")
@click.option("--only", metavar="WHAT", help="connections or variables: the others are never asked for.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@click.pass_context
def options(
    context: click.Context,
    /,
    backend: str,
    connections_prefix: str | None,
    variables_prefix: str | None,
    connections_lookup_pattern: str | None,
    variables_lookup_pattern: str | None,
    only: str | None,
    as_json: bool,
) -> None:
    """Print the two configuration options of an environment that reads its secrets from AWS.

    \b
      mwaa secrets options --connections-lookup-pattern '^prod_' --variables-lookup-pattern '^prod_'
      aws mwaa update-environment --name production \\
          --airflow-configuration-options "$(mwaa secrets options --json)"

    That update sets ALL options of the environment: put in those that it has. Nothing here asks AWS. Without a pattern
    every look at a connection or variable is a call of the store, which is paid for.
    """
    if context.find_object(Connection):
        raise click.UsageError(
            "`mwaa secrets options` takes none of these options; `mwaa secrets options --help` shows its own"
        )
    found = secrets_options(
        backend,
        connections_prefix=connections_prefix,
        variables_prefix=variables_prefix,
        connections_lookup_pattern=connections_lookup_pattern,
        variables_lookup_pattern=variables_lookup_pattern,
        only=only,
    )
    if as_json:
        print_json(found)
    else:
        for name, value in found.items():
            click.echo(f"{name} : {value}")
    if asks_for_own_connection(found):
        click.echo(
            "Airflow will ask the store for aws_default too, MWAA's own connection, at every log that is written; "
            "--connections-lookup-pattern keeps it from that.",
            err=True,
        )
