"""What is broken about virtual environments on MWAA, made here, and a DAG that needs them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.dag_runs import DagOutcome, RunDag
from tests.support.packages import PackageIndex, package_index, wheel

#: With what a URL has to quote.
PASSWORD = "s3cr+t/pa ss"
QUOTED = "s3cr%2Bt%2Fpa%20ss"

DAG = """
from datetime import datetime

try:
    from airflow.sdk import dag, task
    from airflow.providers.standard.operators.python import PythonVirtualenvOperator
except ImportError:
    from airflow.decorators import dag, task
    from airflow.operators.python import PythonVirtualenvOperator


def look():
    import sys

    import probe

    return {{"probe": probe.__version__, "python": list(sys.version_info[:2]), "file": probe.__file__}}


@dag(start_date=datetime(2024, 1, 1), schedule=None)
def uses_virtualenv():
{tasks}


the_dag = uses_virtualenv()
"""


@dataclass
class Workplace:
    """One worker: its home, its wheels, its package index, and what its environment says.

    :param folder: Where all of it lies.
    :param index: A package index that wants a password.
    :param run_dag: Runs a DAG.
    """

    folder: Path
    index: PackageIndex
    run_dag: RunDag
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def index_url(self) -> str:
        return f"http://aws:{QUOTED}@{self.index.host}/simple"

    def options(self, **options: str) -> None:
        self.environment |= {f"AIRFLOW__MWAA_PROVIDER__{name.upper()}": value for name, value in options.items()}

    def run(
        self, requirements: list[str], *, plugin: bool = True, decorated: bool = False, further: str = ""
    ) -> DagOutcome:
        """Run one task, and the same once more by the decorator if wanted."""
        lines = [_operator("operator", requirements, further)]
        if decorated:
            lines.append(f"task.virtualenv(task_id='decorator', requirements={requirements!r}, {further})(look)()")
        return self._run(lines, plugin)

    def run_several(self, **tasks: tuple[list[str], str]) -> DagOutcome:
        """Run tasks one after the other, each with its requirements and further arguments, whatever becomes of the ones before."""
        lines = [f"{name} = {_operator(name, *arguments)}" for name, arguments in tasks.items()]
        return self._run([*lines, " >> ".join(tasks)], plugin=True)

    def _run(self, lines: list[str], plugin: bool) -> DagOutcome:
        text = DAG.format(tasks="\n".join(f"    {line}" for line in lines))
        return self.run_dag(
            text, environment={**self.environment, "AIRFLOW__MWAA_PROVIDER__VIRTUALENV": str(plugin)}, timeout=400
        )

    def only_bin(self, **programs: str | Path) -> str:
        """Return a ``PATH`` that has these programs, and the system's without any Python."""
        folder = self.folder / f"bin-{len(list(self.folder.glob('bin-*')))}"
        folder.mkdir()
        for name, program in programs.items():
            (folder / name).symlink_to(program)
        return str(folder)


def _operator(task_id: str, requirements: list[str], further: str) -> str:
    return (
        f"PythonVirtualenvOperator(task_id={task_id!r}, python_callable=look, requirements={requirements!r}, "
        f"trigger_rule='all_done', {further})"
    )


@pytest.fixture
def workplace(tmp_path: Path, run_dag: RunDag) -> Iterator[Workplace]:
    wheels = tmp_path / "wheels"
    wheel(wheels, "probe", "1.0")
    wheel(wheels, "probe", "2.0")
    (tmp_path / "home").mkdir()
    (tmp_path / "tmp").mkdir()
    with package_index(wheels, "aws", PASSWORD) as index:
        place = Workplace(tmp_path, index, run_dag)
        place.environment = {
            "AIRFLOW__CORE__LAZY_LOAD_PLUGINS": "False",
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(tmp_path / "plugins"),
            "HOME": str(tmp_path / "home"),
            "TMPDIR": str(tmp_path / "tmp"),
            "PATH": os.defpath,
            # What the machine has would be read too: /etc/pip.conf, say. uv has no such word; it is told per test.
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": place.index_url,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_NO_CONFIG": "1",
            "PYTHONUSERBASE": str(tmp_path / "user-site"),
        }
        yield place


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*")) if folder.exists() else []


def own_python() -> list[int]:
    return list(sys.version_info[:2])
