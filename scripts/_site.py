"""What ``scripts/site`` does, and the check ``site`` of ``scripts/test``: build the pages as a site, and look whether it is whole."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from _machine import Pythons, SetupError
from _workbench import ROOT, Environment, clean_environment, docs_environment


def main() -> int:
    """Build and check the site, or serve it while it is written."""
    parser = argparse.ArgumentParser(
        prog="scripts/site", description="Build docs/ and the reference as a site, and check it: warnings are errors."
    )
    parser.add_argument("--to", type=Path, default=ROOT / "site", help="the folder (default: site)")
    parser.add_argument(
        "--serve", metavar="PORT", type=int, help="serve it on 127.0.0.1 instead, as the pages are changed"
    )
    options = parser.parse_args()
    try:
        environment = docs_environment(Pythons())
    except SetupError as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 2
    if options.serve is not None:
        command = [str(environment.python), "-m", "mkdocs", "serve", "--dev-addr", f"127.0.0.1:{options.serve}"]
        try:
            return subprocess.run(command, cwd=ROOT, env=_settings()).returncode
        except KeyboardInterrupt:
            return 130
    for command in commands(environment, options.to.resolve()):
        if status := subprocess.run(command, cwd=ROOT, env=_settings()).returncode:
            return status
    print(f"{options.to / 'index.html'}")
    return 0


def commands(environment: Environment, folder: Path) -> tuple[list[str], list[str]]:
    """Return the commands that build the site and that check it.

    :param environment: Where mkdocs is.
    :param folder: Where the site is to lie.
    """
    python = str(environment.python)
    return (
        [python, "-m", "mkdocs", "build", "--strict", "--clean", "--site-dir", str(folder)],
        [python, "-B", str(ROOT / "scripts/_site_check.py"), str(folder)],
    )


def _settings() -> dict[str, str]:
    return clean_environment() | {"PYTHONDONTWRITEBYTECODE": "1", "NO_MKDOCS_2_WARNING": "1"}
