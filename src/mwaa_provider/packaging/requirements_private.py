"""What a private web server, which has no way to the internet, cannot install."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mwaa_provider.packaging.findings import Finding
from mwaa_provider.packaging.releases import AIRFLOW_ITSELF, PLUGINS_FOLDER
from mwaa_provider.packaging.secret_finder import without_login

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mwaa_provider.packaging.releases import Release
    from mwaa_provider.packaging.requirements_file import RequirementsFile
    from mwaa_provider.packaging.wheel_set import WheelSet

_HEAD = f"--no-index and --find-links {PLUGINS_FOLDER}"


def check(read: RequirementsFile, release: Release, wheels: WheelSet | None, file: str) -> Iterator[Finding]:
    """Check a requirements file for an environment with a private web server.

    :param read: The requirements file.
    :param release: The environment's release.
    :param wheels: The wheels that plugins.zip brings; ``None`` if nobody named them.
    :param file: The file's name, for the findings.
    """
    if not read.wanted:
        return
    yield from _ways_out(read, file)
    yield from _wheels(read, release, wheels, file)


def _ways_out(read: RequirementsFile, file: str) -> Iterator[Finding]:
    if not read.given("--no-index"):
        yield _needs_internet("Without --no-index pip asks PyPI, which a private web server cannot reach.", file, None)
    for option in read.options:
        if urlsplit(option.value).scheme in ("http", "https"):
            yield _needs_internet(
                f"{option.name} {without_login(option.value)} cannot be reached from a private web server.",
                file,
                option.line,
            )
        elif option.name == "--find-links" and option.value.startswith("/usr/local/airflow/dags"):
            yield _needs_internet(f"--find-links {option.value}: the web server has no DAG folder.", file, option.line)
    for wanted in read.wanted:
        if wanted.place and "://" in wanted.place:
            yield _needs_internet(
                f"{without_login(wanted.place)} cannot be reached from a private web server.", file, wanted.line
            )
    if read.given("--no-index") and not read.given("--find-links"):
        yield Finding(
            "wheel-missing",
            "With --no-index and without --find-links pip finds no package at all.",
            f"Write: --find-links {PLUGINS_FOLDER}",
            file,
            read.given("--no-index")[0].line,
        )


def _needs_internet(message: str, file: str, line: int | None) -> Finding:
    return Finding(
        "needs-internet",
        message,
        f"Bring wheels in plugins.zip (`mwaa requirements wheels`), begin with {_HEAD}, and name packages only.",
        file,
        line,
    )


def _wheels(read: RequirementsFile, release: Release, wheels: WheelSet | None, file: str) -> Iterator[Finding]:
    if wheels is None:
        yield Finding(
            "wheels-not-compared",
            "Whether plugins.zip brings all wheels was not looked at, because it was not given.",
            "Give --wheels plugins.zip.",
            file,
        )
        return
    line_of = {}
    for wanted in read.wanted:
        if wanted.requirement and (
            wanted.requirement.marker is None or wanted.requirement.marker.evaluate(dict(release.markers))
        ):
            line_of[str(wanted.requirement)] = wanted
    asked = [wanted.requirement for wanted in line_of.values() if wanted.requirement]
    _, missing = wheels.closure(asked, release, AIRFLOW_ITSELF)
    for one in missing:
        if one.by is None:
            yield Finding(
                "wheel-missing",
                f"No wheel meets {one.requirement} on Python {release.python} under Linux.",
                "Make plugins.zip anew with `mwaa plugins build --wheels`, from this file.",
                file,
                line_of[str(one.requirement)].line,
            )
        else:
            yield Finding(
                "wheel-dependency-missing",
                f"{one.by.file} asks for {one.requirement}, which is not among the wheels; it installs only where MWAA has it already.",
                "If MWAA does not bring it, make plugins.zip anew with `mwaa plugins build --wheels`.",
                file,
            )
