"""A real Airflow behind the local MWAA."""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local.backend import BackendAnswer, BackendRequest, CliAnswer
from mwaa_provider.local.real.airflow2 import Airflow2
from mwaa_provider.local.real.airflow3 import Airflow3
from mwaa_provider.local.real.database import MetadataDatabase
from mwaa_provider.local.real.forward import Forwarder
from mwaa_provider.local.real.interpreter import inspect_interpreter
from mwaa_provider.local.real.line import Connect, Line, sqlalchemy_url
from mwaa_provider.local.real.processes import AirflowProcesses, stopped
from mwaa_provider.local.real.settings import Masker, Settings
from mwaa_provider.local.real.web import free_port, send

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    import psycopg2.extensions  # type: ignore[import-untyped,unused-ignore]

    from mwaa_provider.local.backend import AirflowRole
    from mwaa_provider.local.real.postgres import PostgresServer

_LOOK_EVERY = 0.25
_SAY_EVERY = 10.0


class RealAirflow:
    """An installed Airflow 2 or 3, run as processes of its own on a PostgreSQL database of its own.

    Nothing of it outlives :meth:`stop`, a failed :meth:`start`, or the Python process that owns it, however that ends.
    The processes inherit neither the AWS credentials nor the ``AIRFLOW_*`` variables of the owner; pass what they need
    in ``environment``. Tasks run below the scheduler (LocalExecutor), so ``MWAA_AIRFLOW_COMPONENT`` says ``scheduler``
    in them.

    :param python: The interpreter of a virtual environment with Airflow in it. Default: the running one.
    :param dags_folder: Where the DAG files are. Default: an empty folder.
    :param home: ``AIRFLOW_HOME``, which is kept. Default: a private temporary folder, removed on stop.
    :param postgres: A server to share between environments, or the ``postgresql://`` URL of an empty database (whose
        tables are left there on stop). Default: an embedded server of its own.
    :param environment: Further environment variables of its processes (``AIRFLOW_CONN_...``, ``AWS_REGION`` ...), which
        win.
    :param unpause: Let new DAGs run at once; False leaves them paused until somebody unpauses them, as Airflow does.
    :param startup_timeout: Seconds until a start is given up.
    :param cli_timeout: Seconds until a command of :meth:`cli` is ended; its exit code is 124 then.
    :param on_progress: Told in a sentence what is going on while it is slow.
    :raises InvalidInputError: The interpreter has no Airflow that could be used, or a folder does not exist.
    """

    def __init__(
        self,
        python: str | os.PathLike[str] | None = None,
        dags_folder: str | os.PathLike[str] | None = None,
        home: str | os.PathLike[str] | None = None,
        postgres: PostgresServer | str | None = None,
        environment: Mapping[str, str] | None = None,
        unpause: bool = False,
        startup_timeout: float = 180.0,
        cli_timeout: float = 300.0,
        on_progress: Callable[[str], None] | None = None,
    ) -> None:
        if dags_folder is not None and not Path(dags_folder).is_dir():
            raise InvalidInputError([f"dags_folder: {dags_folder} is not a folder."])
        self._interpreter = inspect_interpreter(python)
        self.airflow_version = self._interpreter.airflow_version
        self._dags_folder = Path(dags_folder).resolve() if dags_folder is not None else None
        self._home = Path(home).resolve() if home is not None else None
        self._database = MetadataDatabase(postgres)
        self._environment = dict(environment or {})
        self._unpause = unpause
        self._startup_timeout = startup_timeout
        self._cli_timeout = cli_timeout
        self._on_progress = on_progress or (lambda _: None)
        self._masker = Masker()
        self._masker.add_variables(self._environment)
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._processes: AirflowProcesses | None = None
        self._settings: Settings | None = None
        self._line: Line | None = None

    def __repr__(self) -> str:
        name = self._settings.environment_name if self._settings else None
        return f"RealAirflow(airflow_version={self.airflow_version!r}, environment_name={name!r})"

    def start(self, environment_name: str, base_url: str) -> None:
        """Start it and wait until all of it is healthy.

        :param environment_name: The MWAA environment's name.
        :param base_url: Where users see the web server.
        :raises StartFailedError: It did not come up; what had been started was ended again.
        """
        if self._settings is not None:
            raise RuntimeError(f"{self!r} has been started already")
        try:
            self._start(environment_name, base_url.rstrip("/"), time.monotonic() + self._startup_timeout)
        except BaseException as error:
            was_stopped = self._stopping.is_set()
            self.stop()
            if was_stopped and isinstance(error, Exception):
                raise stopped() from error
            raise

    def stop(self) -> None:
        """End its processes, remove its database and temporary folder: for good.

        Safe to call twice, and from another thread while it starts, which ends the start.
        """
        self._stopping.set()
        with self._lock:
            processes, self._processes = self._processes, None
            self._settings, self._line = None, None
        if processes is not None:
            processes.stop()
        self._database.drop()

    def rest(self, request: BackendRequest) -> BackendAnswer:
        """Forward one call to ``/api/v1`` or ``/api/v2`` of the real web server.

        :param request: The call; its Airflow role chooses the credentials.
        """
        return self._forwarder().rest(request)

    def page(self, request: BackendRequest) -> BackendAnswer:
        """Forward one request of a browser, logged in as the request's Airflow role.

        :param request: The request, with the whole path.
        """
        return self._forwarder().page(request)

    def plugin(self, request: BackendRequest) -> BackendAnswer:
        """Forward one request to what Airflow 3 mounts of a plugin.

        :param request: The request, with the whole path.
        """
        return self._forwarder().plugin(request)

    def cli(self, arguments: list[str]) -> CliAnswer:
        """Run one ``airflow`` command with the web server's environment variables, as MWAA does.

        :param arguments: The command without the leading ``airflow``.
        """
        return self._running()[2].command(arguments, self._cli_timeout)

    def health(self) -> dict[str, str]:
        """Ask the web server how the components are: name to ``healthy`` or ``unhealthy``.

        :raises OSError: The web server does not answer.
        """
        settings, line, _ = self._running()
        answer = send(settings.port, "GET", line.health_path, headers={"Accept": "application/json"}, timeout=10.0)
        if answer.status != 200:
            raise ConnectionError(f"the web server answered {answer.status}")
        return {name: fact["status"] for name, fact in json.loads(answer.body).items() if fact and fact.get("status")}

    def ended_components(self) -> list[str]:
        """Name the components that run no longer although nobody stopped them."""
        return self._running()[2].ended()

    def restart(self, component: str) -> None:
        """Stop a component and start it again, as MWAA does now and then; what it did is taken up by the new one.

        :param component: ``scheduler``, ``triggerer``, ``web server`` (on Airflow 3 ``api-server``) or, on Airflow 3, ``dag-processor``.
        :raises InvalidInputError: if there is no such component.
        """
        _, line, processes = self._running()
        components = {one.name: one for one in line.components()}
        if component not in components:
            raise InvalidInputError([f"component: {component!r} is not one of {', '.join(components)}"])
        processes.restart(components[component])

    def connect(self) -> psycopg2.extensions.connection:
        """Connect to the metadata database, for tests that look at what really happened."""
        self._running()
        return self._database.connect()

    @property
    def database_url(self) -> str:
        """The metadata database's URL. It holds a password: keep it out of logs and process arguments."""
        self._running()
        return self._database.url

    @property
    def inner_url(self) -> str:
        """Where Airflow's own web server listens, behind that of the local MWAA; for tests that attack it."""
        return f"http://127.0.0.1:{self._running()[0].port}"

    def credentials(self, role: AirflowRole) -> dict[str, str]:
        """Give the headers by which Airflow's own REST API knows a role; none for Public.

        :param role: The Airflow role.
        """
        return self._running()[1].rest_headers(role) or {}

    def wait_for_dag(self, dag_id: str, timeout: float = 60.0) -> None:
        """Wait until a DAG file has been parsed and its DAG can be triggered.

        :param dag_id: The DAG.
        :param timeout: Seconds.
        :raises TimeoutError: It is not there in time; the message holds Airflow's import errors.
        """
        end = time.monotonic() + timeout
        while not self._is_parsed(dag_id):
            if time.monotonic() > end:
                raise TimeoutError(
                    f"{dag_id} was not parsed within {timeout:g} s. Import errors: {self._import_errors() or 'none'}"
                )
            if self._stopping.wait(_LOOK_EVERY):
                raise TimeoutError(f"{dag_id} was not parsed before the environment was stopped")

    @property
    def logs_folder(self) -> Path:
        """Where the logs are: one file for each component's output, and Airflow's own below ``logs``."""
        return self._running()[0].home

    def _start(self, environment_name: str, base_url: str, deadline: float) -> None:
        with self._lock:
            if self._stopping.is_set():
                raise stopped()
            processes = self._processes = AirflowProcesses(self._interpreter, self._home, self._masker)
        settings = self._settings = Settings(
            environment_name=environment_name,
            base_url=base_url,
            airflow_version=self.airflow_version,
            python=self._interpreter.python,
            home=processes.home,
            dags_folder=self._dags_folder or processes.home / "dags",
            port=free_port(),
            paused_at_creation=not self._unpause,
            extra=self._environment,
        )
        self._masker.add(settings.fernet_key, settings.session_key)
        line = self._line = _new_line(settings, self._database.connect, self._masker)
        _fill(settings, line)

        def variables(url: str) -> dict[str, str]:
            self._masker.add(url)
            return {
                **settings.variables(sqlalchemy_url(url, self._interpreter.driver), "webserver"),
                **line.variables(),
                **self._environment,
            }

        self._say(f"making the metadata database of Airflow {self.airflow_version}")
        self._database.open()
        # Airflow is imported on one core while the database is made on another.
        processes.prepare(line.modules, variables(self._database.url))
        key = f"{self.airflow_version}_{hashlib.sha256(self._interpreter.python.encode()).hexdigest()[:12]}"
        self._database.create(key, lambda url: processes.migrate(variables(url), self._pause, deadline))
        components = line.components()
        self._say(f"starting {', '.join(component.name for component in components)}")
        for component in components:
            processes.launch(component)
        self._wait_until_healthy(line, processes, deadline)
        self._say(f"Airflow {self.airflow_version} is ready")

    def _wait_until_healthy(self, line: Line, processes: AirflowProcesses, deadline: float) -> None:
        reported: set[str] = set()
        say_again_at = time.monotonic() + _SAY_EVERY
        while True:
            processes.raise_if_ended()
            waiting = self._not_healthy(line)
            if not waiting and line.admit_roles():
                return
            if waiting != reported or time.monotonic() > say_again_at:
                self._say(f"waiting for {', '.join(sorted(waiting)) or 'the roles'}")
                reported, say_again_at = waiting, time.monotonic() + _SAY_EVERY
            if time.monotonic() > deadline:
                raise processes.failure(
                    ", ".join(sorted(waiting)) or "the roles",
                    f"not ready within {self._startup_timeout:g} s",
                    processes.home / f"{line.components()[0].name.replace(' ', '-')}.log",
                )
            self._pause()

    def _not_healthy(self, line: Line) -> set[str]:
        try:
            health = self.health()
        except (OSError, ValueError, http.client.HTTPException):
            return {"the web server"}
        return {name for name in line.health_of if health.get(name) != "healthy"}

    def _pause(self) -> None:
        if self._stopping.wait(_LOOK_EVERY):
            raise stopped()

    def _say(self, sentence: str) -> None:
        name = self._settings.environment_name if self._settings else ""
        self._on_progress(f"{name}: {sentence}")

    def _running(self) -> tuple[Settings, Line, AirflowProcesses]:
        settings, line, processes = self._settings, self._line, self._processes
        if settings is None or line is None or processes is None:
            raise RuntimeError(f"{self!r} is not running; call start() first")
        return settings, line, processes

    def _forwarder(self) -> Forwarder:
        settings, line, _ = self._running()
        return Forwarder(settings.port, settings.base_url, line)

    def _is_parsed(self, dag_id: str) -> bool:
        answer = self.rest(BackendRequest("GET", f"/dags/{quote(dag_id, safe='')}"))
        if answer.status != 200:
            return False
        # The DAG is listed a moment before it is stored whole; until then it cannot be triggered.
        return bool(self._rows("SELECT 1 FROM serialized_dag WHERE dag_id = %s LIMIT 1", dag_id))

    def _import_errors(self) -> str:
        rows = self._rows("SELECT filename, stacktrace FROM import_error ORDER BY filename")
        return self._masker("\n".join(f"{filename}: {stacktrace}" for filename, stacktrace in rows))

    def _rows(self, query: str, *parameters: object) -> list[tuple[object, ...]]:
        connection = self.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(query, parameters)
                return list(cursor.fetchall())
        finally:
            connection.close()


def _fill(settings: Settings, line: Line) -> None:
    """Put into Airflow's home what must be there before the first process starts."""
    for folder in ("dags", "plugins", "logs", settings.temporary.name):
        (settings.home / folder).mkdir(exist_ok=True, parents=True)
    # Airflow fills a missing configuration file with its defaults, each process at the same time.
    (settings.home / "airflow.cfg").touch(mode=0o600)
    line.prepare_home()


def _new_line(settings: Settings, connect: Connect, masker: Masker) -> Line:
    """Choose the line by Airflow's version."""
    if settings.airflow_version.startswith("2."):
        return Airflow2(settings, connect, masker)
    return Airflow3(settings, masker)
