"""Who may import whom, as data, and the reader of imports that holds the package to it (DESIGN.md, ARCHITECTURE.md)."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = "mwaa_provider"
ROOT = "(package)"


@dataclass(frozen=True)
class Rule:
    """What one part of the package may import.

    :param parts: The other parts of the package.
    :param airflow: Whether it may import Airflow.
    :param why: The reason, for whoever runs into it.
    """

    parts: frozenset[str]
    airflow: bool
    why: str


def _rule(parts: str, *, airflow: bool, why: str) -> Rule:
    return Rule(frozenset(parts.split()), airflow, why)


_BESIDE_THE_DAG = "hooks triggers client metadata metrics links airflow_compat exceptions"

RULES: dict[str, Rule] = {
    ROOT: _rule(
        "client hooks operators sensors transfers",
        airflow=False,
        why="it names the public classes, and loads them when used",
    ),
    "exceptions": _rule("", airflow=False, why="everything raises them, with Airflow or without"),
    "get_provider_info": _rule(ROOT, airflow=False, why="Airflow calls it in every process"),
    "airflow_compat": _rule("exceptions", airflow=True, why="it alone knows Airflow 2 from 3, and nothing else"),
    "client": _rule("exceptions", airflow=False, why="it works in a Lambda function, where there is no Airflow"),
    "hooks": _rule(
        "client metrics airflow_compat exceptions", airflow=True, why="a hook turns a connection into a client"
    ),
    "links": _rule("client airflow_compat exceptions", airflow=True, why="a link is made of what a task left in XCom"),
    "metadata": _rule(
        "client airflow_compat exceptions", airflow=False, why="it reaches Airflow through airflow_compat only"
    ),
    "metrics": _rule(
        "client airflow_compat exceptions", airflow=False, why="it reaches Airflow through airflow_compat only"
    ),
    "triggers": _rule("hooks client airflow_compat exceptions", airflow=True, why="the triggerer knows no operators"),
    "operators": _rule(_BESIDE_THE_DAG, airflow=True, why="operators stand on hooks, not on one another's kinds"),
    "sensors": _rule(
        f"{_BESIDE_THE_DAG} operators",
        airflow=True,
        why="sensors are operators: they share their base class, and how a failure is told",
    ),
    "transfers": _rule(
        f"{_BESIDE_THE_DAG} operators",
        airflow=True,
        why="transfers are operators too: they read what templates rendered in the same way",
    ),
    # The edge: nothing imports it, except the command line, which starts the local MWAA and builds packages.
    "plugins": _rule(
        f"{ROOT} client hooks links metadata metrics airflow_compat exceptions",
        airflow=True,
        why="plugins are loaded by Airflow alone",
    ),
    "packaging": _rule(f"{ROOT} client exceptions", airflow=False, why="it runs on a build machine"),
    "local": _rule(
        f"{ROOT} client exceptions", airflow=True, why="it plays the service, and does not use the operators it tests"
    ),
    "cli": _rule(
        f"{ROOT} local packaging client metadata metrics exceptions",
        airflow=False,
        why="the command starts things; Airflow runs in processes of its own",
    ),
}


def wrong_arrows(package: Path) -> list[str]:
    """Read every module's imports, those inside of functions too, and tell each that no rule allows.

    :param package: The folder of the package.
    """
    problems = []
    for file in sorted(package.rglob("*.py")):
        module = _module_of(file, package)
        part = _part_of(module)
        where = file.relative_to(package.parent)
        if part not in RULES:
            problems.append(f"{where}: {part!r} is in no rule; say in tests/rules/arrows.py what it may import")
            continue
        for line, target in imports_of(file, module):
            problem = _judge(part, target)
            if problem:
                problems.append(f"{where}:{line}: {problem}")
    return problems


def _judge(part: str, target: str) -> str | None:
    rule = RULES[part]
    top = target.partition(".")[0]
    if top == "airflow":
        return None if rule.airflow else f"{part} may not import {target}: {rule.why}"
    if top != PACKAGE:
        return None
    other = _part_of(target)
    if other == part or other in rule.parts or (other == ROOT and target.endswith(".__version__")):
        return None
    return f"{part} may not import {target}: {rule.why}"


def _module_of(file: Path, package: Path) -> str:
    parts = [package.name, *file.relative_to(package).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _part_of(module: str) -> str:
    names = module.split(".")
    if len(names) == 1 or (len(names) == 2 and not _is_part(names[1])):
        return ROOT
    return names[1]


def _is_part(name: str) -> bool:
    # ``from mwaa_provider import X``: a module has a small name; ``__version__`` and the public classes have not.
    return name.islower() and not name.startswith("_")


def imports_of(file: Path, module: str) -> Iterator[tuple[int, str]]:
    """Tell the line and the full name of everything a file imports.

    :param file: The file.
    :param module: Its module name, to resolve relative imports.
    """
    for node in ast.walk(ast.parse(file.read_text(), str(file))):
        yield from _targets(node, module, is_package=file.stem == "__init__")


def _targets(node: ast.AST, module: str, *, is_package: bool = False) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield node.lineno, alias.name
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            names = module.split(".")
            kept = names[: len(names) - node.level + is_package]
            base = ".".join([*kept, base]).rstrip(".")
        for alias in node.names:
            yield node.lineno, f"{base}.{alias.name}"


def foreign_at_module_level(file: Path, module: str) -> list[str]:
    """Tell what a module imports when it is imported, beyond the standard library and this package.

    :param file: The file.
    :param module: Its module name.
    """
    found = []
    for line, target in _run_at_import(ast.parse(file.read_text(), str(file)).body, module):
        top = target.partition(".")[0]
        if top not in sys.stdlib_module_names and top != PACKAGE:
            found.append(f"{file.name}:{line}: {target}")
    return found


def _run_at_import(body: list[ast.stmt], module: str) -> Iterator[tuple[int, str]]:
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _run_at_import(node.orelse, module)
            continue
        yield from _targets(node, module)
        for name in ("body", "orelse", "finalbody"):
            yield from _run_at_import(getattr(node, name, []), module)
        for handler in getattr(node, "handlers", []):
            yield from _run_at_import(handler.body, module)
