"""What a run is asked for with, in the words of each release; what a release lacks, or takes and drops, is told before anything is sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from mwaa_provider.client.rest import shapes
from mwaa_provider.exceptions import InvalidInputError

Release = tuple[int, ...]

#: The first release that takes each from a caller.
_FIRST_WITH_DATA_INTERVAL = (2, 9, 2)
_FIRST_WITH_RUN_AFTER = (3, 0, 6)
_FIRST_WITH_PARTITION_KEY = (3, 2, 1)
#: Up to here the end of a logical date's data interval takes the place of ``run_after``.
_LAST_THAT_OVERRULES_RUN_AFTER = (3, 0, 99)


def body_of(
    release: Release,
    *,
    run_id: str,
    conf: Mapping[str, Any] | None = None,
    logical_date: datetime | None = None,
    note: str | None = None,
    data_interval_start: datetime | None = None,
    data_interval_end: datetime | None = None,
    run_after: datetime | None = None,
    partition_key: str | None = None,
) -> dict[str, Any]:
    """Return the body that asks for a run.

    :param release: The release that is asked.
    :param run_id: The run's id.
    :param conf: Its configuration, a JSON object (default: empty).
    :param logical_date: The date it is for (default: what the release takes).
    :param note: A note on it (default: none).
    :param data_interval_start: The beginning of its data interval (default: what the DAG's timetable says).
    :param data_interval_end: The end of its data interval.
    :param run_after: When it may begin at the earliest (default: now).
    :param partition_key: The partition it is for (default: none).
    :raises InvalidInputError: naming everything that the release does not do.
    """
    has_interval = data_interval_start is not None
    if problems := _problems(release, logical_date, has_interval, run_after, partition_key):
        raise InvalidInputError(problems)
    body: dict[str, Any] = {"dag_run_id": run_id, "conf": dict(conf or {})}
    if release >= (3,):
        body["logical_date"] = None  # v2 wants the key, and null for a run without a date
    moments = {
        "logical_date": logical_date,
        "data_interval_start": data_interval_start,
        "data_interval_end": data_interval_end,
        "run_after": run_after,
    }
    body |= {name: shapes.utc(moment) for name, moment in moments.items() if moment is not None}
    body |= {name: text for name, text in (("note", note), ("partition_key", partition_key)) if text is not None}
    return body


def _problems(
    release: Release,
    logical_date: datetime | None,
    has_interval: bool,
    run_after: datetime | None,
    partition_key: str | None,
) -> list[str]:
    problems = []
    asked = (
        ("data_interval_start, data_interval_end", has_interval, _FIRST_WITH_DATA_INTERVAL),
        ("run_after", run_after is not None, _FIRST_WITH_RUN_AFTER),
        ("partition_key", partition_key is not None, _FIRST_WITH_PARTITION_KEY),
    )
    for name, is_asked, first in asked:
        if is_asked and release < first:
            problems.append(
                f"{name}: Airflow {_text(release)} does not take it, {_text(first)} and later do; leave it out, or update the environment"
            )
    if has_interval and logical_date is None and release >= (3,):
        problems.append(
            "data_interval_start, data_interval_end: Airflow 3 gives a run without a logical date no data interval; give logical_date too"
        )
    is_overruled = run_after is not None and logical_date is not None and not has_interval
    if is_overruled and _FIRST_WITH_RUN_AFTER <= release <= _LAST_THAT_OVERRULES_RUN_AFTER:
        problems.append(
            "run_after: Airflow 3.0 lets a run with a logical date begin at the end of its data interval, whatever run_after says; "
            "give data_interval_start and data_interval_end too, or leave out one of logical_date and run_after"
        )
    return problems


def _text(release: Release) -> str:
    return ".".join(str(part) for part in release)
