"""A requirements file, read line by line as pip reads it, without following what it names.

https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import codecs
import re
import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMENT = re.compile(r"(^|\s+)#.*$")
_SCHEME = re.compile(r"^(?:(?:git|hg|svn|bzr)\+)?[a-z][a-z0-9+.-]*:", re.IGNORECASE)

# What may stand on a line of its own, with the name that we know it by, and whether a value follows.
_OPTIONS = {
    "-c": ("--constraint", True),
    "--constraint": ("--constraint", True),
    "-r": ("--requirement", True),
    "--requirement": ("--requirement", True),
    "-e": ("--editable", True),
    "--editable": ("--editable", True),
    "-i": ("--index-url", True),
    "--index-url": ("--index-url", True),
    "--pypi-url": ("--index-url", True),
    "--extra-index-url": ("--extra-index-url", True),
    "-f": ("--find-links", True),
    "--find-links": ("--find-links", True),
    "--no-index": ("--no-index", False),
    "--pre": ("--pre", False),
    "--prefer-binary": ("--prefer-binary", False),
    "--require-hashes": ("--require-hashes", False),
    "--trusted-host": ("--trusted-host", True),
    "--no-binary": ("--no-binary", True),
    "--only-binary": ("--only-binary", True),
    "--use-feature": ("--use-feature", True),
}
# What may follow a requirement.
_OF_A_REQUIREMENT = ("--hash", "--config-settings", "--config-setting", "--global-option", "-C")


@dataclass(frozen=True)
class Option:
    """An option.

    :param line: Its line, from 1.
    :param name: Its long name, such as ``--constraint``.
    :param value: What it was given; empty for a flag.
    """

    line: int
    name: str
    value: str = ""


@dataclass(frozen=True)
class Wanted:
    """A package that is asked for.

    :param line: Its line, from 1.
    :param text: The line as it stands there.
    :param requirement: What packaging made of it; ``None`` for a path or an address that tells no name.
    :param place: A path or an address, where it is one.
    """

    line: int
    text: str
    requirement: Requirement | None
    place: str | None = None

    @property
    def name(self) -> str | None:
        """The normalized name; ``None`` if only pip could tell."""
        return None if self.requirement is None else str(canonicalize_name(self.requirement.name))


@dataclass(frozen=True)
class Problem:
    """A line that pip could not read.

    :param line: The line, from 1.
    :param text: What is wrong.
    """

    line: int
    text: str


@dataclass(frozen=True)
class RequirementsFile:
    """What a requirements file says.

    :param options: Its options.
    :param wanted: The packages that it asks for.
    :param problems: What could not be read.
    """

    options: tuple[Option, ...]
    wanted: tuple[Wanted, ...]
    problems: tuple[Problem, ...]

    def given(self, *names: str) -> list[Option]:
        """Return the options of these names, in their order.

        :param names: Long names.
        """
        return [option for option in self.options if option.name in names]


def read_requirements(content: bytes | str) -> RequirementsFile:
    """Read a requirements file.

    :param content: What the file holds.
    """
    options: list[Option] = []
    wanted: list[Wanted] = []
    problems: list[Problem] = []
    for number, text in _lines(decoded(content)):
        read = _options(number, text) if text.startswith("-") else [_wanted(number, text)]
        for one in read:
            if isinstance(one, Option):
                options.append(one)
            elif isinstance(one, Wanted):
                wanted.append(one)
            else:
                problems.append(one)
    return RequirementsFile(tuple(options), tuple(wanted), tuple(problems))


def decoded(content: bytes | str) -> str:
    """Return the text of a requirements file, in the encoding that its first bytes tell.

    :param content: What the file holds.
    """
    if isinstance(content, str):
        return content
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    return content.decode("utf-8", errors="replace")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Join lines that end with a backslash, take comments away, and tell each with the number of its first."""
    began, parts = 0, list[str]()
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        if not parts:
            began = number
        # pip: a comment ends the joining, whatever it ends with
        if line.endswith("\\") and not _COMMENT.match(line):
            parts.append(line[:-1])
            continue
        parts.append(f" {line}" if _COMMENT.match(line) else line)
        joined = _COMMENT.sub("", "".join(parts)).strip()
        parts = []
        if joined:
            yield began, joined


def _options(number: int, text: str) -> Iterator[Option | Problem]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        yield Problem(number, f"{text!r} cannot be split into words: {error}")
        return
    while words:
        word = words.pop(0)
        name, equals, value = word.partition("=")
        if not name.startswith("--") and len(name) > 2 and name[:2] in _OPTIONS:
            name, equals, value = word[:2], "=", word[2:]
        if name not in _OPTIONS:
            yield Problem(number, f"{name!r} is no option of a requirements file")
            return
        long_name, takes_value = _OPTIONS[name]
        if takes_value and not equals:
            if not words:
                yield Problem(number, f"{name!r} has no value")
                return
            value = words.pop(0)
        yield Option(number, long_name, value)


def _wanted(number: int, text: str) -> Wanted | Problem:
    words = text.split(" ")
    ends = next((index for index, word in enumerate(words) if word.startswith("-")), len(words))
    own = " ".join(words[:ends]).strip()
    further = [word for word in words[ends:] if word.startswith("-")]
    if unknown := [word for word in further if not word.startswith(_OF_A_REQUIREMENT)]:
        return Problem(number, f"{unknown[0].partition('=')[0]!r} cannot follow a requirement")
    try:
        requirement = Requirement(own)
        return Wanted(number, own, requirement, requirement.url)
    except InvalidRequirement as error:
        if place := _place(own):
            return Wanted(number, own, _of_place(place), place)
        return Problem(number, f"{own!r} is no requirement: {str(error).splitlines()[0]}")


def _place(text: str) -> str | None:
    place = text.partition(" ;")[0].strip()
    is_path = place.startswith((".", "/", "~")) or "/" in place or place.endswith((".whl", ".tar.gz", ".zip"))
    return place if _SCHEME.match(place) or (is_path and " " not in place) else None


def _of_place(place: str) -> Requirement | None:
    parts = urlsplit(place)
    for part in parts.fragment.split("&"):
        if part.startswith("egg="):
            try:
                return Requirement(unquote(part.removeprefix("egg=")))
            except InvalidRequirement:
                return None
    try:
        name, version, _, _ = parse_wheel_filename(unquote(PurePosixPath(parts.path).name))
    except InvalidWheelFilename:
        return None
    return Requirement(f"{name}=={version}")
