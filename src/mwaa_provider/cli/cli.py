"""``mwaa cli``."""

from __future__ import annotations

import re

import click

from mwaa_provider.cli.connection import Connection, with_connection
from mwaa_provider.cli.exit_status import AIRFLOW_SAID_NO
from mwaa_provider.cli.output import print_json

#: How commands end that have no rows to print, whatever -o says: "No data found", "No paused DAGs were found".
_NO_ROWS = re.compile(r"^No .*found\s*\Z", re.MULTILINE)


class _AirflowCommand(click.Command):
    """A command whose users forget the ``--`` before Airflow's own options."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise click.UsageError(
                f"{error.format_message()} Airflow's own options go after --, as in mwaa cli ENVIRONMENT -- dags list -o json",
                ctx,
            ) from error


@click.command(cls=_AirflowCommand)
@click.argument("environment")
@click.argument("command", nargs=-1, required=True, metavar="-- COMMAND...")
@click.option("--json", "as_json", is_flag=True, help="Add -o json to the command and print its JSON alone.")
@with_connection
@click.pass_context
def cli(
    context: click.Context, connection: Connection, *, environment: str, command: tuple[str, ...], as_json: bool
) -> None:
    """Run the airflow COMMAND in ENVIRONMENT, on its web server.

    \b
      mwaa cli production -- dags trigger load --conf '{"day": "2026-01-31"}'
      mwaa cli production -- dags list -o json
      mwaa cli --json production -- dags list

    What it prints to standard output and standard error is printed there. Airflow 3 logs to standard output too: for
    programs, --json leaves that out; where the command has no rows to show, it prints []. The exit status is 3 if the
    command failed, and 4 if no answer came: then it may have been carried out.

    IAM: `mwaa policy ENVIRONMENT --action cli`
    """
    # A line in one pair of quotes is a line; anything else came in the pieces that the shell here has made.
    line: str | list[str] = command[0] if len(command) == 1 else list(command)
    if as_json:
        line = f"{line} -o json" if isinstance(line, str) else [*line, "-o", "json"]
    result = connection.client().run_cli(environment, line, check=False)
    rows = [] if result.json is None and _NO_ROWS.search(result.stdout) else result.json
    verdict = "failed" if result.has_failed else "printed no JSON" if as_json and rows is None else ""
    if as_json and not verdict:
        print_json(rows)
    else:
        # As bytes: whatever the encoding here, what the command printed comes through as it was.
        click.echo(result.stdout.encode(), nl=False, err=as_json)
    click.echo(result.stderr.encode(), nl=False, err=True)
    if verdict:
        click.echo(f"Error: `airflow {' '.join(result.command)}` {verdict} in environment {environment!r}.", err=True)
        context.exit(AIRFLOW_SAID_NO)
