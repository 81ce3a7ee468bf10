"""All processes of one environment's Airflow, the folder they live in, and their logs."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING

from mwaa_provider.local.backend import CliAnswer
from mwaa_provider.local.real.errors import StartFailedError
from mwaa_provider.local.real.launch import Launcher
from mwaa_provider.local.real.process import GuardedProcess, PrivateFolder, last_lines, stop_all

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from mwaa_provider.local.real.interpreter import Interpreter
    from mwaa_provider.local.real.launch import Job
    from mwaa_provider.local.real.line import Component

_TIMED_OUT = 124


class AirflowProcesses:
    """Starts and ends the processes of one Airflow.

    :param interpreter: The interpreter with Airflow.
    :param home: The user's folder to work in. Default: a temporary one, removed by :meth:`stop`.
    :param mask: Takes secrets out of a text.
    """

    def __init__(self, interpreter: Interpreter, home: Path | None, mask: Callable[[str], str]) -> None:
        self._interpreter = interpreter
        self._mask = mask
        self._folder = PrivateFolder(home, prefix="mwaa-airflow-")
        self._lock = threading.Lock()
        self._stopped = False
        self._guarded: list[GuardedProcess] = []
        self._launcher: Launcher | None = None
        self._components: list[Job] = []
        self._count = itertools.count(1)

    @property
    def home(self) -> Path:
        """Where they work."""
        return self._folder.path

    def prepare(self, modules: Sequence[str], variables: Mapping[str, str]) -> None:
        """Begin to import Airflow, without waiting for it.

        :param modules: What to import.
        :param variables: All environment variables of components and commands, but for the component's name.
        """
        with self._lock:
            self._refuse_if_stopped()
            self._launcher = Launcher(
                self._interpreter.python,
                modules,
                environment=variables,
                folder=self._folder,
                output=self.home / "launcher.log",
            )
            self._guarded.append(self._launcher.process)

    def migrate(self, variables: Mapping[str, str], pause: Callable[[], None], deadline: float) -> None:
        """Run ``airflow db migrate``.

        :param variables: All of its environment variables.
        :param pause: Waits a moment, or raises to give up.
        :param deadline: When it is given up, on the monotonic clock.
        :raises StartFailedError: It failed.
        """
        output = self.home / "db-migrate.log"
        with self._lock:
            self._refuse_if_stopped()
            process = GuardedProcess(
                "airflow db migrate",
                [self._interpreter.python, "-m", "airflow", "db", "migrate"],
                environment=variables,
                folder=self._folder,
                output=output,
            )
            self._guarded.append(process)
        try:
            while process.exit_code is None and time.monotonic() < deadline:
                pause()
        finally:
            process.stop()
        if process.exit_code != 0:
            raise self.failure("airflow db migrate", "failed", output)

    def launch(self, component: Component) -> None:
        """Start a component."""
        output = self.home / f"{component.name.replace(' ', '-')}.log"
        job = self._run(component.name, component.module, component.arguments, component.mwaa_name, output, output)
        self._components.append(job)

    def restart(self, component: Component) -> None:
        """Ask a component to stop, wait for its end, and start it again.

        :param component: The component.
        """
        for job in [job for job in self._components if job.name == component.name]:
            job.stop()
            self._components.remove(job)
        self.launch(component)

    def command(self, arguments: Sequence[str], timeout: float) -> CliAnswer:
        """Run an ``airflow`` command.

        :param arguments: The command without the leading ``airflow``.
        :param timeout: Seconds until it is ended, with exit code 124.
        """
        number = next(self._count)
        output, errors = (self.home / f"command-{number}.{kind}" for kind in ("out", "err"))
        job = self._run("command", "airflow", arguments, "webserver", output, errors)
        try:
            code = job.wait(timeout)
            note = ""
            if code is None:
                code, note = _TIMED_OUT, f"\nended after {timeout:g} s, the time that a command may take here\n"
                job.stop()
            return CliAnswer(output.read_text(errors="replace"), errors.read_text(errors="replace") + note, code)
        finally:
            job.stop()
            for file in (output, errors):
                file.unlink(missing_ok=True)

    def ended(self) -> list[str]:
        """Name the components that have ended."""
        return [job.name for job in self._components if job.exit_code is not None]

    def raise_if_ended(self) -> None:
        """Raise for the first component that has ended.

        :raises StartFailedError: One has.
        """
        if self._launcher is not None and self._launcher.process.exit_code is not None:
            code = self._launcher.process.exit_code
            raise self.failure("Airflow", f"could not be imported (exit code {code})", self.home / "launcher.log")
        for job in self._components:
            if job.exit_code is not None:
                raise self.failure(job.name, f"ended at its start with exit code {job.exit_code}", job.output)

    def failure(self, component: str, what: str, output: Path) -> StartFailedError:
        """Make the error for something that did not start.

        :param component: What it is.
        :param what: What happened to it.
        :param output: Its log.
        """
        lines = last_lines(output, self._mask)
        hint = " Something else listens on its port; start again." if "ddress already in use" in lines else ""
        return StartFailedError(
            f"Airflow {self._interpreter.airflow_version} ({self._interpreter.python}): {component} {what}.{hint} "
            f"Everything was stopped again. The last lines of its log:\n{lines}",
            component=component,
            log=lines,
        )

    def stop(self) -> None:
        """End all of them and remove the folder, if it is a temporary one. Safe to call twice."""
        with self._lock:
            self._stopped = True
        self._folder.release()
        stop_all(self._guarded)
        for job in self._components:
            # Its end is there to be read now, and reading it closes the socket.
            job.wait(0.0)
        if self._launcher is not None:
            self._launcher.close()
        self._folder.remove()

    def _run(self, name: str, module: str, arguments: Sequence[str], mwaa_name: str, output: Path, errors: Path) -> Job:
        with self._lock:
            self._refuse_if_stopped()
            if self._launcher is None:
                raise RuntimeError("prepare() comes first")
            variables = {"MWAA_AIRFLOW_COMPONENT": mwaa_name, "MWAA_COMMAND": mwaa_name}
            return self._launcher.run(name, module, arguments, variables, output, errors)

    def _refuse_if_stopped(self) -> None:
        if self._stopped:
            raise stopped()


def stopped() -> StartFailedError:
    """Make the error for an environment that was stopped, perhaps while it was starting."""
    return StartFailedError("The environment has been stopped; make a new one.", component="", log="")
