"""The groups of the command ``mwaa``, whose subcommands are imported when they are called."""

from __future__ import annotations

from importlib import import_module

import click

from mwaa_provider import __version__

_SUBCOMMANDS = {
    "local": ("mwaa_provider.cli.local", "local", "Run a local MWAA with a real Airflow, without an AWS account.")
}


class LazyGroup(click.Group):
    """A group that lists its subcommands without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the subcommands."""
        return sorted(_SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand."""
        if cmd_name not in _SUBCOMMANDS:
            return None
        module, name, _ = _SUBCOMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands in the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, _, about) in sorted(_SUBCOMMANDS.items())])


@click.group(cls=LazyGroup)
@click.version_option(__version__, package_name="airflow-provider-mwaa")
def mwaa() -> None:
    """Tools for Amazon MWAA (Managed Workflows for Apache Airflow)."""
