"""The providers that example_dags/ ask for, in a folder of their own: in the versions that a release's constraint file has."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import airflow

from tests.packaging.environments import uv
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

sys.path.insert(0, str(ROOT / "scripts"))

from _legs import LEGS

#: What comes on top of this release's environment.
PINS = ROOT / f"pins/providers-{airflow.__version__}.txt"


def why_not() -> str:
    """Say why the providers are not installed here; empty if they are."""
    wanted, here = LEGS[airflow.__version__].base_python, sys.version_info[:2]
    if here == wanted and sys.platform == "linux":
        return ""
    return f"the providers' versions are for Linux and Python {wanted[0]}.{wanted[1]}, as MWAA has them"


def asked_for_by(text: str) -> list[str]:
    """Return the providers that an example says its environment needs.

    :param text: Its docstring.
    """
    return re.findall(r"``(apache-airflow-providers-[\w-]+)``", text)


def install_providers(folder: Path) -> Path:
    """Install the providers and what they need into a folder, for ``PYTHONPATH``, and return it.

    :param folder: Where.
    """
    where = ["--python", sys.executable, "--no-deps", "--target", str(folder)]
    uv("pip", "install", *where, "--build-constraints", str(ROOT / "pins/build.txt"), "-r", str(PINS))
    return folder
