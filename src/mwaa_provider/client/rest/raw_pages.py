"""Any list of Airflow's REST API as it is, page by page: for callers who know its rows, which we do not.

The lists that the client has calls for are read by :mod:`mwaa_provider.client.rest.paging`, which tells rows apart and notices when they
come and go. Here a page begins where the one before ended, and shrinks where InvokeRestApi's limits of 10 seconds and 6 MB are hit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mwaa_provider.client.transport import RestResponse, is_read
from mwaa_provider.exceptions import RestApiLimitError, UnexpectedAnswerError

#: Rows of a page where the caller does not say.
_PAGE_ROWS = 100

Fields = Mapping[str, Any]
#: Sends the call with these query parameters and this body.
Ask = Callable[[Fields, Fields], RestResponse]


def check_pages(method: Any, path: Any, params: Fields | None, body: Fields | None) -> list[str]:
    """Check that a call can be made page by page.

    :param method: ``GET``, or ``POST``.
    :param path: The path; that of a ``POST`` ends in ``/list``.
    :param params: Query parameters.
    :param body: The JSON body.
    """
    if not is_read(str(method), str(path)):
        return [f"method: {method} {path} is no list; only a GET, and a POST to '.../list', have pages"]
    asked = (params if method == "GET" else body) or {}
    limit, offset = _names(method)
    problems = []
    if offset in asked:
        problems.append(f"{offset}: {asked[offset]!r} was given, but all pages are read from the first; leave it out")
    if not _page_rows(method, asked):
        problems.append(f"{limit}: {asked[limit]!r} is not the size of a page; give a number of rows above 0")
    return problems


def pages_of(method: str, params: Fields, body: Fields, ask: Ask) -> Iterator[RestResponse]:
    """Return the pages of a list, each asked for when it is wanted.

    :param method: ``GET`` or ``POST``.
    :param params: Query parameters.
    :param body: The JSON body.
    :param ask: Sends the call.
    :raises UnexpectedAnswerError: if an answer is no list with a count.
    """
    limit_name, offset_name = _names(method)
    is_get = method == "GET"
    size = _page_rows(method, params if is_get else body)
    offset = 0
    while True:
        page = {limit_name: size, offset_name: offset}
        try:
            answer = ask({**params, **page}, body) if is_get else ask(params, {**body, **page})
        except RestApiLimitError:
            if size == 1:
                raise
            size //= 2
            continue
        _, rows, total = _list_in(answer)
        yield answer
        offset += len(rows)
        if not rows or offset >= total:
            return


class WholeList:
    """The pages of a list, put together to one answer."""

    def __init__(self) -> None:
        self._name = ""
        self._rows: list[Any] = []
        self.total = 0
        """How many rows Airflow counts."""

    def add(self, page: RestResponse) -> None:
        """Add the next page.

        :param page: The page.
        """
        self._name, rows, self.total = _list_in(page)
        self._rows += rows

    @property
    def answer(self) -> dict[str, Any]:
        """The answer as Airflow would give it if its pages had no end."""
        return {self._name: self._rows, "total_entries": self.total}

    @property
    def missing(self) -> int:
        """How many of the rows that Airflow counts did not come; below zero, how many more came: the list changed meanwhile."""
        return self.total - len(self._rows)


def _names(method: str) -> tuple[str, str]:
    return ("limit", "offset") if method == "GET" else ("page_limit", "page_offset")


def _page_rows(method: str, asked: Fields) -> int:
    """Return how many rows a page is to have; 0 if what the caller gave is no number."""
    given = str(asked.get(_names(method)[0], _PAGE_ROWS))
    return int(given) if given.isdecimal() else 0


def _list_in(answer: RestResponse) -> tuple[str, list[Any], int]:
    body = answer.body if isinstance(answer.body, dict) else {}
    lists = [name for name, value in body.items() if isinstance(value, list)]
    total = body.get("total_entries")
    if len(lists) != 1 or not isinstance(total, int):
        raise UnexpectedAnswerError(
            "Airflow's answer has no pages: one list and its count (total_entries) are wanted. Ask for it as a single answer.",
            status=answer.status,
            detail="no pages",
        )
    return lists[0], body[lists[0]], total
