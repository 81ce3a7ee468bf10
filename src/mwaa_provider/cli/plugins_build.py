"""``mwaa plugins build``."""

from __future__ import annotations

from pathlib import Path

import click

from mwaa_provider.cli.checks import chosen_release, release_options
from mwaa_provider.packaging.archive import Content
from mwaa_provider.packaging.plugins_build import Built, Contents, available_plugins, build_plugins
from mwaa_provider.packaging.releases import Release

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("folder", required=False, type=_FOLDER)
@click.option(
    "--plugin",
    "plugins",
    multiple=True,
    metavar="NAME",
    help=f"A plugin of this package: {', '.join(available_plugins())}; repeatable.",
)
@click.option(
    "--with-package",
    "package",
    is_flag=False,
    flag_value="folder",
    type=click.Choice(["folder", "wheel"]),
    metavar="[folder|wheel]",
    help="Carry this package along: as a folder to import from, or as a wheel for requirements.txt.",
)
@click.option(
    "--include", multiple=True, type=_FOLDER, help="A folder of binaries or data, under its own name; repeatable."
)
@click.option(
    "--wheels",
    "requirements",
    type=_FILE,
    metavar="FILE",
    help="Download the wheels of a requirements.txt, and put them in.",
)
@release_options(required=False)
@click.option(
    "--constraint", metavar="SOURCE", help="Constraint file for --wheels: a path or URL.  [default: the release's]"
)
@click.option(
    "--find-links", multiple=True, metavar="FOLDER", help="Further wheels for --wheels, such as your own; repeatable."
)
@click.option(
    "--output",
    "-o",
    default="plugins.zip",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The archive.",
)
def build(
    folder: Path | None,
    plugins: tuple[str, ...],
    package: str | None,
    include: tuple[Path, ...],
    requirements: Path | None,
    airflow: str | None,
    python: str | None,
    constraint: str | None,
    find_links: tuple[str, ...],
    output: Path,
) -> None:
    """Build plugins.zip from the files of FOLDER, which go to the archive's root, and from what the options name.

    \b
      mwaa plugins build plugins
      mwaa plugins build --plugin extra_links --with-package
      mwaa plugins build plugins --include instantclient --wheels requirements.txt --airflow 3.2.1

    The same contents make the same bytes, so that a build that changes nothing needs no update of the environment. Exec bits
    are kept, and scripts and programs get them. `.airflowignore` names the folders in which Airflow is not to look for plugins.

    Prints the SHA-256 of the archive.
    """
    release = chosen_release(airflow, python)
    if not (folder or plugins or package or include or requirements):
        raise click.UsageError("nothing to build from: give a folder, --plugin, --with-package, --include or --wheels")
    wheels = _wheels(requirements, release, constraint, find_links) if requirements else {}
    built = build_plugins(output, Contents(folder, plugins, package, include, wheels))
    click.echo(built.sha256)
    click.echo(_summary(built), err=True)


def _wheels(
    requirements: Path, release: Release | None, constraint: str | None, find_links: tuple[str, ...]
) -> dict[str, Content]:
    from mwaa_provider.cli.requirements_wheels import say_what_was_downloaded
    from mwaa_provider.packaging.wheels import download_wheels

    if release is None:
        raise click.UsageError("--wheels goes with --airflow: each release has its own wheels")
    downloaded = download_wheels(requirements, release, constraint=constraint, find_links=find_links)
    say_what_was_downloaded(downloaded)
    return downloaded.files


def _summary(built: Built) -> str:
    size = f"{built.files} files, {built.size / 1e6:.1f} MB, {built.unpacked / 1e6:.1f} MB unpacked"
    advice = (
        "AWS advises less than 1 GB: all containers unpack it when they start, and if installing takes over 10 minutes, MWAA rolls "
        "the environment back."
        if built.is_large
        else "Upload it and set its S3 object version on the environment."
    )
    return f"{built.path}: {size}. {advice}"
