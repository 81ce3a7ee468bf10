"""The benchmarks still run, in small editions."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from importlib.metadata import version

import pytest

from tests.support.processes import ROOT


@pytest.mark.slow
def test_the_requests_of_both_sides_are_counted() -> None:
    mwaa = pytest.importorskip("airflow.providers.amazon.aws.hooks.mwaa", reason="this Amazon provider has no MwaaHook")
    if "airflow_version" not in inspect.signature(mwaa.MwaaHook.invoke_rest_api).parameters:
        pytest.skip("this Amazon provider's MwaaHook does not know Airflow 3")
    command = [sys.executable, str(ROOT / "benchmarks/requests_per_call.py"), "--airflow", "3", "--calls", "5"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=300)

    assert done.returncode == 0, done.stderr[-4000:]
    lines = [line.split() for line in done.stdout.splitlines() if line.strip().startswith("3.3.1")]
    # GetEnvironment, the token and the login, once; of the peer's, a token and a login for each call.
    assert [line[:7] for line in lines] == [
        ["3.3.1", "ours", "5", "none", "8", "1.600", "1"],
        ["3.3.1", "peer", "5", "none", "15", "3.000", "5"],
    ]


@pytest.mark.slow
def test_no_mapped_task_starts_two_runs() -> None:
    row = _rows("mapped_triggers", "--quick", "--airflow", "3", "--operators", "ours")["3.3.1"]

    # Of ten tasks: two answers lost, all succeeded, none failed, ten runs, none too many, no task without one.
    assert row[:7] == ["ours", "2", "10", "0", "10", "0", "0"]


@pytest.mark.patient
@pytest.mark.real_airflow
def test_waits_in_a_triggerer_share_their_looks() -> None:
    row = _rows("deferred_waits", "--quick", "--sides", "ours")["ours"]

    rule, right, otherwise, still_waiting, *_ = row
    assert (rule, right, otherwise, still_waiting) == ("10 a second", "20", "0", "0")
    busiest_second = row[8]
    assert int(busiest_second) <= 10


@pytest.mark.slow
def test_what_imports_cost_is_told_of_each_interpreter() -> None:
    rows = _rows("import_cost", "--times", "1", "--python", sys.executable)

    assert list(rows) == [version("apache-airflow")]
    assert all(float(figure) > 0 for figure in rows[version("apache-airflow")][:2])


def _rows(benchmark: str, *arguments: str) -> dict[str, list[str]]:
    """Run a benchmark, and return the lines of its table: the other cells by the first."""
    command = [sys.executable, str(ROOT / f"benchmarks/{benchmark}.py"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-4000:]
    table = done.stdout.split("\n\n")[1].splitlines()
    cells = [re.split(r"\s{2,}", line.strip()) for line in table[2:]]
    return {first: others for first, *others in cells}
