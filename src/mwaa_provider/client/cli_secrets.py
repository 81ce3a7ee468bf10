"""Secrets that a command was given, taken out of what it printed: Airflow repeats values in its messages, whole or in parts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

from mwaa_provider.client.cli_line import CliLine, options_of

_MASK = "***"
_SHORTEST_SECRET = 3
_OPTION = re.compile(r"-[a-z]|--[a-z][a-z-]*")
#: What surrounds the parts of a URI or of a JSON object.
_BETWEEN = r"\s:/@?&=,\"'`{}\[\]"
#: Options of ``connections add`` whose values are shown, and the same in ``--conn-json``. Whatever is not here (a login may be a token, an
#: abbreviated option is not recognized) counts as secret.
_SHOWN = {"--conn-type": "conn_type", "--conn-host": "host", "--conn-port": "port", "--conn-schema": "schema"}
_DESCRIPTION = "--conn-description"
#: An address may hold a token, as that of a webhook does; a name does not.
_NAME = re.compile(r"[\w.-]+")


def without_secrets(line: CliLine, text: str) -> str:
    """Return what a command printed without the secrets it was given.

    That is the value of ``variables set``, and of ``connections add`` login, password, extra, URI and JSON; names, types and hosts stay.

    :param line: The command.
    :param text: What it printed.
    """
    if not line.known.carries_secrets:
        return text
    secrets, shown = _sorted(line)
    secrets |= {line_of for value in secrets for line_of in value.splitlines()}
    text = _masked(text, secrets, frozenset())
    leaves = {leaf for value in secrets for leaf in _leaves(_parsed(value))}
    parts = {part for value in secrets | leaves for part in re.split(f"[{_BETWEEN}]+", value)}
    return _masked(text, leaves | parts, shown)


def _sorted(line: CliLine) -> tuple[set[str], frozenset[str]]:
    """Return the values that may be secrets, and those that are none."""
    rest = list(line.arguments[len(line.words) :])
    options = options_of(rest)
    secrets, shown = set(rest[len(options) + 1 :]), set[str]()
    for before, argument in zip(["", *options], options, strict=False):
        if _OPTION.fullmatch(argument):
            continue
        name, _, value = argument.partition("=") if argument.startswith("--") else (before, "", argument)
        if name == _DESCRIPTION or (name in _SHOWN and _NAME.fullmatch(value)):
            shown.add(value)
        else:
            secrets |= {argument, value}
    first = next((argument for argument in rest if argument != "--"), "")
    if not first.startswith("-"):
        secrets.discard(first)
        shown.add(first)
    for value in secrets:
        fields = _parsed(value)
        if isinstance(fields, dict):
            plain = {str(fields[key]) for key in _SHOWN.values() if isinstance(fields.get(key), (str, int))}
            shown |= {one for one in plain if _NAME.fullmatch(one)}
    return secrets - {""}, frozenset(shown - {""})


def _parsed(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return None


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    elif isinstance(value, (str, int, float)):
        yield str(value)


def _masked(text: str, values: Iterable[str], shown: frozenset[str]) -> str:
    """Put asterisks in place of values, in the forms in which Airflow may print them; what is shown stays where it stands alone."""
    forms = {form for value in values for form in (value, unquote(value))}
    forms |= {repr(form)[1:-1] for form in forms} | {json.dumps(form)[1:-1] for form in forms}
    hidden = [re.escape(form) for form in sorted(forms, key=len, reverse=True) if len(form) >= _SHORTEST_SECRET]
    if not hidden:
        return text
    # A word of its own only: what is hidden has none of these signs in it, so it cannot begin inside and end outside.
    kept = "|".join(map(re.escape, sorted(shown, key=len, reverse=True)))
    pattern = rf"(?<![^{_BETWEEN}])(?P<kept>{kept})(?![^{_BETWEEN}])|{'|'.join(hidden)}" if kept else "|".join(hidden)
    return re.sub(pattern, lambda match: match.groupdict().get("kept") or _MASK, text)
