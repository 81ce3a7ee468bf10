"""The Python of the pages about the client does what they say, against a local MWAA that is reached as they say."""

from __future__ import annotations

import ast
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mwaa_provider.local import CliAnswer, LocalMwaa, ScriptedAirflow
from tests.support.command import logging_of_a_fresh_process

ROOT = Path(__file__).parents[2]
RAN = {"environment_name": "local", "dag_id": "load_orders", "run_id": "lambda__event-1"}


def block(page: str, having: str) -> str:
    """Return the one Python block of a page that has this in it."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    (found,) = (one for one in blocks if having in one)
    return str(found)


def execute(page: str, having: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(block(page, having), page, "exec"), names)
    return names


@pytest.fixture(params=["2.10.3", "3.3.1"])
def airflow(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedAirflow]:
    """The Airflow behind ``production`` and ``local``, which the process's environment leads to; the pages name a region."""
    airflow = ScriptedAirflow(request.param)
    with LocalMwaa(region_name="eu-west-1") as mwaa:
        for name in ("production", "local"):
            mwaa.create_environment(name, airflow)
        for name, value in mwaa.environment_variables().items():
            monkeypatch.setenv(name, value)
        with logging_of_a_fresh_process():
            yield airflow


@pytest.mark.parametrize(
    ("page", "dag_id", "conf"),
    [("README.md", "example_target", {"greeting": "hello"}), ("docs/client.md", "load_orders", {"day": "2026-01-31"})],
)
def test_the_first_steps(airflow: ScriptedAirflow, page: str, dag_id: str, conf: dict[str, str]) -> None:
    airflow.add_dag(dag_id, run_takes=0)
    run = execute(page, having="run.run_id, timeout=3600)")["run"]
    assert [(found.run_id, found.conf) for found in airflow.runs(dag_id)] == [(run.run_id, conf)]
    assert run.state == "success"


@pytest.mark.parametrize(
    ("ends_in", "printed"),
    [("success", "42\n"), ("failed", "load -1 1\n"), (None, r"Environment 'production' has no DAG 'load_orders'.*\n")],
)
def test_what_goes_wrong_is_an_exception(
    airflow: ScriptedAirflow, capsys: pytest.CaptureFixture[str], ends_in: str | None, printed: str
) -> None:
    if ends_in is not None:
        airflow.add_dag(
            "load_orders", run_takes=0, run_ends_in=ends_in, tasks=("extract", "load"), task_returns={"extract": 42}
        )
    execute("docs/client.md", having="except DagRunFailedError")
    assert re.fullmatch(printed, capsys.readouterr().out)


def test_against_a_local_mwaa(airflow: ScriptedAirflow, capsys: pytest.CaptureFixture[str]) -> None:
    execute("docs/client.md", having="MwaaClient()")
    assert capsys.readouterr().out == f"{airflow.airflow_version}\n"


def test_a_command(airflow: ScriptedAirflow, capsys: pytest.CaptureFixture[str]) -> None:
    airflow.script_cli(["dags", "list-runs", "load_orders"], CliAnswer('[{"run_id": "today"}]\n', "", 0))
    execute("docs/cli-and-rest.md", having="MwaaClient()")
    assert capsys.readouterr().out == "[{'run_id': 'today'}]\n"


def test_the_lambda_example_tried_locally(
    airflow: ScriptedAirflow,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The page's ``package`` as it says to make it, as far as this Python has not all that is in it."""
    airflow.add_dag("load_orders", run_takes=None)
    (tmp_path / "package").mkdir()
    shutil.copy(ROOT / "examples/lambda_trigger_dag.py", tmp_path / "package")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    for name in ("MWAA_ENVIRONMENT_NAME", "MWAA_DAG_ID"):
        monkeypatch.setenv(name, "taken back after the test")
    try:
        for _ in range(2):
            execute("docs/lambda.md", having="Namespace")
    finally:
        sys.modules.pop("lambda_trigger_dag", None)
    printed = [ast.literal_eval(line) for line in capsys.readouterr().out.splitlines()]
    assert printed == [{**RAN, "state": "queued"}, {**RAN, "state": "running"}]
    assert [run.run_id for run in airflow.runs("load_orders")] == ["lambda__event-1"]
