"""Checks of names and ids. Each returns the problems it found, as sentences; use them from :mod:`mwaa_provider.client.input_checks`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

#: From the service model of CreateCliToken: https://docs.aws.amazon.com/mwaa/latest/API/API_CreateCliToken.html
_ENVIRONMENT_NAME = re.compile(r"[a-zA-Z][0-9a-zA-Z_-]{0,79}")

#: Airflow's own rule for DAG ids (airflow/utils/helpers.py, the same from 2.7 to 3.3); letters need not be ASCII. A path with any other
#: character, a quoted slash above all, would be another endpoint for Airflow 3's web server.
_DAG_ID = re.compile(r"[\w.-]+")

#: Airflow's default for ``[scheduler] allowed_run_id_pattern``.
_RUN_ID = re.compile(r"[A-Za-z0-9_.~:+-]+")
_RUN_ID_LENGTH = 250
_PARTITION_KEY_LENGTH = 250
#: The longest that Airflow stores, an XCom's key; a pool's name takes 256, a variable's key 250.
_KEY_LENGTH = 512
#: What stands for "here" and "one up" in a path, and for "all" in Airflow's REST API.
_NOT_AN_ID = (".", "..", "~")
#: Airflow takes such ids for runs of its own and refuses, or mislabels, a manual run that has one.
_RESERVED_RUN_ID_PREFIXES = (
    "scheduled__",
    "backfill__",
    "dataset_triggered__",
    "asset_triggered__",
    "asset_materialization__",
)


def check_environment_name(value: Any) -> list[str]:
    """Check the name of an MWAA environment.

    :param value: What the caller gave.
    """
    if isinstance(value, str) and _ENVIRONMENT_NAME.fullmatch(value):
        return []
    return [
        f"environment_name: {value!r} is not the name of an MWAA environment; give a letter followed by letters, digits, '-' or "
        "'_', 80 characters at most (`aws mwaa list-environments` shows the names)"
    ]


def check_dag_id(field: str, value: Any) -> list[str]:
    """Check a DAG id.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    """
    return _check_id(field, value, "DAG")


def check_task_id(field: str, value: Any) -> list[str]:
    """Check a task id; Airflow has the same rule for it.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    """
    return _check_id(field, value, "task")


def check_task_group_id(field: str, value: Any) -> list[str]:
    """Check the id of a task group; that of an inner one has those of the outer ones before it.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    """
    return _check_id(field, value, "task group")


def _check_id(field: str, value: Any, noun: str) -> list[str]:
    if isinstance(value, str) and _DAG_ID.fullmatch(value) and len(value) <= 250 and value not in _NOT_AN_ID:
        return []
    return [f"{field}: {value!r} is not a {noun} id; use letters, digits, '_', '-' and '.', 250 characters at most"]


def check_run_id(field: str, value: Any) -> list[str]:
    """Check a run id; ``None`` is right (one will be made).

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    """
    if value is None:
        return []
    if not isinstance(value, str) or not _RUN_ID.fullmatch(value) or len(value) > _RUN_ID_LENGTH or value in _NOT_AN_ID:
        return [
            f"{field}: {value!r} is not a run id; use letters, digits and '_.~:+-', {_RUN_ID_LENGTH} characters at most, or leave it "
            "out and one is made"
        ]
    for prefix in _RESERVED_RUN_ID_PREFIXES:
        if value.startswith(prefix):
            return [
                f"{field}: {value!r} begins with {prefix!r}, which Airflow keeps for its own runs; use another prefix"
            ]
    return []


def check_existing_run_id(field: str, value: Any) -> list[str]:
    """Check the id of a run that is there already: an environment may admit more than Airflow's default pattern, but never a slash.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    """
    if (
        isinstance(value, str)
        and value
        and "/" not in value
        and len(value) <= _RUN_ID_LENGTH
        and value not in _NOT_AN_ID
    ):
        return []
    return [
        f"{field}: {value!r} cannot be a run's id; give 1 to {_RUN_ID_LENGTH} characters without '/', and not '.', '..' or '~'"
    ]


def check_partition_key(field: str, value: Any) -> list[str]:
    """Check the key of a partition; ``None`` is right. Airflow 3.2.1 alone would take an empty one.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    """
    if value is None or (isinstance(value, str) and value.strip() and len(value) <= _PARTITION_KEY_LENGTH):
        return []
    return [
        f"{field}: {value!r} is not a partition's key; give 1 to {_PARTITION_KEY_LENGTH} characters, not only spaces"
    ]


def check_ids(field: str, value: Any, check: Callable[[str, Any], list[str]]) -> tuple[list[str] | None, list[str]]:
    """Read what a list is narrowed by, one id or several, and check each; ``None``, for no filter, is right.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    :param check: Checks one of them.
    """
    if value is None:
        return None, []
    if isinstance(value, str):
        return [value], check(field, value)
    if not isinstance(value, Collection) or isinstance(value, (bytes, Mapping)):
        return None, [f"{field}: {value!r} is neither one nor several; give a text or a list of texts"]
    if not value:
        # Airflow takes an empty list for no filter at all, which nobody means.
        return None, [f"{field}: it is empty, which asks for nothing; leave it out to ask for all"]
    ids = list(dict.fromkeys(value))
    return ids, [problem for one in ids for problem in check(field, one)]


def check_key(field: str, value: Any) -> list[str]:
    """Check the key of a variable or an XCom, or the name of a pool.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    """
    if not isinstance(value, str) or not value or len(value) > _KEY_LENGTH:
        return [f"{field}: {value!r} cannot be one; give 1 to {_KEY_LENGTH} characters"]
    if any(step in ("", ".", "..") for step in value.split("/")):
        return [f"{field}: {value!r} cannot stand in a path: one of its steps is empty, '.' or '..'"]
    return []


def check_map_index(field: str, value: Any, *, optional: bool = False) -> list[str]:
    """Check a map index; -1 stands for a task that is not mapped.

    :param field: The name the caller knows it by.
    :param value: What the caller gave.
    :param optional: Whether ``None``, for all, is right (default false).
    """
    if (value is None and optional) or (isinstance(value, int) and not isinstance(value, bool) and value >= -1):
        return []
    return [f"{field}: {value!r} is not a map index; give a whole number from 0, or -1 for a task that is not mapped"]
