"""What the environment is to look like after the plugin ``environment_variables``: names expanded, reserved ones refused."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from mwaa_provider.client.reserved_variables import is_reserved
from mwaa_provider.plugins.variables_file import Wishes

#: ``{NAME}`` stands for a variable's value, ``{plugins}`` for the plugins folder, ``{{`` and ``}}`` for the signs themselves.
_REFERENCE = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass
class Plan:
    """The variables to set.

    :param variables: Name to the whole new value.
    :param problems: What is not going to be done, or will not do what it looks like, and why.
    """

    variables: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class _UnresolvedError(ValueError):
    pass


def plan(
    wishes: Wishes, *, plugins: str, environment: dict[str, str], component: str | None, airflow_version: str
) -> Plan:
    """Work out what to set.

    :param wishes: What the file asks for.
    :param plugins: What ``{plugins}`` stands for.
    :param environment: The variables as they are.
    :param component: The component that this is (``MWAA_AIRFLOW_COMPONENT``); ``None`` outside of MWAA.
    :param airflow_version: The release: ``PYTHONPATH`` is MWAA's own from 2.9 on.
    """
    own = wishes.components.get(component or "", Wishes())
    planned = Plan(problems=list(wishes.problems))
    values = {**wishes.set, **own.set}
    first = {
        name: own.prepend.get(name, []) + wishes.prepend.get(name, []) for name in {**wishes.prepend, **own.prepend}
    }
    last = {name: wishes.append.get(name, []) + own.append.get(name, []) for name in {**wishes.append, **own.append}}
    for name in sorted({*values, *first, *last}):
        if is_reserved(name, airflow_version):
            since = ", from Airflow 2.9 on" if name == "PYTHONPATH" else ""
            planned.problems.append(f"{name} belongs to MWAA{since}: it is not set")
            for table in (values, first, last):
                table.pop(name, None)
    resolve = _Resolver(values, plugins, environment)
    for name in values:
        try:
            planned.variables[name] = resolve.value_of(name)
            _look_at_place(name, values[name], planned)
        except _UnresolvedError as problem:
            planned.problems.append(f"{name} is not set: {problem}")
    for name in sorted({*first, *last}):
        before = _entries(name, first.get(name, []), resolve, planned)
        after = _entries(name, last.get(name, []), resolve, planned)
        present = planned.variables.get(name, environment.get(name, ""))
        planned.variables[name] = _extended(before, present, after)
    return planned


class _Resolver:
    """Expands references, the file's own variables first."""

    def __init__(self, values: dict[str, str], plugins: str, environment: dict[str, str]) -> None:
        self._values = values
        self._plugins = plugins
        self._environment = environment

    def value_of(self, name: str, on_the_way: tuple[str, ...] = ()) -> str:
        if name in on_the_way:
            circle = " -> ".join((*on_the_way[on_the_way.index(name) :], name))
            raise _UnresolvedError(
                f"it refers to itself ({circle})"
                + ("; extend it by [prepend] or [append]" if len(on_the_way) == 1 else "")
            )
        return self.expanded(self._values[name], (*on_the_way, name))

    def expanded(self, text: str, on_the_way: tuple[str, ...] = ()) -> str:
        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name is None:
                return match[0][0]
            if name == "plugins":
                return self._plugins
            if name in self._values:
                return self.value_of(name, on_the_way)
            if name in self._environment:
                return self._environment[name]
            raise _UnresolvedError(f"{{{name}}} is neither in the file nor in the environment")

        return _REFERENCE.sub(value, text)


def _look_at_place(name: str, text: str, planned: Plan) -> None:
    value = planned.variables[name]
    if text.startswith(("./", "../")):
        planned.problems.append(
            f"{name} is set to {text!r}, a relative path, which means another place in each process"
        )
    elif "{plugins}" in text and os.path.isabs(value) and not Path(value).exists():
        planned.problems.append(f"{name} is set to {text!r}, but there is no {value}")


def _entries(name: str, wanted: list[str], resolve: _Resolver, planned: Plan) -> list[str]:
    entries = []
    for text in wanted:
        try:
            entry = resolve.expanded(text)
        except _UnresolvedError as problem:
            planned.problems.append(f"{name} is not extended by {text!r}: {problem}")
            continue
        if not os.path.isabs(entry):
            planned.problems.append(
                f"{name} is not extended by {text!r}: it is a relative path, which would mean another place in each process. "
                "Write {plugins}/... for what lies in plugins.zip"
            )
            continue
        if not Path(entry.removesuffix("*")).exists():
            planned.problems.append(f"{name} is extended by {text!r}, but there is no {entry}")
        entries.append(entry)
    return entries


def _extended(before: list[str], present: str, after: list[str]) -> str:
    """Each entry once: a process that inherited the longer variable, and loads plugins again, makes it no longer."""
    own = {*before, *after}
    kept = [entry for entry in present.split(os.pathsep) if entry not in own] if present else []
    return os.pathsep.join(dict.fromkeys([*before, *kept, *after]))
