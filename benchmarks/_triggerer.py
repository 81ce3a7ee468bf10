"""A real triggerer of the installed Airflow on a metadata database of its own; of Airflow nothing else runs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from mwaa_provider.local.real import PostgresServer
from mwaa_provider.local.real.airflow2 import Airflow2
from mwaa_provider.local.real.airflow3 import Airflow3
from mwaa_provider.local.real.database import MetadataDatabase
from mwaa_provider.local.real.interpreter import inspect_interpreter
from mwaa_provider.local.real.line import Component, sqlalchemy_url
from mwaa_provider.local.real.processes import AirflowProcesses
from mwaa_provider.local.real.settings import Masker, Settings
from mwaa_provider.local.real.web import free_port

CONNECTION = "benchmark"
_SOURCE = Path(__file__).resolve().parent.parent / "src"
_COMMAND_SECONDS = 300.0

#: A DAG with one mapped task: Airflow itself makes the task instances. What they do is of no matter, since none is ever run.
_DAG_FILE = """
from datetime import datetime

try:
    from airflow.sdk import DAG, BaseOperator
except ImportError:
    from airflow.models import DAG
    from airflow.models.baseoperator import BaseOperator


class Wait(BaseOperator):
    def __init__(self, *, number, **kwargs):
        super().__init__(**kwargs)
        self.number = number


with DAG("waits", schedule=None, start_date=datetime(2024, 1, 1)):
    Wait.partial(task_id="wait").expand(number=list(range({waits})))
"""


@dataclass(frozen=True)
class Wait:
    """One wait of a deferred task.

    :param run_id: The run over there.
    :param task_id: The task of it that is waited for; None for the run itself.
    """

    run_id: str
    task_id: str | None = None


@dataclass(frozen=True)
class Ended:
    """How a wait ended, as Airflow wrote it down.

    :param number: Which wait.
    :param at: When the task was handed back to the scheduler, in seconds since 1970.
    :param event: What its trigger told; None if the trigger failed.
    """

    number: int
    at: float
    event: dict[str, Any] | None


class Triggerer:
    """A triggerer with deferred tasks. Use it in a ``with`` statement.

    :param postgres: The server for its database.
    :param connection: The Airflow connection to the local MWAA.
    :param waits: How many tasks will be deferred.
    """

    def __init__(self, postgres: PostgresServer, connection: dict[str, Any], waits: int) -> None:
        self._interpreter = inspect_interpreter(None)
        self._masker = Masker()
        self._processes = AirflowProcesses(self._interpreter, None, self._masker)
        self._database = MetadataDatabase(postgres)
        self._waits = waits
        self._others: set[int] = set()
        home = self._processes.home
        capacity = str(2 * waits)
        self._settings = Settings(
            environment_name="source",
            base_url="http://127.0.0.1",
            airflow_version=self._interpreter.airflow_version,
            python=self._interpreter.python,
            home=home,
            dags_folder=home / "dags",
            port=free_port(),
            paused_at_creation=False,
            extra={
                f"AIRFLOW_CONN_{CONNECTION.upper()}": json.dumps(connection),
                "AIRFLOW__CORE__MAX_MAP_LENGTH": capacity,
                # Airflow 3 and Airflow 2 have different names for it.
                "AIRFLOW__TRIGGERER__CAPACITY": capacity,
                "AIRFLOW__TRIGGERER__DEFAULT_CAPACITY": capacity,
                # All at once: Airflow 3 takes 50 a second by default.
                "AIRFLOW__TRIGGERER__MAX_TRIGGER_TO_SELECT_PER_LOOP": capacity,
                "PYTHONPATH": str(_SOURCE),
            },
        )
        is_2 = self._interpreter.major == 2
        self._line = (
            Airflow2(self._settings, self._database.connect, self._masker)
            if is_2
            else Airflow3(self._settings, self._masker)
        )

    def __enter__(self) -> Triggerer:
        try:
            self._prepare()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.stop()
        self._database.drop()

    def _prepare(self) -> None:
        home = self._settings.home
        for folder in (home / "dags", home / "plugins", home / "logs", self._settings.temporary):
            folder.mkdir(parents=True, exist_ok=True)
        (home / "airflow.cfg").touch(mode=0o600)
        (home / "dags/waits.py").write_text(_DAG_FILE.format(waits=self._waits))
        self._line.prepare_home()
        self._database.open()
        self._processes.prepare(self._line.modules, self._variables)
        self._database.create(
            f"benchmark_{self._interpreter.airflow_version}",
            lambda url: self._processes.migrate(
                self._variables_on(url), lambda: time.sleep(0.25), time.monotonic() + _COMMAND_SECONDS
            ),
        )
        self._command("dags", "reserialize")
        self._command("dags", "trigger", "waits", "--run-id", "waits")

    def defer(self, side: str, environment_name: str, interval: float, waits: list[Wait]) -> None:
        """Defer the tasks, as Airflow does: a row for each trigger, and the task instance's that points to it.

        :param side: ``ours`` or ``peer``: whose triggers.
        :param environment_name: The environment that is waited for.
        :param interval: Seconds between two looks.
        :param waits: What each waits for.
        """
        asked = {
            "side": side,
            "environment_name": environment_name,
            "interval": interval,
            "connection": CONNECTION,
            "waits": [asdict(wait) for wait in waits],
        }
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("_defer.py"))],
            input=json.dumps(asked),
            env=self._variables,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
        )
        if done.returncode:
            raise SystemExit(f"the tasks could not be deferred:\n{self._masker(done.stderr[-4000:])}")

    def start(self) -> None:
        """Start the triggerer."""
        self._others = {process.pid for process in psutil.Process().children(recursive=True)}
        self._processes.launch(Component("triggerer", "airflow", ["triggerer", "--skip-serve-logs"], "scheduler"))

    def taken_up(self) -> int:
        """Tell how many triggers the triggerer has taken, or had, in its hands."""
        ((left,),) = self._rows("SELECT count(*) FROM trigger WHERE triggerer_id IS NULL")
        return self._waits - int(left)

    def ended(self) -> list[Ended]:
        """Return the waits that are over."""
        self._processes.raise_if_ended()
        rows = self._rows(
            "SELECT map_index, extract(epoch FROM updated_at), next_method, next_kwargs FROM task_instance "
            "WHERE dag_id = 'waits' AND state <> 'deferred'"
        )
        return [
            Ended(number, float(at), None if method == "__fail__" else _event(kwargs))
            for number, at, method, kwargs in rows
        ]

    def cost(self) -> tuple[float, float]:
        """Return the CPU seconds of the triggerer's processes so far, and the MiB of memory that are theirs alone."""
        cpu = memory = 0.0
        for process in psutil.Process().children(recursive=True):
            if process.pid in self._others:
                continue
            with suppress(psutil.NoSuchProcess):  # one that ended while we counted
                times = process.cpu_times()
                memory += process.memory_full_info().uss / 2**20
                cpu += times.user + times.system
        return cpu, memory

    def log(self) -> str:
        """Return the end of what the triggerer said."""
        return self._masker((self._settings.home / "triggerer.log").read_text(errors="replace")[-6000:])

    @property
    def _variables(self) -> dict[str, str]:
        return self._variables_on(self._database.url)

    def _variables_on(self, url: str) -> dict[str, str]:
        self._masker.add(url)
        return {
            **self._settings.variables(sqlalchemy_url(url, self._interpreter.driver), "scheduler"),
            **self._line.variables(),
        }

    def _command(self, *arguments: str) -> None:
        answer = self._processes.command(arguments, _COMMAND_SECONDS)
        if answer.exit_code:
            raise SystemExit(f"airflow {' '.join(arguments)} failed:\n{self._masker(answer.stderr[-4000:])}")

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        connection = self._database.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return list(cursor.fetchall())
        finally:
            connection.close()


def _event(kwargs: Any) -> dict[str, Any]:
    """Return the event out of a task instance's ``next_kwargs``; each line of Airflow wraps dicts in its own way."""
    plain = _unwrapped(json.loads(kwargs) if isinstance(kwargs, str) else kwargs)
    event: dict[str, Any] = plain["event"]
    return event


def _unwrapped(value: Any) -> Any:
    if isinstance(value, dict):
        if set(value) == {"__var", "__type"}:
            return _unwrapped(value["__var"])
        return {key: _unwrapped(inner) for key, inner in value.items()}
    return [_unwrapped(inner) for inner in value] if isinstance(value, list) else value
