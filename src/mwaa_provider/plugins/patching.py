"""Changing Airflow in a running process: only what is there, only once, and so that it can be put back.

Rules that hold for every plugin of ours, because a plugin that fails can keep a scheduler from starting:

- A module is changed when it is there. One that nobody has imported is not imported for this: the change is made when somebody does.
- An attribute that is missing, or that looks unlike what we know, is left as it is, and the report says so.
- Airflow 3 loads plugins again in each task process, which inherited the first load, and Airflow 3.3 twice in one process: a change is
  made once.
- Nothing that goes wrong here gets out.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from wrapt import register_post_import_hook

from mwaa_provider.plugins.report import Report, reports, tell

log = logging.getLogger("mwaa_provider.plugins")

#: What our replacements carry, so that they are known again even by a second copy of this module.
_MARK = "_mwaa_provider_replaces"

Make = Callable[[Any], Any]


@dataclass(frozen=True)
class _Change:
    owner: Any
    name: str
    original: Any


_changes: list[_Change] = []
_wanted: dict[str, list[Callable[[Any], None]]] = {}
_hooked: set[str] = set()


def load(name: str, option: str, apply: Callable[[Report], None]) -> Report:
    """Do what a plugin is there for, once per process, and say what was done. It does not raise.

    :param name: The plugin.
    :param option: The option of ``[mwaa_provider]`` that asks for it.
    :param apply: Does it, and fills in the report.
    """
    if name in reports:
        return reports[name]
    report = reports[name] = Report(name, option)
    try:
        apply(report)
        tell(report)
    except Exception as error:
        report.problems.append(f"{type(error).__name__}: {error}")
        log.warning("mwaa_provider plugin %s could not be applied, Airflow goes on without it", name, exc_info=True)
    return report


def replace(report: Report, owner: Any, name: str, make: Make) -> bool:
    """Put something in an attribute's place; ``False`` if the attribute is not there. Done before, it is not done again.

    :param report: Where it is noted.
    :param owner: A module or a class.
    :param name: The attribute.
    :param make: Is given the original, and returns what takes its place.
    """
    original = vars(owner).get(name)
    if original is None:
        return False
    if not hasattr(original, _MARK):
        replacement = make(original)
        setattr(replacement, _MARK, original)
        setattr(owner, name, replacement)
        _changes.append(_Change(owner, name, original))
        place = owner.__name__ if isinstance(owner, ModuleType) else f"{owner.__module__}.{owner.__name__}"
        report.patched.append(f"{place}.{name}")
    return True


def when_imported(report: Report, module: str, change: Callable[[Any], None]) -> None:
    """Change a module: now if it is there, or else as soon as somebody imports it.

    :param report: Where it is noted.
    :param module: Its name.
    :param change: Is given the module.
    """
    _wanted.setdefault(module, []).append(change)
    if module not in sys.modules and _exists(module):
        report.waiting.append(module)
    if module in _hooked:
        if module in sys.modules:
            _change(sys.modules[module])
        return
    _hooked.add(module)
    register_post_import_hook(_change, module)


def _exists(module: str) -> bool:
    # Looked for in the folders: find_spec would import the packages above it, which no process is to pay for.
    top, *parts = module.split(".")
    folders = getattr(sys.modules.get(top), "__path__", ())
    return any(Path(folder, *parts).with_suffix(".py").exists() for folder in folders)


def _change(module: Any) -> None:
    for change in _wanted.get(module.__name__, []):
        try:
            change(module)
        except Exception:
            log.warning("mwaa_provider could not change %s, it stays as it is", module.__name__, exc_info=True)


def undo_all() -> None:
    """Put everything back, for tests: as if no plugin of ours had been loaded in this process."""
    while _changes:
        change = _changes.pop()
        setattr(change.owner, change.name, change.original)
    _wanted.clear()
    reports.clear()
