"""The options of section ``[mwaa_provider]`` as the plugins read them."""

from __future__ import annotations

import os.path

from mwaa_provider.airflow_compat import configured, plugins_folder
from mwaa_provider.plugins.report import Report

_TRUE = ("true", "t", "yes", "1", "on")
_FALSE = ("false", "f", "no", "0", "off", "")


def text(name: str) -> str | None:
    """Return an option, without spaces around it; ``None`` if it is not set, or empty.

    :param name: The option.
    """
    value = configured("mwaa_provider", name)
    return (value.strip() or None) if value is not None else None


def flag(name: str, report: Report) -> bool:
    """Return an option that is true or false; false if it is not set.

    :param name: The option.
    :param report: Where a value that is neither is reported.
    """
    value = (text(name) or "").lower()
    if value not in _TRUE + _FALSE:
        report.problems.append(f"mwaa_provider.{name} is {value!r}: write True or False. It is taken as False")
    return value in _TRUE


def place(name: str) -> str | None:
    """Return an option that names a file, a folder or an address; ``{plugins}`` and ``~`` in it are expanded.

    :param name: The option.
    """
    value = text(name)
    return value and os.path.expanduser(value.replace("{plugins}", str(plugins_folder())))
