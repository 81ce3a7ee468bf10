"""What is wrong with a plugins.zip."""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.packaging.archive import escapes, is_left_over, is_link, is_program
from mwaa_provider.packaging.findings import Finding, in_order
from mwaa_provider.packaging.plugins_archive import Archive, loaded_files, tree_of
from mwaa_provider.packaging.plugins_code import is_plugin_file
from mwaa_provider.packaging.plugins_import import try_imports
from mwaa_provider.packaging.plugins_modules import check_ignore_files, check_module, check_variables_file
from mwaa_provider.packaging.secret_finder import find_keys
from mwaa_provider.packaging.wheel_set import read_wheel

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from mwaa_provider.packaging.releases import Release

_LARGE = 1_000_000_000
_BEGINNING = 4096
_READ_FOR_KEYS = 4 * 1024 * 1024


def check_plugins(
    path: Path,
    release: Release | None = None,
    *,
    python: str | None = None,
    import_timeout: float = 180.0,
    ignored: Collection[str] = (),
) -> list[Finding]:
    """Check a plugins.zip.

    The plugins are imported in a process of their own, by the target's Airflow, if that is installed.

    :param path: The archive.
    :param release: The environment's release. Default: what depends on the release is not checked.
    :param python: The interpreter of a virtual environment with the release's Airflow. Default: the running one.
    :param import_timeout: Seconds until importing is given up (default 180).
    :param ignored: Kinds of findings that are left out (default: none).
    :raises InvalidInputError: There is no such file.
    """
    if not path.is_file():
        raise InvalidInputError([f"archive: {path} is not a file"])
    try:
        with zipfile.ZipFile(path) as opened:
            entries = {entry.filename: entry for entry in opened.infolist() if not entry.is_dir()}
            archive = Archive(path, entries, opened)
            if damaged := opened.testzip():
                raise zipfile.BadZipFile(f"{damaged} is damaged")
            findings = [*_of_entries(archive), *_of_files(archive, release)]
            loaded = loaded_files(archive, release)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        # RuntimeError: zipfile's word for an encrypted entry
        cure = "Build it anew with `mwaa plugins build`."
        return in_order([Finding("not-a-zip", f"It cannot be read: {error}.", cure, path.name)], ignored)
    if not any(finding.id == "escaping-entry" for finding in findings):
        findings += try_imports(path, loaded, release, python, import_timeout)
    return in_order(findings, ignored)


def _of_entries(archive: Archive) -> Iterator[Finding]:
    name = archive.path.name
    for entry in archive.zip.infolist():
        target = (
            archive.zip.read(entry).decode("utf-8", "replace")
            if is_link(entry) and entry.file_size < _BEGINNING
            else None
        )
        if escapes(entry, target):
            yield Finding(
                "escaping-entry",
                f"{entry.orig_filename!r} would be unpacked outside of the plugins folder.",
                "Build the archive anew from inside the plugins folder, with `mwaa plugins build FOLDER`.",
                name,
            )
    for twice, count in Counter(entry.filename for entry in archive.zip.infolist()).items():
        if count > 1:
            yield Finding(
                "duplicate-entry",
                f"{twice} is in it {count} times; the last one wins.",
                "Build the archive anew.",
                name,
            )
    yield from _nested(archive)
    size = max(archive.path.stat().st_size, sum(entry.file_size for entry in archive.entries.values()))
    if size >= _LARGE:
        yield Finding(
            "too-large",
            f"It takes {size / 1e9:.1f} GB. Every container unpacks it when it starts, and if installing takes over 10 minutes, MWAA gives "
            "up and rolls the environment back.",
            "Keep it under 1 GB: large files can be fetched from S3 by the tasks that need them.",
            name,
        )


def _nested(archive: Archive) -> Iterator[Finding]:
    names = [name for name in archive.entries if not is_left_over(name)]
    tops = {name.partition("/")[0] for name in names}
    if len(tops) != 1 or ".." in tops or any("/" not in name for name in names):
        return
    (top,) = tops
    # A package that DAGs import may stand alone; a folder of plugins may not.
    inside = [name.partition("/")[2] for name in names]
    if "__init__.py" in inside and not any(is_plugin for is_plugin in _plugins_directly_in(archive, top)):
        return
    yield Finding(
        "nested-top-folder",
        f"Everything lies in the folder {top}/, and would be unpacked to /usr/local/airflow/plugins/{top}/.",
        f"Build it from inside that folder: `mwaa plugins build {top}`.",
        archive.path.name,
    )


def _plugins_directly_in(archive: Archive, top: str) -> Iterator[bool]:
    for name in archive.entries:
        if name.endswith(".py") and str(PurePosixPath(name).parent) == top:
            tree = tree_of(archive.read(name))
            yield tree is not None and is_plugin_file(tree)


def _of_files(archive: Archive, release: Release | None) -> Iterator[Finding]:
    loaded = loaded_files(archive, release)
    for name, entry in archive.entries.items():
        if is_left_over(name):
            yield Finding("left-over", f"{name} is of no use there.", "Leave it out.", name)
            continue
        beginning = archive.read(name, _BEGINNING)
        runs = bool((entry.external_attr >> 16) & 0o111) or is_link(entry)
        if is_program(beginning) and not runs and not _is_imported(archive, name):
            yield Finding(
                "not-executable",
                "It is a script or program without an exec bit: running it fails with PermissionError.",
                f"`chmod 755 {PurePosixPath(name).name}` and build the archive anew; Windows' zip tool keeps no exec bits.",
                name,
            )
        yield from find_keys(archive.read(name, _READ_FOR_KEYS), name)
        if name.endswith(".whl"):
            yield from _wheel(archive, name, release)
        elif name.endswith((".json", ".toml")):
            yield from check_variables_file(archive, name, release)
        elif name in loaded:
            yield from check_module(archive, name, release)
    yield from check_ignore_files(archive, release)


def _is_imported(archive: Archive, name: str) -> bool:
    """Whether a script is a plugin, or a module of a package: such a one is imported, as a rule."""
    if not name.endswith(".py"):
        return False
    tree = tree_of(archive.read(name))
    return str(PurePosixPath(name).with_name("__init__.py")) in archive.entries or (
        tree is not None and is_plugin_file(tree)
    )


def _wheel(archive: Archive, name: str, release: Release | None) -> Iterator[Finding]:
    if "/" in name:
        yield Finding(
            "wheel-not-at-root",
            "--find-links /usr/local/airflow/plugins does not look into folders.",
            "Put wheels at the archive's root.",
            name,
        )
    try:
        wheel = read_wheel(name, archive.read(name))
    except InvalidInputError as error:
        yield Finding("wheel-for-other-target", f"{error.problems[0]}.", "Download it anew.", name)
        return
    if release is not None and not wheel.fits(release):
        yield Finding(
            "wheel-for-other-target",
            f"It does not fit Python {release.python} on Linux x86_64, which Airflow {release.airflow} runs on.",
            "Download wheels with `mwaa requirements wheels`.",
            name,
        )
