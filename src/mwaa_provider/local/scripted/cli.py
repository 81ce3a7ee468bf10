"""The ``airflow`` commands that the scripted back end runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mwaa_provider.local.backend import CliAnswer

if TYPE_CHECKING:
    from mwaa_provider.local.scripted.store import Store


class ScriptedCli:
    """Runs commands.

    :param store: The memory.
    :param airflow_version: The release.
    """

    def __init__(self, store: Store, airflow_version: str) -> None:
        self._store = store
        self._version = airflow_version
        self._scripted: dict[tuple[str, ...], CliAnswer] = {}

    def script(self, words: tuple[str, ...], answer: CliAnswer) -> None:
        """Give a command an answer.

        :param words: What the command begins with.
        :param answer: Its answer.
        """
        self._scripted[words] = answer

    def __call__(self, arguments: list[str]) -> CliAnswer:
        """Run one command.

        :param arguments: Its arguments, without the leading ``airflow``.
        """
        for length in range(len(arguments), 0, -1):
            if tuple(arguments[:length]) in self._scripted:
                return self._scripted[tuple(arguments[:length])]
        if arguments == ["version"]:
            return CliAnswer(f"{self._version}\n", "", 0)
        spelled = " ".join(arguments[:2])
        return CliAnswer("", f"The scripted back end does not run 'airflow {spelled}'; a real Airflow would.\n", 2)
