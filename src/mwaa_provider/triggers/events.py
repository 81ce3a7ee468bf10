"""What a trigger tells its task: plain JSON, since it lies in the database until a worker takes the task up again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mwaa_provider import exceptions
from mwaa_provider.client.looks import Look
from mwaa_provider.exceptions import MwaaError


def of_look(look: Look) -> dict[str, Any]:
    """Return the event of a wait that is over.

    :param look: The last look.
    """
    return {"look": look.as_plain()}


def of_error(error: MwaaError) -> dict[str, Any]:
    """Return the event of a wait that ended in an error.

    :param error: The error.
    """
    facts = {name: value for name, value in error.facts.items() if _is_plain(value)}
    return {"error": {"kind": type(error).__name__, "message": error.message, "facts": facts}}


def read(event: Mapping[str, Any]) -> Look:
    """Return the last look that an event tells of.

    :param event: The event.
    :raises MwaaError: the error that it tells of instead.
    """
    told = event.get("error")
    if told is None:
        return Look.from_plain(event["look"])
    kind = getattr(exceptions, told["kind"], MwaaError)
    error: MwaaError = kind.__new__(kind)
    MwaaError.__init__(error, told["message"], **told["facts"])
    raise error


def _is_plain(value: Any) -> bool:
    try:
        return bool(json.loads(json.dumps(value)) == value)
    except (TypeError, ValueError):
        return False
