"""What a command left behind, and the JSON in it."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CliResult:
    """What an ``airflow`` command printed over there. Its repr shows nothing of it, as it may hold secrets.

    Where Airflow repeats secrets given to ``connections add`` and ``variables set``, asterisks stand in their place.

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
