"""What a plugin did when it was loaded, and what not and why: one line in the log, and what ``mwaa plugins doctor`` tells."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, field

from mwaa_provider.airflow_compat import configured

log = logging.getLogger("mwaa_provider.plugins")

#: What ``airflow`` starts that has a log of its own. Other commands print for somebody, or some program, that reads standard output,
#: where Airflow 2 logs to as well.
_WITH_A_LOG = frozenset(
    ("api-server", "celery", "dag-processor", "scheduler", "standalone", "tasks", "triggerer", "webserver")
)


@dataclass
class Report:
    """What one plugin did in this process.

    :param plugin: Its name.
    :param option: The option that asks for it.
    :param configured: Whether an option asks for it. If none does, it does nothing, and says so nowhere but here.
    :param changed: What is different for whoever uses this Airflow.
    :param patched: The attributes of Airflow that were replaced for it.
    :param waiting: The modules that are changed as soon as somebody imports them.
    :param left_alone: What it did not change, each with the reason, where nothing is wrong.
    :param problems: What keeps it from doing what was asked for.
    :param too_late: What it does not reach if plugins are loaded late (``core.lazy_load_plugins``).
    """

    plugin: str
    option: str
    configured: bool = False
    changed: list[str] = field(default_factory=list)
    patched: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    left_alone: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    too_late: str = ""

    @property
    def lazy(self) -> str:
        """What ``core.lazy_load_plugins`` spoils, empty if nothing."""
        if not (self.configured and self.too_late and loads_lazily()):
            return ""
        return f"core.lazy_load_plugins is True: set it to False, or this comes too late for {self.too_late}"

    def sentence(self) -> str:
        """Return all of it as one line."""
        parts = ["; ".join(self.changed) or "changed nothing"]
        if self.patched:
            parts.append(f"patched: {', '.join(self.patched)}")
        if self.waiting:
            parts.append(f"patched when imported: {', '.join(self.waiting)}")
        if self.left_alone:
            parts.append(f"left alone: {'; '.join(self.left_alone)}")
        if self.problems:
            parts.append(f"PROBLEM: {'; '.join(self.problems)}")
        if self.lazy:
            parts.append(self.lazy)
        return f"mwaa_provider plugin {self.plugin}: {'. '.join(parts)}."


#: What the plugins of this process did, by name. A task process of Airflow 3 inherits it, and what was done with it.
reports: dict[str, Report] = {}


def loads_lazily() -> bool:
    """Tell whether Airflow loads plugins only when it needs one (its default)."""
    return (configured("core", "lazy_load_plugins") or "True").strip().lower() not in ("false", "f", "0")


def tell(report: Report) -> None:
    """Log what a plugin did, if it was asked to do anything.

    :param report: The report.
    """
    if report.problems:
        log.warning("%s", report.sentence())
    elif report.configured:
        log.log(logging.INFO if _has_a_log() else logging.DEBUG, "%s", report.sentence())


def _has_a_log() -> bool:
    if not sys.argv[0].endswith(("/airflow", "/airflow/__main__.py")) and sys.argv[0] != "airflow":
        return True
    return any(word in _WITH_A_LOG for word in sys.argv[1:3])
