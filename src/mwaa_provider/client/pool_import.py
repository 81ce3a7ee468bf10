"""Pools from a file: what is wanted beside what is there, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.client.importing import Change
from mwaa_provider.client.models import Pool
from mwaa_provider.client.rest.settings import DEFAULT_POOL

#: As the column of Airflow's table.
_NAME_LENGTH = 256
_FIELDS = ("slots", "description", "include_deferred")
#: The first release whose REST API can show a pool without limit.
_SHOWS_NO_LIMIT = (3, 2)


@dataclass(frozen=True)
class WantedPool:
    """A pool as it shall be.

    :param name: Its name.
    :param slots: How many slots it has; -1 for no limit.
    :param description: Its description; ``None`` leaves what is there.
    :param include_deferred: Whether deferred tasks hold their slots; ``None`` leaves what is there.
    """

    name: str
    slots: int
    description: str | None = None
    include_deferred: bool | None = None


def wanted_pools(given: Mapping[str, Any]) -> tuple[dict[str, WantedPool], list[str]]:
    """Return pools as they shall be, and what is wrong with them.

    :param given: The content of a file, as ``airflow pools export`` writes it.
    """
    wanted: dict[str, WantedPool] = {}
    problems: list[str] = []
    for name, fields in given.items():
        problems += input_checks.check_key("name", name)
        if isinstance(name, str) and _NAME_LENGTH < len(name) <= 2 * _NAME_LENGTH:
            problems.append(f"name: {name!r} cannot be one; give 1 to {_NAME_LENGTH} characters")
        found = [f"{name!r}: {problem}" for problem in _problems(fields)]
        problems += found
        if not found:
            wanted[name] = WantedPool(name, **fields)
    return wanted, problems


def _problems(fields: Any) -> list[str]:
    if not isinstance(fields, dict):
        return [f'{type(fields).__name__} is not a pool; give an object such as {{"slots": 5}}']
    problems = [
        f"{name}: a pool has no such field; give some of {', '.join(_FIELDS)}" for name in fields if name not in _FIELDS
    ]
    slots = fields.get("slots")
    if not isinstance(slots, int) or isinstance(slots, bool) or slots < -1:
        problems.append(f"slots: {slots!r} is not a number of slots; give a whole number from 0, or -1 for no limit")
    problems += input_checks.check_text("description", fields.get("description"))
    if not isinstance(fields.get("include_deferred"), (bool, type(None))):
        problems.append(f"include_deferred: {fields['include_deferred']!r} is not one of true, false")
    return problems


def check_slots(wanted: Mapping[str, WantedPool], airflow_version: str) -> list[str]:
    """Tell what an environment's release of Airflow cannot have.

    A release before 3.2 makes a pool without limit, and its REST API then answers HTTP 500 for it and for every list of pools (seen with
    2.10.3 and 3.0.6; 3.2.1 does not).

    :param wanted: The pools as they shall be.
    :param airflow_version: The release of Airflow.
    """
    return [
        f"{name!r}: {problem}" for name, pool in wanted.items() for problem in check_limit(pool.slots, airflow_version)
    ]


def check_limit(slots: int, airflow_version: str) -> list[str]:
    """Tell whether a release of Airflow cannot have a pool of so many slots; see :func:`check_slots`.

    :param slots: How many slots; -1 for no limit.
    :param airflow_version: The release of Airflow.
    """
    if slots >= 0 or tuple(int(part) for part in airflow_version.split(".")[:2]) >= _SHOWS_NO_LIMIT:
        return []
    return [f"slots: -1, no limit, is what the REST API of Airflow {airflow_version} cannot show; give a great number"]


def plan_pools(wanted: Mapping[str, WantedPool], there: Iterable[Pool], *, prune_prefix: str | None) -> list[Change]:
    """Return what is to be done to make what is there what is wanted.

    :param wanted: The pools as they shall be.
    :param there: The pools that there are.
    :param prune_prefix: Delete what begins so and is not wanted, but never Airflow's default pool; ``None`` for nothing.
    """
    known = {pool.name: pool for pool in there}
    changes = [_change(one, known.get(name)) for name, one in wanted.items()]
    if prune_prefix is not None:
        gone = [name for name in known if name.startswith(prune_prefix) and name not in wanted and name != DEFAULT_POOL]
        changes += [Change(name, "delete") for name in gone]
    return changes


def _change(wanted: WantedPool, there: Pool | None) -> Change:
    if there is None:
        return Change(wanted.name, "create", f"slots {wanted.slots}")
    pairs = [(field, getattr(there, field), getattr(wanted, field)) for field in _FIELDS]
    differ = [
        f"{field} {before!r} -> {after!r}"
        for field, before, after in pairs
        if after is not None and after != (before or "" if field == "description" else before)
    ]
    return Change(wanted.name, "update" if differ else "keep", ", ".join(differ))
