"""Pages of a list that clamps, ignores limits, shows rows in any order, and whose rows come and go between two pages."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mwaa_provider.client.rest.paging import Listing, Order, Page, rows_of
from mwaa_provider.exceptions import IncompleteListError, RestApiLimitError, RestApiServerError


def once(call: Callable[[], Any]) -> Any:
    return call()


def as_far_as_it_goes(rows: Iterator[int]) -> tuple[list[int], IncompleteListError | None]:
    read = []
    try:
        for row in rows:
            read.append(row)
    except IncompleteListError as error:
        return read, error
    return read, None


@dataclass
class FakeList:
    """A table of numbers, and the endpoint that lists them.

    Before each page but the first, the next of ``changes`` is made: a function of the table.
    """

    table: list[int]
    clamp: int = 10_000
    obeys_limit: bool = True
    shuffle: random.Random | None = None
    changes: list[Callable[[list[int]], None]] = field(default_factory=list)
    size_of_row: int = 0
    largest_answer: int = 10**9
    seconds_of_row: float = 0.0
    asked: list[tuple[int, int]] = field(default_factory=list)
    there_all_the_time: set[int] = field(init=False)
    ever_there: set[int] = field(init=False)

    def __post_init__(self) -> None:
        self.there_all_the_time, self.ever_there = set(self.table), set(self.table)

    def fetch(self, offset: int, limit: int) -> Page[int]:
        if self.asked and self.changes:
            self.changes.pop(0)(self.table)
            self.there_all_the_time &= set(self.table)
            self.ever_there |= set(self.table)
        self.asked.append((offset, limit))
        rows = list(self.table)
        if self.shuffle is not None:
            self.shuffle.shuffle(rows)
        rows = rows[offset : offset + min(limit, self.clamp)] if self.obeys_limit else rows
        size = len(rows) * self.size_of_row
        if size > self.largest_answer:
            raise RestApiLimitError("too large", limit="6 MB")
        return Page(rows, len(self.table), size, len(rows) * self.seconds_of_row)

    def read(self, order: Order, **known: Any) -> Iterator[int]:
        listing = Listing(self.fetch, lambda row: row, order, environment_name="e", about=("GET", "/list"), **known)
        return rows_of(listing, once)


def insert(at: float, row: int) -> Callable[[list[int]], None]:
    return lambda table: table.insert(round(at * len(table)), row)


def delete(at: float, count: int) -> Callable[[list[int]], None]:
    def change(table: list[int]) -> None:
        start = round(at * len(table))
        del table[start : start + count]

    return change


places = st.floats(0, 1, allow_nan=False)
# new rows have numbers of their own, so that nothing that was deleted comes back
changes = st.lists(
    st.one_of(
        st.builds(insert, places, st.integers(10_000, 10**9)),
        st.builds(delete, places, st.integers(1, 150)),
        st.just(lambda table: None),
    ),
    max_size=12,
)


@given(count=st.integers(0, 1200), clamp=st.integers(1, 1500), order=st.sampled_from(["fixed", "moving", "none"]))
@example(count=0, clamp=1, order="fixed")
@example(count=100, clamp=100, order="none")
def test_a_list_at_rest_comes_once_and_in_its_order(count: int, clamp: int, order: Order) -> None:
    fake = FakeList(list(range(count)), clamp=clamp if count < 200 else max(clamp, 20))
    assert list(fake.read(order)) == list(range(count))


@given(count=st.integers(0, 500), clamp=st.integers(2, 600), changes=changes)
@settings(deadline=None)
def test_in_a_fixed_order_every_row_that_stays_comes_once(
    count: int, clamp: int, changes: list[Callable[[list[int]], None]]
) -> None:
    fake = FakeList(list(range(count)), clamp=clamp, changes=changes)
    read = list(fake.read("fixed"))
    assert len(read) == len(set(read))
    assert fake.there_all_the_time <= set(read) <= fake.ever_there
    stayed = [row for row in read if row in fake.there_all_the_time]
    assert stayed == sorted(stayed)


@given(count=st.integers(0, 500), clamp=st.integers(1, 600), seed=st.integers(), changes=changes)
@settings(deadline=None)
def test_without_order_a_list_ends_and_says_when_it_cannot_be_read(
    count: int, clamp: int, seed: int, changes: list[Callable[[list[int]], None]]
) -> None:
    fake = FakeList(list(range(count)), clamp=max(clamp, 20), shuffle=random.Random(seed), changes=list(changes))
    read, error = as_far_as_it_goes(fake.read("none"))
    if error is not None:
        assert (error.environment_name, error.method, error.path) == ("e", "GET", "/list")
        assert (error.rows, error.total_entries) == (len(read), len(fake.table))
    elif not changes:
        assert set(read) == set(range(count))
    assert len(read) == len(set(read))
    assert set(read) <= fake.ever_there


@given(count=st.integers(0, 300), seed=st.integers())
@settings(deadline=None)
def test_rows_that_go_to_the_end_come_once(count: int, seed: int) -> None:
    chance = random.Random(seed)

    def tried_again(table: list[int]) -> None:
        for _ in range(min(3, len(table))):
            table.append(table.pop(chance.randrange(len(table))))

    fake = FakeList(list(range(count)), clamp=20, changes=[tried_again] * 40)
    assert sorted(fake.read("moving")) == list(range(count))


def test_a_table_that_never_rests_ends_with_an_error_after_the_rows_that_could_be_read() -> None:
    numbers = iter(range(1000, 10**6))
    fake = FakeList(
        list(range(50)),
        clamp=10,
        shuffle=random.Random(1),
        changes=[lambda table: table.insert(0, next(numbers))] * 10_000,
    )
    read, error = as_far_as_it_goes(fake.read("none"))
    assert re.search(r"the list keeps changing \(it was read 5 times\). \d+ rows were read", str(error))
    assert len(read) == len(set(read)) > 50


def test_a_table_that_grows_faster_than_it_is_read_ends_too() -> None:
    numbers = iter(range(1000, 10**9))
    fake = FakeList(
        list(range(50)),
        clamp=10,
        changes=[lambda table: table.extend(next(numbers) for _ in range(20))] * 10_000,
    )
    with pytest.raises(IncompleteListError, match="it grows faster than it can be read"):
        list(fake.read("fixed"))


def test_a_table_whose_rows_flee_before_each_page_ends_too() -> None:
    numbers = iter(range(1000, 10**9))

    def replaced(table: list[int]) -> None:
        table[:] = [next(numbers) for _ in range(500)]

    fake = FakeList(list(range(500)), clamp=50, changes=[replaced] * 10_000)
    with pytest.raises(IncompleteListError):
        list(fake.read("fixed"))
    assert len(fake.asked) < 500


@given(count=st.integers(0, 400), order=st.sampled_from(["fixed", "moving", "none"]))
def test_what_ignores_limits_is_asked_once(count: int, order: Order) -> None:
    fake = FakeList(list(range(count)), obeys_limit=False)
    assert list(fake.read(order, obeys_limit=False)) == list(range(count))
    assert fake.asked == [(0, 100)]


def test_pages_grow_while_answers_are_small_and_shrink_before_the_limits() -> None:
    fake = FakeList(list(range(5000)), size_of_row=100)
    assert len(list(fake.read("none"))) == 5000
    assert [limit for _, limit in fake.asked] == [100, 200, 400, 800, 1000, 1000, 1000, 1000]
    # rows of 40 kB: a page of 100 is 4 MB, more than half of what IAM passes on
    heavy = FakeList(list(range(300)), size_of_row=40_000)
    assert len(list(heavy.read("none"))) == 300
    assert [limit for _, limit in heavy.asked] == [100, 50, 50, 50, 50]
    # a page of 100 takes 6 seconds of the 10 that IAM waits
    slow = FakeList(list(range(300)), seconds_of_row=0.06)
    assert len(list(slow.read("none"))) == 300
    assert [limit for _, limit in slow.asked] == [100, 50, 50, 50, 50]


def test_a_page_that_is_too_large_is_halved_down_to_one_row() -> None:
    fake = FakeList(list(range(20)), size_of_row=1_000_000, largest_answer=6_000_000)
    assert list(fake.read("fixed")) == list(range(20))
    assert [limit for _, limit in fake.asked][:6] == [100, 50, 25, 12, 6, 4]
    one_by_one = FakeList(list(range(20)), size_of_row=4_000_000, largest_answer=6_000_000)
    assert list(one_by_one.read("fixed")) == list(range(20))
    hopeless = FakeList(list(range(20)), size_of_row=7_000_000, largest_answer=6_000_000)
    with pytest.raises(RestApiLimitError):
        list(hopeless.read("fixed"))
    assert [limit for _, limit in hopeless.asked] == [100, 50, 25, 12, 6, 3, 1]


def test_where_limits_are_ignored_a_smaller_page_is_not_asked_for() -> None:
    fake = FakeList(list(range(20)), size_of_row=1_000_000, largest_answer=6_000_000, obeys_limit=False)
    with pytest.raises(RestApiLimitError):
        list(fake.read("none", obeys_limit=False))
    assert fake.asked == [(0, 100)]


@given(groups=st.lists(st.integers(1, 120), max_size=12), clamp=st.integers(16, 100))
@settings(deadline=None)
def test_rows_that_are_counted_more_than_once_come_once(groups: list[int], clamp: int) -> None:
    """As the import errors of 3.2.1: an error is counted for each DAG of its file, and shown once."""
    counted = [number for number, count in enumerate(groups) for _ in range(count)]

    def fetch(offset: int, limit: int) -> Page[int]:
        rows = list(dict.fromkeys(counted[offset : offset + min(limit, clamp)]))
        return Page(rows, len(counted))

    listing = Listing(fetch, lambda row: row, "merged")
    assert list(rows_of(listing, once)) == list(range(len(groups)))


def test_pages_are_asked_for_when_their_rows_are_wanted() -> None:
    fake = FakeList(list(range(500)))
    rows = fake.read("fixed")
    assert fake.asked == []
    assert [next(rows) for _ in range(100)] == list(range(100))
    assert fake.asked == [(0, 100)]
    next(rows)
    assert fake.asked == [(0, 100), (99, 201)]


def test_a_page_is_repeated_like_any_read_and_its_errors_are_told() -> None:
    def fail(offset: int, limit: int) -> Page[int]:
        raise RestApiServerError("down")

    calls = []

    def twice(call: Callable[[], Any]) -> Any:
        calls.append(call)
        with pytest.raises(RestApiServerError):
            call()
        return call()

    with pytest.raises(RestApiServerError, match="down"):
        list(rows_of(Listing(fail, lambda row: row, "fixed"), twice))
    assert len(calls) == 1
