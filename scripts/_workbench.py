"""The project's own virtual environments, made from the committed pins under ``.venvs/`` in the checkout.

``scripts/test``, ``scripts/demo`` and ``scripts/pins`` stand on this. Only the standard library, on any Python from
3.10 on; nothing outside of the checkout is written to but pip's and uv's caches.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from _legs import LEGS, PythonVersion
from _machine import Pythons, SetupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "pins"
VENVS = ROOT / ".venvs"

# No tool may go and download a Python: what the machine has is what is tested.
UV_ENVIRONMENT = {"UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1", "UV_HTTP_TIMEOUT": "120", "NO_COLOR": "1"}
# Set for whoever called us, and wrong for the environments that are made here.
FOREIGN = (
    "VIRTUAL_ENV",
    "PYTHONHOME",
    "PYTHONPATH",
    "CONDA_PREFIX",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON",
    "PIP_TARGET",
    "PIP_USER",
    "PIP_PREFIX",
)

_BEGAN = time.monotonic()
_SAYING = threading.Lock()


@dataclass(frozen=True)
class Environment:
    """A virtual environment that is ready.

    :param name: Its folder under ``.venvs/``.
    :param python: Its interpreter.
    :param seconds: How long it took to make; 0 if it was there.
    """

    name: str
    python: Path
    seconds: float

    def command(self, name: str) -> Path:
        """Where a command of this environment is.

        :param name: For example ``airflow``.
        """
        return self.python.parent / name


def say(text: str) -> None:
    """Print one line of progress with the seconds since the start, whole even when threads talk at once.

    :param text: What happens now.
    """
    with _SAYING:
        print(f"[{time.monotonic() - _BEGAN:6.1f} s] {text}", flush=True)


def clean_environment() -> dict[str, str]:
    """Give the caller's environment without what would lead our own virtual environments astray."""
    return {name: value for name, value in os.environ.items() if name not in FOREIGN} | UV_ENVIRONMENT


def uv(pythons: Pythons | None = None) -> Path:
    """Give the pinned uv, installed by pip on first use.

    :param pythons: The Pythons of this machine; looked for if not given.
    :raises SetupError: No Python here can make a virtual environment, or pip fails.
    """
    return uv_environment(pythons or Pythons()).command("uv")


def uv_environment(pythons: Pythons) -> Environment:
    """Make the environment that holds uv, with nothing but a Python and pip.

    :param pythons: The Pythons of this machine.
    :raises SetupError: No Python here can make a virtual environment, or pip fails.
    """
    if not pythons.with_ensurepip:
        raise SetupError(
            f"No Python here can make a virtual environment with pip (found: {pythons}; needed: 3.10 to 3.13 with the "
            "modules venv and ensurepip).\nOn Debian or Ubuntu: sudo apt install python3-venv"
        )
    python = pythons.with_ensurepip[0]
    pins = PINS / "uv.txt"

    def make() -> None:
        say("uv: installing it with pip")
        _run("uv", [str(python), "-m", "venv", str(VENVS / "uv")])
        pip = [str(VENVS / "uv/bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run("uv", [*pip, "--no-input", "--retries", "2", "-r", str(pins)])

    return _made("uv", _digest(python, pins.read_bytes()), make)


def lint_environment(pythons: Pythons) -> Environment:
    """Make the environment for format, lint and types.

    :param pythons: The Pythons of this machine.
    :raises SetupError: It cannot be made.
    """
    return _tools_environment("lint", pythons)


def docs_environment(pythons: Pythons) -> Environment:
    """Make the environment that builds the documentation as a site.

    :param pythons: The Pythons of this machine.
    :raises SetupError: It cannot be made.
    """
    return _tools_environment("docs", pythons)


def _tools_environment(name: str, pythons: Pythons) -> Environment:
    """Make an environment for tools that need no Airflow, of the pins of its name."""
    versions = [(3, 12), (3, 11), (3, 13), (3, 10)]
    python = next((found for found in map(pythons.get, versions) if found), None)
    if python is None:
        raise SetupError(f"The environment {name!r} needs a Python 3.10 to 3.13; found: {pythons}.")
    return _locked_environment(name, python, PINS / f"{name}.txt", uv(pythons))


def airflow_environment(airflow: str, pythons: Pythons) -> Environment:
    """Make the environment of one Airflow release, with the project in it, editable.

    :param airflow: The release, one of ``_legs.LEGS``.
    :param pythons: The Pythons of this machine.
    :raises SetupError: The release is unknown, no Python here runs it, or the installation fails.
    """
    (major, minor), python = _python_for(airflow, pythons)
    installer = uv(pythons)
    environment = _locked_environment(
        f"airflow-{airflow}-py{major}.{minor}", python, PINS / f"airflow-{airflow}.txt", installer
    )
    _install_project(environment, installer)
    return environment


def benchmark_environment(pythons: Pythons) -> Environment:
    """Make the environment for the benchmarks: the newest Airflow release with the newest Amazon provider, and the project.

    :param pythons: The Pythons of this machine.
    :raises SetupError: No Python here runs it, or the installation fails.
    """
    return _environment_of_the_newest("benchmarks", ROOT / "benchmarks/peer.txt", pythons)


def screenshots_environment(pythons: Pythons) -> Environment:
    """Make the environment for the screenshots: the newest Airflow release with what drives a browser, and the project.

    :param pythons: The Pythons of this machine.
    :raises SetupError: No Python here runs it, or the installation fails.
    """
    return _environment_of_the_newest("screenshots", ROOT / "scripts/screenshots.txt", pythons)


def _environment_of_the_newest(name: str, over_it: Path, pythons: Pythons) -> Environment:
    newest = list(LEGS)[-1]
    _, python = _python_for(newest, pythons)
    installer = uv(pythons)
    environment = _locked_environment(name, python, PINS / f"airflow-{newest}.txt", installer, over_it=over_it)
    _install_project(environment, installer)
    return environment


def _python_for(airflow: str, pythons: Pythons) -> tuple[PythonVersion, Path]:
    leg = LEGS.get(airflow)
    if leg is None:
        raise SetupError(f"There are no pins for Airflow {airflow}. There are some for {', '.join(LEGS)}.")
    chosen = pythons.choose(leg)
    if chosen is None:
        supported = ", ".join(f"{major}.{minor}" for major, minor in sorted(leg.pythons))
        raise SetupError(f"Airflow {airflow} needs Python {supported}; found on this machine: {pythons}.")
    return chosen


def _locked_environment(
    name: str, python: Path, pins: Path, installer: Path, *, over_it: Path | None = None
) -> Environment:
    files = [pins] if over_it is None else [pins, over_it]

    def make() -> None:
        say(f"{name}: installing {sum('==' in line for line in pins.read_text().splitlines())} packages")
        _run(name, [str(installer), "venv", "--quiet", "--python", str(python), str(VENVS / name)])
        install = [str(installer), "pip", "install", "--quiet", "--python", str(VENVS / name / "bin/python")]
        for file in files:
            _run(name, [*install, "--no-deps", "-r", str(file)])

    return _made(name, _digest(python, *(file.read_bytes() for file in files)), make)


def _install_project(environment: Environment, installer: Path) -> None:
    """Install the project itself, again whenever its metadata changes; the code is seen without that."""
    metadata = (ROOT / "pyproject.toml").read_bytes() + (ROOT / "src/mwaa_provider/__init__.py").read_bytes()
    stamp = VENVS / environment.name / ".project-stamp"
    wanted = _digest(environment.python, metadata)
    with _lock(environment.name):
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        install = [str(installer), "pip", "install", "--quiet", "--python", str(environment.python), "--no-deps"]
        _run(environment.name, [*install, "--build-constraints", str(PINS / "build.txt"), "--editable", str(ROOT)])
        stamp.write_text(wanted)


def _made(name: str, digest: str, make: Callable[[], None]) -> Environment:
    """Make an environment unless it is there and whole: the stamp, written last, says so."""
    folder = VENVS / name
    stamp = folder / ".stamp"
    python = folder / "bin/python"
    with _lock(name):
        if stamp.is_file() and stamp.read_text() == digest and python.exists():
            return Environment(name, python, 0.0)
        shutil.rmtree(folder, ignore_errors=True)
        began = time.monotonic()
        make()
        stamp.write_text(digest)
        seconds = time.monotonic() - began
        say(f"{name}: ready in {seconds:.0f} s")
        return Environment(name, python, seconds)


@contextlib.contextmanager
def _lock(name: str) -> Iterator[None]:
    VENVS.mkdir(exist_ok=True)
    with (VENVS / f"{name}.lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"{name}: another process is at it, waiting")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _digest(python: Path, *parts: bytes) -> str:
    # The checkout's path is in it because scripts and .pth files hold it: a moved checkout gets new environments.
    return hashlib.sha256(b"\0".join([str(ROOT).encode(), str(python).encode(), *parts])).hexdigest()


def _run(name: str, command: list[str]) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean_environment(),
    )
    if done.returncode:
        tail = "\n".join(f"    {line}" for line in done.stdout.strip().splitlines()[-15:])
        raise SetupError(
            f"{name} could not be made; {Path(command[0]).name} said:\n{tail}\n"
            "Can the package index be reached? For a mirror, pip reads PIP_INDEX_URL, uv reads UV_DEFAULT_INDEX."
        )
