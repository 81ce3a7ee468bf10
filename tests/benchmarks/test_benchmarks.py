"""The benchmarks still run: the smallest of them, in a small edition, on both sides."""

from __future__ import annotations

import inspect
import subprocess
import sys

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
