"""What a command left behind, and the JSON in it."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from mwaa_provider.client.cli_line import CliLine, options_of

_SHORTEST_SECRET = 3
_OPTION = re.compile(r"-[a-z]|--[a-z][a-z-]*")


@dataclass(frozen=True)
class CliResult:
    """What an ``airflow`` command printed over there. Its repr shows nothing of it, as it may hold secrets.

    Where Airflow repeats values given to ``connections add`` and ``variables set``, asterisks stand in their place.

    :param command: The command's words, such as ``("dags", "trigger")``, without what followed them.
    :param stdout: Standard output.
    :param stderr: Standard error; a command that succeeded may have left warnings there.
    :param status: The HTTP status of the CLI endpoint.
    :param json: What it printed for ``-o json``, parsed; ``None`` if that was not asked for, or if it had no rows to print and said so in
        words.
    :param has_failed: Whether it failed; see :mod:`mwaa_provider.client.cli_verdict` for how that is told.
    """

    command: tuple[str, ...]
    stdout: str = field(repr=False)
    stderr: str = field(repr=False)
    status: int
    json: Any = field(repr=False, default=None)
    has_failed: bool = False


def decoded(body: Any) -> tuple[str, str] | None:
    """Return standard output and standard error of an answer of the CLI endpoint, or ``None`` if it is not one.

    :param body: The parsed JSON.
    """
    try:
        stdout, stderr = (base64.b64decode(body[name] or "", validate=True) for name in ("stdout", "stderr"))
    except (KeyError, TypeError, IndexError, binascii.Error, ValueError):
        return None
    return stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace")


def trailing_json(text: str) -> Any:
    """Return the JSON array or object that a text ends with, or ``None``.

    Commands print log lines before it, ``dags trigger -o json`` always does; they may begin with a bracket too.

    :param text: Standard output.
    """
    text = text.rstrip()
    decoder = json.JSONDecoder()
    at = 0
    for line in text.splitlines(keepends=True):
        if line.startswith(("[", "{")):
            try:
                found, end = decoder.raw_decode(text, at)
            except ValueError:
                end = -1
            if end == len(text):
                return found
        at += len(line)
    return None


def without_values(line: CliLine, text: str) -> str:
    """Return what a command printed without the values it was given, if those may be secrets; its first argument, a name, stays.

    Airflow repeats values in its messages, whole (``The URI provided to --conn-uri is invalid: ...``) or in parts.

    :param line: The command.
    :param text: What it printed.
    """
    if not line.known.carries_secrets:
        return text
    rest = [argument for argument in line.arguments[len(line.words) :] if argument != "--"]
    options = set(options_of(line.arguments))
    values = {argument for argument in rest if argument not in options or not _OPTION.fullmatch(argument)}
    values |= {argument.partition("=")[2] for argument in values & options if argument.startswith("--")}
    values -= {"", rest[0] if rest and not rest[0].startswith("-") else ""}
    values |= {line_of for value in values for line_of in value.splitlines()}
    values |= {part for value in values for part in re.split(r"[\s:/@?&=,\"'{}\[\]]+", value)}
    values |= {unquote(value) for value in values} | {repr(value)[1:-1] for value in values}
    values |= {json.dumps(value)[1:-1] for value in values}
    longest_first = sorted((value for value in values if len(value) >= _SHORTEST_SECRET), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), "***", text) if longest_first else text
