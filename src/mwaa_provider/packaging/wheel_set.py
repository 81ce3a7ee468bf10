"""The wheels of a folder or an archive: which of them fit MWAA, and whether together they satisfy a requirements file without an index."""

from __future__ import annotations

import email.parser
import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from mwaa_provider.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.version import Version

    from mwaa_provider.packaging.releases import Release


@dataclass(frozen=True)
class Wheel:
    """A wheel.

    :param file: Where it lies.
    :param name: Normalized name.
    :param version: Its version.
    :param tags: The Pythons and platforms that it fits.
    :param requires: What it asks for, with all markers.
    """

    file: str
    name: str
    version: Version
    tags: frozenset[Tag] = field(repr=False)
    requires: tuple[Requirement, ...] = field(repr=False)

    def fits(self, release: Release) -> bool:
        """Tell whether it can be installed there.

        :param release: The release.
        """
        return not self.tags.isdisjoint(tags_of(release))


@dataclass(frozen=True)
class Missing:
    """What is asked for, and is not among the wheels.

    :param requirement: What is asked for.
    :param by: The wheel that asks; ``None`` for the requirements file itself.
    """

    requirement: Requirement
    by: Wheel | None


@dataclass(frozen=True)
class WheelSet:
    """Wheels.

    :param wheels: All of them.
    """

    wheels: tuple[Wheel, ...]

    def of(self, requirement: Requirement, release: Release) -> Wheel | None:
        """Return the newest wheel that meets a requirement there.

        :param requirement: What is asked for.
        :param release: The release.
        """
        name = canonicalize_name(requirement.name)
        found = [
            wheel
            for wheel in self.wheels
            if wheel.name == name
            and wheel.fits(release)
            and requirement.specifier.contains(wheel.version, prereleases=True)
        ]
        return max(found, key=lambda wheel: wheel.version, default=None)

    def closure(
        self, wanted: Iterable[Requirement], release: Release, without: Iterable[str] = ()
    ) -> tuple[list[Wheel], list[Missing]]:
        """Follow what is asked for through the wheels: what is needed, and what is missing.

        :param wanted: What is asked for.
        :param release: The release.
        :param without: Normalized names that are there already: only what their extras ask for is followed (default: none).
        """
        needed: dict[str, Wheel] = {}
        missing: dict[str, Missing] = {}
        there = set(without)
        todo: list[tuple[Requirement, Wheel | None]] = [(requirement, None) for requirement in wanted]
        seen: set[tuple[str, frozenset[str]]] = set()
        while todo:
            requirement, by = todo.pop(0)
            name = str(canonicalize_name(requirement.name))
            wheel = self.of(requirement, release)
            if wheel is None and name not in there:
                missing.setdefault(str(requirement), Missing(requirement, by))
            if wheel is None:
                continue
            if name not in there:
                needed[name] = wheel
            asked = (name, frozenset(requirement.extras))
            if asked not in seen:
                seen.add(asked)
                follows = requires_of(wheel, requirement.extras, release.markers)
                of_itself = set(requires_of(wheel, (), release.markers)) if name in there else set()
                todo += [(one, wheel) for one in follows if one not in of_itself]
        return sorted(needed.values(), key=lambda wheel: wheel.file), list(missing.values())


def tags_of(release: Release) -> frozenset[Tag]:
    """Return the tags of all wheels that can be installed on a release's MWAA.

    :param release: The release.
    """
    python = release.python_numbers
    interpreter = f"cp{python[0]}{python[1]}"
    return frozenset(
        [
            *cpython_tags(python, abis=[interpreter], platforms=release.platforms),
            *compatible_tags(python, interpreter=interpreter, platforms=release.platforms),
        ]
    )


def requires_of(wheel: Wheel, extras: Iterable[str], markers: Mapping[str, str]) -> Iterator[Requirement]:
    """Return what a wheel asks for in an environment.

    :param wheel: The wheel.
    :param extras: Its extras that are asked for.
    :param markers: The environment.
    """
    environments = [{**markers, "extra": extra} for extra in ("", *extras)]
    for requirement in wheel.requires:
        if requirement.marker is None or any(requirement.marker.evaluate(one) for one in environments):
            yield requirement


def read_wheels(place: Path) -> WheelSet:
    """Read the wheels that ``--find-links`` would see in a folder, or in the root of an archive such as plugins.zip.

    :param place: The folder or archive.
    :raises InvalidInputError: There is neither, or a wheel cannot be read.
    """
    if place.is_dir():
        return WheelSet(tuple(read_wheel(file.name, file.read_bytes()) for file in sorted(place.glob("*.whl"))))
    try:
        with zipfile.ZipFile(place) as archive:
            names = sorted(name for name in archive.namelist() if name.endswith(".whl") and "/" not in name)
            return WheelSet(tuple(read_wheel(name, archive.read(name)) for name in names))
    except (OSError, zipfile.BadZipFile) as error:
        raise InvalidInputError(
            [f"wheels: {place} is neither a folder nor an archive with wheels ({error}); give plugins.zip or a folder"]
        ) from error


def read_wheel(file: str, content: bytes) -> Wheel:
    """Read a wheel.

    :param file: Its name.
    :param content: What it holds.
    :raises InvalidInputError: It is none.
    """
    try:
        name, version, _, tags = parse_wheel_filename(PurePosixPath(file).name)
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (metadata,) = (
                one for one in archive.namelist() if one.endswith(".dist-info/METADATA") and one.count("/") == 1
            )
            parsed = email.parser.Parser().parsestr(archive.read(metadata).decode("utf-8", errors="replace"))
        requires = tuple(_requirements(parsed.get_all("Requires-Dist") or ()))
    except (InvalidWheelFilename, zipfile.BadZipFile, ValueError) as error:
        raise InvalidInputError([f"wheels: {file} is no wheel ({error})"]) from error
    return Wheel(file, str(name), version, tags, requires)


def _requirements(lines: Iterable[str]) -> Iterator[Requirement]:
    for line in lines:
        try:
            yield Requirement(line)
        except InvalidRequirement:  # pip of today would not take it either; old wheels have such lines under extras
            continue
