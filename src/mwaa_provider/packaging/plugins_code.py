"""What the Python files of a plugins folder say, read without running them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from mwaa_provider.client.reserved_variables import is_reserved, what_to_do_instead
from mwaa_provider.packaging.findings import Finding
from mwaa_provider.packaging.gone_in_airflow_3 import instead_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# What Airflow 1 took from plugins, and later Airflows only ignore.
_REGISTERS_NOTHING = ("hooks", "operators", "sensors", "executors")


def plugin_classes(tree: ast.Module) -> list[ast.ClassDef]:
    """Return the plugins that a file defines.

    :param tree: The file.
    """
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(_last_name(base) == "AirflowPlugin" for base in node.bases)
    ]


def is_plugin_file(tree: ast.Module) -> bool:
    """Tell whether Airflow finds a plugin in a file: one that it defines, or imports to pass it on.

    :param tree: The file.
    """
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names]
    inherits = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(_last_name(base).endswith("Plugin") for base in node.bases)
    ]
    return bool(inherits) or any(name.endswith("Plugin") and name != "AirflowPlugin" for name in imported)


def defines_dag(tree: ast.Module) -> bool:
    """Tell whether a file makes a DAG.

    :param tree: The file.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last_name(node.func) in ("DAG", "dag"):
            return True
        if isinstance(node, ast.FunctionDef) and any(_last_name(one) == "dag" for one in node.decorator_list):
            return True
    return False


def looks_like_dag(content: bytes) -> bool:
    """Tell whether Airflow would take a file for one with DAGs, as its safe mode does: by two words.

    :param content: What the file holds.
    """
    lowered = content.lower()
    return b"dag" in lowered and b"airflow" in lowered


def check_code(tree: ast.Module, file: str, airflow_version: str | None) -> Iterator[Finding]:
    """Check what a plugin file does when it is imported.

    :param tree: The file.
    :param file: Its name, for the findings.
    :param airflow_version: The environment's release; ``None`` if it is not known.
    """
    for name, line in variables_set(tree):
        if is_reserved(name, airflow_version):
            yield Finding(
                "reserved-variable",
                f"It sets {name}, which MWAA sets itself and needs as it is.",
                what_to_do_instead(name),
                file,
                line,
            )
    if airflow_version is not None and not airflow_version.startswith("2."):
        yield from _gone(tree, file)
    for plugin in plugin_classes(tree):
        for statement in plugin.body:
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            if nothing := [name for name in names if name in _REGISTERS_NOTHING]:
                yield Finding(
                    "registers-nothing",
                    f"{plugin.name}.{nothing[0]} has no effect: Airflow 2 and 3 take none from plugins.",
                    "Import them in the DAG from where they are defined, and take the line out.",
                    file,
                    statement.lineno,
                )


def variables_set(tree: ast.Module) -> list[tuple[str, int]]:
    """Return the environment variables that a file sets, with the line, as far as they stand there as text.

    :param tree: The file.
    """
    found: list[tuple[str, int]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and _is_environ(node.value):
            found += _texts([node.slice], node.lineno)
        elif isinstance(node, ast.AugAssign) and _is_environ(node.target):
            found += _keys(node.value, node.lineno)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if _last_name(node.func) == "putenv" or (node.func.attr == "setdefault" and _is_environ(node.func.value)):
                found += _texts(node.args[:1], node.lineno)
            elif node.func.attr == "update" and _is_environ(node.func.value):
                found += [(word.arg, node.lineno) for word in node.keywords if word.arg]
                for argument in node.args:
                    found += _keys(argument, node.lineno)
    return sorted(set(found), key=lambda one: (one[1], one[0]))


def _gone(tree: ast.Module, file: str) -> Iterator[Finding]:
    for node in _run_at_import(tree.body):
        wanted: list[tuple[str, str | None]] = []
        if isinstance(node, ast.Import):
            wanted = [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            wanted = [(node.module, alias.name) for alias in node.names]
        for module, name in wanted:
            instead = instead_of(module, name)
            if instead is not None:
                what = module if name is None else f"{name} of {module}"
                yield Finding(
                    "gone-in-airflow-3",
                    f"It imports {what}, which Airflow 3 does not have.",
                    f"Use {instead}." if instead else "Do without it.",
                    file,
                    node.lineno,
                )


def _run_at_import(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when the file is imported, without those that a ``try`` stands around."""
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Try)):
            continue
        yield node
        for name in ("body", "orelse"):
            if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and name == "body"):
                yield from _run_at_import(getattr(node, name, []))


def _is_environ(node: ast.expr) -> bool:
    return _last_name(node) == "environ"


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return _last_name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _keys(node: ast.expr, line: int) -> list[tuple[str, int]]:
    return _texts([key for key in node.keys if key is not None], line) if isinstance(node, ast.Dict) else []


def _texts(nodes: Sequence[ast.expr], line: int) -> list[tuple[str, int]]:
    return [(node.value, line) for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
