"""How much the metadata API does at a time, and that no place at work is lost."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time

import pytest

from mwaa_provider.metadata.api.work import BusyError, NobodyWaitsError, Pipe, Places, in_thread


def test_two_places_and_no_third():
    places = Places()
    first, _ = places.take(), places.take()
    with pytest.raises(BusyError):
        places.take()
    first.let_go()
    places.take()


def test_a_place_with_two_holders_is_free_when_both_have_gone():
    places = Places(most=1)
    place = places.take(holders=2)
    place.let_go()
    with pytest.raises(BusyError):
        places.take()
    place.let_go()
    places.take()


def test_a_place_that_nobody_gave_back_is_free_when_its_time_is_up():
    now = [0.0]
    places = Places(most=1, seconds=70, now=lambda: now[0])
    places.take()
    now[0] = 69.9
    with pytest.raises(BusyError):
        places.take()
    now[0] = 70.0
    places.take()


def test_a_place_is_given_back_when_the_call_ends_and_not_when_the_caller_goes():
    places = Places(most=1)
    may_end = threading.Event()

    async def run() -> None:
        task = asyncio.ensure_future(in_thread(places.take(), lambda: may_end.wait(20)))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(BusyError):
            places.take()
        may_end.set()
        end = time.monotonic() + 10
        while True:
            try:
                places.take()
                return
            except BusyError:
                assert time.monotonic() < end
                await asyncio.sleep(0.01)

    asyncio.run(run())


def test_what_a_thread_raises_comes_out():
    async def run() -> None:
        await in_thread(Places().take(), lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(run())


def piped(write, read):
    async def run():
        pipe = Pipe(most_bytes=10)
        thread = threading.Thread(target=write, args=(pipe,))
        thread.start()
        try:
            return await read(pipe)
        finally:
            pipe.abandon()
            await asyncio.get_running_loop().run_in_executor(None, thread.join)

    return asyncio.run(run())


async def all_of(pipe: Pipe) -> bytes:
    await pipe.begun()
    return b"".join([piece async for piece in pipe.pieces()])


def test_pieces_come_in_order_however_little_room_there_is():
    def write(pipe: Pipe) -> None:
        for number in range(200):
            pipe.put(b"%03d," % number, until=time.monotonic() + 20)
        pipe.close(b"end")

    assert piped(write, all_of) == b"".join(b"%03d," % number for number in range(200)) + b"end"


def test_one_piece_larger_than_the_room_passes():
    def write(pipe: Pipe) -> None:
        pipe.put(b"x" * 1000, until=time.monotonic() + 20)
        pipe.close()

    assert piped(write, all_of) == b"x" * 1000


def test_a_failure_before_the_first_piece_is_raised():
    def write(pipe: Pipe) -> None:
        pipe.close(b"last words", failure=KeyError("no table"))

    with pytest.raises(KeyError):
        piped(write, all_of)


def test_a_failure_after_the_first_piece_is_told_as_the_last():
    def write(pipe: Pipe) -> None:
        pipe.put(b"rows", until=time.monotonic() + 20)
        pipe.close(b"|failed", failure=KeyError("too late"))

    assert piped(write, all_of) == b"rows|failed"


def test_a_writer_whose_reader_is_slow_gives_up_when_its_time_is_up():
    told = []

    def write(pipe: Pipe) -> None:
        try:
            pipe.put(b"0123456789", until=time.monotonic() + 20)
            pipe.put(b"more", until=time.monotonic() + 0.05)
        except NobodyWaitsError as error:
            told.append(str(error))
        pipe.close()

    async def read(pipe: Pipe) -> None:
        await pipe.begun()
        while not told:
            await asyncio.sleep(0.01)

    piped(write, read)
    assert told == ["the answer is taken too slowly"]


def test_a_writer_whose_reader_has_gone_stops_at_once():
    told = []

    def write(pipe: Pipe) -> None:
        try:
            while True:
                pipe.put(b"0123456789", until=time.monotonic() + 20)
        except NobodyWaitsError as error:
            told.append(str(error))

    async def read(pipe: Pipe) -> None:
        await pipe.begun()
        pipe.abandon()

    began = time.monotonic()
    piped(write, read)
    assert told == ["whoever asked has gone"]
    assert time.monotonic() - began < 10


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives a thread a priority of its own")
def test_work_is_done_at_the_lowest_priority_and_nothing_else_is():
    async def run() -> int:
        return await in_thread(Places().take(), lambda: os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert asyncio.run(run()) == 19
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before
