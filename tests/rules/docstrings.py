"""Reads what is public and tells which of its parameters no docstring explains."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Airflow's own, the same in every operator and hook.
_EXPLAINED_BY_AIRFLOW = {"self", "cls", "context", "event"}


def undocumented(file: Path) -> list[str]:
    """Tell every public class, function and parameter without an explanation.

    :param file: The file to read.
    """
    return [f"{file.name}: {problem}" for problem in _in_body(ast.parse(file.read_text(), str(file)).body, "")]


def _in_body(body: list[ast.stmt], prefix: str) -> Iterator[str]:
    for node in body:
        if isinstance(node, Function) and _is_public(node) and not _is_overload(node):
            yield from _of_function(node, prefix)
        elif isinstance(node, ast.ClassDef) and _is_public(node):
            yield from _of_class(node, prefix)


def _of_function(node: Function, prefix: str) -> Iterator[str]:
    text = ast.get_docstring(node) or ""
    if not text and not _is_override(node):
        yield f"{prefix}{node.name} has no docstring"
    for name in _parameters(node):
        if not _explains(text, name):
            yield f"{prefix}{node.name}: no ':param {name}:'"


def _of_class(node: ast.ClassDef, prefix: str) -> Iterator[str]:
    text = ast.get_docstring(node) or ""
    if not text:
        yield f"{prefix}{node.name} has no docstring"
    names = []
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef) and statement.name == "__init__":
            text += "\n" + (ast.get_docstring(statement) or "")
            names += _parameters(statement)
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        names += [
            statement.target.id
            for statement in node.body
            if isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and not statement.target.id.startswith("_")
            and "ClassVar" not in ast.unparse(statement.annotation)
        ]
    yield from (f"{prefix}{node.name}: no ':param {name}:'" for name in names if not _explains(text, name))
    yield from _in_body(node.body, f"{prefix}{node.name}.")


def _parameters(node: Function) -> list[str]:
    if _is_override(node):
        return []
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return [name for name in names if name not in _EXPLAINED_BY_AIRFLOW and not name.startswith("_")]


def _explains(text: str, name: str) -> bool:
    return re.search(rf":param (\w+ )?{re.escape(name)}:\s*\S", text) is not None


def _is_public(node: Function | ast.ClassDef) -> bool:
    return not node.name.startswith("_")


def _is_overload(node: Function) -> bool:
    return any(ast.unparse(decorator).endswith(("overload", ".setter")) for decorator in node.decorator_list)


def _is_override(node: Function) -> bool:
    """Whether it says itself that its meaning is written down in a base class."""
    return any(ast.unparse(decorator).endswith("override") for decorator in node.decorator_list)
