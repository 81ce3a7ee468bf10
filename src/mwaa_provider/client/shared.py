"""What the clients of one process share.

An Airflow task makes a new hook, and with it a new client, at every turn; a triggerer has hundreds. A web session lives 12 hours, MWAA
counts the calls of all of them together, and its CLI endpoint takes few commands at once: so these are kept per process, not per client.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mwaa_provider.client.clock import Clock, SystemClock
from mwaa_provider.client.locks import ForkSafeLock, Slot

Value = TypeVar("Value")

#: Keys that are kept at most; an access key that is replaced every hour makes a new one each time.
_MOST_KEYS = 1000


@dataclass(frozen=True)
class Caller:
    """Who calls where.

    :param endpoint_url: The address of the MWAA API.
    :param region_name: The AWS region.
    :param identity: Tells the callers of one process apart, such as an access key id; kept out of the repr.
    """

    endpoint_url: str
    region_name: str
    identity: str = field(repr=False)

    def place(self, environment_name: str) -> Hashable:
        """Return the key of an environment, for what counts whoever calls.

        :param environment_name: The environment's name.
        """
        return (self.endpoint_url, self.region_name, environment_name)


class OneEach(Generic[Value]):
    """One value for each key, made when it is first asked for.

    :param make: Makes a value.
    """

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make = make
        self._values: dict[Hashable, Value] = {}
        self._lock = ForkSafeLock()

    def __getitem__(self, key: Hashable) -> Value:
        with self._lock:
            if key not in self._values:
                if len(self._values) >= _MOST_KEYS:
                    del self._values[next(iter(self._values))]
                self._values[key] = self._make()
            return self._values[key]


class Shared:
    """State that clients share: web sessions, the pace of IAM calls, the way to each environment, turns at the CLI endpoint.

    :param clock: The clock all of it goes by.
    """

    def __init__(self, clock: Clock) -> None:
        # Imported here: each of them says what it is about, this file only who shares it.
        from mwaa_provider.client.pace import Pace
        from mwaa_provider.client.routing import Way
        from mwaa_provider.client.tokens import WebSession
        from mwaa_provider.client.turns import Turns

        self.clock = clock
        #: By caller and environment name: a session stands for one identity.
        self.sessions: OneEach[Slot[WebSession]] = OneEach(Slot)
        #: By place: MWAA counts the calls of all callers.
        self.paces: OneEach[Pace] = OneEach(lambda: Pace(clock))
        #: By caller and environment name: what one identity may not, another may.
        self.ways: OneEach[Way] = OneEach(Way)
        #: By place: the CLI endpoint's.
        self.cli_turns: OneEach[Turns] = OneEach(Turns)


_of_process: Shared | None = None
_lock = ForkSafeLock()


def shared_by_the_process() -> Shared:
    """Return what all clients of this process share that live by the machine's clock."""
    global _of_process
    with _lock:
        if _of_process is None:
            _of_process = Shared(SystemClock())
        return _of_process


def forget_all() -> None:
    """Let clients that are made from now on begin anew; for tests."""
    global _of_process
    with _lock:
        _of_process = None
