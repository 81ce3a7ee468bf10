"""What is wrong with a requirements.txt, for one Airflow release on MWAA."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from mwaa_provider.packaging import requirements_private, requirements_versions
from mwaa_provider.packaging.constraints import Constraints, address_of
from mwaa_provider.packaging.findings import Finding, in_order
from mwaa_provider.packaging.releases import PLUGINS_FOLDER, Release
from mwaa_provider.packaging.requirements_file import RequirementsFile, Wanted, decoded, read_requirements
from mwaa_provider.packaging.secret_finder import find_keys, find_logins, without_login
from mwaa_provider.packaging.wheel_set import WheelSet, tags_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_AIRFLOW_HOME = str(PurePosixPath(PLUGINS_FOLDER).parent)
_INDEXES = ("--index-url", "--extra-index-url")


@dataclass(frozen=True)
class Target:
    """What a requirements file is checked for.

    :param release: The release.
    :param private: Whether the environment's web server is private, without a way to the internet.
    :param constraints: The constraint file to compare with; ``None`` if none was read.
    :param wheels: The wheels that plugins.zip brings; ``None`` if nobody named them.
    """

    release: Release
    private: bool = False
    constraints: Constraints | None = None
    wheels: WheelSet | None = None


def check_requirements(
    content: bytes | str, target: Target, *, file: str = "requirements.txt", ignored: Collection[str] = ()
) -> list[Finding]:
    """Check a requirements file.

    :param content: What the file holds.
    :param target: What it is for.
    :param file: Its name, for the findings.
    :param ignored: Kinds of findings that are left out (default: none).
    """
    read = read_requirements(content)
    return in_order(_all(read, content, target, file), ignored)


def _all(read: RequirementsFile, content: bytes | str, target: Target, file: str) -> Iterator[Finding]:
    for problem in read.problems:
        # A line that is not understood may be one with a password in it.
        yield Finding(
            "bad-line",
            f"{without_login(problem.text)}, so pip installs nothing at all.",
            "Write `name==version`, an option of pip, or a comment behind '#'.",
            file,
            problem.line,
        )
    yield from _constraint_lines(read, target.release, file)
    yield from _credentials(read, content, file)
    yield from _places(read, file)
    yield from _wheels_by_name(read, target.release, file)
    yield from requirements_versions.check(read, target.release, target.constraints, file)
    if target.private:
        yield from requirements_private.check(read, target.release, target.wheels, file)


def _constraint_lines(read: RequirementsFile, release: Release, file: str) -> Iterator[Finding]:
    lines = read.given("--constraint")
    if not lines and not read.given("--no-index") and (read.wanted or read.problems):
        yield Finding(
            "constraint-missing",
            "No constraint file is named; MWAA then takes one by itself, and you do not see which.",
            f'Begin with: --constraint "{release.constraint_url}"',
            file,
        )
    for line in lines:
        address = address_of(line.value)
        right = f'Write: --constraint "{release.constraint_url}"'
        shown = without_login(line.value)
        if address.is_page:
            yield Finding(
                "constraint-not-a-file",
                f"{shown} is a page of GitHub that shows the file, in HTML.",
                right,
                file,
                line.line,
            )
        if address.airflow is not None and address.airflow != release.airflow:
            yield Finding(
                "constraint-other-release",
                f"The constraint file is that of Airflow {address.airflow}; the environment runs {release.airflow}.",
                right,
                file,
                line.line,
            )
        if address.python is not None and address.python != release.python:
            yield Finding(
                "constraint-other-python",
                f"The constraint file is that of Python {address.python}; Airflow {release.airflow} runs on Python "
                f"{release.python} on MWAA.",
                right if address.airflow else f"Make it from {release.constraint_url}",
                file,
                line.line,
            )
        if "://" not in line.value and not line.value.startswith(f"{_AIRFLOW_HOME}/"):
            yield _not_there(line.value, file, line.line)


def _credentials(read: RequirementsFile, content: bytes | str, file: str) -> Iterator[Finding]:
    text = decoded(content)
    yield from find_keys(text.encode("utf-8", "replace"), file)
    yield from find_logins(
        text,
        file,
        "pip logs it too.",
        "Replace it; then write ${AIRFLOW__FOO__USER}:${AIRFLOW__FOO__PASS} there and set the configuration options foo.user and foo.pass, "
        "or export PIP_EXTRA_INDEX_URL in the startup script.",
    )
    for option in read.options:
        unprotected = option.name in (*_INDEXES, "--find-links") and urlsplit(option.value).scheme == "http"
        if unprotected or option.name == "--trusted-host":
            yield Finding(
                "insecure-index",
                f"With {option.name} {without_login(option.value)} whoever stands between can send other packages.",
                "Use https with a certificate that pip trusts (PIP_CERT in the startup script).",
                file,
                option.line,
            )


def _places(read: RequirementsFile, file: str) -> Iterator[Finding]:
    for option in read.given("--requirement", "--editable", "--find-links"):
        if option.name == "--editable" and option.value.startswith(("git+", "hg+", "svn+", "bzr+")):
            continue
        if "://" not in option.value and not option.value.startswith(f"{_AIRFLOW_HOME}/"):
            yield _not_there(option.value, file, option.line)
    for wanted in read.wanted:
        if wanted.place and not _is_address(wanted) and not wanted.place.startswith(f"{_AIRFLOW_HOME}/"):
            yield _not_there(wanted.place, file, wanted.line)


def _wheels_by_name(read: RequirementsFile, release: Release, file: str) -> Iterator[Finding]:
    for wanted in read.wanted:
        name = PurePosixPath(urlsplit(wanted.place or "").path).name
        if not name.endswith(".whl"):
            continue
        try:
            tags = parse_wheel_filename(unquote(name))[3]
        except InvalidWheelFilename:
            continue  # pip says so, and so does the line's own finding
        if tags.isdisjoint(tags_of(release)):
            yield Finding(
                "wheel-for-other-target",
                f"{name} does not fit Python {release.python} on Linux x86_64, which Airflow {release.airflow} runs on.",
                "Download wheels with `mwaa requirements wheels`.",
                file,
                wanted.line,
            )


def _is_address(wanted: Wanted) -> bool:
    return "://" in (wanted.place or "")


def _not_there(path: str, file: str, line: int) -> Finding:
    return Finding(
        "not-in-container",
        f"{path} is a file of this machine: MWAA takes requirements.txt alone.",
        f"Put it into plugins.zip and write {PLUGINS_FOLDER}/{PurePosixPath(path).name}.",
        file,
        line,
    )
