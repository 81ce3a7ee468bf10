"""``mwaa plugins``, whose subcommands are imported when they are called."""

from __future__ import annotations

from importlib import import_module

import click

_SUBCOMMANDS = {
    "build": ("mwaa_provider.cli.plugins_build", "Build plugins.zip."),
    "check": ("mwaa_provider.cli.plugins_check", "Find what is wrong with a plugins.zip."),
    "doctor": ("mwaa_provider.cli.plugins_doctor", "Say what our plugins do in this Airflow, and what not and why."),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _SUBCOMMANDS:
            return None
        command: click.Command = getattr(import_module(_SUBCOMMANDS[cmd_name][0]), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in _SUBCOMMANDS.items()])


@click.group(cls=_LazyGroup)
def plugins() -> None:
    """Build and check plugins.zip."""
