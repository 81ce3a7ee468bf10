"""What threads and forked processes share."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest

from mwaa_provider.client.locks import ForkSafeLock, Slot
from mwaa_provider.client.shared import OneEach
from mwaa_provider.exceptions import LoginFailedError


def all_at_once(call: Callable[[], None], threads: int, between: Callable[[], None] = lambda: None) -> None:
    started = [threading.Thread(target=call) for _ in range(threads)]
    for thread in started:
        thread.start()
    between()
    for thread in started:
        thread.join()


def test_a_value_is_made_once_for_all_that_wait() -> None:
    slot: Slot[object] = Slot()
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    found: list[tuple[object, bool]] = []
    all_at_once(lambda: found.append(slot.get(lambda value: True, make)), 20)
    assert {id(value) for value, _ in found} == {id(made[0])}
    assert sum(was_made for _, was_made in found) == len(made) == 1


def test_a_value_that_is_not_good_any_more_is_made_anew() -> None:
    slot: Slot[str] = Slot()
    assert slot.get(lambda value: True, lambda: "first") == ("first", True)
    assert slot.get(lambda value: value != "first", lambda: "second") == ("second", True)
    assert slot.get(lambda value: value != "first", lambda: "third") == ("second", False)
    slot.forget("first")  # that is not what is there
    assert slot.get(lambda value: True, lambda: "third") == ("second", False)
    slot.forget("second")
    assert slot.get(lambda value: True, lambda: "third") == ("third", True)


def test_threads_that_waited_share_the_failure() -> None:
    """Else they would try in turn, each as long as the first."""
    slot: Slot[object] = Slot()
    inside, go_on = threading.Event(), threading.Event()
    failures: list[str] = []

    def log_in() -> object:
        inside.set()
        go_on.wait(30)
        raise LoginFailedError("no session", environment_name="target")

    def get() -> None:
        with pytest.raises(LoginFailedError) as caught:
            slot.get(lambda value: True, log_in)
        assert caught.value.environment_name == "target"
        failures.append(str(caught.value))

    first = threading.Thread(target=get)
    first.start()
    inside.wait(30)
    # each of the others has come to the lock when the first lets go of it: it is held, so none can be past it
    before = slot._lock
    arrived = threading.Semaphore(0)

    class Watched(ForkSafeLock):
        def __enter__(self) -> None:
            arrived.release()
            before.__enter__()

        def __exit__(self, *_: object) -> None:
            before.__exit__()

    slot._lock = Watched()

    def let_go() -> None:
        for _ in range(5):
            arrived.acquire(timeout=30)
        go_on.set()

    all_at_once(get, 5, between=let_go)
    first.join()
    told = "no session (Another thread was told so while this one waited for it.)"
    assert sorted(failures) == ["no session"] + [told] * 5


def test_who_comes_after_a_failure_tries_anew() -> None:
    slot: Slot[str] = Slot()

    def fail() -> str:
        raise LoginFailedError("no session")

    with pytest.raises(LoginFailedError):
        slot.get(lambda value: True, fail)
    assert slot.get(lambda value: True, lambda: "session") == ("session", True)


def test_a_lock_that_another_thread_holds_is_free_in_a_forked_process() -> None:
    lock = ForkSafeLock()
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            let_go.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(30)
    child = os.fork()
    if child == 0:
        os._exit(0 if lock.acquire(timeout=5) else 1)
    status = os.waitpid(child, 0)[1]
    assert not lock.acquire(timeout=0)  # here it is held as before
    let_go.set()
    holder.join()
    assert os.waitstatus_to_exitcode(status) == 0


def test_keys_that_nobody_asks_for_any_more_are_forgotten() -> None:
    values: OneEach[list[int]] = OneEach(list)
    first = values["key 0"]
    assert values["key 0"] is first
    for number in range(1, 1001):
        values[f"key {number}"].append(number)
    assert values["key 1000"] == [1000]
    assert values["key 0"] is not first
