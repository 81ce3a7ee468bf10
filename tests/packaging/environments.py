"""Virtual environments that a test makes by itself, with uv: what the legs were made of is in its cache."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.environment import OUTSIDE
from tests.support.processes import ROOT


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
