"""Which public names the examples show: read out of the source, nothing is imported.

An example is a file of ``example_dags/`` or ``examples/``, or a block of Python in README or ``docs/``; all of them are run, parsed or
included by tests (``test_every_block_is_tried.py``). A public name is a class or function with a
line of its own in ``docs/reference``, or of a module that has one.

A name is shown where an example imports it. What follows from that is shown with it, since nobody writes it:

- what a shown function or method gives back, and what stands in the fields of such a thing;
- the classes that a shown class extends, and what it names in its own attributes (its links);
- the trigger of an operator or sensor that an example defers.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SRC = ROOT / "src"
PACKAGE = "mwaa_provider"


@cache
def reference() -> tuple[str, ...]:
    """Return all names with a line of their own in the reference; some are modules."""
    pages = sorted((ROOT / "docs/reference").glob("*.md"))
    return tuple(
        name for page in pages for name in re.findall(r"^::: (\S+)", page.read_text(encoding="utf-8"), re.MULTILINE)
    )


@cache
def public_names() -> tuple[str, ...]:
    """Return the classes and functions of the reference, those of its modules too."""
    found = []
    for name in reference():
        if not is_module(name):
            found.append(name)
            continue
        for node in ast.parse((SRC / (name.replace(".", "/") + ".py")).read_text(encoding="utf-8")).body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name[0] != "_":
                found.append(f"{name}.{node.name}")
    return tuple(found)


def is_module(name: str) -> bool:
    return (SRC / (name.replace(".", "/") + ".py")).is_file()


@cache
def definition(name: str) -> ast.ClassDef | ast.FunctionDef:
    module, _, last = name.rpartition(".")
    tree = ast.parse((SRC / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8"))
    (found,) = (node for node in tree.body if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == last)
    return found


@cache
def homes() -> dict[str, str]:
    """Return the full names of what is loaded lazily, by the names that it is imported with."""
    found = {}
    for package in (PACKAGE, f"{PACKAGE}.local", f"{PACKAGE}.local.real"):
        tree = ast.parse((SRC / package.replace(".", "/") / "__init__.py").read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_HOME_OF":
                table = ast.literal_eval(node.value)
                found |= {f"{package}.{name}": f"{home}.{name}" for name, home in table.items()}
    return found


@cache
def examples() -> tuple[ast.Module, ...]:
    files = [path for folder in ("example_dags", "examples") for path in sorted((ROOT / folder).rglob("*.py"))]
    texts = [path.read_text(encoding="utf-8") for path in files]
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        texts += re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    return tuple(map(ast.parse, texts))


def imported() -> set[str]:
    """Return the full names that examples import; a fixture of pytest is asked for by a parameter's name."""
    found = set()
    for tree in examples():
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                found |= {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.arg):
                found.add(f"{PACKAGE}.local.pytest_plugin.{node.arg}")
    return {homes().get(name, name) for name in found}


def deferred() -> set[str]:
    """Return the names of the classes that an example defers."""
    return {
        getattr(node.func, "id", "")
        for tree in examples()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and any(keyword.arg == "deferrable" for keyword in node.keywords)
    }


def names_in(*nodes: ast.AST | None) -> set[str]:
    """Return the identifiers in pieces of source, annotations in quotes too."""
    text = " ".join(ast.unparse(node) for node in nodes if node is not None)
    return set(re.findall(r"\w+", text))


@cache
def whole_class(name: str) -> tuple[ast.stmt, ...]:
    """Return the body of a class with that of the classes it inherits from, as far as they are of this package."""
    node = definition(name)
    assert isinstance(node, ast.ClassDef)
    module = name.rpartition(".")[0]
    tree = ast.parse((SRC / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8"))
    here = {
        alias.name: f"{one.module}.{alias.name}"
        for one in tree.body
        if isinstance(one, ast.ImportFrom) and (one.module or "").startswith(f"{PACKAGE}.")
        for alias in one.names
    } | {one.name: f"{module}.{one.name}" for one in tree.body if isinstance(one, ast.ClassDef)}
    bases = [here[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in here]
    inherited = [line for base in bases if is_class(base) for line in whole_class(base)]
    return (*node.body, *inherited)


def is_class(name: str) -> bool:
    # airflow_compat assigns Airflow's classes; those are Airflow's own business.
    return not name.startswith(f"{PACKAGE}.airflow_compat.") and isinstance(definition(name), ast.ClassDef)


def methods(name: str) -> set[str]:
    """Return the public methods of a class."""
    return {one.name for one in whole_class(name) if isinstance(one, ast.FunctionDef) and one.name[0] != "_"}


def what_follows(name: str) -> Iterator[str]:
    """Yield the identifiers that are shown with a name."""
    node = definition(name)
    if isinstance(node, ast.FunctionDef):
        yield from names_in(node.returns)
        return
    yield from names_in(*node.bases)
    for one in whole_class(name):
        if isinstance(one, ast.FunctionDef):
            if one.name[0] != "_":
                yield from names_in(one.returns)
            for line in ast.walk(one):
                if isinstance(line, ast.AnnAssign) and getattr(line.target, "attr", "_")[0] != "_":
                    yield from names_in(line.annotation)
        elif isinstance(one, ast.AnnAssign):
            yield from names_in(one.annotation)
        elif isinstance(one, ast.Assign):
            yield from names_in(one.value)
    if node.name in deferred():
        # The same noun names the file in every layer.
        noun = name.split(".")[-2]
        yield from (other.rpartition(".")[2] for other in reference() if f".triggers.{noun}." in other)


def attributes_used() -> set[str]:
    """Return what examples take of things by a dot."""
    return {node.attr for tree in examples() for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def shown() -> set[str]:
    """Return the public names that the examples show."""
    by_last: dict[str, set[str]] = {}
    for name in public_names():
        by_last.setdefault(name.rpartition(".")[2], set()).add(name)
    found: set[str] = set()
    new = imported() & set(public_names())
    while new:
        found |= new
        new = {other for name in new for last in what_follows(name) for other in by_last.get(last, ())} - found
    return found
