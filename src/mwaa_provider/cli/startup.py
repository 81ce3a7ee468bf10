"""``mwaa startup``."""

from __future__ import annotations

from pathlib import Path

import click

from mwaa_provider.cli.checks import chosen_release, finding_options, release_options, report
from mwaa_provider.packaging.startup_check import check_startup


@click.group()
def startup() -> None:
    """Check the startup script."""


@startup.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@release_options(required=False)
@click.option("--private", is_flag=True, help="The web server is private, without a way to the internet.")
@finding_options
@click.pass_context
def check(
    context: click.Context,
    file: Path,
    airflow: str | None,
    python: str | None,
    private: bool,
    ignored: tuple[str, ...],
    strict: bool,
    as_json: bool,
) -> None:
    """Find what is wrong with FILE, a startup script. It is not run.

    shellcheck reads it too, if it is installed.
    """
    findings = check_startup(
        file.read_bytes(), chosen_release(airflow, python), private=private, file=str(file), ignored=ignored
    )
    report(context, findings, as_json=as_json, strict=strict)
