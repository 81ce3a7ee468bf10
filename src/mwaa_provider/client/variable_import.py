"""Variables from a file: what is wanted beside what is there, and what follows from it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.client.importing import Action, Change
from mwaa_provider.client.models import Variable
from mwaa_provider.exceptions import MwaaError

#: What Airflow 3 shows in place of a secret.
_MASK = "***"
#: Texts shorter than this are not looked for in errors: a "1" stands everywhere.
_SHORTEST_TO_HIDE = 4
#: So much of the beginning of a value is taken for the value, cut.
_CUT = 12
#: As the column of Airflow's table.
_KEY_LENGTH = 250


@dataclass(frozen=True)
class WantedVariable:
    """A variable as it shall be.

    :param key: Its key.
    :param value: Its value as Airflow keeps it: a text as it is, anything else as JSON.
    :param is_text: Whether the file has a text.
    :param description: Its description; ``None`` leaves what is there.
    """

    key: str
    value: str = field(repr=False)
    is_text: bool
    description: str | None = None


def wanted_variables(given: Mapping[str, Any]) -> tuple[dict[str, WantedVariable], list[str]]:
    """Return variables as they shall be, and what is wrong with them, without a word of their values.

    An object of exactly ``value`` and ``description`` is what ``airflow variables export`` writes of a variable that has a description.

    :param given: The content of a file.
    """
    wanted: dict[str, WantedVariable] = {}
    problems: list[str] = []
    for key, value in given.items():
        found = input_checks.check_key("key", key)
        if not found and len(key) > _KEY_LENGTH:
            found.append(f"key: {key!r} cannot be one; give 1 to {_KEY_LENGTH} characters")
        description = None
        if isinstance(value, dict) and set(value) == {"value", "description"} and _is_text(value["description"]):
            value, description = value["value"], value["description"]
        text, wrong = _as_kept(value)
        found += [f"{key!r}: {problem}" for problem in wrong]
        if not found and not _can_be_sent(key):
            found.append(f"key: {key!r} holds what cannot be sent: half a surrogate pair, or a NUL")
        problems += found
        wanted[key] = WantedVariable(key, text, isinstance(value, str), description)
    return wanted, problems


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _as_kept(value: Any) -> tuple[str, list[str]]:
    try:
        text = value if isinstance(value, str) else json.dumps(value, allow_nan=False, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        odd = sorted({type(one).__name__ for one in _leaves(value)} - {"str", "int", "float", "bool", "NoneType"})
        kinds = f" ({', '.join(odd)})" if odd else ""
        return "", [f"it holds what JSON has no form for{kinds}; a date of YAML, say, must stand in quotes"]
    if not _can_be_sent(text):
        return "", ["it holds half a surrogate pair or a NUL, which Airflow's database cannot keep"]
    return text, []


def _leaves(value: Any, depth: int = 0) -> Iterator[Any]:
    inner: Iterable[Any] = ()
    if isinstance(value, dict) and depth < 50:
        inner = value.values()
    elif isinstance(value, list) and depth < 50:
        inner = value
    elif not isinstance(value, (dict, list)):
        yield value
    for one in inner:
        yield from _leaves(one, depth + 1)


def _can_be_sent(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def plan_variables(
    wanted: Mapping[str, WantedVariable], there: Iterable[Variable], *, airflow_major: int, prune_prefix: str | None
) -> list[Change]:
    """Return what is to be done to make what is there what is wanted.

    :param wanted: The variables as they shall be.
    :param there: The variables as Airflow shows them.
    :param airflow_major: The line of Airflow: 3 shows some values masked, and JSON with other spaces.
    :param prune_prefix: Delete what begins so and is not wanted; ``None`` for nothing.
    """
    known = {variable.key: variable for variable in there}
    changes = [_change(one, known.get(key), airflow_major) for key, one in wanted.items()]
    if prune_prefix is not None:
        gone = [key for key in known if key.startswith(prune_prefix) and key not in wanted]
        changes += [Change(key, "delete") for key in gone]
    return changes


def _change(wanted: WantedVariable, there: Variable | None, airflow_major: int) -> Change:
    if there is None:
        return Change(wanted.key, "create", f"-> {_MASK}")
    action = _action(wanted, there.value, airflow_major)
    if action == "overwrite":
        return Change(wanted.key, action, "Airflow does not show what is there")
    redescribed = wanted.description is not None and wanted.description != (there.description or "")
    if action == "keep":
        return Change(wanted.key, "update", "description") if redescribed else Change(wanted.key, "keep")
    return Change(wanted.key, action, f"{_MASK} -> {_MASK}" + (", description" if redescribed else ""))


def _action(wanted: WantedVariable, shown: str | None, airflow_major: int) -> Action:
    if shown is None:
        return "overwrite"  # Airflow 2 could not decrypt it
    if airflow_major >= 3 and _MASK in shown:
        return "overwrite"
    if wanted.value == shown:
        return "keep"
    if not _same_json(wanted.value, shown):
        return "update"
    if not wanted.is_text:
        return "keep"
    # Airflow 3 writes JSON anew, so a text that is JSON may be there as it is wanted, or with other spaces.
    return "overwrite" if airflow_major >= 3 else "update"


def _same_json(one: str, other: str) -> bool:
    try:
        # Compared as texts: to Python, true is 1.
        return json.dumps(json.loads(one), sort_keys=True) == json.dumps(json.loads(other), sort_keys=True)
    except (ValueError, RecursionError):
        return False


def without_value(error: MwaaError, value: str) -> MwaaError:
    """Return an error without the value in it: Airflow may repeat what it was sent.

    :param error: The error.
    :param value: The value.
    """
    texts = {value, *_texts_in(value)}
    spelled = {form for text in texts for form in (text, *_escaped(text)) if len(text) >= _SHORTEST_TO_HIDE}
    to_hide = sorted(spelled, key=len, reverse=True)

    def hidden(text: str) -> str:
        for secret in to_hide:
            text = _without(text, secret)
        return text

    facts = {name: hidden(fact) if isinstance(fact, str) else fact for name, fact in error.facts.items()}
    if hidden(error.message) == error.message and facts == error.facts:
        return error
    _, (kind, message, _) = error.__reduce__()
    clean: MwaaError = kind.__new__(kind)
    MwaaError.__init__(clean, hidden(message), **facts)
    return clean


def _without(text: str, secret: str) -> str:
    """Return a text without a secret, also where it was cut: of Airflow's words the first 500 characters are kept."""
    begins = secret[:_SHORTEST_TO_HIDE]
    parts, start = [], 0
    while (found := text.find(begins, start)) >= 0:
        end = found
        while end < len(text) and end - found < len(secret) and text[end] == secret[end - found]:
            end += 1
        is_whole_or_cut = end - found == len(secret) or end - found >= _CUT or end == len(text)
        parts += [text[start:found], _MASK if is_whole_or_cut else text[found:end]]
        start = end
    return "".join([*parts, text[start:]])


def _texts_in(value: str) -> set[str]:
    try:
        return {leaf for leaf in _leaves(json.loads(value)) if isinstance(leaf, str)}
    except (ValueError, RecursionError):
        return set()


def _escaped(text: str) -> tuple[str, ...]:
    """Return how JSON and Python write a text inside of quotes."""
    return json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1]
