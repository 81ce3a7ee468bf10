"""Every example DAG parses on this release, with no network and no AWS credentials; what a provider is missing for is reported skipped."""

from __future__ import annotations

import ast
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import ROOT, in_fresh_interpreter

EXAMPLES = ROOT / "example_dags"
FILES = sorted(EXAMPLES.glob("*.py"))

PARSE = """
try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models.dagbag import DagBag

bag = DagBag(dag_folder=argument)
answer = {
    "errors": {name.rpartition("/")[2]: text for name, text in bag.import_errors.items()},
    "files": sorted({dag.fileloc.rpartition("/")[2] for dag in bag.dags.values()}),
}
"""


def _parse(folder, tmp_path):
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
    return in_fresh_interpreter(PARSE, str(folder), tmp_path, environment=environment)


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return _parse(EXAMPLES, tmp_path_factory.mktemp("parsed"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_examples_parse(parsed: Any, file: Path) -> None:
    error = parsed["errors"].get(file.name, "")
    missing = re.search(r"ModuleNotFoundError: No module named '(airflow\.providers\.[\w.]+)'", error)
    if missing is not None:
        # Only what the example itself asks for in requirements.txt may be missing.
        package = _package_of(missing[1], file)
        pytest.skip(f"{package} is not installed here")
    assert error == ""
    assert file.name in parsed["files"]


def _package_of(module: str, file: Path) -> str:
    asked_for = re.findall(r"``(apache-airflow-providers-[\w-]+)``", _docstring(file))
    name = "apache-airflow-providers-" + "-".join(module.split(".")[2:])
    found = [one for one in asked_for if (name + "-").startswith(one + "-") or (one + "-").startswith(name + "-")]
    assert found, f"{file.name} needs {module}, and does not say so"
    return found[0]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_says_what_it_shows_and_what_it_needs(file: Path) -> None:
    said = _docstring(file)
    assert re.match(r"[A-Z].*[.:]", said), "it begins with what it shows"
    assert "It needs nothing" in said or "What it needs:\n\n- " in said or file.stem == "example_time_zone"


def _docstring(file: Path) -> str:
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""


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
