"""The file of the plugin ``environment_variables``: read, and its form checked."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

#: What MWAA calls the containers that it starts (``MWAA_AIRFLOW_COMPONENT``).
COMPONENTS = ("scheduler", "worker", "webserver")

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_KINDS = ("set", "prepend", "append")


class UnreadableFileError(ValueError):
    """The file cannot be read at all; says why."""


@dataclass
class Wishes:
    """What the file asks for in all components, and in single ones.

    :param set: Variable to its value.
    :param prepend: Variable to what comes before its other entries, in this order.
    :param append: Variable to what comes after them.
    :param components: The same for single components.
    :param problems: What in the file was not understood; the rest holds.
    """

    set: dict[str, str] = field(default_factory=dict)
    prepend: dict[str, list[str]] = field(default_factory=dict)
    append: dict[str, list[str]] = field(default_factory=dict)
    components: dict[str, Wishes] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read(file: Path) -> Wishes:
    """Read the file.

    :param file: A ``.toml`` (from Python 3.11 on) or a ``.json`` file.
    :raises UnreadableFileError: It is not there, or is neither.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFileError(f"{file} cannot be read: {error}") from error
    content = _parsed(file, text)
    if not isinstance(content, dict):
        raise UnreadableFileError(f"{file} holds a {type(content).__name__}, not tables of variables")
    problems: list[str] = []
    wishes = _wishes(content, "", problems, inside=False)
    wishes.problems = problems
    return wishes


def _parsed(file: Path, text: str) -> Any:
    if file.suffix == ".json":
        try:
            return json.loads(text)
        except ValueError as error:
            raise UnreadableFileError(f"{file} is not JSON: {error}") from error
    if file.suffix != ".toml":
        raise UnreadableFileError(f"{file} is neither a .toml nor a .json file")
    try:
        tomllib = import_module("tomllib")
    except ImportError as error:
        raise UnreadableFileError(f"{file}: reading TOML takes Python 3.11; write it as JSON") from error
    try:
        return tomllib.loads(text)
    except ValueError as error:
        raise UnreadableFileError(f"{file} is not TOML: {error}") from error


def _wishes(content: dict[str, Any], where: str, problems: list[str], *, inside: bool) -> Wishes:
    wishes = Wishes()
    for key, value in content.items():
        place = f"{where}{key}"
        if key not in (_KINDS if inside else (*_KINDS, "component")):
            problems.append(
                f"[{place}] means nothing here; tables are {', '.join(f'[{where}{kind}]' for kind in _KINDS)}"
            )
        elif not isinstance(value, dict):
            problems.append(f"{place} is not a table")
        elif key == "component":
            for component, table in value.items():
                _component(wishes, component, table, problems)
        elif key == "set":
            wishes.set = _each(value, place, _one, problems)
        else:
            setattr(wishes, key, _each(value, place, _many, problems))
    return wishes


def _component(wishes: Wishes, component: str, table: Any, problems: list[str]) -> None:
    if component not in COMPONENTS:
        likely = difflib.get_close_matches(component, COMPONENTS, n=1)
        problems.append(
            f"[component.{component}] is no component of MWAA; they are {', '.join(COMPONENTS)}"
            + (f". Did you mean {likely[0]}?" if likely else "")
        )
    elif not isinstance(table, dict):
        problems.append(f"component.{component} is not a table")
    else:
        wishes.components[component] = _wishes(table, f"component.{component}.", problems, inside=True)


def _each(table: dict[str, Any], place: str, convert: Any, problems: list[str]) -> dict[str, Any]:
    found = {}
    for name, value in table.items():
        if not _NAME.match(name):
            problems.append(f"{place}: {name!r} cannot be the name of a variable")
            continue
        converted = convert(value)
        if converted is None:
            wanted = "a text" if convert is _one else "a text or a list of texts"
            problems.append(f"{place}.{name} is not {wanted}")
        else:
            found[name] = converted
    return found


def _one(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and "\0" not in value else None


def _many(value: Any) -> list[str] | None:
    entries = [_one(entry) for entry in (value if isinstance(value, list) else [value])]
    return None if None in entries else [entry for entry in entries if entry is not None]
