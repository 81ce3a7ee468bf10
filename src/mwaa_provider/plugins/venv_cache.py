"""Environments kept by what is in them, for the release whose operator has no ``venv_cache_path`` (Airflow 2.7)."""

from __future__ import annotations

import fcntl
import hashlib
import inspect
import json
import logging
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mwaa_provider.plugins.venv_settings import VenvSettings

log = logging.getLogger("mwaa_provider.plugins")

_MARKER = "install_complete_marker.json"


def cached(original: Callable[..., str], settings: VenvSettings) -> Callable[..., str]:
    """Return an operator's ``prepare_virtualenv`` that makes each environment once.

    The operator removes the folder that it gives; so what is kept lies elsewhere, and the folder holds links to it.

    :param original: The release's.
    :param settings: Our options.
    """
    signature = inspect.signature(original)

    def prepare_virtualenv(*args: Any, **kwargs: Any) -> str:
        call = signature.bind(*args, **kwargs)
        call.apply_defaults()
        folder = Path(call.arguments["venv_directory"])
        content = _content(call.arguments, settings)
        kept = Path(str(settings.cache_folder)) / f"venv-{hashlib.sha256(content.encode()).hexdigest()[:16]}"
        kept.parent.mkdir(parents=True, exist_ok=True)
        with Path(f"{kept}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # tasks of one worker want the same one at the same time
            if _is_complete(kept, content):
                log.info("Using the virtual environment in %s again", kept)
            else:
                shutil.rmtree(kept, ignore_errors=True)
                kept.mkdir()
                try:
                    call.arguments["venv_directory"] = str(kept)
                    original(*call.args, **call.kwargs)
                except BaseException:
                    shutil.rmtree(kept, ignore_errors=True)
                    raise
                (kept / _MARKER).write_text(content, encoding="utf-8")
                log.info("Keeping the virtual environment in %s", kept)
        for entry in kept.iterdir():
            if not (folder / entry.name).exists():
                (folder / entry.name).symlink_to(entry)
        return f"{folder}/bin/python"

    return prepare_virtualenv


def _content(arguments: dict[str, Any], settings: VenvSettings) -> str:
    """Tell what makes one environment differ from another."""
    file = arguments.get("requirements_file_path")
    text = Path(file).read_text(encoding="utf-8") if file else "\n".join(arguments.get("requirements") or ())
    return json.dumps(
        {
            "requirements": sorted(line.strip() for line in text.splitlines() if line.strip()),
            "pip_install_options": arguments.get("pip_install_options"),
            "python": [arguments.get("python_bin"), sys.version],
            "system_site_packages": arguments.get("system_site_packages"),
            "find_links": settings.find_links,
            "no_index": settings.no_index,
            "constraint": settings.constraint,
        },
        sort_keys=True,
    )


def _is_complete(folder: Path, content: str) -> bool:
    try:
        return (folder / _MARKER).read_text(encoding="utf-8") == content
    except OSError:
        return False
