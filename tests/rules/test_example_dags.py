"""Every example DAG parses on this release with the constraint file's providers, no network and no AWS credentials.

What an example asks for in ``requirements.txt`` is installed, and is enough: the class that its connection is opened with can be imported.
"""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import ROOT, in_fresh_interpreter
from tests.support.providers import asked_for_by, why_not

EXAMPLES = ROOT / "example_dags"
FILES = sorted(EXAMPLES.glob("*.py"))

PARSE = """
import importlib, traceback

try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models.dagbag import DagBag

from airflow.providers_manager import ProvidersManager

def why_not_open(kind):
    info = manager.hooks.get(kind)
    if info is None:
        return "there is no such type of connection"
    try:
        module, _, name = info.hook_class_name.rpartition(".")
        getattr(importlib.import_module(module), name)
    except Exception:
        return traceback.format_exc()
    return ""

folder, kinds = argument
bag = DagBag(dag_folder=folder)
manager = ProvidersManager()
answer = {
    "errors": {name.rpartition("/")[2]: text for name, text in bag.import_errors.items()},
    "files": sorted({dag.fileloc.rpartition("/")[2] for dag in bag.dags.values()}),
    "providers": sorted(manager.providers),
    "not_opened": {kind: why_not_open(kind) for kind in kinds},
}
"""


def _parse(folder, tmp_path, providers=None, kinds=()):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    # A small home of its own: the machine's user may have AWS credentials in theirs.
    environment |= {
        "HOME": str(tmp_path),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder),
        # What an example says that it needs; here no release has the package virtualenv.
        "AIRFLOW__MWAA_PROVIDER__VIRTUALENV": "True",
        "AIRFLOW__CORE__LAZY_LOAD_PLUGINS": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "examples/nested_plugin"),
    }
    if providers is not None:
        environment["PYTHONPATH"] = str(providers)
    return in_fresh_interpreter(PARSE, [str(folder), list(kinds)], tmp_path, environment=environment)


def _docstring(file: Path) -> str:
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""


def _kind_of_connection(file: Path) -> str:
    named = re.search(r"mwaa connection uri (\w+)|of the type (\w+)", _docstring(file))
    return "" if named is None else (named[1] or named[2]).lower()


#: The examples that ask for a provider, and what for.
ASKING = {file: asked_for_by(_docstring(file)) for file in FILES if asked_for_by(_docstring(file))}


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory, providers: Path | None) -> Any:
    kinds = [_kind_of_connection(file) for file in ASKING if file.stem != "example_eks_pod"]  # whose is aws_default
    return _parse(EXAMPLES, tmp_path_factory.mktemp("parsed"), providers, kinds if providers else ())


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_examples_parse(parsed: Any, file: Path) -> None:
    if why_not() and file in ASKING:
        pytest.skip(why_not())
    assert parsed["errors"].get(file.name, "") == ""
    assert file.name in parsed["files"]


@pytest.mark.parametrize("file", ASKING, ids=lambda file: file.stem)
def test_what_an_example_asks_for_is_enough_for_its_connection(parsed: Any, file: Path) -> None:
    if why_not():
        pytest.skip(why_not())
    assert [name for name in ASKING[file] if name not in parsed["providers"]] == []
    assert parsed["not_opened"].get(_kind_of_connection(file), "") == ""


def test_the_connections_of_all_of_them_are_tried() -> None:
    kinds = {file.stem.removeprefix("example_"): _kind_of_connection(file) for file in ASKING}
    assert kinds == {
        "eks_pod": "",
        "hive": "hiveserver2",
        "oracle": "oracle",
        "snowflake": "snowflake",
        "sql_server": "mssql",
        "ssh": "ssh",
    }


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_says_what_it_shows_and_what_it_needs(file: Path) -> None:
    said = _docstring(file)
    assert re.match(r"[A-Z].*[.:]", said), "it begins with what it shows"
    assert "It needs nothing" in said or "What it needs:\n\n- " in said or file.stem == "example_time_zone"


def test_a_dag_that_calls_out_while_it_is_parsed_is_found(tmp_path):
    folder = tmp_path / "dags"
    folder.mkdir()
    dag = (
        "from datetime import datetime\nfrom airflow import DAG\n"
        "dag = DAG({name!r}, start_date=datetime(2024, 1, 1), schedule=None)\n"
    )
    (folder / "quiet.py").write_text(dag.format(name="quiet"))
    calls_out = "import socket\n\nsocket.create_connection(('192.0.2.1', 443), timeout=1)\n"
    (folder / "loud.py").write_text(dag.format(name="loud") + calls_out)
    parsed = _parse(folder, tmp_path)
    assert parsed["files"] == ["quiet.py"]
    assert list(parsed["errors"]) == ["loud.py"]
    assert "NetworkBlockedError" in parsed["errors"]["loud.py"]
