"""The Airflow CLI commands that MWAA takes, per release.

The table is that of the user guide's "Apache Airflow CLI command reference"; where the guide names a command that the
release does not have, or calls it otherwise than Airflow does, the release was believed (``providers notifications``
is missing in 2.7.2, the guide's ``providers triggerer`` is ``providers triggers``). Airflow 1 and the releases before
2.7, which MWAA no longer creates, are not told apart.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mwaa_provider.client.transport import Effect


@dataclass(frozen=True)
class CliCommand:
    """A command of Airflow that MWAA takes.

    :param spelled: Its words, such as ``dags trigger``.
    :param since: Its first release of line 2; ``None`` if line 2 does not have it.
    :param in_line_3: Whether line 3 has it.
    :param effect: ``read`` changes nothing; ``idempotent`` does, and says, the same when it is run twice; anything else is ``create``: it
        must not be run again unasked.
    :param look_at: For ``create``: what tells whether it was done.
    :param asks_unless: It asks a person, who is not there, unless one of these options is given.
    :param asks_with: It asks only with one of these options; by default always.
    :param says: What it prints when all is well: a ``result``, always; ``nothing`` that could be counted on; or ``anything``, on standard
        error too, because it runs what DAG authors have written.
    :param carries_secrets: Whether its arguments may be passwords or the like.
    """

    spelled: str
    since: tuple[int, int] | None
    in_line_3: bool
    effect: Effect = "read"
    look_at: str = ""
    asks_unless: tuple[str, ...] = ()
    asks_with: tuple[str, ...] = ()
    says: Literal["result", "nothing", "anything"] = "result"
    carries_secrets: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """Its words, one by one."""
        return tuple(self.spelled.split())


_YES = ("-y", "--yes")
_REGEX = ("--treat-dag-id-as-regex",)
_RUNS = "`dags list-runs` of the DAG"
_TASKS = "`tasks states-for-dag-run` of the run"

_COMMANDS: tuple[CliCommand, ...] = (
    CliCommand("assets details", None, True),
    CliCommand("assets list", None, True),
    CliCommand("assets materialize", None, True, "create", "`dags list-runs` of the DAG that makes the asset"),
    CliCommand("backfill create", None, True, "create", _RUNS, says="nothing"),
    CliCommand("cheat-sheet", (2, 0), True),
    CliCommand("connections add", (2, 0), True, "create", "GET /connections/{connection_id}", carries_secrets=True),
    CliCommand("connections delete", (2, 0), True, "create", "GET /connections/{connection_id}"),
    CliCommand(
        "dags backfill",
        (2, 2),
        False,
        "create",
        _RUNS,
        asks_unless=_YES,
        asks_with=("--reset-dagruns",),
        says="anything",
    ),
    CliCommand("dags delete", (2, 0), True, "create", "`dags list`", asks_unless=_YES),
    CliCommand("dags list", (2, 2), True),
    CliCommand("dags list-import-errors", (2, 6), True),
    CliCommand("dags list-jobs", (2, 0), True),
    CliCommand("dags list-runs", (2, 2), True),
    CliCommand("dags next-execution", (2, 2), True),
    CliCommand("dags pause", (2, 0), True, "idempotent", asks_unless=_YES, asks_with=_REGEX),
    CliCommand("dags report", (2, 0), True),
    CliCommand("dags reserialize", (2, 4), True, "idempotent", says="anything"),
    CliCommand("dags show", (2, 0), True),
    CliCommand("dags state", (2, 0), True),
    CliCommand("dags test", (2, 0), True, "create", _RUNS, says="anything"),
    CliCommand("dags trigger", (2, 0), True, "create", _RUNS),
    CliCommand("dags unpause", (2, 0), True, "idempotent", asks_unless=_YES, asks_with=_REGEX),
    # Its cut-off does not move, so a second run would do no harm, were it not that the first may still be running.
    CliCommand(
        "db clean",
        (2, 4),
        True,
        "create",
        "`db clean --dry-run`",
        asks_unless=(*_YES, "--dry-run"),
        says="nothing",
    ),
    CliCommand("providers behaviours", (2, 0), True),
    CliCommand("providers get", (2, 0), True),
    CliCommand("providers hooks", (2, 0), True),
    CliCommand("providers links", (2, 0), True),
    CliCommand("providers list", (2, 0), True),
    CliCommand("providers notifications", (2, 8), True),
    CliCommand("providers secrets", (2, 6), True),
    CliCommand("providers triggers", (2, 7), True),
    CliCommand("providers widgets", (2, 0), True),
    CliCommand("roles add-perms", (2, 6), True, "idempotent"),
    CliCommand("roles create", (2, 6), True, "idempotent"),
    CliCommand("roles del-perms", (2, 6), True, "idempotent"),
    CliCommand("roles list", (2, 6), True),
    CliCommand("tasks clear", (2, 0), True, "create", _TASKS, asks_unless=_YES, says="anything"),
    CliCommand("tasks failed-deps", (2, 0), True),
    CliCommand("tasks list", (2, 0), True),
    CliCommand("tasks render", (2, 0), True, says="anything"),
    CliCommand("tasks run", (2, 0), False, "create", _TASKS, says="anything"),
    CliCommand("tasks state", (2, 0), True),
    CliCommand("tasks states-for-dag-run", (2, 0), True),
    CliCommand("tasks test", (2, 0), True, "create", "what the task itself leaves behind", says="anything"),
    CliCommand("variables delete", (2, 0), True, "idempotent"),
    CliCommand("variables get", (2, 0), True),
    CliCommand("variables list", (2, 0), True),
    CliCommand("variables set", (2, 0), True, "idempotent", carries_secrets=True),
    CliCommand("version", (2, 0), True),
)

_BY_WORDS = {command.words: command for command in _COMMANDS}


def find_command(arguments: Sequence[str]) -> CliCommand | None:
    """Return the command that a command line begins with, of any release, or ``None``.

    :param arguments: The arguments without the leading ``airflow``.
    """
    return _BY_WORDS.get(split_command(arguments)[0])


@lru_cache(maxsize=32)
def supported_commands(airflow_version: str) -> frozenset[tuple[str, ...]]:
    """Return the commands that MWAA takes for an Airflow version, each as its words.

    :param airflow_version: The Airflow version, such as ``2.10.3``. One newer than those known is treated like the
        newest known of its major line, a newer major line like 3.
    """
    major, minor = (int(part) for part in airflow_version.split(".")[:2])
    if major >= 3:
        return frozenset(command.words for command in _COMMANDS if command.in_line_3)
    return frozenset(
        command.words for command in _COMMANDS if command.since is not None and command.since <= (major, minor)
    )


def split_command(
    arguments: Sequence[str], commands: Iterable[tuple[str, ...]] | None = None
) -> tuple[tuple[str, ...], list[str]]:
    """Split a command line into the command's words and the rest.

    :param arguments: The arguments without the leading ``airflow``.
    :param commands: The commands to look for; by default those of any release.
    :return: The words of the longest command it begins with, or no words when it begins with none, and what follows.
    """
    known = frozenset(_BY_WORDS if commands is None else commands)
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
