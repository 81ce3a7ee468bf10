"""What a clean-up was asked for: read, converted and checked as a whole, before anything is done."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metadata.cleanup.pace import Settings
from mwaa_provider.metadata.cleanup.plan import Wanted
from mwaa_provider.metadata.cleanup.sessions import Limits
from mwaa_provider.metadata.export.request import is_bucket

#: What the AWS guide's sample takes.
DEFAULT_MAX_AGE_IN_DAYS = 30
#: Rows younger than so many days are only removed by whoever lowers this by name.
DEFAULT_MIN_AGE_IN_DAYS = 1
#: More connections than this would take them from Airflow.
MOST_PARALLEL = 8
ROUTES = ("auto", "database", "metadata_api", "cli")


@dataclass(frozen=True)
class CleanupRequest:
    """What was asked for; see :class:`mwaa_provider.operators.metadata_cleanup.MetadataCleanupOperator` for each.

    :param wanted: Which rows.
    :param settings: How to go about it.
    :param route: The road, or ``auto``.
    :param metadata_conn_id: The connection to the metadata database.
    :param environment_name: The environment.
    :param dry_run: Whether nothing is removed.
    :param analyze: Whether what lost rows is analysed at the end.
    :param vacuum: Whether it is vacuumed too.
    :param drop_leftovers: Whether the archive tables of ``airflow db clean`` are dropped.
    :param archive_to: The bucket and the beginning of the keys of the archive; ``None`` for none.
    """

    wanted: Wanted
    settings: Settings = field(default_factory=Settings)
    route: str = "auto"
    metadata_conn_id: str | None = None
    environment_name: str | None = None
    dry_run: bool = False
    analyze: bool = True
    vacuum: bool = False
    drop_leftovers: bool = False
    archive_to: tuple[str, str] | None = None


def read_request(
    *,
    max_age_in_days: Any = None,
    before: Any = None,
    min_age_in_days: Any = DEFAULT_MIN_AGE_IN_DAYS,
    tables: Any = None,
    dag_ids: Any = None,
    exclude_dag_ids: Any = None,
    batch_size: Any = None,
    parallel: Any = 1,
    max_duration: Any = None,
    statement_timeout: Any = 10.0,
    lock_timeout: Any = 0.5,
    pause_between_batches: Any = 0.0,
    route: Any = "auto",
    environment_name: Any = None,
    archive_to: Any = None,
    now: datetime | None = None,
    **further: Any,
) -> CleanupRequest:
    """Read the arguments of a clean-up, as an operator's templates or a command line give them.

    :param now: This moment (default: the clock's).
    :param further: What needs no reading; see :class:`CleanupRequest`, as the other parameters.
    :raises InvalidInputError: naming every problem at once.
    """
    cut, problems = _read_cut(max_age_in_days, before, min_age_in_days, now or datetime.now(timezone.utc))
    archive, problems_of_archive = read_archive(archive_to)
    names, problems_of_tables = read_names("tables", tables, "names of tables")
    only, problems_of_dags = read_names("dag_ids", dag_ids, "ids of DAGs")
    others, problems_of_others = read_names("exclude_dag_ids", exclude_dag_ids, "ids of DAGs")
    problems += [
        *problems_of_tables,
        *problems_of_dags,
        *problems_of_others,
        *(input_checks.check_count("batch_size", batch_size) if batch_size is not None else []),
        *_check_parallel(parallel),
        *input_checks.check_seconds("max_duration", max_duration, optional=True),
        *input_checks.check_seconds("statement_timeout", statement_timeout),
        *input_checks.check_seconds("lock_timeout", lock_timeout),
        *_check_pause(pause_between_batches),
        *input_checks.check_one_of("route", route, ROUTES),
        *(input_checks.check_environment_name(environment_name) if environment_name is not None else []),
    ]
    problems += problems_of_archive
    if archive is not None and "dag" in (names or ()):
        problems.append(
            "archive_to, tables: 'dag' is cleaned with too much that hangs on it to be archived; leave one of them out"
        )
    if only is not None and others is not None:
        problems.append("dag_ids, exclude_dag_ids: both say which DAGs are meant; give one")
    if problems or cut is None:
        raise InvalidInputError(problems)
    return CleanupRequest(
        wanted=Wanted(cut, names, only, others),
        settings=Settings(
            batch_size=batch_size,
            limits=Limits(float(statement_timeout), float(lock_timeout)),
            pause_between_batches=float(pause_between_batches),
            max_duration=None if max_duration is None else float(max_duration),
            parallel=parallel,
        ),
        route=route,
        environment_name=environment_name,
        archive_to=archive,
        **further,
    )


def read_archive(value: Any) -> tuple[tuple[str, str] | None, list[str]]:
    """Read where an archive is to lie: the bucket and what keys begin with; ``None`` stands for none.

    :param value: What the caller gave.
    """
    if value is None:
        return None, []
    bucket, _, prefix = str(value).removeprefix("s3://").partition("/")
    if not str(value).startswith("s3://") or not is_bucket(bucket) or "//" in prefix or "\x00" in prefix:
        return None, [f"archive_to: {value!r} is not an address in S3; give for example 's3://my-bucket/archive'"]
    return (bucket, prefix.strip("/")), []


def read_names(field_name: str, value: Any, what: str) -> tuple[tuple[str, ...] | None, list[str]]:
    """Read a list of names; ``None`` stands for no choice.

    :param field_name: The name the caller knows it by.
    :param value: What the caller gave.
    :param what: What they are names of.
    """
    if value is None:
        return None, []
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, Collection) or isinstance(names, (bytes, Mapping)) or not names:
        return None, [f"{field_name}: {value!r} is not a list; give {what}, or None"]
    wrong = [one for one in names if not isinstance(one, str) or not one or "\x00" in one]
    if wrong:
        return None, [f"{field_name}: {one!r} is not one of the {what}; give a text" for one in wrong]
    return tuple(dict.fromkeys(names)), []


def _read_cut(max_age: Any, before: Any, min_age: Any, now: datetime) -> tuple[datetime | None, list[str]]:
    cut, problems = input_checks.read_moment("before", before)
    problems = list(problems)
    if not _is_days(min_age, or_zero=True):
        problems.append(f"min_age_in_days: {min_age!r} is not an age; give a number of days, 0 for none")
    if max_age is not None and before is not None:
        problems.append("max_age_in_days, before: both say what is old; give one")
    days: Any = DEFAULT_MAX_AGE_IN_DAYS if max_age is None else max_age
    if not _is_days(days):
        problems.append(f"max_age_in_days: {max_age!r} is not an age; give a number of days above 0")
    if problems:
        return None, problems
    field_name = "max_age_in_days" if cut is None else "before"
    if cut is None:
        cut = now - timedelta(days=days)
    if cut > now:
        return None, [f"{field_name}: {cut.isoformat()} lies in the future; nothing is older than now"]
    if cut > now - timedelta(days=min_age):
        return None, [
            f"{field_name}: {cut.isoformat()} is less than {min_age:g} days ago; so young a row takes a smaller min_age_in_days"
        ]
    return cut, []


def _is_days(value: Any, *, or_zero: bool = False) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return (value >= 0 if or_zero else value > 0) and value < 365_000


def _check_parallel(value: Any) -> list[str]:
    problems = input_checks.check_count("parallel", value)
    if not problems and value > MOST_PARALLEL:
        problems = [f"parallel: {value!r} connections are too many; give {MOST_PARALLEL} at most"]
    return problems


def _check_pause(value: Any) -> list[str]:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < float("inf"):
        return []
    return [f"pause_between_batches: {value!r} is not a duration; give a number of seconds, 0 for none"]
