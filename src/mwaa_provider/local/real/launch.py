"""The owner's side of the launcher: running Airflow's processes as jobs of it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from mwaa_provider.local.real.process import GuardedProcess

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mwaa_provider.local.real.process import PrivateFolder

_LAUNCHER = Path(__file__).with_name("launcher.py")
# Time for a job to end once it was asked to, in seconds; the guard ends what does not.
_PATIENCE = 5.0


class Job:
    """One process of Airflow's.

    :param name: What users call it.
    :param connection: The launcher tells here how it ended.
    :param output: The file that its output goes to.
    """

    def __init__(self, name: str, connection: socket.socket, output: Path) -> None:
        self.name = name
        self.output = output
        self._connection = connection
        self._exit_code: int | None = None
        self._lock = threading.Lock()

    @property
    def exit_code(self) -> int | None:
        """The exit code, None while it runs; 1 if the launcher died with it."""
        return self.wait(0.0)

    def wait(self, timeout: float) -> int | None:
        """Wait for its end.

        :param timeout: Seconds.
        :return: The exit code; None if it still runs.
        """
        with self._lock:
            if self._exit_code is None:
                poll = select.poll()
                poll.register(self._connection, select.POLLIN)
                if poll.poll(timeout * 1000):
                    with contextlib.suppress(OSError):
                        self._exit_code = int(self._connection.recv(16) or b"1")
                    self._connection.close()
            return self._exit_code

    def stop(self) -> None:
        """Ask it to stop, and wait for that."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
        self.wait(_PATIENCE)


class Launcher:
    """Imports Airflow in a process of its own, and forks that into the processes that are asked for.

    :param python: The interpreter with Airflow.
    :param modules: What to import in advance.
    :param environment: All environment variables, the same for all jobs but for what they set themselves.
    :param folder: The owner's folder.
    :param output: The file for its own output.
    """

    def __init__(
        self,
        python: str,
        modules: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: PrivateFolder,
        output: Path,
    ) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        try:
            self.process = GuardedProcess(
                "launcher",
                [python, str(_LAUNCHER), str(theirs.fileno()), *modules],
                # macOS refuses to fork a process that has touched its frameworks, as importing Airflow does.
                environment={**environment, "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES"},
                folder=folder,
                output=output,
                cwd=folder.path,
                pass_fds=[theirs.fileno()],
                # Airflow 3's triggerer takes longer, for the sake of a database that is thrown away.
                grace=3.0,
            )
        finally:
            theirs.close()

    def run(
        self, name: str, module: str, arguments: Sequence[str], variables: Mapping[str, str], output: Path, errors: Path
    ) -> Job:
        """Run ``python -m module arguments`` as a fork of the launcher.

        :param name: What users call it.
        :param module: The module.
        :param arguments: Its arguments.
        :param variables: Environment variables of this job alone.
        :param output: The file for its standard output.
        :param errors: The file for its standard error, which may be the same.
        """
        message = json.dumps({"module": module, "arguments": list(arguments), "variables": dict(variables)}).encode()
        ours, theirs = socket.socketpair()
        with contextlib.ExitStack() as stack:
            stack.callback(theirs.close)
            descriptors = [theirs.fileno()]
            for file in (output, errors):
                descriptors.append(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
                stack.callback(os.close, descriptors[-1])
            with self._lock:
                socket.send_fds(self._control, [len(message).to_bytes(8, "big")], descriptors)
                self._control.sendall(message)
        return Job(name, ours, output)

    def close(self) -> None:
        """Close the way to the launcher, which the guard ends."""
        self._control.close()
