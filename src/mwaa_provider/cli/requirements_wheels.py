"""``mwaa requirements wheels``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mwaa_provider.cli.checks import chosen_release, release_options
from mwaa_provider.packaging.archive import write_archive
from mwaa_provider.packaging.releases import release_of

if TYPE_CHECKING:
    from mwaa_provider.packaging.wheels import Downloaded

_OUTPUT = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@release_options(required=True)
@click.option("--constraint", metavar="SOURCE", help="Constraint file: a path or URL.  [default: the release's]")
@click.option(
    "--find-links", multiple=True, metavar="FOLDER", help="Further wheels, such as your own packages'; repeatable."
)
@click.option("--with-airflow", is_flag=True, help="Bring Airflow's own wheels too, which MWAA has.")
@click.option(
    "--requirements",
    "private",
    type=_OUTPUT,
    metavar="PATH",
    help="Write a requirements.txt here that uses the wheels.",
)
@click.option("--output", "-o", default="wheels.zip", show_default=True, type=_OUTPUT, help="The archive.")
def wheels(
    file: Path,
    airflow: str,
    python: str | None,
    constraint: str | None,
    find_links: tuple[str, ...],
    with_airflow: bool,
    private: Path | None,
    output: Path,
) -> None:
    """Download the wheels that FILE, a requirements.txt, needs on MWAA, into an archive for private web servers.

    They are those for the release's Python on Linux, whatever this machine runs, held by the constraint file. pip downloads
    them, with the index, the proxy and the credentials of its own configuration (PIP_INDEX_URL and so on). `mwaa plugins
    build --wheels` puts them into plugins.zip together with plugins.

    Prints the wheels' names.
    """
    from mwaa_provider.packaging.wheels import download_wheels

    release = chosen_release(airflow, python) or release_of(airflow)
    downloaded = download_wheels(file, release, constraint=constraint, find_links=find_links, with_airflow=with_airflow)
    write_archive(output, downloaded.files)
    if private is not None:
        private.write_text(downloaded.requirements, encoding="utf-8")
    for name in downloaded.files:
        click.echo(name)
    say_what_was_downloaded(downloaded)
    click.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB.", err=True)


def say_what_was_downloaded(downloaded: Downloaded) -> None:
    """Tell how many wheels there are, and what is not among them.

    :param downloaded: The wheels.
    """
    click.echo(f"{len(downloaded.files)} wheels.", err=True)
    if downloaded.left_out:
        click.echo(f"Left out, because nothing asks for them on MWAA: {len(downloaded.left_out)}.", err=True)
    for one in downloaded.missing:
        by = one.by.file if one.by else "the file"
        click.echo(f"Warning: {by} asks for {one.requirement}, which is not among them.", err=True)
