"""Run a DAG for real with ``dag.test()``, in a process of its own, and tell what came of it as plain data."""

from __future__ import annotations

import inspect
import itertools
import json
import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.support.database import AirflowDatabase

_RUNNER = Path(__file__).with_name("run_dag_inside.py")
_ROOT = Path(__file__).resolve().parents[2]
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class DagOutcome:
    """What came of a DAG's run.

    :param dag_id: The DAG.
    :param run_id: The run.
    :param state: The run's state: ``success`` or ``failed``.
    :param tasks: Task id to state; of a mapped task ``task_id[0]``, ``task_id[1]`` and so on.
    :param xcoms: Task id (as in ``tasks``) to key to value; ``return_value`` is what ``execute`` returned.
    :param log: What the run printed, the tasks' logs included.
    """

    dag_id: str
    run_id: str
    state: str
    tasks: dict[str, str]
    xcoms: dict[str, dict[str, Any]]
    log: str = field(repr=False)


class RunDag:
    """The fixture ``run_dag``."""

    def __init__(self, database: AirflowDatabase) -> None:
        self._database = database

    def __call__(
        self,
        dag: str | Callable[[], Any],
        *,
        connections: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        conf: Mapping[str, Any] | None = None,
        timeout: float = 180.0,
    ) -> DagOutcome:
        """Run the one DAG to its end.

        :param dag: The text of a DAG file (indentation is taken off), or a function at the top of its module that
            returns the DAG.
        :param connections: Connection id to URI or JSON, handed over as ``AIRFLOW_CONN_<ID>``.
        :param environment: Further environment variables.
        :param conf: The run's configuration.
        :param timeout: Seconds after which the run is ended and the test fails.
        :raises AssertionError: The file does not parse, or there was no run.
        """
        folder = self._database.home.folder / f"dags-{next(_NUMBERS)}"
        folder.mkdir()
        (folder / "dag_under_test.py").write_text(textwrap.dedent(dag) if isinstance(dag, str) else _file_for(dag))
        answer = folder / "outcome.json"
        variables = {
            **os.environ,
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder),
            "PYTHONPATH": os.pathsep.join([str(_ROOT), str(_ROOT / "src")]),
            **{f"AIRFLOW_CONN_{name.upper()}": value for name, value in (connections or {}).items()},
            **(environment or {}),
        }
        command = [sys.executable, str(_RUNNER), str(folder / "dag_under_test.py"), str(answer), json.dumps(conf or {})]
        log = _run(command, variables, folder / "log.txt", timeout)
        if not answer.exists():
            raise AssertionError(f"There was no run of the DAG. Its process printed:\n{log}")
        return DagOutcome(**json.loads(answer.read_text()), log=log)


def _run(command: list[str], variables: dict[str, str], log: Path, timeout: float) -> str:
    with log.open("w") as output:
        try:
            subprocess.run(
                command,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            output.flush()
            raise AssertionError(
                f"The DAG had not ended after {timeout:.0f} s. Its process printed:\n{_plain(log)}"
            ) from None
    return _plain(log)


def _plain(log: Path) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", log.read_text(errors="replace"))


def _file_for(factory: Callable[[], Any]) -> str:
    if factory.__qualname__ != factory.__name__:
        raise ValueError(
            f"{factory.__qualname__} cannot be imported by the DAG's process: put it at the top of its module"
        )
    folder = Path(inspect.getfile(factory)).parent
    module, name = factory.__module__, factory.__name__
    return f"import sys\nsys.path.insert(0, {str(folder)!r})\nfrom {module} import {name}\ndag = {name}()\n"
