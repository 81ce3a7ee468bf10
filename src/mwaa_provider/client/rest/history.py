"""DAG runs and task instances as they stand in the metadata database, as far as the REST API tells: which field is which column.

The tables have columns that no field shows. A field that may be something else than its column (a display name, a number that counts
differently) is not taken for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mwaa_provider.client.rest import endpoints, filters
from mwaa_provider.client.rest.core import RestCore
from mwaa_provider.client.rest.paging import Listing

HistoryTable = Literal["dag_run", "task_instance"]

Row = Mapping[str, Any]

_MOMENT = "timestamp with time zone"
_TEXT = "character varying"


@dataclass(frozen=True)
class HistoryColumn:
    """A column of a table, and the field that shows it.

    :param name: The column's name.
    :param type: PostgreSQL's name of its type.
    :param field: The field, with a dot before a field of a field.
    :param major: The line of Airflow that has it: 2 or 3; both by default.
    :param since: The first release that has it; all of the line by default.
    :param upper: Whether the column holds the field's text in capitals.
    """

    name: str
    type: str
    field: str = ""
    major: int | None = None
    since: tuple[int, ...] = ()
    upper: bool = False

    def value(self, row: Row) -> Any:
        """Return the column's value in a row as the REST API gives it.

        :param row: The row.
        """
        value: Any = row
        for name in (self.field or self.name).split("."):
            value = None if value is None else value[name]
        return value.upper() if self.upper and value is not None else value


_COLUMNS: Mapping[HistoryTable, tuple[HistoryColumn, ...]] = {
    "dag_run": (
        HistoryColumn("dag_id", _TEXT),
        HistoryColumn("queued_at", _MOMENT, major=3),
        HistoryColumn("execution_date", _MOMENT, "logical_date", major=2),
        HistoryColumn("logical_date", _MOMENT, major=3),
        HistoryColumn("start_date", _MOMENT),
        HistoryColumn("end_date", _MOMENT),
        HistoryColumn("state", _TEXT),
        HistoryColumn("run_id", _TEXT, "dag_run_id"),
        HistoryColumn("external_trigger", "boolean", major=2),
        HistoryColumn("run_type", _TEXT),
        HistoryColumn("triggered_by", _TEXT, major=3, upper=True),
        HistoryColumn("triggering_user_name", _TEXT, major=3, since=(3, 1)),
        HistoryColumn("conf", "jsonb", major=3),
        HistoryColumn("data_interval_start", _MOMENT),
        HistoryColumn("data_interval_end", _MOMENT),
        HistoryColumn("run_after", _MOMENT, major=3),
        HistoryColumn("last_scheduling_decision", _MOMENT),
        HistoryColumn("bundle_version", _TEXT, major=3),
    ),
    "task_instance": (
        HistoryColumn("id", "uuid", major=3),
        HistoryColumn("task_id", _TEXT),
        HistoryColumn("dag_id", _TEXT),
        HistoryColumn("run_id", _TEXT, "dag_run_id"),
        HistoryColumn("map_index", "integer"),
        HistoryColumn("start_date", _MOMENT),
        HistoryColumn("end_date", _MOMENT),
        HistoryColumn("duration", "double precision"),
        HistoryColumn("state", _TEXT),
        # Up to 2.9 the field counts the try that comes next.
        HistoryColumn("try_number", "integer", since=(2, 10)),
        HistoryColumn("max_tries", "integer"),
        HistoryColumn("hostname", _TEXT),
        HistoryColumn("unixname", _TEXT),
        HistoryColumn("pool", _TEXT),
        HistoryColumn("pool_slots", "integer"),
        HistoryColumn("queue", _TEXT),
        HistoryColumn("priority_weight", "integer"),
        HistoryColumn("operator", _TEXT),
        HistoryColumn("queued_dttm", _MOMENT, "queued_when"),
        HistoryColumn("scheduled_dttm", _MOMENT, "scheduled_when", major=3),
        HistoryColumn("pid", "integer"),
        HistoryColumn("executor", _TEXT, since=(2, 10)),
        HistoryColumn("dag_version_id", "uuid", "dag_version.id", major=3),
    ),
}


class HistoryEndpoints(RestCore):
    """Rows of the history's tables."""

    def history_columns(self, table: HistoryTable) -> tuple[HistoryColumn, ...]:
        """Return the columns of a table that this release's REST API shows, in the order of the table.

        :param table: The table.
        """
        return tuple(
            column
            for column in _COLUMNS[table]
            if column.major in (None, self._major) and self._release >= column.since
        )

    def history(self, table: HistoryTable, since: datetime, until: datetime) -> Listing[Row]:
        """Return the list of the rows that began in a time, both ends included.

        :param table: The table.
        :param since: The first moment.
        :param until: The last moment.
        """
        limits = filters.ranges({"start_date_gte": since, "start_date_lte": until}, self._major)
        if table == "dag_run":
            sort, order = filters.run_order("id", self._major)
            return self._listing(
                endpoints.LIST_DAG_RUNS,
                rows="dag_runs",
                read=lambda row: row,
                key=lambda row: (row["dag_id"], row["dag_run_id"]),
                asked={**limits, "order_by": sort},
                order=order,
            )
        return self._listing(
            endpoints.LIST_TASK_INSTANCES,
            rows="task_instances",
            read=lambda row: row,
            key=lambda row: (row["dag_id"], row["dag_run_id"], row["task_id"], row["map_index"]),
            # As for the list of task instances: v2 gives one another id with every try, v1 cannot sort them.
            asked={**limits, "order_by": "id"} if self._major >= 3 else limits,
            order="moving" if self._major >= 3 else "none",
            obeys_limit=self._release > (2, 9, 99),
        )
