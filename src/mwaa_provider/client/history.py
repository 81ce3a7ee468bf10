"""DAG runs and task instances of an environment as rows, by ranges of dates: for those who want all of them.

Airflow's lists page by offset, and the deeper the offset the longer a page takes (on 3.2.1, 0.17 s at the beginning, a second at 100,000).
So a long time is halved until each part holds few rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.client.core import ClientCore, raise_problems
from mwaa_provider.client.rest.history import HistoryColumn, HistoryTable, Row
from mwaa_provider.client.rest.paging import Listing, rows_of
from mwaa_provider.exceptions import RestApiLimitError

#: Rows that are read by offset at most, if the time can be halved.
_ROWS_OF_A_WINDOW = 5000
_SHORTEST_WINDOW = timedelta(seconds=1)
_TABLES = ("dag_run", "task_instance")


class HistoryCalls(ClientCore):
    """Calls about the history of an environment, as rows."""

    def history_columns(self, environment_name: str, table: HistoryTable) -> tuple[HistoryColumn, ...]:
        """Return the columns of a table of the metadata database that the environment's REST API shows.

        :param environment_name: The environment's name.
        :param table: ``dag_run`` or ``task_instance``.
        """
        raise_problems(
            [
                *input_checks.check_environment_name(environment_name),
                *input_checks.check_one_of("table", table, _TABLES),
            ]
        )
        return self._airflow(environment_name).history_columns(table)

    def list_history(
        self, environment_name: str, table: HistoryTable, *, since: datetime, until: datetime
    ) -> Iterator[Row]:
        """Return the rows of DAG runs, or task instances, that began in a time, as the REST API gives them, page by page.

        Those that have not begun are not among them.
        https://airflow.apache.org/docs/apache-airflow/stable/stable-rest-api-ref.html

        :param environment_name: The environment's name.
        :param table: ``dag_run`` or ``task_instance``.
        :param since: Only begun then or later, with time zone.
        :param until: Only begun before, with time zone.
        :raises InvalidInputError: naming every problem of the arguments.
        :raises IncompleteListError: while it is read, if the list changes faster than that.
        """
        raise_problems(
            [
                *input_checks.check_environment_name(environment_name),
                *input_checks.check_one_of("table", table, _TABLES),
                *input_checks.check_moment("since", since),
                *input_checks.check_moment("until", until),
            ]
        )
        return self._windows(environment_name, table, since, until)

    def _windows(self, environment_name: str, table: HistoryTable, since: datetime, until: datetime) -> Iterator[Row]:
        if since >= until:
            return
        airflow = self._airflow(environment_name)
        listing = airflow.history(table, since, until)
        width = until - since
        if width > _SHORTEST_WINDOW:
            count = self._retry.repeat(lambda: _count(listing))
            if count == 0:
                return
            if count is None or count > _ROWS_OF_A_WINDOW:
                middle = since + width / 2
                yield from self._windows(environment_name, table, since, middle)
                yield from self._windows(environment_name, table, middle, until)
                return
        for row in rows_of(listing, repeat=self._retry.repeat):
            # Airflow includes the last moment, which belongs to the next window.
            if _began(row) < until:
                yield row


def _count(listing: Listing[Row]) -> int | None:
    """Return how many rows a list has; ``None`` if there are too many for one answer where it ignores the number of rows asked for."""
    try:
        return listing.fetch(0, 1).total
    except RestApiLimitError:
        return None


def _began(row: Row) -> datetime:
    text: Any = row["start_date"]
    return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
