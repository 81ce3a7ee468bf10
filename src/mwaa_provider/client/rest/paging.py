"""Lists, page by page to the end, also while rows come and go.

How large a page may be differs by release and endpoint (some clamp, some do not, one ignores what is asked): a page is asked for, and what
came back is what counts. Pages shrink before an answer comes near InvokeRestApi's limits of 6 MB and 10 seconds.

Airflow pages by offset, so rows that come or go between two pages shift the rest. Where the order of the rows is fixed, each page begins
with the last row of the one before. If it does not begin with a row that was seen, rows before it have gone, and the reading takes a step
back. Where the order is not fixed, the list is read again until as many rows were seen as Airflow counts. Both end: a list that changes
faster than it can be read is an error, after the rows that could be read.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from mwaa_provider.exceptions import IncompleteListError, RestApiLimitError

Row = TypeVar("Row")

#: Rows of the first page asked for, and of the largest one.
FIRST_PAGE, LARGEST_PAGE = 100, 1000
#: Half of InvokeRestApi's limits: an answer beyond them halves the next page. A fifth: one below them doubles it.
_NEAR_BYTES, _NEAR_SECONDS = 3 * 1024 * 1024, 5.0
_FAR_BYTES, _FAR_SECONDS = 1_200_000, 2.0
#: How often a list without a fixed order is read before it is given up.
_READINGS = 5
#: So many pages in a row without a row that is new, and a list is given up.
_PAGES_WITHOUT_NEWS = 100
#: A list may become this many times as long, and a thousand rows longer, while it is read.
_GROWTH = 2
#: How far to go on at most where several counted rows were shown as one; no server's pages are smaller.
_LONGEST_STRIDE = 8

#: ``fixed``: a row keeps its place among the others. ``moving``: there is an order, but rows may go to its end. ``none``: none.
#: ``merged``: there is an order, but rows that are counted one by one may be shown as one.
Order = Literal["fixed", "moving", "none", "merged"]
#: Makes a call that may be made twice, again while it fails for a passing reason.
Repeat = Callable[[Callable[[], Any]], Any]


@dataclass(frozen=True)
class Page(Generic[Row]):
    """One answer of a list.

    :param rows: Its rows.
    :param total: How many rows Airflow counts in all pages.
    :param size: The answer's size in bytes.
    :param seconds: How long it took.
    """

    rows: list[Row]
    total: int
    size: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """A list, and what is known about how to read it.

    :param fetch: Asks once for a page, by offset and number of rows.
    :param key: Tells rows apart.
    :param order: Whether its rows keep their places.
    :param obeys_limit: Whether it looks at the number of rows asked for (default true).
    :param environment_name: For errors: the environment.
    :param about: For errors: method and path.
    """

    fetch: Callable[[int, int], Page[Row]]
    key: Callable[[Row], Hashable]
    order: Order
    obeys_limit: bool = True
    environment_name: str = ""
    about: tuple[str, str] = ("GET", "")


def rows_of(listing: Listing[Row], repeat: Repeat) -> Iterator[Row]:
    """Return all rows of a list, each once, asking for a page when its rows are wanted.

    :param listing: The list.
    :param repeat: Makes a call that may be made twice, again while it fails for a passing reason.
    :raises IncompleteListError: after the rows that could be read, if the list changes faster than that.
    """
    return _Reading(listing, repeat).rows()


class _Size:
    """How many rows to ask for."""

    def __init__(self) -> None:
        self.rows = FIRST_PAGE
        self._most = LARGEST_PAGE

    def learn(self, page: Page[Row], asked: int) -> None:
        """Draw the conclusion from a page for the next one."""
        if page.size > _NEAR_BYTES or page.seconds > _NEAR_SECONDS:
            self.rows = max(1, min(asked, len(page.rows)) // 2)
        elif page.size < _FAR_BYTES and page.seconds < _FAR_SECONDS and len(page.rows) >= asked:
            self.rows = min(self.rows * 2, self._most)

    def was_too_many(self) -> None:
        """Halve the page for good."""
        self.rows = self._most = max(1, self.rows // 2)


class _Reading(Generic[Row]):
    """One reading of a list: what was seen, and whether it comes to an end."""

    def __init__(self, listing: Listing[Row], repeat: Repeat) -> None:
        self._listing = listing
        self._repeat = repeat
        self._size = _Size()
        self._seen: set[Hashable] = set()
        self._first_total: int | None = None
        self._total = 0
        self._pages_without_news = 0

    def rows(self) -> Iterator[Row]:
        if self._listing.order == "merged":
            yield from self._in_strides(set())
            return
        if self._listing.order == "fixed":
            yield from self._in_order(set())
            return
        read = self._in_order if self._listing.order == "moving" else self._as_they_come
        for _ in range(_READINGS):
            this_time: set[Hashable] = set()
            yield from read(this_time)
            # A row that has gone since an earlier reading must not stand in for one that was missed: each reading counts by itself.
            if len(this_time) >= self._total or len(self._seen) == self._total == self._first_total:
                return
        raise self._incomplete(f"it was read {_READINGS} times")

    def _as_they_come(self, this_time: set[Hashable]) -> Iterator[Row]:
        offset = 0
        while True:
            page, _ = self._page(offset, overlap=0)
            yield from self._new(page, this_time)
            offset += len(page.rows)
            if not page.rows or offset >= page.total:
                return

    def _in_strides(self, this_time: set[Hashable]) -> Iterator[Row]:
        offset, stride = 0, 1
        while True:
            page, _ = self._page(offset, overlap=0)
            before = len(this_time)
            yield from self._new(page, this_time)
            # How many counted rows were shown as one is not told.
            stride = 1 if len(this_time) > before else min(stride * 2, _LONGEST_STRIDE)
            offset += max(len(page.rows), stride)
            if not page.rows or offset >= page.total:
                return

    def _in_order(self, this_time: set[Hashable]) -> Iterator[Row]:
        read_to, may_overlap = 0, True
        while True:
            page, overlap = self._page(read_to, overlap=1 if read_to and may_overlap else 0)
            start = read_to - overlap
            if overlap and self._has_gap(page, start, this_time):
                self._note_news(has_news=False)
                read_to = max(0, min(start, page.total) - self._size.rows)
                continue
            yield from self._new(page, this_time)
            end = start + len(page.rows)
            if not page.rows or end >= page.total:
                return
            may_overlap = end > read_to  # not if pages have one row, and it was the one that was seen
            read_to = max(read_to, end)

    def _has_gap(self, page: Page[Row], start: int, this_time: set[Hashable]) -> bool:
        """Tell whether rows that were not seen may stand before this page, because others before them have gone."""
        if not page.rows:
            return start >= page.total > 0
        return self._listing.key(page.rows[0]) not in this_time

    def _new(self, page: Page[Row], this_time: set[Hashable]) -> Iterator[Row]:
        before = len(this_time)
        for row in page.rows:
            key = self._listing.key(row)
            this_time.add(key)
            if key not in self._seen:
                self._seen.add(key)
                yield row
        self._note_news(has_news=len(this_time) > before)
        if self._first_total is not None and len(self._seen) > _GROWTH * self._first_total + 1000:
            raise self._incomplete("it grows faster than it can be read")

    def _page(self, read_to: int, overlap: int) -> tuple[Page[Row], int]:
        """Return the page from here on, and the number of rows before here that it begins with."""
        while True:
            asked = self._size.rows + overlap
            page = self._repeat(self._question(read_to - overlap, asked))
            if isinstance(page, Page):
                break
            if self._size.rows > 1:
                self._size.was_too_many()
            else:
                overlap = 0
        self._size.learn(page, asked)
        self._total = page.total
        if self._first_total is None:
            self._first_total = page.total
        return page, overlap

    def _question(self, offset: int, asked: int) -> Callable[[], Page[Row] | RestApiLimitError]:
        def ask() -> Page[Row] | RestApiLimitError:
            try:
                return self._listing.fetch(offset, asked)
            except RestApiLimitError as error:
                if asked > 1 and self._listing.obeys_limit:
                    return error  # not raised: to ask for the same again would take ten seconds more
                raise

        return ask

    def _note_news(self, *, has_news: bool) -> None:
        self._pages_without_news = 0 if has_news else self._pages_without_news + 1
        if self._pages_without_news >= _PAGES_WITHOUT_NEWS:
            raise self._incomplete(f"{_PAGES_WITHOUT_NEWS} pages in a row brought nothing new")

    def _incomplete(self, why: str) -> IncompleteListError:
        method, path = self._listing.about
        return IncompleteListError(
            f"{method} {path} on environment {self._listing.environment_name!r}: the list keeps changing ({why}). {len(self._seen)} rows "
            f"were read; Airflow counts {self._total}. Ask again when less is going on, or for less: narrow the filters.",
            environment_name=self._listing.environment_name,
            method=method,
            path=path,
            rows=len(self._seen),
            total_entries=self._total,
        )
