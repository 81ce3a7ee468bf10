"""Starting, watching and ending processes so that none outlives its owner."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_GUARD = Path(__file__).with_name("guard.py")
# How much longer than its grace a guard may take before it is given up, in seconds.
_GUARD_LEEWAY = 15.0


class PrivateFolder:
    """A folder that only its owner may read and that is removed when the owner is done with it, or dead.

    :param path: An existing folder of the user's, which is kept. Default: a new temporary one, which is removed.
    :param parent: Where to make the temporary one. Default: the system's temporary folder.
    """

    def __init__(self, path: Path | None = None, *, prefix: str = "mwaa-", parent: str | None = None) -> None:
        self.is_temporary = path is None
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent)) if path is None else path
        self._lock: int | None = None
        if self.is_temporary:
            self._lock = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_SH)

    @property
    def guarded(self) -> str | None:
        """The path, if guards are to remove it once the owner is gone."""
        return str(self.path) if self.is_temporary else None

    def release(self) -> None:
        """From now on, the last guard removes it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def remove(self) -> None:
        """Remove it now, if it is a temporary one."""
        self.release()
        if self.is_temporary:
            shutil.rmtree(self.path, ignore_errors=True)


class GuardedProcess:
    """A process that ends, with all its descendants, when :meth:`stop` is called or the owner's Python is gone.

    :param name: What users call it, for messages.
    :param arguments: The command; no secrets, everybody can read it with ``ps``.
    :param environment: Its environment variables, all of them.
    :param folder: The owner's folder, removed when the owner is dead and nobody uses it any more.
    :param output: Where its output goes: a file, for a long-lived process; None to collect it with :meth:`communicate`.
    :param user: User and group id to run as. Default: the owner's.
    :param stop_signal: What it takes as the wish to stop.
    :param grace: Seconds it gets for that before it is killed.
    :param pass_fds: File descriptors that it is to inherit.
    """

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: PrivateFolder,
        output: Path | None = None,
        cwd: Path | None = None,
        user: tuple[int, int] | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace: float = 5.0,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.output = output
        self.timed_out = False
        self._grace = grace
        self._lock = threading.Lock()
        specification = json.dumps(
            {
                "folder": folder.guarded,
                "cwd": str(cwd or folder.path),
                "user": user,
                "stop_signal": int(stop_signal),
                "grace": grace,
                "pass_fds": list(pass_fds),
            }
        )
        with contextlib.ExitStack() as stack:
            read_end, write_end = os.pipe()
            stack.callback(os.close, read_end)
            stdout: IO[bytes] | int = subprocess.PIPE
            stderr: IO[bytes] | int = subprocess.PIPE
            if output is not None:
                stdout = stack.enter_context(open(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab"))
                stderr = subprocess.STDOUT
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", str(_GUARD), specification, "--", *arguments],
                    stdin=read_end,
                    stdout=stdout,
                    stderr=stderr,
                    env=dict(environment),
                    start_new_session=True,
                    pass_fds=tuple(pass_fds),
                )
            except BaseException:
                os.close(write_end)
                raise
            self._life_line: int | None = write_end

    @property
    def exit_code(self) -> int | None:
        """The command's exit code, None while it runs."""
        return self._process.poll()

    @property
    def pid(self) -> int:
        """The process id of the guard, the ancestor of everything that belongs to this process."""
        return self._process.pid

    def ask_to_stop(self) -> None:
        """Begin its end, without waiting for it."""
        with self._lock:
            if self._life_line is not None:
                os.close(self._life_line)
                self._life_line = None

    def stop(self) -> None:
        """End it and wait until it and all its descendants are gone. Safe to call twice."""
        self.ask_to_stop()
        try:
            self._process.wait(self._grace + _GUARD_LEEWAY)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def wait(self, timeout: float) -> int:
        """Wait for its end.

        :param timeout: Seconds.
        :raises subprocess.TimeoutExpired: It still runs.
        """
        try:
            return self._process.wait(timeout)
        finally:
            if self._process.poll() is not None:
                self.ask_to_stop()

    def communicate(self, timeout: float) -> tuple[bytes, bytes]:
        """Wait for its end and give its standard output and error.

        :param timeout: Seconds; when they are over the process is stopped and what it has written so far is given.
        """
        try:
            return self._process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.timed_out = True
            self.ask_to_stop()
            return self._process.communicate()
        finally:
            self.ask_to_stop()


def stop_all(processes: Iterable[GuardedProcess]) -> None:
    """End several processes at the same time."""
    processes = list(processes)
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.stop()


def last_lines(file: Path | None, mask: Callable[[str], str], count: int = 25) -> str:
    """Give the last lines of a log, masked.

    :param file: The log; a missing one has no lines.
    :param mask: Takes secrets out of a text.
    :param count: How many lines.
    """
    if file is None or not file.exists():
        return ""
    with file.open("rb") as log:
        log.seek(0, os.SEEK_END)
        log.seek(max(0, log.tell() - 64 * 1024))
        lines = log.read().decode(errors="replace").splitlines()
    return mask("\n".join(lines[-count:]))
