"""Plugins imported by a real Airflow, in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from mwaa_provider.packaging.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from mwaa_provider.packaging.releases import Release

_VERSION = """
import importlib.metadata as metadata
for name in ("apache-airflow-core", "apache-airflow"):
    try:
        print(metadata.version(name))
        break
    except metadata.PackageNotFoundError:
        pass
"""

# Airflow loads the plugins as its own components do. Up to 3.1 it keeps the errors in a variable of the module, later behind a function.
_LOAD = """
import json, sys
from airflow import plugins_manager

plugins_manager.ensure_plugins_loaded()
errors = getattr(plugins_manager, "import_errors", None)
if not isinstance(errors, dict):
    errors = plugins_manager._get_plugins()[1]
with open(sys.argv[1], "w") as target:
    json.dump({str(where): str(what) for where, what in errors.items()}, target)
"""
_NO_MODULE = re.compile(r"No module named '([^']+)'")
# A plugin of this archive is not to run with the developer's AWS identity, nor with the settings of an Airflow around it.
_NOT_INHERITED = re.compile(r"^(AIRFLOW_|AIRFLOW__|AWS_|MWAA_|PYTHONPATH$|PYTHONHOME$|VIRTUAL_ENV$)")


def try_imports(
    archive: Path, loaded: Collection[str], release: Release | None, python: str | None, timeout: float
) -> Iterator[Finding]:
    """Let Airflow import the plugins of an archive, and tell what failed.

    :param archive: The archive; none of its entries may lead out of the folder.
    :param loaded: The files that Airflow imports as plugins.
    :param release: The environment's release; with another Airflow nothing is tried. ``None`` takes the Airflow that is there.
    :param python: The interpreter; ``None`` for the running one.
    :param timeout: Seconds until it is given up.
    """
    if not loaded:
        return
    interpreter = os.path.abspath(os.path.expanduser(python)) if python else sys.executable
    installed = _airflow_of(interpreter)
    if installed is None or (release is not None and installed != release.airflow):
        wanted = f"Airflow {release.airflow}" if release else "Airflow"
        yield Finding(
            "import-not-tried",
            f"The plugins were not imported: {wanted} is not installed beside {interpreter}"
            + (f", but {installed}." if installed else "."),
            "Give --airflow-python, the bin/python of a virtual environment with it and with your requirements.",
            archive.name,
        )
        return
    with tempfile.TemporaryDirectory(prefix="mwaa-plugins-") as scratch:
        plugins = Path(scratch).resolve() / "plugins"
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(plugins)
        errors = _load(interpreter, Path(scratch), plugins, timeout)
        if isinstance(errors, str):
            yield Finding(
                "import-failed",
                f"Airflow {installed} ends when it loads the plugins: {errors}.",
                "Correct the plugin: a component of MWAA would not start either.",
                archive.name,
            )
            return
        for where, what in errors.items():
            file = _in_archive(where, plugins)
            if file is not None:
                yield _failed(file, what, installed)


def _airflow_of(interpreter: str) -> str | None:
    try:
        done = _run([interpreter, "-c", _VERSION], 60, {})
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None


def _load(interpreter: str, scratch: Path, plugins: Path, timeout: float) -> dict[str, str] | str:
    answer = scratch / "answer.json"
    variables = {
        "AIRFLOW_HOME": str(scratch / "airflow"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{scratch}/airflow.db",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "SCARF_ANALYTICS": "false",
        "AWS_CONFIG_FILE": str(scratch / "no-aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(scratch / "no-aws-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    try:
        done = _run([interpreter, "-c", _LOAD, str(answer)], timeout, variables)
    except subprocess.TimeoutExpired:
        return f"it had not loaded them after {timeout:.0f} seconds"
    if not answer.exists():
        lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        return lines[-1].strip().rstrip(".")
    read: dict[str, str] = json.loads(answer.read_text())
    return read


def _run(command: list[str], timeout: float, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not _NOT_INHERITED.match(name)}
    return subprocess.run(  # noqa: S603
        command,
        env={**inherited, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
    )


def _in_archive(where: str, plugins: Path) -> str | None:
    # Airflow 3.2 names its source as $PLUGINS_FOLDER/name.
    for beginning in (f"{plugins}/", "$PLUGINS_FOLDER/"):
        if where.startswith(beginning):
            return where.removeprefix(beginning)
    return None


def _failed(file: str, what: str, installed: str) -> Finding:
    missing = _NO_MODULE.search(what)
    if missing and missing[1].partition(".")[0] != "airflow":
        return Finding(
            "module-missing",
            f"It imports {missing[1]}, which is not installed where it was tried.",
            "If requirements.txt brings it, install that there too, and check again.",
            file,
        )
    return Finding(
        "import-failed",
        f"Airflow {installed} cannot import it: {what}.",
        "Correct it: until then Airflow goes on without the plugin, and logs this in every component.",
        file,
    )
