"""Prepare scripts/screenshots: find a browser, make the virtual environments, hand over to the story."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from _demo import DEFAULT_OF_LINE, FREE_DISK_GIB, FREE_MEMORY_GIB
from _machine import Pythons, SetupError, check_machine
from _workbench import ROOT, airflow_environment, say, screenshots_environment

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
IMAGES = ROOT / "docs/images"


def main() -> None:
    """Prepare, then hand over to the story."""
    parser = argparse.ArgumentParser(
        prog="scripts/screenshots",
        description="Pictures of the link from one real Airflow environment to another, an Airflow 2 and a 3 that call each other.",
    )
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    parser.add_argument("--browser", default=found, help=f"a Chromium or Chrome (default: {found or 'none found'})")
    parser.add_argument("--to", type=Path, default=IMAGES, help="the folder for the pictures (default: docs/images)")
    arguments = parser.parse_args()
    if arguments.browser is None:
        sys.exit(
            f"No browser found ({', '.join(BROWSERS)}). On Debian or Ubuntu: sudo apt install chromium. Or: --browser PATH"
        )
    try:
        check_machine(ROOT, free_memory=FREE_MEMORY_GIB, free_disk=FREE_DISK_GIB)
        pythons = Pythons()
        newest = screenshots_environment(pythons)
        older = airflow_environment(DEFAULT_OF_LINE["2"], pythons)
    except SetupError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
    say("the virtual environments are ready")
    story = [str(newest.python), str(ROOT / "scripts/_screenshots_story.py"), "--python-2", str(older.python)]
    os.execv(newest.python, [*story, "--browser", arguments.browser, "--to", str(arguments.to)])  # noqa: S606 - as for the demo
