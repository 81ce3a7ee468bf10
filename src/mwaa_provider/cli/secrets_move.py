"""``mwaa secrets move``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mwaa_provider.cli.connection import Connection, with_connection
from mwaa_provider.cli.importing import tell
from mwaa_provider.client.core import raise_problems
from mwaa_provider.client.secret_moving import Moved, connections_to_move, move, variables_to_move
from mwaa_provider.client.secret_store import SecretStore
from mwaa_provider.client.secrets_options import secrets_options
from mwaa_provider.client.settings_file import read_settings_file

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient
    from mwaa_provider.client.routing import TransportChoice

_MASK = "***"


@click.command("move")
@click.argument("environment")
@click.option(
    "--variables", "prefixes", multiple=True, metavar="PREFIX", help="Variables whose keys begin so; repeatable."
)
@click.option("--values", metavar="FILE", help="Their values, for those that Airflow does not show: JSON or YAML.")
@click.option("--connections", metavar="FILE", help="Connections, as `airflow connections export` writes them.")
@click.option("--variables-prefix", default="airflow/variables", show_default=True, metavar="TEXT", help="Of names.")
@click.option(
    "--connections-prefix", default="airflow/connections", show_default=True, metavar="TEXT", help="Of names."
)
@click.option("--kms-key", metavar="ID", help="Encrypts new secrets.  [default: the account's own key for this]")
@click.option("--overwrite", is_flag=True, help="Replace secrets that hold other values.")
@click.option("--delete", is_flag=True, help="Then delete them in the environment's database.")
@click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
@click.option(
    "--transport",
    type=click.Choice(("auto", "iam", "session")),
    default="auto",
    metavar="WAY",
    help="The way to the REST API: iam, session, or auto, whichever is open.  [default: auto]",
)
@with_connection
@click.pass_context
def move_command(
    context: click.Context,
    /,
    connection: Connection,
    *,
    environment: str,
    prefixes: tuple[str, ...],
    values: str | None,
    connections: str | None,
    variables_prefix: str,
    connections_prefix: str,
    kms_key: str | None,
    overwrite: bool,
    delete: bool,
    dry_run: bool,
    as_json: bool,
    transport: TransportChoice,
) -> None:
    """Move variables and connections of ENVIRONMENT to Secrets Manager, where its Airflow then reads them.

    \b
      mwaa secrets move production --variables team_a_ --dry-run
      mwaa secrets move production --variables team_a_ --connections connections.json
      mwaa secrets move production --variables team_a_ --connections connections.json --delete

    Each secret is written, read back and compared; no value is printed. Set the options that `mwaa secrets options`
    prints before you use --delete, which deletes in the environment's database what has been read back once more.
    One that fails does not stop the others; the same command does the rest.

    Airflow's REST API shows no passwords, so that connections come from a file; Airflow 3 shows no variables whose
    keys sound like secrets: those come from --values, a file as `airflow variables export` writes it.

    IAM: `mwaa policy ENVIRONMENT --action rest --role Op`, or session; secretsmanager:GetSecretValue, CreateSecret
    and PutSecretValue on the secrets
    """
    if not prefixes and connections is None:
        raise click.UsageError("nothing to move: give --variables, --connections, or both")
    if values is not None and not prefixes:
        raise click.UsageError("--values goes with --variables, which says which variables are meant")
    # Whether the prefixes can be ones.
    secrets_options(connections_prefix=connections_prefix, variables_prefix=variables_prefix)
    client = connection.client(transport)
    given = read_settings_file(values, connection.s3_client) if values else {}
    of_file = read_settings_file(connections, connection.s3_client) if connections else {}
    moved, problems = connections_to_move(of_file, connections_prefix)
    if prefixes:
        variables, hidden = _variables(client, environment, prefixes, given)
        more, wrong = variables_to_move(variables, variables_prefix)
        moved, problems = [*more, *moved], [*hidden, *wrong, *problems]
    raise_problems(problems)

    def deletion(one: Moved) -> None:
        if one.noun == "variable":
            client.delete_variable(environment, one.key)
        else:
            client.delete_connection(environment, one.key)

    store = SecretStore(connection.secretsmanager_client, kms_key_id=kms_key)
    report = move(moved, store, environment, delete=deletion if delete else None, overwrite=overwrite, dry_run=dry_run)
    tell(context, report, as_json=as_json)


def _variables(
    client: MwaaClient, environment: str, prefixes: tuple[str, ...], given: dict[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    found: dict[str, Any] = {}
    problems = []
    for variable in client.list_variables(environment):
        if not variable.key.startswith(prefixes):
            continue
        if variable.key in given:
            found[variable.key] = given[variable.key]
        elif variable.value is None or _MASK in variable.value:
            problems.append(
                f"variable {variable.key!r}: Airflow does not show its value; give it in a file by --values"
            )
        else:
            found[variable.key] = variable.value
    return found, problems
