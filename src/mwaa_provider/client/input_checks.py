"""Checks of what a caller asks for. Each returns the problems it found, as sentences, so that all can be reported at once.

Those of names and ids stand in :mod:`mwaa_provider.client.id_checks`, and are here as well.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from mwaa_provider.client.id_checks import check_dag_id as check_dag_id
from mwaa_provider.client.id_checks import check_environment_name as check_environment_name
from mwaa_provider.client.id_checks import check_existing_run_id as check_existing_run_id
from mwaa_provider.client.id_checks import check_ids as check_ids
from mwaa_provider.client.id_checks import check_key as check_key
from mwaa_provider.client.id_checks import check_map_index as check_map_index
from mwaa_provider.client.id_checks import check_partition_key as check_partition_key
from mwaa_provider.client.id_checks import check_run_id as check_run_id
from mwaa_provider.client.id_checks import check_task_group_id as check_task_group_id
from mwaa_provider.client.id_checks import check_task_id as check_task_id
from mwaa_provider.client.models import DAG_RUN_STATES

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def check_rest_call(method: Any, path: Any) -> list[str]:
    """Check the method and the path of a call of Airflow's REST API.

    :param method: What the caller gave.
    :param path: What the caller gave.
    """
    problems = []
    if method not in _METHODS:
        problems.append(f"method: {method!r} is not allowed; give one of {', '.join(_METHODS)}")
    if not isinstance(path, str) or not path.startswith("/") or path.startswith("/api/"):
        problems.append(f"path: {path!r} is not a path below /api/v1 or /api/v2; give for example '/dags'")
    elif why := _why_another(path):
        problems.append(f"path: {path!r} would be another one: {why}")
    return problems


def _why_another(path: str) -> str:
    """Return why a path would not arrive as it is: requests drops what follows a '#', and goes where dots lead."""
    if "?" in path:
        return "'?' begins the query; give parameters apart, and write %3F for a '?' in an id"
    if "#" in path:
        return "'#' ends it; write %23 for one in an id"
    if dots := [step for step in path.split("/") if step in (".", "..")]:
        return f"{dots[0]!r} leads elsewhere"
    if path.endswith("/"):
        return "Airflow answers '/' at the end with a redirect, or not at all; leave it out"
    return "half a surrogate pair cannot be sent" if not _is_utf8(path) else ""


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_fields(field: str, value: Any) -> list[str]:
    """Check query parameters or a body: a mapping that JSON can hold, or ``None``.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    """
    return check_conf(field, dict(value) if isinstance(value, Mapping) else value)


def check_text(field: str, value: Any) -> list[str]:
    """Check a text; ``None`` is right.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    """
    return [] if value is None or isinstance(value, str) else [f"{field}: {value!r} is not a text; give one, or none"]


def check_conf(field: str, value: Any) -> list[str]:
    """Check a DAG run's configuration: a JSON object or ``None``.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    """
    if value is None:
        return []
    if not isinstance(value, dict):
        return [
            f"{field}: {type(value).__name__} is not a JSON object; give a dict (or a template that renders to one)"
        ]
    not_text = [key for key in value if not isinstance(key, str)]
    if not_text:
        return [f"{field}: the key {not_text[0]!r} is not a text; JSON objects have text keys only"]
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        return [
            f"{field}: it cannot be written as JSON ({error}); use dicts, lists, texts, finite numbers, booleans and None"
        ]
    return []


def check_moment(field: str, value: Any) -> list[str]:
    """Check a date with time zone; ``None`` is right.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    """
    if value is None or (isinstance(value, datetime) and value.tzinfo is not None):
        return []
    return [
        f"{field}: {value!r} is not a moment with time zone; give a datetime with tzinfo or text like '2026-01-31T12:00:00+00:00'"
    ]


def check_data_interval(start: Any, end: Any) -> list[str]:
    """Check a run's data interval: two moments in their order, or none.

    :param start: What the caller gave as ``data_interval_start``.
    :param end: What the caller gave as ``data_interval_end``.
    """
    problems = [*check_moment("data_interval_start", start), *check_moment("data_interval_end", end)]
    if problems:
        return problems
    if (start is None) != (end is None):
        missing = "data_interval_start" if start is None else "data_interval_end"
        return [f"{missing}: it is missing; give both ends of a data interval, or neither"]
    if start is not None and start > end:
        return [f"data_interval_start, data_interval_end: {start} is after {end}; give the earlier one first"]
    return []


def read_conf(field: str, value: Any) -> tuple[dict[str, Any] | None, list[str]]:
    """Read a DAG run's configuration from a dict or from text (as a template renders it), and check it.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    """
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            return None, [f"{field}: the text is not JSON ({error}); give a dict, or text of a JSON object"]
    return value, check_conf(field, value)


def read_moment(field: str, value: Any) -> tuple[datetime | None, list[str]]:
    """Read a date from a datetime or from ISO 8601 text (as a template renders it), and check it.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    """
    if isinstance(value, str):
        # Python 3.10's fromisoformat does not know the Z; what is no date stays text, and the check names it
        with suppress(ValueError):
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return value, check_moment(field, value)


def check_states(
    field: str,
    value: Any,
    *,
    may_be_empty: bool = False,
    known: Collection[str] = DAG_RUN_STATES,
    noun: str = "DAG run",
) -> list[str]:
    """Check a collection of states in which waiting ends.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    :param may_be_empty: Whether an empty list is right (default false).
    :param known: The states there are (default: those of DAG runs).
    :param noun: Whose states they are.
    """
    allowed = ", ".join(sorted(known))
    if isinstance(value, str) or not isinstance(value, Collection):
        return [f"{field}: {value!r} is not a list of states; give a list of some of {allowed}"]
    if not value and not may_be_empty:
        return [f"{field}: it is empty, so waiting would never end well; give some of {allowed}"]
    return [f"{field}: {state!r} is not a {noun} state; allowed are {allowed}" for state in value if state not in known]


def check_wait(*, poke_interval: Any, timeout: Any, allowed_states: Any, failed_states: Any) -> list[str]:
    """Check how to wait: intervals, limits, and states of which none counts as both success and failure.

    :param poke_interval: Seconds between two looks.
    :param timeout: Seconds to wait at most, or ``None``.
    :param allowed_states: States that end the wait well.
    :param failed_states: States that end it with an error.
    """
    problems = [
        *check_seconds("poke_interval", poke_interval),
        *check_seconds("timeout", timeout, optional=True),
        *check_states("allowed_states", allowed_states),
        *check_states("failed_states", failed_states, may_be_empty=True),
    ]
    if not problems:
        both = sorted(set(allowed_states) & set(failed_states))
        if both:
            problems.append(f"allowed_states, failed_states: {', '.join(both)} stands in both; let it mean one thing")
    return problems


def check_seconds(field: str, value: Any, *, optional: bool = False) -> list[str]:
    """Check a duration in seconds.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    :param optional: Whether ``None``, for no limit, is right (default false).
    """
    if value is None and optional:
        return []
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < float("inf"):
        return []
    return [
        f"{field}: {value!r} is not a duration; give a number of seconds above 0{', or None for no limit' if optional else ''}"
    ]


def check_count(field: str, value: Any) -> list[str]:
    """Check a whole number of at least one.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return []
    return [f"{field}: {value!r} is not one; give a whole number from 1"]


def check_one_of(field: str, value: Any, allowed: Collection[Any]) -> list[str]:
    """Check that a value is one of some.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    :param allowed: The values there are.
    """
    if value in allowed:
        return []
    return [f"{field}: {value!r} is not one of {', '.join(str(one) for one in allowed)}"]
