"""What importing variables, pools and connections have in common: what is to be done to each, doing it, and telling of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from mwaa_provider.exceptions import (
    ConnectionFailedError,
    EnvironmentNotFoundError,
    LoginFailedError,
    MwaaError,
    NoWayInError,
    SettingsNotImportedError,
)

#: What becomes of one: ``overwrite`` where Airflow does not show what is there, so that nobody can compare.
Action = Literal["create", "update", "overwrite", "keep", "delete"]
ACTIONS: tuple[Action, ...] = ("create", "update", "overwrite", "keep", "delete")

#: After these no other call will get through either.
_NO_WAY = (ConnectionFailedError, EnvironmentNotFoundError, LoginFailedError, NoWayInError)


@dataclass(frozen=True)
class Change:
    """What is to be done to one variable, pool or connection.

    :param name: Its key, name or id.
    :param action: What is to be done.
    :param detail: What changes, for people; never a value of a variable or connection.
    """

    name: str
    action: Action
    detail: str = ""


@dataclass(frozen=True)
class ImportReport:
    """What an import did, or would do.

    :param environment_name: The environment's name.
    :param changes: Every one that is in the file or was to be pruned, in the order in which they are done.
    :param dry_run: Whether nothing was done.
    :param errors: What failed, by name. No value stands in it.
    :param not_tried: Names that were not come to, because no call gets there any more.
    """

    environment_name: str
    changes: tuple[Change, ...]
    dry_run: bool = False
    errors: dict[str, MwaaError] = field(default_factory=dict)
    not_tried: tuple[str, ...] = ()

    def names(self, action: Action) -> list[str]:
        """Return the names of those that something was done to (with ``dry_run``: would be), without those that failed.

        :param action: What was done.
        """
        left_out = {*self.errors, *self.not_tried}
        return [change.name for change in self.changes if change.action == action and change.name not in left_out]

    def counts(self) -> dict[str, int]:
        """Return how many were created, updated and so on, failed, and not tried."""
        done: dict[str, int] = {action: len(self.names(action)) for action in ACTIONS}
        return {**done, "failed": len(self.errors), "not_tried": len(self.not_tried)}

    def raise_for_errors(self) -> None:
        """Raise if one failed.

        :raises SettingsNotImportedError: naming those that failed, and why.
        """
        if not self.errors:
            return
        failed = {name: f"{type(error).__name__}: {error}" for name, error in self.errors.items()}
        lines = [f"\n  - {name}: {told}" for name, told in failed.items()]
        rest = f"\nNot tried after that: {', '.join(self.not_tried)}." if self.not_tried else ""
        raise SettingsNotImportedError(
            f"Of {len(self.changes)} in the import, {len(failed)} failed in environment {self.environment_name!r}:{''.join(lines)}{rest}\n"
            "What went well stays; importing the same file again does the rest.",
            environment_name=self.environment_name,
            failed=failed,
            not_tried=self.not_tried,
        )


def carry_out(
    environment_name: str,
    changes: Sequence[Change],
    act: Callable[[Change], None],
    *,
    dry_run: bool,
    clean: Callable[[str, MwaaError], MwaaError] = lambda name, error: error,
    on_change: Callable[[Change, MwaaError | None], None] | None = None,
) -> ImportReport:
    """Do what is to be done, one after the other; what fails does not keep the others from being done.

    :param environment_name: The environment's name.
    :param changes: What is to be done.
    :param act: Does one.
    :param dry_run: Whether to do nothing.
    :param clean: Takes out of an error what nobody is to read.
    :param on_change: Is told of each, when it is done or has failed (default: nobody is).
    """
    errors: dict[str, MwaaError] = {}
    not_tried: tuple[str, ...] = ()
    for number, change in enumerate(changes):
        error = None
        if not dry_run and change.action != "keep":
            try:
                act(change)
            except MwaaError as failure:
                error = errors[change.name] = clean(change.name, failure)
        if on_change is not None:
            on_change(change, error)
        if isinstance(error, _NO_WAY):
            not_tried = tuple(one.name for one in changes[number + 1 :] if one.action != "keep")
            break
    return ImportReport(environment_name, tuple(changes), dry_run, errors, not_tried)
