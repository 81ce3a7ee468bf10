"""Zip archives: written so that the same files make the same bytes, read so that nothing leaves the folder."""

from __future__ import annotations

import os
import re
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mwaa_provider.exceptions import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# The first day that a zip archive can name.
_ALWAYS = (1980, 1, 1, 0, 0, 0)
_FILE, _PROGRAM = 0o644, 0o755
_BEGINNING = 4096
#: What no plugin is made of.
LEFT_OVER_FOLDERS = (
    "__pycache__",
    "__MACOSX",
    ".git",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
)
LEFT_OVER_FILES = (".DS_Store", "Thumbs.db")


@dataclass(frozen=True)
class Content:
    """A file for an archive.

    :param data: What it holds, or the path of a file that is read when it is written.
    :param executable: Whether it gets its exec bits.
    """

    data: bytes | Path
    executable: bool = False

    def read(self) -> bytes:
        """Return what it holds."""
        return self.data if isinstance(self.data, bytes) else self.data.read_bytes()


def is_left_over(path: str) -> bool:
    """Tell whether a file only takes space: byte code, version control, what file managers leave.

    :param path: Its path.
    """
    parts = PurePosixPath(path).parts
    return (
        any(part in LEFT_OVER_FOLDERS for part in parts)
        or parts[-1] in LEFT_OVER_FILES
        or path.endswith((".pyc", ".pyo"))
    )


def is_program(beginning: bytes) -> bool:
    """Tell whether a file is meant to be run: a script that names its interpreter, or a program for Linux.

    :param beginning: Its first bytes, a few thousand.
    """
    if beginning.startswith(b"#!"):
        return True
    # ELF: a program is of type EXEC, or DYN with the name of its loader, which a library does not have.
    if not beginning.startswith(b"\x7fELF") or len(beginning) < 18:
        return False
    kind = int.from_bytes(beginning[16:18], "little" if beginning[5] == 1 else "big")
    return kind == 2 or (kind == 3 and re.search(rb"/ld-(?:linux|musl)[\w.-]*\.so", beginning) is not None)


def files_under(folder: Path, *, without: Iterable[Path] = ()) -> dict[str, Content]:
    """Return the files of a folder, by their path in it. Links are followed inside of the folder; what is left over is left out.

    :param folder: The folder.
    :param without: Files that are left out, such as the archive itself (default: none).
    :raises InvalidInputError: A link leads out of the folder or nowhere, or something is neither file nor folder.
    """
    top = folder.resolve()
    out = {path.resolve() for path in without}
    files: dict[str, Content] = {}
    problems: list[str] = []
    _walk(folder, top, "", (top,), files, problems, out)
    if problems:
        raise InvalidInputError(problems)
    return files


def _walk(
    folder: Path,
    top: Path,
    prefix: str,
    above: tuple[Path, ...],
    files: dict[str, Content],
    problems: list[str],
    out: set[Path],
) -> None:
    for entry in sorted(os.scandir(folder), key=lambda one: one.name):
        path, real = Path(entry.path), Path(entry.path).resolve()
        name = f"{prefix}{entry.name}"
        if is_left_over(name) or real in out:
            continue
        if not real.exists():
            problems.append(f"folder: {path} leads nowhere; take the link away")
        elif not real.is_relative_to(top):
            problems.append(f"folder: {path} leads out of {top}; put a copy in its place")
        elif real.is_dir():
            if real in above:
                problems.append(f"folder: {path} leads to a folder that it lies in; take the link away")
            else:
                _walk(path, top, f"{name}/", (*above, real), files, problems, out)
        elif real.is_file():
            with real.open("rb") as opened:
                beginning = opened.read(_BEGINNING)
            files[name] = Content(path, bool(real.stat().st_mode & stat.S_IXUSR) or is_program(beginning))
        else:
            problems.append(f"folder: {path} is neither a file nor a folder; take it away")


def write_archive(target: Path, files: Mapping[str, Content]) -> None:
    """Write an archive: sorted, without times, with exec bits, so that the same files make the same bytes (with the same zlib).

    :param target: The archive; it is written beside and moved there, so that nobody sees half of it.
    :param files: The files, by their path in the archive.
    """
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(beside, "w") as archive:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name, _ALWAYS)
                entry.create_system = 3  # Unix, on Windows too: only then the mode counts
                entry.external_attr = (stat.S_IFREG | (_PROGRAM if files[name].executable else _FILE)) << 16
                # What is compressed already would only take time.
                packed = name.endswith((".whl", ".zip", ".gz", ".jar", ".bz2", ".xz"))
                entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
                archive.writestr(entry, files[name].read(), compresslevel=9)
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)


def escapes(entry: zipfile.ZipInfo, link_target: str | None = None) -> bool:
    """Tell whether an entry would be unpacked outside of the folder.

    :param entry: The entry.
    :param link_target: Where it leads, if it is a link.
    """
    name = entry.orig_filename
    if "\x00" in name or "\\" in name or name.startswith("/") or re.match(r"[A-Za-z]:", name):
        return True
    if ".." in name.split("/"):
        return True
    if link_target is None:
        return False
    return link_target.startswith("/") or _leaves(PurePosixPath(name).parent, link_target)


def _leaves(folder: PurePosixPath, target: str) -> bool:
    depth = len([part for part in folder.parts if part != "."])
    for part in PurePosixPath(target).parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            return True
    return False


def is_link(entry: zipfile.ZipInfo) -> bool:
    """Tell whether an entry is a symbolic link.

    :param entry: The entry.
    """
    return stat.S_ISLNK(entry.external_attr >> 16)
