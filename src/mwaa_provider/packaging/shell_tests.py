"""Tests of ``MWAA_AIRFLOW_COMPONENT`` in shell scripts: what they come to on the web server. ``None`` stands for "perhaps"."""

from __future__ import annotations

import re

COMPONENT = "MWAA_AIRFLOW_COMPONENT"
_WEB_SERVER = "webserver"
_OPERATORS = ("=", "==", "!=", "=~")


def opposite(one: bool | None) -> bool | None:
    """Return "not".

    :param one: A truth.
    """
    return None if one is None else not one


def both(one: bool | None, other: bool | None) -> bool | None:
    """Return "and".

    :param one: A truth.
    :param other: A truth.
    """
    if one is False or other is False:
        return False
    return True if one is True and other is True else None


def either(one: bool | None, other: bool | None) -> bool | None:
    """Return "or".

    :param one: A truth.
    :param other: A truth.
    """
    return opposite(both(opposite(one), opposite(other)))


def is_met(pattern: str) -> bool:
    """Tell whether a pattern of the shell meets the web server's name.

    :param pattern: The pattern, without quotes.
    """
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), _WEB_SERVER) is not None


def truth(words: list[str]) -> bool | None:
    """Return what a command comes to on the web server: a test of the component, ``true`` or ``false``; of all others nothing is known.

    :param words: Its words, with quotes.
    """
    if words[:1] == ["!"]:
        return opposite(truth(words[1:]))
    if words in (["true"], [":"]):
        return True
    if words == ["false"]:
        return False
    if words[:1] in (["["], ["[["], ["test"]):
        return _expression([word for word in words[1:] if word not in ("]", "]]")])
    return None


def _expression(words: list[str]) -> bool | None:
    for signs, join in ((("||", "-o"), either), (("&&", "-a"), both)):
        index = next((position for position, word in enumerate(words) if word in signs), None)
        if index is not None:
            return join(_expression(words[:index]), _expression(words[index + 1 :]))
    if words[:1] == ["!"]:
        return opposite(_expression(words[1:]))
    return _comparison(words)


def _comparison(words: list[str]) -> bool | None:
    if words[1:2] == ["=~"]:
        words = [*words[:2], "".join(words[2:])]
    if len(words) != 3 or words[1] not in _OPERATORS:
        return None
    left, operator, right = words[0].strip("'\""), words[1], words[2].strip("'\"")
    if (COMPONENT in left) == (COMPONENT in right):
        return None
    value = right if COMPONENT in left else left
    # ${NAME} with more around it, or another variable
    if re.search(r"\$[\w{(]", value) or not re.fullmatch(
        rf"\$\{{?{COMPONENT}(:-\w*)?\}}?", left if COMPONENT in left else right
    ):
        return None
    if operator == "=~":
        try:
            return re.search(value, _WEB_SERVER) is not None
        except re.error:
            return None
    return is_met(value) ^ (operator == "!=")
