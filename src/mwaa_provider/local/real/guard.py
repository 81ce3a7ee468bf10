"""The small process that stands beside each process of a local environment and ends it when its owner is gone.

Run as a script with nothing but the standard library: ``python -I -S guard.py SPECIFICATION -- COMMAND...``. Its
standard input is a pipe whose other end only the owner holds. The end of that pipe, for whatever reason (the owner
closed it, returned, crashed, was killed with SIGKILL), means: stop the command, then everything that the command has
left behind, then remove the owner's folder if nobody else uses it. Its exit code is the command's.

Airflow puts tasks and DAG processors into process groups and sessions of their own, so ending one process group is not
enough. On Linux the guard is a "child subreaper": orphans become its children, and a walk over the process table finds
them.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

# Time for what a stopped command has left behind to end by itself, in seconds.
_LEFTOVER_GRACE = 1.0
_PR_SET_CHILD_SUBREAPER = 36


def main() -> int:
    """Run the command until it ends or the owner is gone."""
    specification: dict[str, Any] = json.loads(sys.argv[1])
    lock = _hold(specification["folder"])
    wakeup_read, wakeup_write = os.pipe()
    os.set_blocking(wakeup_write, False)
    signal.set_wakeup_fd(wakeup_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    # Not SIG_IGN, which the command would inherit.
    signal.signal(signal.SIGINT, lambda *_: None)
    asked_to_stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked_to_stop.append(number))
    adopts_orphans = _become_subreaper()
    try:
        command = _spawn(specification, sys.argv[3:])
    except OSError as error:
        print(f"cannot run {sys.argv[3]}: {error.strerror}", file=sys.stderr)  # noqa: T201 - a process, not a library
        return 127
    family = Family(command.pid, adopts_orphans)
    while family.exit_code is None and not asked_to_stop:
        ready, _, _ = select.select([0, wakeup_read], [], [])
        if wakeup_read in ready:
            os.read(wakeup_read, 4096)
            family.reap()
        if 0 in ready and not os.read(0, 4096):
            break
    family.end(specification["stop_signal"], specification["grace"])
    _remove_unless_held(specification["folder"], lock)
    return family.exit_code if family.exit_code is not None else 1


def _spawn(specification: dict[str, Any], arguments: list[str]) -> subprocess.Popen[bytes]:
    user: Any = {}
    if specification["user"]:
        uid, gid = specification["user"]
        user = {"user": uid, "group": gid, "extra_groups": []}
    return subprocess.Popen(
        arguments,
        stdin=subprocess.DEVNULL,
        cwd=specification["cwd"],
        start_new_session=True,
        umask=0o077,
        pass_fds=specification["pass_fds"],
        **user,
    )


class Family:
    """The command and everything that descends from it."""

    def __init__(self, pid: int, adopts_orphans: bool) -> None:
        self.pid = pid
        self.exit_code: int | None = None
        self._adopts_orphans = adopts_orphans
        self._seen: set[int] = set()

    def reap(self) -> None:
        """Collect whoever has ended."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._seen.discard(pid)
            if pid == self.pid:
                code = os.waitstatus_to_exitcode(status)
                self.exit_code = code if code >= 0 else 128 - code

    def end(self, stop_signal: int, grace: float) -> None:
        """Ask the command to stop, then end whatever is left."""
        self._look()
        if self.exit_code is None:
            _signal(self.pid, stop_signal)
            self._wait(grace, lambda: self.exit_code is not None)
        if self._look():
            for pid in self._look():
                _signal(pid, signal.SIGTERM)
            self._wait(_LEFTOVER_GRACE, lambda: not self._look())
        while left := self._look():
            for pid in left:
                _signal(pid, signal.SIGKILL)
            self._wait(0.5, lambda: not self._look())

    def _look(self) -> set[int]:
        """Find the living; those seen once stay known where orphans lose their parent (macOS)."""
        table = _parents()
        living, found = {os.getpid()}, {os.getpid()}
        while found:
            found = {pid for pid, parent in table.items() if parent in found} - living
            living |= found
        living.discard(os.getpid())
        remembered = set() if self._adopts_orphans else {pid for pid in self._seen if pid in table}
        self._seen = remembered | living
        return self._seen

    def _wait(self, seconds: float, done: Any) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.reap()
            if done():
                return
            time.sleep(0.05)


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _parents() -> dict[int, int]:
    """Read the process table: process to parent, without the dead that only wait to be collected."""
    table = {}
    if os.path.isdir("/proc/self"):
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/stat", "rb") as stat:
                    state, parent = stat.read().rpartition(b")")[2].split()[:2]
            except OSError:
                continue
            if state != b"Z":
                table[int(entry)] = int(parent)
        return table
    # The listing itself is a child of ours and must not be taken for a leftover.
    listing = subprocess.Popen(
        ["/bin/ps", "-axo", "pid=,ppid=,state="],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in listing.communicate()[0].splitlines():
        pid, ppid, state_letters = line.split()
        if not state_letters.startswith("Z") and int(pid) != listing.pid:
            table[int(pid)] = int(ppid)
    return table


def _become_subreaper() -> bool:
    if sys.platform == "linux":
        with contextlib.suppress(ImportError, OSError, AttributeError):
            import ctypes

            return bool(ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    return False


def _hold(folder: str | None) -> int | None:
    if folder is None:
        return None
    lock = os.open(os.path.join(folder, ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def _remove_unless_held(folder: str | None, lock: int | None) -> None:
    """Remove the folder if neither the owner nor another guard holds it: the last one out turns off the light."""
    if folder is None or lock is None:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
