"""One poller for all waits of a triggerer on one environment by one connection.

A look at a thousand runs costs a few calls: every interval the poller asks which runs of the DAGs that are waited for have ended since it
last looked, and now and then which are active, to notice one that was deleted. Waits that join are looked for in both lists. Waits that
name no run (the latest, by date) are looked at one by one.

The synchronous client does the work, in a thread of the poller's own, so an environment that is slow or does not answer holds up nobody
else; the thread is a daemon, so it does not hold up the end of the triggerer either. Errors that pass are waited out, with growing pauses,
up to each wait's deadline.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from mwaa_provider.client.clock import Clock, SystemClock
from mwaa_provider.client.looks import Look
from mwaa_provider.client.waiting import Patience
from mwaa_provider.client.watching import Watch
from mwaa_provider.exceptions import MwaaError
from mwaa_provider.triggers.board import RunBoard

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient

Answer = TypeVar("Answer")
MakeClient = Callable[[], Awaitable["MwaaClient"]]

#: A wait that joins is looked at after so many seconds, or its interval if that is less: the task has just looked itself, and waits join in
#: bursts, for which one look will do.
_FIRST_LOOK_SECONDS = 5.0
_NOTHING_TO_DO_SECONDS = 3600.0


@dataclass(eq=False)
class Wait:
    """One wait in the poller.

    :param watch: What is waited for.
    :param poke_interval: Seconds between two looks.
    :param since: From when on it is waited for: what ended before that has been seen.
    :param deadline: When the time is up, in seconds since 1970; ``None`` for no limit.
    """

    watch: Watch
    poke_interval: float
    since: datetime
    deadline: float | None = None


class Poller:
    """Looks at everything that is waited for in one environment.

    :param environment_name: The environment's name.
    :param make_client: Makes the client.
    :param clock: The clock.
    :param when_idle: Is called when there is nothing left to look at.
    """

    def __init__(
        self,
        environment_name: str,
        make_client: MakeClient,
        clock: Clock,
        when_idle: Callable[[], None] = lambda: None,
    ) -> None:
        self._environment_name = environment_name
        self._make_client = make_client
        self._client: MwaaClient | None = None
        self._clock = clock
        self._when_idle = when_idle
        self._board = RunBoard(environment_name, clock)
        self._places: list[_Place] = []
        self._one_more = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def looks(self, wait: Wait) -> AsyncIterator[Look | MwaaError]:
        """Return what there is to tell of a wait: looks that bring news, errors that pass, and the last look, when the wait is over.

        The last look's verdict is ``wait`` if the time was up.

        :param wait: The wait.
        :raises MwaaError: if it cannot be looked at, and that does not pass.
        """
        place = _Place(wait, self._clock)
        self._places.append(place)
        self._one_more.set()
        if self._task is None:
            # Not in the context of the trigger that happens to come first: it says whose log a line goes to.
            self._task = contextvars.Context().run(asyncio.create_task, self._run())
        try:
            while True:
                told, is_last = await place.told.get()
                if isinstance(told, Look) or (isinstance(told, MwaaError) and not is_last):
                    yield told
                else:
                    raise told
                if is_last:
                    return
        finally:
            self._places.remove(place)
            if not self._places:
                self._stop()

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None
            self._when_idle()

    async def _run(self) -> None:
        while True:
            self._one_more.clear()
            now = self._clock.monotonic()
            waiting = [place for place in self._places if not place.is_over]
            due = [place for place in waiting if place.due <= now]
            if due:
                await self._look_at(due, waiting)
            else:
                await self._sleep(min((place.due for place in waiting), default=now + _NOTHING_TO_DO_SECONDS) - now)

    async def _sleep(self, seconds: float) -> None:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._one_more.wait(), seconds)

    async def _look_at(self, due: list[_Place], waiting: list[_Place]) -> None:
        shown = [place for place in waiting if self._board.can_show(place.wait.watch)]
        single = [place for place in due if place not in shown]
        if single == due:
            shown = []  # A look at the board serves all waits on it, also those that are not due yet; here none is due.
        try:
            client = await self.client()
            for place, told in (await in_a_thread(lambda: self._ask(client, shown, single))).items():
                place.take_in(told)
        except Exception as error:  # there is no client; or a fault of ours, and then nobody may wait for ever
            for place in [*shown, *single]:
                place.end(error)

    async def client(self) -> MwaaClient:
        """Return the client, made when it is first wanted."""
        if self._client is None:
            self._client = await self._make_client()
        return self._client

    def _ask(self, client: MwaaClient, shown: list[_Place], single: list[_Place]) -> dict[_Place, Look | MwaaError]:
        seen: dict[_Place, Look | MwaaError] = {}
        if shown:
            looks = self._board.look(client, [(place.wait.watch, place.wait.since) for place in shown])
            seen |= zip(shown, looks, strict=True)
        for place in single:
            try:
                seen[place] = place.wait.watch.look(client, self._environment_name)
            except MwaaError as error:
                seen[place] = error
        return seen


class _Place:
    """A wait's place in the poller: when it is due, what it was told last, and whether it is over."""

    def __init__(self, wait: Wait, clock: Clock) -> None:
        self.wait = wait
        self.due = clock.monotonic() + min(wait.poke_interval, _FIRST_LOOK_SECONDS)
        self.is_over = False
        self.told: asyncio.Queue[tuple[Look | Exception, bool]] = asyncio.Queue()
        self._clock = clock
        self._patience = Patience(clock, has_timeout=wait.deadline is not None)
        self._last: Look | None = None

    def take_in(self, seen: Look | MwaaError) -> None:
        """Tell what was seen, if it is news, and decide when to look again."""
        deadline = self.wait.deadline
        is_late = deadline is not None and self._clock.time() >= deadline
        pause = self.wait.poke_interval
        if isinstance(seen, MwaaError):
            try:
                pause = self._patience.pause_after(seen, self.wait.poke_interval)
            except MwaaError as error:
                self.end(error)
                return
            if is_late:
                self._tell(self._last or seen, is_last=True)
                return
            self._tell(seen, is_last=False)
        else:
            self._patience.is_well()
            is_news = self._last is None or self._last.news != seen.news
            self._last = seen
            if is_late or seen.verdict != "wait":
                self._tell(seen, is_last=True)
                return
            if is_news:
                self._tell(seen, is_last=False)
        if deadline is not None:  # the last look is at the deadline
            pause = min(pause, max(0.0, deadline - self._clock.time()))
        self.due = self._clock.monotonic() + pause

    def end(self, error: Exception) -> None:
        """End the wait with an error."""
        self._tell(error, is_last=True)

    def _tell(self, told: Look | Exception, *, is_last: bool) -> None:
        self.is_over = is_last
        self.told.put_nowait((told, is_last))


#: Of each event loop, its pollers; a triggerer has one loop.
_POLLERS: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, Poller]] = weakref.WeakKeyDictionary()


def shared_poller(key: Hashable, environment_name: str, make_client: MakeClient, clock: Clock | None = None) -> Poller:
    """Return the poller that all waits with this key share in the running event loop.

    :param key: Tells environments, and the ways to them, apart.
    :param environment_name: The environment's name.
    :param make_client: Makes the client, if there is no such poller yet.
    :param clock: The clock (default: the machine's).
    """
    pollers = _POLLERS.setdefault(asyncio.get_running_loop(), {})
    if key not in pollers:

        def forget() -> None:
            pollers.pop(key, None)

        pollers[key] = Poller(environment_name, make_client, clock or SystemClock(), forget)
    return pollers[key]


async def in_a_thread(call: Callable[[], Answer]) -> Answer:
    """Return the answer of a call that blocks, made in a thread of its own.

    :param call: The call.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Answer] = loop.create_future()

    def tell(result: Answer | None, error: BaseException | None) -> None:
        if answer.cancelled():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result: Answer | None = None
        error: BaseException | None = None
        try:
            result = call()
        except BaseException as caught:
            error = caught
        if not loop.is_closed():
            loop.call_soon_threadsafe(tell, result, error)

    # Not of a pool: the interpreter waits for the threads of a pool at its end, and a call may last minutes.
    threading.Thread(target=run, name="mwaa_provider poller", daemon=True).start()
    return await answer
