"""``mwaa plugins check``."""

from __future__ import annotations

from pathlib import Path

import click

from mwaa_provider.cli.checks import chosen_release, finding_options, release_options, report
from mwaa_provider.packaging.plugins_check import check_plugins


@click.command()
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@release_options(required=False)
@click.option(
    "--airflow-python",
    metavar="PATH",
    help="The bin/python of a virtual environment with that Airflow, to import the plugins.  [default: the running Python]",
)
@finding_options
@click.pass_context
def check(
    context: click.Context,
    archive: Path,
    airflow: str | None,
    python: str | None,
    airflow_python: str | None,
    ignored: tuple[str, ...],
    strict: bool,
    as_json: bool,
) -> None:
    """Find what is wrong with ARCHIVE, a plugins.zip, before MWAA does.

    The plugins are imported by the release's Airflow, in a process of its own, if it is installed. Nothing else of the
    archive is run.
    """
    findings = check_plugins(archive, chosen_release(airflow, python), python=airflow_python, ignored=ignored)
    report(context, findings, as_json=as_json, strict=strict)
