"""The process that imports Airflow once and then becomes each of its processes by forking.

Run by Airflow's own interpreter, which need not know this package: ``python launcher.py CONTROL MODULE...``. It
imports the modules, then waits on the socket CONTROL. Each request is a length of eight bytes and that much JSON
(``module``, ``arguments``, ``variables``), with three file descriptors: a socket for this job, and the job's standard
output and error. The launcher forks, and the child goes on as ``python -m module arguments`` would. When the child
ends, its exit code is sent on the job's socket; when the other side shuts that socket down, the child is asked to
stop.

Importing Airflow costs several seconds of processor time. Four components and each command of the CLI endpoint would
pay it again, on the few cores of a laptop all at once; and it can be paid while the metadata database is being made.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import sys
from typing import Any


class Launcher:
    """Forks on request and tells how the children end.

    :param control: Where requests come from.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._selector = selectors.DefaultSelector()
        self._jobs: dict[int, socket.socket] = {}
        self._wakeup, wakeup_write = os.pipe()
        os.set_blocking(wakeup_write, False)
        signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
        self._stopping = False
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGTERM, self._stop)
        self._inherited = [wakeup_write]
        self._selector.register(control, selectors.EVENT_READ)
        self._selector.register(self._wakeup, selectors.EVENT_READ)

    def serve(self) -> dict[str, Any] | None:
        """Serve until stopped; in a forked child, come back with the request that it is to carry out."""
        while not self._stopping or self._jobs:
            for key, _ in self._selector.select():
                if key.fileobj is self._control:
                    request = self._accept()
                    if request is not None:
                        return request
                elif key.fileobj == self._wakeup:
                    os.read(self._wakeup, 4096)
                    self._reap()
                elif isinstance(key.fileobj, socket.socket):
                    # Nothing is ever sent to us there: it is readable when the other side wants the job to stop.
                    self._selector.unregister(key.fileobj)
                    _ask_to_stop(key.data)
        return None

    def _accept(self) -> dict[str, Any] | None:
        length, descriptors, _, _ = socket.recv_fds(self._control, 8, 3)
        if len(descriptors) < 3:
            self._selector.unregister(self._control)
            self._stop()
            return None
        message = b""
        while len(message) < int.from_bytes(length, "big"):
            message += self._control.recv(int.from_bytes(length, "big") - len(message))
        job = socket.socket(fileno=descriptors[0])
        pid = os.fork()
        if pid == 0:
            self._become_job(job, descriptors[1:])
            request: dict[str, Any] = json.loads(message)
            return request
        for descriptor in descriptors[1:]:
            os.close(descriptor)
        self._jobs[pid] = job
        self._selector.register(job, selectors.EVENT_READ, pid)
        return None

    def _become_job(self, job: socket.socket, output: list[int]) -> None:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for target, descriptor in enumerate(output, start=1):
            os.dup2(descriptor, target)
            os.close(descriptor)
        self._selector.close()
        for connection in (self._control, job, *self._jobs.values()):
            connection.close()
        for descriptor in (self._wakeup, *self._inherited):
            os.close(descriptor)

    def _reap(self) -> None:
        while self._jobs:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            job = self._jobs.pop(pid, None)
            if job is None:
                continue
            with contextlib.suppress(KeyError):
                self._selector.unregister(job)
            code = os.waitstatus_to_exitcode(status)
            with contextlib.suppress(OSError):
                job.send(str(code if code >= 0 else 128 - code).encode())
            job.close()

    def _stop(self, *_: object) -> None:
        self._stopping = True
        for pid in self._jobs:
            _ask_to_stop(pid)


def _ask_to_stop(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


def main() -> None:
    """Import, serve, and in the children run what was asked for."""
    # The folder of this script is no place to import Airflow from; it has a module of that very name.
    del sys.path[0]
    control = socket.socket(fileno=int(sys.argv[1]))
    for module in sys.argv[2:]:
        # What a release does not have, or cannot import, its components will tell in their own words.
        with contextlib.suppress(Exception):
            importlib.import_module(module)
    request = Launcher(control).serve()
    if request is not None:
        os.environ.update(request["variables"])
        sys.argv = [request["module"], *request["arguments"]]
        runpy.run_module(request["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
