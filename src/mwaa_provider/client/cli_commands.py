"""The Airflow CLI commands that MWAA takes, per release.

The table is that of the user guide's "Apache Airflow CLI command reference"; where the guide names a command that the release does not have,
or calls it otherwise than Airflow does, the release was believed (``providers notifications`` is missing in 2.7.2, the guide's ``providers
triggerer`` is ``providers triggers``). Airflow 1 and the releases before 2.7, which MWAA no longer creates, are not told apart.
"""

from __future__ import annotations

import difflib
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Command, its first release of line 2 (None for none), whether line 3 has it.
_COMMANDS: tuple[tuple[str, tuple[int, int] | None, bool], ...] = (
    ("assets details", None, True),
    ("assets list", None, True),
    ("assets materialize", None, True),
    ("backfill create", None, True),
    ("cheat-sheet", (2, 0), True),
    ("connections add", (2, 0), True),
    ("connections delete", (2, 0), True),
    ("dags backfill", (2, 2), False),
    ("dags delete", (2, 0), True),
    ("dags list", (2, 2), True),
    ("dags list-import-errors", (2, 6), True),
    ("dags list-jobs", (2, 0), True),
    ("dags list-runs", (2, 2), True),
    ("dags next-execution", (2, 2), True),
    ("dags pause", (2, 0), True),
    ("dags report", (2, 0), True),
    ("dags reserialize", (2, 4), True),
    ("dags show", (2, 0), True),
    ("dags state", (2, 0), True),
    ("dags test", (2, 0), True),
    ("dags trigger", (2, 0), True),
    ("dags unpause", (2, 0), True),
    ("db clean", (2, 4), True),
    ("providers behaviours", (2, 0), True),
    ("providers get", (2, 0), True),
    ("providers hooks", (2, 0), True),
    ("providers links", (2, 0), True),
    ("providers list", (2, 0), True),
    ("providers notifications", (2, 8), True),
    ("providers secrets", (2, 6), True),
    ("providers triggers", (2, 7), True),
    ("providers widgets", (2, 0), True),
    ("roles add-perms", (2, 6), True),
    ("roles create", (2, 6), True),
    ("roles del-perms", (2, 6), True),
    ("roles list", (2, 6), True),
    ("tasks clear", (2, 0), True),
    ("tasks failed-deps", (2, 0), True),
    ("tasks list", (2, 0), True),
    ("tasks render", (2, 0), True),
    ("tasks run", (2, 0), False),
    ("tasks state", (2, 0), True),
    ("tasks states-for-dag-run", (2, 0), True),
    ("tasks test", (2, 0), True),
    ("variables delete", (2, 0), True),
    ("variables get", (2, 0), True),
    ("variables list", (2, 0), True),
    ("variables set", (2, 0), True),
    ("version", (2, 0), True),
)


@lru_cache(maxsize=32)
def supported_commands(airflow_version: str) -> frozenset[tuple[str, ...]]:
    """Return the commands that MWAA takes for an Airflow version, each as its words.

    :param airflow_version: The Airflow version, such as ``2.10.3``. One newer than those known is treated like the newest known of its
        major line, a newer major line like 3.
    """
    major, minor = (int(part) for part in airflow_version.split(".")[:2])
    if major >= 3:
        return frozenset(tuple(command.split()) for command, _, in_line_3 in _COMMANDS if in_line_3)
    return frozenset(
        tuple(command.split()) for command, since, _ in _COMMANDS if since is not None and since <= (major, minor)
    )


def split_command(
    arguments: Sequence[str], commands: Iterable[tuple[str, ...]] | None = None
) -> tuple[tuple[str, ...], list[str]]:
    """Split a command line into the command's words and the rest.

    :param arguments: The arguments without the leading ``airflow``.
    :param commands: The commands to look for; by default those of any release.
    :return: The words of the longest command it begins with, or no words when it begins with none, and what follows.
    """
    known = (
        frozenset(tuple(command.split()) for command, _, _ in _COMMANDS) if commands is None else frozenset(commands)
    )
    for length in (2, 1):
        words = tuple(arguments[:length])
        if words in known:
            return words, list(arguments[length:])
    return (), list(arguments)


def nearest_command(arguments: Sequence[str], commands: Iterable[tuple[str, ...]]) -> tuple[str, ...] | None:
    """Return the command that someone may have meant, or None.

    :param arguments: The arguments without the leading ``airflow``.
    :param commands: The commands to choose from.
    """
    spelled = {" ".join(command): command for command in commands}
    found = difflib.get_close_matches(" ".join(arguments[:2]), sorted(spelled), n=1)
    return spelled[found[0]] if found else None
