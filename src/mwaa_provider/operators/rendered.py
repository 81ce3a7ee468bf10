"""What templates rendered, turned back from text into what was meant; what cannot be turned is left for the checks to name."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any


def none_if_empty(value: Any) -> Any:
    """Return ``None`` for what a template renders when it has nothing to say.

    :param value: What was rendered.
    """
    return None if value in ("", "None") else value


def number(value: Any) -> Any:
    """Return the number in a rendered text; anything else as it is.

    :param value: What was rendered.
    """
    if not isinstance(value, str):
        return value
    if none_if_empty(value) is None:
        return None
    try:
        return float(value)
    except ValueError:
        return value


def listed(value: Any) -> Any:
    """Return the list or dict in a rendered text, such as ``["success"]`` or ``{'extract': ['rows']}``; anything else as it is.

    :param value: What was rendered.
    """
    if isinstance(value, str) and value.strip().startswith(("[", "{")):
        with suppress(ValueError):
            return json.loads(value.replace("'", '"'))
    return value
