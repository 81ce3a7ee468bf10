"""``mwaa requirements``."""

from __future__ import annotations

from pathlib import Path

import click

from mwaa_provider.cli.checks import chosen_release, finding_options, release_options, report
from mwaa_provider.cli.requirements_wheels import wheels
from mwaa_provider.packaging.constraints import read_constraints
from mwaa_provider.packaging.releases import release_of
from mwaa_provider.packaging.requirements_check import Target, check_requirements
from mwaa_provider.packaging.wheel_set import read_wheels


@click.group()
def requirements() -> None:
    """Check requirements.txt, and download its wheels."""


@requirements.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@release_options(required=True)
@click.option("--private", is_flag=True, help="The web server is private, without a way to the internet.")
@click.option(
    "--constraint",
    metavar="SOURCE",
    help="Constraint file to compare with: a path, a URL, or `published` to download it.",
)
@click.option(
    "--wheels",
    "archive",
    type=click.Path(exists=True, path_type=Path),
    metavar="PATH",
    help="With --private: the plugins.zip, or folder, that brings the wheels.",
)
@finding_options
@click.pass_context
def check(
    context: click.Context,
    file: Path,
    airflow: str,
    python: str | None,
    private: bool,
    constraint: str | None,
    archive: Path | None,
    ignored: tuple[str, ...],
    strict: bool,
    as_json: bool,
) -> None:
    """Find what is wrong with FILE, a requirements.txt, before MWAA does.

    Nothing is downloaded, unless --constraint names an address.
    """
    if archive is not None and not private:
        raise click.UsageError("--wheels goes with --private")
    release = chosen_release(airflow, python) or release_of(airflow)
    target = Target(
        release,
        private=private,
        constraints=read_constraints(constraint, release) if constraint else None,
        wheels=read_wheels(archive) if archive else None,
    )
    findings = check_requirements(file.read_bytes(), target, file=str(file), ignored=ignored)
    report(context, findings, as_json=as_json, strict=strict)


requirements.add_command(wheels)
