"""What the processes of one host share: whose turn it is to publish, and what finished tasks have left to be published.

A worker runs many tasks at once, each in a process of its own, and its figures are to be published once per interval. The first process
that asks after the interval takes the turn by writing the time into a file, under a lock; the others see it there. The turn is taken before
anything is sent, and not given back: where CloudWatch does not answer, one attempt is made per interval, not one per task.

Times are of the machine's monotonic clock, which its processes share. A time ahead of it is of another life of the machine, and counts for
nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mwaa_provider.metrics.host import CpuReading

#: A lock is held for the time of a small write. Whoever does not get it in this time, in seconds, does without.
_PATIENCE = 0.05
_PAUSE = 0.002
#: What tasks leave is kept up to this size, in bytes, should nobody come to publish it.
_MOST_LEFT = 512 * 1024


@dataclass(frozen=True)
class Turn:
    """The right to publish now.

    :param since: What the processors had done when the last turn was taken; ``None`` if that is not known, or too long ago.
    """

    since: CpuReading | None


class HostTurns:
    """The turns of one environment's processes on this host.

    :param environment_name: The environment's name.
    :param folder: Where the files are (default: a folder of this user's, in the folder for temporary files).
    """

    def __init__(self, environment_name: str, folder: Path | None = None) -> None:
        self._folder = folder or Path(tempfile.gettempdir(), f"mwaa_provider-{os.getuid()}")
        self._turns = self._folder / f"{environment_name}-turns.json"
        self._left = self._folder / f"{environment_name}-tasks.jsonl"

    def is_due(self, now: float, interval: float) -> bool:
        """Tell whether the interval is over, without a lock; another process may be faster.

        :param now: Seconds of the monotonic clock.
        :param interval: Seconds between two turns.
        """
        try:
            return not _is_fresh(json.loads(self._turns.read_bytes()), now, interval)
        except (OSError, ValueError):  # there is none yet, or it is being written
            return True

    def take(self, reading: CpuReading, interval: float) -> Turn | None:
        """Take the turn if it is due, and nobody else has.

        :param reading: What the processors have done until now; its time is the time of the turn.
        :param interval: Seconds between two turns.
        :raises OSError: if the files cannot be written.
        """
        with self._locked() as file:
            if file is None:
                return None
            state = _read(file)
            if _is_fresh(state, reading.at, interval):
                return None
            _write(file, {**state, "cpu": reading.to_json()})
        since = CpuReading.from_json(state.get("cpu"))
        if since is None or not 0 < reading.at - since.at <= 2 * interval:
            return Turn(None)
        return Turn(since)

    def leave(self, line: dict[str, Any]) -> bool:
        """Leave what a finished task has used to whoever publishes next, and tell whether there was room.

        :param line: What JSON can hold, small.
        :raises OSError: if the files cannot be written.
        """
        with self._locked() as file:
            if file is None:
                return False
            return self._append([line])

    def fetch(self) -> list[dict[str, Any]]:
        """Take over everything that finished tasks have left.

        :raises OSError: if the files cannot be written.
        """
        with self._locked() as file:
            if file is None or not self._left.exists():
                return []
            lines = self._left.read_bytes().splitlines()
            self._left.unlink()
        found = []
        for line in lines:
            with suppress(ValueError):
                found.append(json.loads(line))
        return found

    def put_back(self, lines: list[dict[str, Any]]) -> None:
        """Leave again what could not be published, as far as there is room.

        :param lines: What :meth:`fetch` gave.
        :raises OSError: if the files cannot be written.
        """
        with self._locked() as file:
            if file is not None:
                self._append(lines)

    def admit(self, keys: list[str], most: int) -> frozenset[str]:
        """Remember keys until there are too many, and tell those of them that are known now.

        :param keys: The keys, in the order of their right to be known.
        :param most: How many may be known on this host.
        :raises OSError: if the files cannot be written.
        """
        with self._locked() as file:
            if file is None:
                return frozenset()
            state = _read(file)
            known = [str(key) for key in state.get("known", [])][:most]
            for key in keys:
                if key not in known and len(known) < most:
                    known.append(key)
            _write(file, {**state, "known": known})
        return frozenset(known)

    def _append(self, lines: list[dict[str, Any]]) -> bool:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = os.open(self._left, flags, 0o600)
        try:
            room = _MOST_LEFT - os.fstat(descriptor).st_size
            data = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
            if len(data) > room:
                return False
            os.write(descriptor, data)
        finally:
            os.close(descriptor)
        return True

    @contextmanager
    def _locked(self) -> Iterator[int | None]:
        """Hold the lock of all files; ``None`` if others hold it for longer than they should."""
        _make_private(self._folder)
        descriptor = os.open(self._turns, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            yield descriptor if _lock(descriptor) else None
        finally:
            os.close(descriptor)  # which gives the lock back


def _lock(descriptor: int) -> bool:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(_PAUSE)


def _make_private(folder: Path) -> None:
    """Make the folder; one in /tmp that is somebody else's, or a link to elsewhere, is not used."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700, parents=True)
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PermissionError(f"{folder} is not a folder that only this user can write to")


def _is_fresh(state: Any, now: float, interval: float) -> bool:
    reading = CpuReading.from_json(state.get("cpu")) if isinstance(state, dict) else None
    return reading is not None and 0 <= now - reading.at < interval


def _read(descriptor: int) -> dict[str, Any]:
    try:
        state = json.loads(os.pread(descriptor, os.fstat(descriptor).st_size, 0) or b"{}")
    except ValueError:
        return {}
    return state if isinstance(state, dict) else {}


def _write(descriptor: int, state: dict[str, Any]) -> None:
    data = json.dumps(state).encode()
    os.pwrite(descriptor, data, 0)
    os.ftruncate(descriptor, len(data))
