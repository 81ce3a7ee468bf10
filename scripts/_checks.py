"""The checks that need no Airflow release of their own: format, lint, types, what is in the wheel, and the documentation as a site."""

from __future__ import annotations

import subprocess
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from _legs import DEFAULT_LEGS
from _machine import Pythons, SetupError
from _report import Row
from _site import commands as site_commands
from _workbench import (
    PINS,
    ROOT,
    airflow_environment,
    clean_environment,
    docs_environment,
    lint_environment,
    say,
    uv,
)

if TYPE_CHECKING:
    from collections.abc import Callable

# What has to work in a Python with nothing else installed: a Lambda function that brings its own boto3, a build
# machine, a look at the version.
_IMPORT_ALONE = """
import importlib, pkgutil, sys
import mwaa_provider, mwaa_provider.exceptions, mwaa_provider.client
from mwaa_provider.get_provider_info import get_provider_info
assert get_provider_info()["versions"] == [mwaa_provider.__version__]
for module in pkgutil.walk_packages(mwaa_provider.client.__path__, "mwaa_provider.client."):
    importlib.import_module(module.name)
"""


def run_all(pythons: Pythons) -> list[Row]:
    """Run every check, each whatever the others came to.

    :param pythons: The Pythons of this machine.
    """
    checks: list[tuple[str, Callable[[Pythons], None]]] = [
        ("format", _format),
        ("lint", _lint),
        ("types", _types),
        ("wheel", _wheel),
        ("site", _site),
    ]
    return [_run(name, check, pythons) for name, check in checks]


def _run(name: str, check: Callable[[Pythons], None], pythons: Pythons) -> Row:
    began = time.monotonic()
    try:
        check(pythons)
    except (SetupError, CheckFailedError) as problem:
        say(f"{name}: FAILED\n{problem}")
        return Row(name, outcome="FAILED", seconds=time.monotonic() - began, notes=("see above",))
    say(f"{name}: passed")
    return Row(name, seconds=time.monotonic() - began)


class CheckFailedError(Exception):
    """A check did not pass; the message is what it printed."""


def _format(pythons: Pythons) -> None:
    _call([str(lint_environment(pythons).command("ruff")), "format", "--check", "--no-cache", *_python_files()])


def _lint(pythons: Pythons) -> None:
    _call([str(lint_environment(pythons).command("ruff")), "check", "--no-cache", *_python_files()])


def _types(pythons: Pythons) -> None:
    # Against the newest Airflow: its classes are what ours extend.
    airflow = airflow_environment(DEFAULT_LEGS[-1], pythons)
    _call([str(lint_environment(pythons).command("mypy")), "--python-executable", str(airflow.python)])


def _python_files() -> list[str]:
    scripts = [path for path in (ROOT / "scripts").iterdir() if path.is_file() and not path.suffix]
    return [".", *(str(path.relative_to(ROOT)) for path in sorted(scripts) if b"python" in path.open("rb").readline())]


def _wheel(pythons: Pythons) -> None:
    installer = str(uv(pythons))
    with tempfile.TemporaryDirectory() as scratch:
        _call(
            [
                installer,
                "build",
                "--quiet",
                "--wheel",
                "--build-constraints",
                str(PINS / "build.txt"),
                "--out-dir",
                scratch,
                str(ROOT),
            ]
        )
        (wheel,) = Path(scratch).glob("*.whl")
        _check_contents(wheel)
        bare = Path(scratch) / "bare"
        _call(
            [
                installer,
                "venv",
                "--quiet",
                "--python",
                str(airflow_environment(DEFAULT_LEGS[-1], pythons).python),
                str(bare),
            ]
        )
        _call([installer, "pip", "install", "--quiet", "--python", str(bare / "bin/python"), "--no-deps", str(wheel)])
        _call([str(bare / "bin/python"), "-I", "-c", _IMPORT_ALONE])


def _check_contents(wheel: Path) -> None:
    source = ROOT / "src"
    ours = {str(path.relative_to(source)) for path in source.rglob("*") if path.is_file() and path.suffix != ".pyc"}
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    if held != ours:
        problems = [f"  not in the wheel: {name}" for name in sorted(ours - held)] + [
            f"  too much: {name}" for name in sorted(held - ours)
        ]
        raise CheckFailedError("The wheel does not hold the package and nothing else:\n" + "\n".join(problems))


def _site(pythons: Pythons) -> None:
    environment = docs_environment(pythons)
    with tempfile.TemporaryDirectory() as scratch:
        for command in site_commands(environment, Path(scratch) / "site"):
            _call(command)


def _call(command: list[str]) -> None:
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise CheckFailedError(done.stdout.rstrip()[-8000:])
