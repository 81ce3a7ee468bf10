""".airflowignore, which Airflow's plugin manager obeys too.

Airflow imports every ``.py`` file below the plugins folder that no line of it names, under its bare name: ``http.py`` in any
folder replaces Python's ``http``. Airflow 2 reads the lines as regular expressions, Airflow 3 as the globs of ``.gitignore``
(``[core] dag_ignore_file_syntax``), so the lines written here mean the same in both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

NAME = ".airflowignore"
REGEXP, GLOB = "regexp", "glob"

_COMMENT = re.compile(r"\s*#.*")


def line_for_folder(name: str) -> str:
    """Return the line that names a folder at the top, in both syntaxes.

    :param name: The folder's name.
    :raises ValueError: It holds a '#', which begins a comment in both.
    """
    if "#" in name:
        raise ValueError(f"a folder's name with a '#' in it cannot stand in {NAME}: {name!r}")
    # A '!' at the beginning would turn a glob round.
    beginning = "\\" if name.startswith("!") else ""
    return f"{beginning}{re.escape(name)}/"


def syntax_of(airflow_version: str) -> str:
    """Return the syntax that a release reads by default.

    :param airflow_version: The release.
    """
    return REGEXP if airflow_version.startswith("2.") else GLOB


@dataclass(frozen=True)
class IgnoreFiles:
    """All ``.airflowignore`` files of a folder or archive.

    :param texts: The text of each, by the folder that it lies in (``""`` at the top).
    """

    texts: Mapping[str, str]

    def ignored(self, paths: Iterable[str], syntax: str) -> set[str]:
        """Return those of some paths that Airflow does not look at.

        :param paths: Paths of files.
        :param syntax: ``regexp`` or ``glob``.
        """
        tests = [(folder, _test(_lines(text), folder, syntax)) for folder, text in self.texts.items()]
        return {path for path in paths if any(_is_below(path, folder) and test(path) for folder, test in tests)}

    def invalid_lines(self) -> list[tuple[str, int, str]]:
        """Return the lines that are no regular expressions, which Airflow 2 drops: folder, number and text."""
        found = []
        for folder, text in self.texts.items():
            for number, line in enumerate(text.split("\n"), start=1):
                try:
                    re.compile(_COMMENT.sub("", line))
                except re.error:
                    found.append((folder, number, line))
        return found


def _lines(text: str) -> list[str]:
    return [line for line in (_COMMENT.sub("", line) for line in text.split("\n")) if line]


def _is_below(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _test(lines: list[str], folder: str, syntax: str) -> Callable[[str], bool]:
    if syntax == REGEXP:
        patterns = []
        for line in lines:
            try:
                patterns.append(re.compile(line))
            except re.error:
                continue
        # Airflow matches folders before it enters them, and paths from the top, whichever folder the file lies in.
        return lambda path: any(
            pattern.search(step) for pattern in patterns for step in _steps(path) if _is_below(step, folder)
        )
    from pathspec import GitIgnoreSpec

    spec = GitIgnoreSpec.from_lines(lines)
    return lambda path: spec.match_file(path[len(folder) + 1 :] if folder else path)


def _steps(path: str) -> list[str]:
    pure = PurePosixPath(path)
    return [str(step) for step in (*reversed(pure.parents), pure) if str(step) != "."]
