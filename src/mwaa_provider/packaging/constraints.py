"""A constraint file: which Airflow and Python it is for, and the versions that it holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from mwaa_provider.exceptions import ConnectionFailedError, InvalidInputError
from mwaa_provider.packaging.requirements_file import read_requirements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mwaa_provider.packaging.releases import Release

#: Says that the release's own constraint file is to be downloaded.
PUBLISHED = "published"

_AIRFLOW_OF = re.compile(r"/constraints-(?P<airflow>[^/]+)/constraints[a-z-]*-(?P<python>\d+\.\d+)[^/]*$")
_PYTHON_OF = re.compile(r"constraints[a-z-]*-(?P<python>3\.\d+)")
_SECONDS = 30


@dataclass(frozen=True)
class Constraints:
    """What a constraint file holds.

    :param source: Where it was read.
    :param versions: Normalized name to version.
    """

    source: str
    versions: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class ConstraintAddress:
    """What the address of a constraint file tells.

    :param airflow: Airflow's release (or a branch: ``main``, ``latest``); ``None`` if it does not tell.
    :param python: The Python; ``None`` if it does not tell.
    :param is_page: Whether it is a page of GitHub that shows the file.
    """

    airflow: str | None
    python: str | None
    is_page: bool


def address_of(value: str) -> ConstraintAddress:
    """Read the address or path of a constraint file.

    :param value: As it stands behind ``--constraint``.
    """
    parts = urlsplit(value)
    is_page = parts.hostname in ("github.com", "www.github.com") and "/raw/" not in parts.path
    match = _AIRFLOW_OF.search(parts.path)
    if match:
        return ConstraintAddress(match["airflow"], match["python"], is_page)
    named = _PYTHON_OF.search(parts.path.rpartition("/")[2])
    return ConstraintAddress(None, named["python"] if named else None, is_page)


def read_constraints(source: str, release: Release) -> Constraints:
    """Read a constraint file.

    :param source: A path, a URL, or ``published`` for the release's own.
    :param release: The release.
    :raises InvalidInputError: There is no such file, or it is none.
    :raises ConnectionFailedError: It could not be downloaded.
    """
    source = release.constraint_url if source == PUBLISHED else source
    if urlsplit(source).scheme in ("http", "https"):
        content = _downloaded(source)
    else:
        try:
            content = Path(source).read_bytes()
        except OSError as error:
            raise InvalidInputError([f"constraint: {source} cannot be read ({error.strerror})"]) from error
    versions = versions_in(content, release.markers)
    if not versions:
        raise InvalidInputError(
            [f"constraint: {source} holds no line like 'requests==2.32.3': it is no constraint file"]
        )
    return Constraints(source, versions)


def versions_in(content: bytes | str, markers: Mapping[str, str]) -> dict[str, str]:
    """Return the versions that a constraint file holds, by normalized name.

    :param content: What the file holds.
    :param markers: The environment that lines with ``; python_version ...`` are for.
    """
    versions = {}
    for one in read_requirements(content).wanted:
        if one.requirement is not None and (
            one.requirement.marker is None or one.requirement.marker.evaluate(dict(markers))
        ):
            pins = [spec.version for spec in one.requirement.specifier if spec.operator in ("==", "===")]
            if pins:
                versions[str(canonicalize_name(one.requirement.name))] = pins[0]
    return versions


def _downloaded(url: str) -> bytes:
    import requests

    host = urlsplit(url).hostname
    try:
        answer = requests.get(url, timeout=_SECONDS)
    except requests.RequestException as error:
        raise ConnectionFailedError(
            f"The constraint file could not be downloaded from {host} ({type(error).__name__}). Download it elsewhere, and name the file.",
            environment_name=None,
            host=host,
        ) from error
    if not answer.ok:
        raise InvalidInputError([f"constraint: {host} has no such file (status {answer.status_code}): {url}"])
    return answer.content
