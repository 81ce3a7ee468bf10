"""How much the metadata API does at a time: little, because the same web server carries the heartbeats of the tasks.

At most two requests are at work in a process, each in a thread and on a connection of its own. Whoever comes while both are taken is told
to come again. No place is taken longer than a request may last, whatever became of it.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import TypeVar

Answer = TypeVar("Answer")

#: Requests at work in one process.
AT_ONCE = 2
#: Seconds after which whoever found no place may come again.
COME_AGAIN_SECONDS = 1
#: Seconds that a statement, and the transaction round it, may take. Load balancers wait 60.
STATEMENT_SECONDS = 20
#: Seconds after which an answer is cut, however slowly it is taken.
ANSWER_SECONDS = 50
_LOWEST_PRIORITY = 19
#: Bytes of an answer that wait for the one who asked.
_WAITING_BYTES = 4 * 1024 * 1024


class BusyError(Exception):
    """Both places are taken."""


class NobodyWaitsError(Exception):
    """Whoever asked has gone, or takes the answer too slowly: there is no use in reading on."""


class Place:
    """One of the places at work; free when all who hold it have let it go, or when its time is up.

    :param holders: How many hold it.
    :param until: When its time is up, in seconds of the monotonic clock.
    """

    def __init__(self, holders: int, until: float) -> None:
        self._holders = holders
        self._until = until
        self._lock = threading.Lock()

    def let_go(self) -> None:
        """Say that one of the holders needs it no longer."""
        with self._lock:
            self._holders -= 1

    def is_taken(self, now: float) -> bool:
        """Tell whether it is taken.

        :param now: Seconds of the monotonic clock.
        """
        return self._holders > 0 and now < self._until


class Places:
    """The places of one process.

    :param most: How many there are.
    :param seconds: For how long one may be taken.
    :param now: Gives the seconds of the monotonic clock.
    """

    def __init__(
        self,
        most: int = AT_ONCE,
        seconds: float = ANSWER_SECONDS + STATEMENT_SECONDS,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._now = now
        self._taken: list[Place] = []
        self._lock = threading.Lock()

    def take(self, holders: int = 1) -> Place:
        """Take a place.

        :param holders: How many will have to let it go.
        :raises BusyError: if there is none.
        """
        with self._lock:
            now = self._now()
            self._taken = [place for place in self._taken if place.is_taken(now)]
            if len(self._taken) >= self._most:
                raise BusyError
            place = Place(holders, now + self._seconds)
            self._taken.append(place)
            return place


async def in_thread(place: Place, call: Callable[[], Answer]) -> Answer:
    """Call in a thread of its own, not in one of those that Airflow's own endpoints share.

    The place is let go when the call has ended, even if nobody waits for it any more.

    :param place: The place it is done at.
    :param call: What to do.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Answer] = loop.create_future()

    def run() -> None:
        _give_way()
        try:
            answer = call()
        except BaseException as error:
            place.let_go()
            _tell(loop, done, error=error)
        else:
            place.let_go()
            _tell(loop, done, answer=answer)

    threading.Thread(target=run, name="mwaa-metadata-api", daemon=True).start()
    return await done


def _give_way() -> None:
    """Let every other thread of the web server go first: on Linux a thread has a priority of its own.

    It carries the heartbeats of tasks. ``tests/metadata/api/test_real_web_server.py`` measures what an export does to them.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST_PRIORITY)


def _tell(
    loop: asyncio.AbstractEventLoop,
    done: asyncio.Future[Answer],
    *,
    answer: Answer | None = None,
    error: BaseException | None = None,
) -> None:
    def tell() -> None:
        if done.done():  # whoever asked has gone
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(answer)  # type: ignore[arg-type]

    try:
        loop.call_soon_threadsafe(tell)
    except RuntimeError:  # the web server is being stopped
        return


class Pipe:
    """What a thread reads, on its way to whoever asked; the thread waits where too much of it waits.

    :param most_bytes: How many bytes may wait.
    """

    def __init__(self, most_bytes: int = _WAITING_BYTES) -> None:
        self._loop = asyncio.get_running_loop()
        self._most_bytes = most_bytes
        self._pieces: deque[bytes] = deque()
        self._bytes = 0
        self._failure: BaseException | None = None
        self._has_begun = self._is_closed = self._is_abandoned = False
        self._changed = threading.Condition()
        self._news = asyncio.Event()

    def put(self, piece: bytes, *, until: float) -> None:
        """Send a piece; called by the thread.

        :param piece: The piece; an empty one only asks whether anybody waits.
        :param until: Until when to wait if there is no room, in seconds of the monotonic clock.
        :raises NobodyWaitsError: if whoever asked has gone, or there was no room by then.
        """
        with self._changed:
            while self._bytes and self._bytes + len(piece) > self._most_bytes and not self._is_abandoned:
                left = until - time.monotonic()
                if left <= 0:
                    raise NobodyWaitsError("the answer is taken too slowly")
                self._changed.wait(left)
            if self._is_abandoned:
                raise NobodyWaitsError("whoever asked has gone")
            if not piece:
                return
            self._pieces.append(piece)
            self._bytes += len(piece)
            self._has_begun = True
        self._tell()

    def close(self, last: bytes = b"", failure: BaseException | None = None) -> None:
        """Say that nothing more comes; called by the thread.

        :param last: A last piece, for which there is always room.
        :param failure: What went wrong; if nothing was sent before, it is raised there instead of the last piece.
        """
        with self._changed:
            self._failure = None if self._has_begun else failure
            if last and self._failure is None:
                self._pieces.append(last)
            self._is_closed = True
        self._tell()

    def abandon(self) -> None:
        """Say that nobody takes any more."""
        with self._changed:
            self._is_abandoned = True
            self._pieces.clear()
            self._changed.notify_all()

    @property
    def is_abandoned(self) -> bool:
        """Whether nobody takes any more."""
        return self._is_abandoned

    async def begun(self) -> None:
        """Wait for the first piece.

        :raises BaseException: what the thread failed with before there was one.
        """
        while True:
            self._news.clear()
            with self._changed:
                if self._pieces:
                    return
                if self._is_closed:
                    if self._failure is not None:
                        raise self._failure
                    return
            await self._news.wait()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Give the pieces as they come, to the end."""
        while True:
            self._news.clear()
            with self._changed:
                ready, is_last = list(self._pieces), self._is_closed
                self._pieces.clear()
                self._bytes = 0
                self._changed.notify_all()
            for piece in ready:
                yield piece
            if is_last:
                return
            await self._news.wait()

    def _tell(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._news.set)
        except RuntimeError:  # the web server is being stopped
            self.abandon()
