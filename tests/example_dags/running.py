"""Run an example DAG as it stands, in a real Airflow process, with the params that a test gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.support.dag_runs import DagOutcome, RunDag
from tests.support.processes import ROOT

RunExample = Callable[..., DagOutcome]


def text_of(name: str) -> str:
    """Return an example's text, with a name for its DAG, as the fixture ``run_dag`` wants it."""
    text = (ROOT / "example_dags" / f"{name}.py").read_text(encoding="utf-8")
    text, dags = re.subn(r"^with DAG\((.*?)^\):$", r"with DAG(\1) as the_one:", text, flags=re.MULTILINE | re.DOTALL)
    text, functions = re.subn(rf"^{name}\(\)$", f"the_one = {name}()", text, flags=re.MULTILINE)
    assert dags + functions == 1, f"{name} has {dags + functions} DAGs"
    return text


def run_example(run_dag: RunDag, name: str, params: Mapping[str, Any] | None = None, **given: Any) -> DagOutcome:
    """Run an example.

    :param run_dag: The fixture.
    :param name: Its file, without the ending.
    :param params: Values for its params.
    :param given: Connections and environment variables for its process.
    """
    return run_dag(text_of(name), conf=params, **given)
