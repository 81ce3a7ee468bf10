"""The Python files of a plugins.zip that Airflow loads, and those that ``.airflowignore`` keeps it from."""

from __future__ import annotations

import ast
import json
import sys
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from mwaa_provider.client.reserved_variables import is_reserved, what_to_do_instead
from mwaa_provider.packaging.archive import is_left_over
from mwaa_provider.packaging.findings import Finding
from mwaa_provider.packaging.ignore_file import GLOB, NAME, REGEXP, syntax_of
from mwaa_provider.packaging.plugins_archive import Archive, ignore_files, tree_of
from mwaa_provider.packaging.plugins_code import check_code, defines_dag, is_plugin_file, looks_like_dag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mwaa_provider.packaging.releases import Release

# The tables of a file of the plugin `environment_variables`.
_TABLES = ("set", "prepend", "append")
_LARGEST_VARIABLES_FILE = 1_000_000

# What MWAA's Airflow cannot do without, beside Python's own modules.
_OF_AIRFLOW = frozenset(
    [
        "airflow",
        "alembic",
        "attr",
        "boto3",
        "botocore",
        "celery",
        "click",
        "cryptography",
        "dateutil",
        "dill",
        "fastapi",
        "flask",
        "gunicorn",
        "httpx",
        "itsdangerous",
        "jinja2",
        "jsonschema",
        "jwt",
        "kombu",
        "markupsafe",
        "packaging",
        "pendulum",
        "pluggy",
        "psutil",
        "psycopg2",
        "pydantic",
        "pygments",
        "requests",
        "rich",
        "s3transfer",
        "sqlalchemy",
        "starlette",
        "structlog",
        "tabulate",
        "tenacity",
        "urllib3",
        "uvicorn",
        "watchtower",
        "werkzeug",
        "yaml",
    ]
)


def check_module(archive: Archive, name: str, release: Release | None) -> Iterator[Finding]:
    """Check a file that Airflow imports as a plugin.

    :param archive: The archive.
    :param name: The file.
    :param release: The environment's release.
    """
    content = archive.read(name)
    stem = PurePosixPath(name).stem
    if stem in sys.stdlib_module_names or stem in _OF_AIRFLOW:
        yield Finding(
            "shadows-module",
            f"Airflow imports every file of the plugins folder under its bare name, so this one takes the place of the module {stem}, "
            "whatever folder it lies in.",
            f"Rename it, or name it in {NAME} if it is no plugin.",
            name,
        )
    try:
        tree = ast.parse(content, feature_version=release.python_numbers if release else None)
    except (SyntaxError, ValueError) as error:
        yield Finding(
            "syntax-error", f"Python cannot read it: {error}.", "Correct it.", name, getattr(error, "lineno", None)
        )
        return
    yield from check_code(tree, name, release.airflow if release else None)
    if not is_plugin_file(tree) and looks_like_dag(content):
        is_dag = defines_dag(tree)
        yield Finding(
            "dag-like-not-ignored",
            "It defines a DAG, which Airflow does not look for here."
            if is_dag
            else "It looks like a DAG file, and is no plugin.",
            "Put it into the DAG folder." if is_dag else f"Name it, or its folder, in {NAME}.",
            name,
        )
    if is_plugin_file(tree) and not stem.isidentifier():
        yield Finding("name-not-importable", f"No `import` can name {stem}.", f"Call it {_importable(stem)}.py.", name)


def _importable(stem: str) -> str:
    text = "".join(sign if sign.isalnum() else "_" for sign in stem)
    return text if text[:1].isalpha() or text.startswith("_") else f"_{text}"


def check_variables_file(archive: Archive, name: str, release: Release | None) -> Iterator[Finding]:
    """Check a file of our plugin ``environment_variables``: tables of variables that are set or extended.

    :param archive: The archive.
    :param name: The file, ``.json`` or ``.toml``.
    :param release: The environment's release.
    """
    content = archive.read(name)
    tables = _parsed(name, content) if len(content) <= _LARGEST_VARIABLES_FILE else None
    if not isinstance(tables, dict) or not tables or not set(tables) <= {*_TABLES, "component"}:
        return
    components = tables.get("component")
    parts = [tables, *(components.values() if isinstance(components, dict) else ())]
    named = [part[table] for part in parts if isinstance(part, dict) for table in _TABLES if table in part]
    for variable in sorted({one for table in named if isinstance(table, dict) for one in table}):
        if is_reserved(variable, release.airflow if release else None):
            text = content.decode("utf-8", "replace").splitlines()
            line = next((number for number, one in enumerate(text, start=1) if variable in one), None)
            message = f"It sets {variable}, which MWAA sets itself and needs as it is."
            yield Finding("reserved-variable", message, what_to_do_instead(variable), name, line)


def _parsed(name: str, content: bytes) -> Any:
    try:
        if name.endswith(".json"):
            return json.loads(content)
        # From Python 3.11 on; without it the plugin's own report is left to say so.
        return import_module("tomllib").loads(content.decode("utf-8"))
    except (ImportError, ValueError):
        return None


def check_ignore_files(archive: Archive, release: Release | None) -> Iterator[Finding]:
    """Check what ``.airflowignore`` does.

    :param archive: The archive.
    :param release: The environment's release.
    """
    ignore = ignore_files(archive)
    where = {folder: f"{folder}/{NAME}" if folder else NAME for folder in ignore.texts}
    modules = {name for name in archive.entries if name.endswith(".py") and not is_left_over(name)}
    on_2, on_3 = ignore.ignored(modules, REGEXP), ignore.ignored(modules, GLOB)
    here = on_2 | on_3 if release is None else on_2 if syntax_of(release.airflow) == REGEXP else on_3
    for name in sorted(here):
        tree = tree_of(archive.read(name)) if "/" not in name else None
        if tree is not None and is_plugin_file(tree):
            yield Finding(
                "plugin-ignored",
                f"{NAME} names it, so Airflow does not load the plugin in it.",
                f"Take it out of {NAME}; only what is no plugin belongs there.",
                name,
            )
    if release is None and on_2 != on_3:
        some = ", ".join(sorted(on_2 ^ on_3)[:3])
        yield Finding(
            "ignore-line-differs",
            f"Airflow 2 reads the lines as regular expressions, Airflow 3 as globs, and they do not agree about {some}.",
            "Write folders as `name/`, which means the same in both; or set core.dag_ignore_file_syntax.",
            where.get("", NAME),
        )
    for folder, line, text in ignore.invalid_lines():
        if release is None or syntax_of(release.airflow) == REGEXP:
            yield Finding(
                "ignore-line-differs",
                f"{text!r} is no regular expression, so Airflow 2 drops the line.",
                "Write folders as `name/`; or set core.dag_ignore_file_syntax to glob.",
                where[folder],
                line,
            )
