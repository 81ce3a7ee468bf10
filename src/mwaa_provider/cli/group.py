"""The command ``mwaa``, whose subcommands are imported when they are called."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

from mwaa_provider import __version__
from mwaa_provider.cli.connection import Connection, connection_options
from mwaa_provider.cli.exit_status import CALL_FAILED, INTERRUPTED, NOBODY_READS, exit_status_of
from mwaa_provider.cli.wording import message_of
from mwaa_provider.exceptions import MwaaError

_SUBCOMMANDS = {
    "environments": "List the environments of the account and region.",
    "url": "Print a link that logs a browser in to an environment.",
    "rest": "Call Airflow's REST API in an environment.",
    "cli": "Run an airflow command in an environment.",
    "variables": "Import variables from a file.",
    "pools": "Import pools from a file.",
    "connections": "Import connections from a file.",
    "status": "Show how environments are: health, runs, tasks, pools.",
    "dashboard": "Print or put a CloudWatch dashboard and alarms of an environment.",
    "export": "Export an environment's metadata database to S3, and verify exports.",
    "db": "Clean the metadata database of the Airflow that this runs in.",
    "policy": "Print the least IAM policy for what you want to do.",
    "local": "Run a local MWAA with a real Airflow, without an AWS account.",
    "secrets": "Move connections and variables to Secrets Manager; print the options for it.",
    "connection": "Print the URI of an Airflow connection.",
    "plugins": "Build and check plugins.zip; see what our plugins do in an Airflow.",
    "requirements": "Check requirements.txt, and download its wheels.",
    "startup": "Check the startup script.",
}
# These ask nothing of AWS; the command to look at for their own options.
_WITHOUT_AWS = {
    "db": "db clean",
    "local": "local start",
    "plugins": "plugins build",
    "requirements": "requirements check",
    "startup": "startup check",
    "connection": "connection uri",
}
# Modules of another name than their command's; `connection.py` is about reaching AWS.
_MODULES = {"connection": "connection_uri"}


class LazyGroup(click.Group):
    """A group that lists its subcommands without importing them, and says failures as sentences."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the subcommands."""
        return list(_SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand."""
        if cmd_name not in _SUBCOMMANDS:
            return None
        command: click.Command = getattr(
            import_module(f"mwaa_provider.cli.{_MODULES.get(cmd_name, cmd_name)}"), cmd_name
        )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands in the help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(_SUBCOMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; what fails as expected gives a message and an exit status, no traceback."""
        try:
            return super().invoke(ctx)
        except MwaaError as error:
            click.echo(f"Error: {message_of(error)}", err=True)
            ctx.exit(exit_status_of(error))
        except ModuleNotFoundError as error:
            library = (error.name or "").partition(".")[0]
            if library not in ("packaging", "pathspec"):
                raise
            click.echo(f"Error: {library} is not installed: pip install 'airflow-provider-mwaa[cli]'", err=True)
            ctx.exit(CALL_FAILED)
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            # Whoever read has gone. Python flushes once more when it ends, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(NOBODY_READS)


@click.group(cls=LazyGroup, context_settings={"max_content_width": 120})
@connection_options
@click.version_option(__version__, package_name="airflow-provider-mwaa")
@click.pass_context
def mwaa(context: click.Context, /, **given: str | None) -> None:
    """Amazon MWAA (Managed Workflows for Apache Airflow) from the command line.

    \b
      mwaa environments
      mwaa url production
      mwaa rest production GET /dags --param limit=5
      mwaa cli production -- dags list -o json
      mwaa status production staging --watch
      mwaa policy production --action rest,cli

    `mwaa COMMAND --help` tells more. The options below may stand before or after the command. Credentials are found as
    boto3 finds them. Results go to standard output, messages to standard error.

    \b
    Exit status:
        0  done
        1  the call failed: no way there, no permission, no such environment
        2  wrong usage; nothing was asked of AWS or Airflow
        3  Airflow answered, and said no
        4  no answer came: what was asked for may have been done, or not
        5  a check found errors
        6  a check found warnings, and --strict was given
      130  stopped by Ctrl-C
      141  nobody reads the output any more (a closed pipe)
    """
    connection = Connection(**given)
    name = context.invoked_subcommand
    if name in _WITHOUT_AWS and connection:
        raise click.UsageError(
            f"`mwaa {name}` takes none of these options; `mwaa {_WITHOUT_AWS[name]} --help` shows its own"
        )
    context.obj = connection
