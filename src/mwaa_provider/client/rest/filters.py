"""What lists are narrowed by and sorted by, in the words of each release."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mwaa_provider.client.rest import shapes
from mwaa_provider.client.rest.paging import Order
from mwaa_provider.exceptions import InvalidInputError

#: What runs can be sorted by, in Airflow 2's words; the rest is called the same. ``run_after`` is Airflow 3's.
_ORDERS_V1 = {
    "id": "id",
    "dag_id": "dag_id",
    "run_id": "dag_run_id",
    "logical_date": "execution_date",
    "state": "state",
    "start_date": "start_date",
    "end_date": "end_date",
}
#: These never change in a run, and v2 sorts runs that are alike in them by their ids.
_FIXED_V2 = frozenset({"id", "dag_id", "run_id", "logical_date", "run_after"})
#: These it sorts so as well, and a run that begins, ends or is cleared goes to the end: nothing happens earlier than what was read.
_MOVING_V2 = frozenset({"start_date", "end_date"})

RUN_ORDERS = (*_ORDERS_V1, "run_after")


def ranges(limits: Mapping[str, datetime | None], major: int) -> dict[str, str]:
    """Return the ranges that were asked for.

    :param limits: Points in time by name, such as ``logical_date_gte``; ``None`` for no limit.
    :param major: The line of Airflow.
    :raises InvalidInputError: if the line does not have one of them.
    """
    given = {name: shapes.utc(limit) for name, limit in limits.items() if limit is not None}
    if major >= 3:
        return given
    if unknown := [name for name in given if name.startswith("run_after")]:
        raise InvalidInputError([f"{name}: Airflow 2 has no run_after; give logical_date_..." for name in unknown])
    return {name.replace("logical_date", "execution_date"): limit for name, limit in given.items()}


def run_order(order_by: str, major: int) -> tuple[str, Order]:
    """Return what to sort runs by, and what is known then of their places.

    :param order_by: One of ``RUN_ORDERS``, with ``-`` before it for the other way round.
    :param major: The line of Airflow.
    :raises InvalidInputError: if the line cannot.
    """
    sign, name = order_by[: -len(order_by.lstrip("-"))], order_by.lstrip("-")
    if major >= 3:
        return order_by, "fixed" if name in _FIXED_V2 else "moving" if name in _MOVING_V2 else "none"
    if name not in _ORDERS_V1:
        raise InvalidInputError([f"order_by: Airflow 2 has no {name}; give logical_date"])
    # v1 leaves it to the database how rows that are alike in this column follow one another
    return sign + _ORDERS_V1[name], "fixed" if name == "id" else "none"


def without_none(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was asked for.

    :param asked: Filters by name; ``None`` for no filter.
    """
    return {name: value for name, value in asked.items() if value is not None}


def boolean(value: bool | None) -> str | None:
    """Return a boolean as a query has it: how MWAA would write one of JSON is not published.

    :param value: The value; ``None`` for no filter.
    """
    return None if value is None else str(value).lower()
