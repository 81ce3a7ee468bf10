"""What a task said, from the forms in which the releases tell it, as text."""

from __future__ import annotations

import ast
import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LogPage:
    """A part of a task's log.

    :param text: What it says.
    :param token: What to ask for the next part with; ``None`` if this is the last.
    """

    text: str
    token: str | None


def page(body: Any) -> LogPage:
    """Read an answer.

    Airflow 2 writes ``str()`` of a list of hosts and texts, or the text alone: that goes by a header which is not ours to set by IAM.
    Airflow 3 writes messages with fields, or lines where it cannot parse them.

    :param body: The answer.
    """
    if isinstance(body, str):
        return LogPage(body, None)
    token = body.get("continuation_token")
    content = body["content"]
    text = _of_hosts(content) if isinstance(content, str) else "\n".join(_lines(content))
    return LogPage(text, None if token is None or _is_end(token) else str(token))


def _of_hosts(content: str) -> str:
    try:
        return "\n".join(str(text) for _, text in ast.literal_eval(content))
    except (
        MemoryError,
        RecursionError,
        SyntaxError,
        TypeError,
        ValueError,
    ):  # it is something else: let it be read as it is
        return content


def _is_end(token: str) -> bool:
    """Tell whether a token says that nothing follows: Airflow 2 always gives one. It is signed, not secret."""
    payload = token.partition(".")[0]
    try:
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        return False
    return isinstance(said, dict) and bool(said.get("end_of_log"))


def _lines(messages: Sequence[Any]) -> list[str]:
    lines = []
    for message in messages:
        if not isinstance(message, Mapping):
            lines.append(str(message))
        elif not str(message["event"]).startswith(("::group::", "::endgroup::")):  # how the UI folds it
            lines.append(_line(message))
            # The cause comes after its consequence, other than in Python's own words.
            details = message.get("error_detail")
            for error in reversed(details if isinstance(details, list) else []):
                lines += _traceback(error)
    return lines


def _line(message: Mapping[str, Any]) -> str:
    if not message.get("timestamp"):
        return str(message["event"])
    level = str(message.get("level") or "info").upper()
    return f"[{message['timestamp']}] {level} - {message['event']}"


def _traceback(error: Any) -> list[str]:
    if not isinstance(error, Mapping) or "exc_type" not in error:  # a task may log a field of that name itself
        return [str(error)]
    frames = [
        f'  File "{frame["filename"]}", line {frame["lineno"]}, in {frame["name"]}'
        for frame in error.get("frames") or ()
    ]
    return ["Traceback (most recent call last):", *frames, f"{error['exc_type']}: {error.get('exc_value')}"]
