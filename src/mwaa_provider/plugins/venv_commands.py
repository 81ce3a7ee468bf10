"""The commands that make a virtual environment: which Python, with what, and how to know them."""

from __future__ import annotations

import re
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from mwaa_provider.exceptions import InvalidInputError


def is_installed(module: str) -> bool:
    """Tell whether this Python has a module.

    :param module: Its name.
    """
    try:
        return find_spec(module) is not None
    except ValueError:  # something without a spec was put in its place
        return False


def has_venv() -> bool:
    """Tell whether this Python can make environments by itself; some distributions leave out what ``venv`` needs."""
    return is_installed("venv") and is_installed("ensurepip")


def own_python_for(python_bin: str) -> str:
    """Return this Python where that is what is asked for, and what was asked for otherwise.

    :param python_bin: ``python``, ``python3`` or ``python3.12``, as the operator asks for it. The first of that name on the ``PATH``
        may be another one, and without Airflow.
    """
    own = [".".join(map(str, sys.version_info[:parts])) for parts in range(4)]
    return sys.executable if python_bin in [f"python{version}" for version in own] else python_bin


def venv_command(folder: str, python_bin: str | None, system_site_packages: bool) -> list[str]:
    """Return the command that makes an environment with the standard library alone.

    :param folder: Where.
    :param python_bin: Such as ``python3.12``; this Python if not given.
    :param system_site_packages: Whether it sees the packages of its Python.
    :raises InvalidInputError: There is no such Python.
    """
    python = sys.executable if python_bin is None else own_python_for(python_bin)
    if shutil.which(python) is None:
        own = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise InvalidInputError([f"python_version: there is no {python} on the PATH. This Airflow runs Python {own}."])
    return [python, "-m", "venv", folder, *(["--system-site-packages"] if system_site_packages else [])]


def makes_environment(command: list[str]) -> bool:
    """Tell whether a command makes an environment or installs into one, and is not the task's own program.

    :param command: The command.
    """
    program = Path(command[0]).name
    return program in ("uv", "pip") or (
        len(command) > 2 and command[1] == "-m" and command[2] in ("venv", "virtualenv")
    )


def python_of(environment: Path) -> str:
    """Return the Python version of an environment, such as ``3.12``; this one's if it does not say.

    :param environment: Its folder.
    """
    try:
        text = (environment / "pyvenv.cfg").read_text(encoding="utf-8")
    except OSError:
        text = ""
    found = re.search(r"^version(?:_info)?\s*=\s*(\d+\.\d+)", text, re.MULTILINE)
    return found[1] if found else f"{sys.version_info[0]}.{sys.version_info[1]}"
