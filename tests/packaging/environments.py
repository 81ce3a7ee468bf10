"""Virtual environments that a test makes by itself, with uv: what the legs were made of is in its cache."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import airflow
from packaging.utils import canonicalize_name

from tests.support.environment import OUTSIDE
from tests.support.processes import ROOT

#: What this release's environments are made of, and MWAA's containers hold.
PINS = ROOT / f"pins/airflow-{airflow.__version__}.txt"

PROJECT = "airflow-provider-mwaa"


@dataclass(frozen=True)
class Environment:
    """An environment with this release's pinned versions, as MWAA's containers have them, and without this project.

    :param python: Its Python.
    :param links: A folder with the project's wheel, and nothing else.
    """

    python: Path
    links: Path

    def versions(self) -> dict[str, str]:
        """Return what is installed: normalized name to version."""
        lines = uv("pip", "list", "--format", "freeze", "--python", str(self.python)).splitlines()
        return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def uv(command: str, *arguments: str) -> str:
    """Run uv, first from its cache alone; the package index is asked only for what is not there.

    :param command: Such as ``venv``.
    :param arguments: Its arguments.
    """
    installed = ROOT / ".venvs/uv/bin/uv"
    program = str(installed) if installed.exists() else shutil.which("uv")
    assert program is not None, "uv makes the environment of this test, and is not here; scripts/test installs it"
    for further in (["--offline"], []):
        done = subprocess.run(
            [program, command, *arguments, *further],
            env={**OUTSIDE, "UV_PYTHON_DOWNLOADS": "never", "UV_NO_PROGRESS": "1", "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode == 0:
            return done.stdout
    raise AssertionError(f"uv {command} failed:\n{done.stdout}{done.stderr}")


def make_environment(folder: Path, *options: str) -> Path:
    """Make a virtual environment with the running Python, and return its own.

    :param folder: Where.
    :param options: Further options of ``uv venv``.
    """
    uv("venv", "--clear", "--python", sys.executable, *options, str(folder))
    return folder / "bin/python"


def build_wheel(folder: Path) -> Path:
    """Build this project's wheel, and return it.

    :param folder: Where.
    """
    uv("build", "--wheel", "--build-constraints", str(ROOT / "pins/build.txt"), "--out-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("airflow_provider_mwaa-*.whl")
    return wheel


def make_pinned_environment(folder: Path) -> Environment:
    """Make an environment with this release's pins.

    :param folder: Where.
    """
    python = make_environment(folder / "venv")
    uv("pip", "install", "--python", str(python), "--no-deps", "-r", str(PINS))
    (folder / "links").mkdir()
    wheel = build_wheel(folder / "built")
    wheel.rename(folder / "links" / wheel.name)
    return Environment(python, folder / "links")
