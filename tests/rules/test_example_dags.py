"""Every example DAG parses on this release, with no network and no AWS credentials."""

from __future__ import annotations

import os

import pytest

from tests.support.processes import ROOT, in_fresh_interpreter

EXAMPLES = ROOT / "example_dags"

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
    }
    return in_fresh_interpreter(PARSE, str(folder), tmp_path, environment=environment)


def test_the_examples_parse(tmp_path):
    files = sorted(path.name for path in EXAMPLES.glob("*.py"))
    if not files:
        pytest.skip("example_dags/ holds no DAG yet")
    assert _parse(EXAMPLES, tmp_path) == {"errors": {}, "files": files}


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
