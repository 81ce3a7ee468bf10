"""IAM calls keep under 10 a second over all threads of a process."""

from __future__ import annotations

import threading

import pytest

from mwaa_provider.client.pace import Pace
from mwaa_provider.local import LocalMwaa, ScriptedAirflow, ServiceRules
from tests.client.conftest import SteppingClock, needs_invoke_rest_api


def most_in_any_second(moments: list[float]) -> int:
    return max(sum(start <= moment < start + 1 for moment in moments) for start in moments)


def test_turns_are_evenly_spaced(clock: SteppingClock) -> None:
    pace, moments = Pace(clock), []
    for _ in range(50):
        pace.take_turn()
        moments.append(clock.monotonic())
    assert moments[0] == 1000
    assert moments[-1] == pytest.approx(1000 + 49 / 9)
    assert most_in_any_second(moments) <= 10


def test_a_call_now_and_then_does_not_wait(clock: SteppingClock) -> None:
    pace = Pace(clock)
    for _ in range(30):
        before = clock.monotonic()
        pace.take_turn()
        assert clock.monotonic() == before
        clock.sleep(0.2)
    assert not pace.is_too_slow


def test_many_calls_in_a_row_are_too_many(clock: SteppingClock) -> None:
    pace = Pace(clock)
    for _ in range(10):
        pace.take_turn()
    assert not pace.is_too_slow  # the first did not wait
    pace.take_turn()
    assert pace.is_too_slow
    clock.sleep(1)
    pace.take_turn()
    assert not pace.is_too_slow


def seconds_for(pace: Pace, clock: SteppingClock, turns: int) -> float:
    began = clock.monotonic()
    for _ in range(turns):
        pace.take_turn()
    return clock.monotonic() - began


def test_being_throttled_halves_the_pace_and_it_recovers(clock: SteppingClock) -> None:
    pace = Pace(clock)
    pace.take_turn()
    pace.slow_down()
    pace.slow_down()  # of a call that was on its way with the first
    assert seconds_for(pace, clock, 1) == pytest.approx(1 / 4.5)
    # a second later it rises by one call a second each second, up to nine again
    assert 1.5 < seconds_for(pace, clock, 9) < 2
    clock.sleep(10)
    pace.take_turn()
    assert seconds_for(pace, clock, 9) == pytest.approx(1)


def test_however_often_it_is_throttled_it_goes_on(clock: SteppingClock) -> None:
    pace = Pace(clock)
    for _ in range(20):
        pace.slow_down()
        clock.sleep(1)
    pace.slow_down()
    assert seconds_for(pace, clock, 2) == pytest.approx(2, abs=0.01)


@needs_invoke_rest_api
def test_threads_of_several_clients_keep_one_pace(make_client) -> None:
    """On the machine's clock. The local MWAA counts on its own; its limit is doubled, since this machine may be slow at times."""
    with LocalMwaa(rules=ServiceRules(rest_calls_per_second=20)) as mwaa:
        airflow = ScriptedAirflow("3.3.1")
        airflow.add_dag("load")
        mwaa.create_environment("target", airflow)
        where = {"endpoint_url": mwaa.endpoint_url, "verify": str(mwaa.ca_file), "session": mwaa.boto3_session()}
        clients = [make_client(transport="iam", clock=None, **where) for _ in range(4)]
        ready = threading.Barrier(12)

        def read(number: int) -> None:
            ready.wait()
            for _ in range(2):
                clients[number % 4].get_dag("target", "load")

        threads = [threading.Thread(target=read, args=(number,)) for number in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # at once they would be 24 in a second
        assert mwaa.journal.count(transport="iam", status=200) == 24
        assert mwaa.journal.count(error_code="ThrottlingException") == 0
