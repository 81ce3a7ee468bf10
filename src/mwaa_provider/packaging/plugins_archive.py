"""A plugins.zip that was read, and what Airflow would load of it."""

from __future__ import annotations

import ast
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mwaa_provider.packaging.archive import is_left_over
from mwaa_provider.packaging.ignore_file import GLOB, NAME, REGEXP, IgnoreFiles, syntax_of

if TYPE_CHECKING:
    from mwaa_provider.packaging.releases import Release


@dataclass(frozen=True)
class Archive:
    """A plugins.zip that was read.

    :param path: Where it is.
    :param entries: Its files, without folders, by name.
    :param zip: The open archive.
    """

    path: Path
    entries: dict[str, zipfile.ZipInfo]
    zip: zipfile.ZipFile

    def read(self, name: str, at_most: int = -1) -> bytes:
        """Return what an entry holds.

        :param name: The entry.
        :param at_most: Bytes; all by default.
        """
        with self.zip.open(self.entries[name]) as opened:
            return opened.read(at_most)


def ignore_files(archive: Archive) -> IgnoreFiles:
    """Return its ``.airflowignore`` files.

    :param archive: The archive.
    """
    texts = {}
    for name in archive.entries:
        pure = PurePosixPath(name)
        if pure.name == NAME:
            texts["" if str(pure.parent) == "." else str(pure.parent)] = archive.read(name).decode("utf-8", "replace")
    return IgnoreFiles(texts)


def loaded_files(archive: Archive, release: Release | None) -> set[str]:
    """Return the files that Airflow imports as plugins; without a release, those that both lines import.

    :param archive: The archive.
    :param release: The environment's release.
    """
    modules = {name for name in archive.entries if name.endswith(".py") and not is_left_over(name)}
    syntaxes = (REGEXP, GLOB) if release is None else (syntax_of(release.airflow),)
    ignore = ignore_files(archive)
    return modules.difference(*(ignore.ignored(modules, syntax) for syntax in syntaxes))


def tree_of(content: bytes) -> ast.Module | None:
    """Return what a file says, or ``None`` if it is not Python.

    :param content: What it holds.
    """
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError):
        return None
