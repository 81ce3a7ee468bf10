"""Prepare scripts/demo: check the machine, make the virtual environments, hand over to the story.

Nothing is needed but a Python 3.10 to 3.13 and PyPI; ``_demo_story.py`` then runs inside the virtual environment.
"""

from __future__ import annotations

import argparse
import os
import sys

from _legs import LEGS
from _machine import Pythons, SetupError, check_machine
from _workbench import ROOT, airflow_environment, say

# Measured: an Airflow 3 environment takes 0.9 GiB of memory, PostgreSQL and the rest less than half of one; a virtual environment takes
# 0.4 GiB of disk, and the database and logs less than 0.2.
FREE_MEMORY_GIB = 3.0
FREE_DISK_GIB = 2.0
DEFAULT_OF_LINE = {"2": "2.10.3", "3": "3.3.1"}


def airflow_version(text: str) -> str:
    """Read ``3``, ``3.x`` or ``3.2.1``."""
    version = DEFAULT_OF_LINE.get(text.removesuffix(".x"), text)
    if version not in LEGS:
        raise argparse.ArgumentTypeError(f"{text!r} is none of 2.x, 3.x, {', '.join(LEGS)}")
    return version


def main() -> None:
    """Prepare, then hand over to the story."""
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="Two real Airflow environments on this machine: a DAG in 'source' starts a DAG in 'target' by MWAA's own protocol.",
    )
    parser.add_argument(
        "--airflow",
        type=airflow_version,
        default="3.3.1",
        metavar="VERSION",
        help="2.x, 3.x (default), or a release such as 3.0.6",
    )
    parser.add_argument(
        "--target-airflow",
        type=airflow_version,
        metavar="VERSION",
        help="another release for 'target' (default: the same for both)",
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave the environments running at the end, to look at, until Ctrl-C"
    )
    arguments = parser.parse_args()
    source, target = arguments.airflow, arguments.target_airflow or arguments.airflow
    try:
        check_machine(ROOT, free_memory=FREE_MEMORY_GIB, free_disk=FREE_DISK_GIB)
        pythons = Pythons()
        environments = {version: airflow_environment(version, pythons) for version in dict.fromkeys((source, target))}
    except SetupError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    say("the virtual environments are ready")
    python = str(environments[source].python)
    story = [python, str(ROOT / "scripts/_demo_story.py"), "--target-python", str(environments[target].python)]
    os.execv(python, [*story, *(["--keep"] if arguments.keep else [])])  # noqa: S606 - the story takes this process's place, Ctrl-C included
