"""What ``mwaa variables import``, ``mwaa pools import`` and ``mwaa connections import`` have in common."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from mwaa_provider.cli.connection import Connection, with_connection
from mwaa_provider.cli.exit_status import exit_status_of
from mwaa_provider.cli.output import print_json, print_table
from mwaa_provider.cli.wording import message_of
from mwaa_provider.client.settings_file import read_settings_file

if TYPE_CHECKING:
    from mwaa_provider.client.importing import ImportReport
    from mwaa_provider.client.routing import TransportChoice

#: Imports: takes a client, an environment's name, the file's content, and how.
Importer = Callable[..., "ImportReport"]


def import_command(
    noun: str, given_by: Callable[[Connection], dict[str, Any]] = lambda connection: {}
) -> Callable[[Importer], Callable[..., None]]:
    """Make a command of the client's method that imports: give it the arguments and options, the file's content, and tell what was done.

    :param noun: What is imported.
    :param given_by: What else the importer is given of the way to AWS (default: nothing).
    """

    def decorate(importer: Importer) -> Callable[..., None]:
        @click.pass_context
        def command(
            context: click.Context,
            /,
            connection: Connection,
            *,
            environment: str,
            file: str,
            dry_run: bool,
            prune: str | None,
            as_json: bool,
            transport: TransportChoice,
        ) -> None:
            content = read_settings_file(file, connection.s3_client)
            report = importer(
                connection.client(transport),
                environment,
                content,
                prune_prefix=prune,
                dry_run=dry_run,
                **given_by(connection),
            )
            tell(context, report, as_json=as_json)

        return _with_options(noun, with_connection(functools.update_wrapper(command, importer)))

    return decorate


def _with_options(noun: str, command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(
        (
            click.argument("environment"),
            click.argument("file"),
            click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing."),
            click.option(
                "--prune", metavar="PREFIX", help=f"Delete the {noun} that begin with PREFIX and are not in FILE."
            ),
            click.option("--json", "as_json", is_flag=True, help="Print a JSON object."),
            click.option(
                "--transport",
                type=click.Choice(("auto", "iam", "session")),
                default="auto",
                metavar="WAY",
                help="iam (InvokeRestApi), session (a web session), or auto, whichever is open.  [default: auto]",
            ),
        )
    ):
        command = option(command)
    return command


def tell(context: click.Context, report: ImportReport, *, as_json: bool) -> None:
    """Print what was done to each; what failed goes to standard error, and makes the exit status.

    :param context: Of the command.
    :param report: What an import did, or would do.
    :param as_json: For programs.
    """
    if as_json:
        print_json(_for_programs(report))
    else:
        rows = [
            (_outcome(report, change.name, change.action), change.name, change.detail)
            for change in report.changes
            if change.action != "keep"
        ]
        if rows:
            print_table(("WOULD" if report.dry_run else "DONE", "NAME", "CHANGE"), rows)
        kept = len(report.names("keep"))
        click.echo(f"{len(rows)} differ, {kept} {'is' if kept == 1 else 'are'} as wanted.", err=True)
    for name, error in report.errors.items():
        click.echo(f"Error: {name}: {message_of(error)}", err=True)
    if report.not_tried:
        click.echo(f"Error: not tried after that: {', '.join(report.not_tried)}", err=True)
    if report.errors:
        context.exit(max(map(exit_status_of, report.errors.values())))


def _outcome(report: ImportReport, name: str, action: str) -> str:
    return "failed" if name in report.errors else "not tried" if name in report.not_tried else action


def _for_programs(report: ImportReport) -> dict[str, Any]:
    return {
        "environment_name": report.environment_name,
        "dry_run": report.dry_run,
        "changes": [
            {"name": change.name, "action": change.action, "outcome": _outcome_for_programs(report, change.name)}
            for change in report.changes
        ],
        "errors": {
            name: {"kind": type(error).__name__, "message": message_of(error)} for name, error in report.errors.items()
        },
    }


def _outcome_for_programs(report: ImportReport, name: str) -> str:
    if name in report.errors:
        return "failed"
    if name in report.not_tried:
        return "not tried"
    return "planned" if report.dry_run else "done"
