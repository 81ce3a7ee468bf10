"""What an export was asked for: read, converted and checked as a whole, before anything is done."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metadata.export import formats, keys
from mwaa_provider.metadata.export.source import ROADS, Asked

ROUTES = ("auto", *ROADS)
#: What the AWS guide's sample takes.
DEFAULT_MAX_AGE_IN_DAYS = 30
#: An incremental export that is given no end leaves rows younger than this, in seconds, to the next one: a transaction that is under way
#: may still bring some.
CUT_SECONDS = 60
#: S3's own rule for names of buckets, without its finer points.
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
#: What goes with both of S3's ways to write an object; the rest would change what we measure or where it lies.
EXTRA_ARGS = (
    "ACL",
    "BucketKeyEnabled",
    "CacheControl",
    "ContentLanguage",
    "ExpectedBucketOwner",
    "GrantFullControl",
    "GrantRead",
    "GrantReadACP",
    "GrantWriteACP",
    "Metadata",
    "ObjectLockLegalHoldStatus",
    "ObjectLockMode",
    "ObjectLockRetainUntilDate",
    "RequestPayer",
    "SSEKMSEncryptionContext",
    "SSEKMSKeyId",
    "ServerSideEncryption",
    "StorageClass",
    "Tagging",
)


@dataclass(frozen=True)
class ExportRequest:
    """What was asked for; see :class:`mwaa_provider.transfers.metadata_to_s3.MetadataToS3Operator` for each.

    :param bucket: The bucket.
    :param key_template: The template of keys.
    :param asked: Which rows.
    :param file_format: The format.
    :param compression: The compression.
    :param route: The road, or ``auto``.
    :param environment_name: The environment; ``None`` for this one.
    :param metadata_conn_id: The connection to the metadata database.
    :param extra_args: Further arguments for S3.
    :param incremental_from: A prefix under which the last manifest says where to go on.
    :param overwrite: Whether objects that are not this task instance's may be replaced.
    :param verify: Whether to read everything back.
    :param date: What ``{date}`` stands for.
    :param run_id: What ``{run_id}`` stands for.
    :param part: What ``{part}`` stands for.
    :param owner: Who exports: written on every object, so that a rerun knows its own.
    :param exported_by: The same for people, in the manifest.
    :param at_once: How many tables are read at a time.
    """

    bucket: str
    key_template: str
    asked: Asked
    file_format: str = "csv"
    compression: str | None = "gzip"
    route: str = "auto"
    environment_name: str | None = None
    metadata_conn_id: str | None = None
    extra_args: Mapping[str, Any] = field(default_factory=dict)
    incremental_from: str | None = None
    overwrite: bool = False
    verify: bool = False
    date: date = field(default_factory=lambda: datetime.now(timezone.utc).date())
    run_id: str = "manual"
    part: str = ""
    owner: str = ""
    exported_by: Mapping[str, Any] = field(default_factory=dict)
    at_once: int = 2

    def key_values(self, environment: str | None) -> keys.KeyValues:
        """Return what the key template's fields stand for.

        :param environment: The environment's name, as the source says it.
        """
        return keys.KeyValues(
            environment or self.environment_name or "airflow",
            self.date,
            self.run_id,
            formats.extension(self.file_format, self.compression),
            self.part,
        )


def read_request(
    *,
    s3_bucket: Any,
    s3_key_template: Any = keys.DEFAULT_TEMPLATE,
    tables: Any = None,
    max_age_in_days: Any = None,
    since: Any = None,
    until: Any = None,
    age_columns: Any = None,
    file_format: Any = "csv",
    compression: Any = "gzip",
    route: Any = "auto",
    environment_name: Any = None,
    metadata_conn_id: Any = None,
    extra_args: Any = None,
    incremental_from: Any = None,
    part: Any = None,
    at_once: Any = 2,
    now: datetime | None = None,
    **further: Any,
) -> ExportRequest:
    """Read the arguments of an export, as an operator's templates or a command line give them.

    :param now: This moment (default: the clock's).
    :param further: What needs no reading; see :class:`ExportRequest`, as the other parameters.
    :raises InvalidInputError: naming every problem at once.
    """
    now = now or datetime.now(timezone.utc)
    names, problems = read_tables(tables)
    part = "" if part is None else str(part)
    interval, problems_of_interval = _read_interval(max_age_in_days, since, until, incremental_from, now)
    problems += [
        *_check_bucket(s3_bucket),
        *keys.check_template(s3_key_template, tables=None if names is None or "history" in names else names, part=part),
        *problems_of_interval,
        *formats.check_format(file_format, compression),
        *input_checks.check_one_of("route", route, ROUTES),
        *(input_checks.check_environment_name(environment_name) if environment_name is not None else []),
        *_check_road_arguments(route, metadata_conn_id),
        *_check_age_columns(age_columns),
        *_check_extra_args(extra_args),
        *input_checks.check_count("at_once", at_once),
        *_check_part(part),
    ]
    if problems:
        raise InvalidInputError(problems)
    return ExportRequest(
        bucket=s3_bucket,
        key_template=s3_key_template,
        asked=Asked(names, *interval, age_columns=dict(age_columns or {})),
        file_format=file_format,
        compression=compression,
        route=route,
        environment_name=environment_name,
        metadata_conn_id=metadata_conn_id,
        extra_args=dict(extra_args or {}),
        incremental_from=incremental_from,
        part=part,
        at_once=at_once,
        **further,
    )


def read_tables(value: Any) -> tuple[tuple[str, ...] | None, list[str]]:
    """Read which tables are wanted; ``None`` stands for those of the AWS guide.

    :param value: What the caller gave.
    """
    if value is None:
        return None, []
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, Collection) or isinstance(names, (bytes, Mapping)) or not names:
        return None, [
            f"tables: {value!r} is not a list of tables; give names, 'history', or None for the three of the AWS guide"
        ]
    wrong = [name for name in names if not isinstance(name, str) or not name]
    if wrong:
        return None, [f"tables: {name!r} is not the name of a table" for name in wrong]
    return tuple(dict.fromkeys(names)), []


def _read_interval(
    max_age: Any, since: Any, until: Any, incremental_from: Any, now: datetime
) -> tuple[tuple[datetime | None, datetime | None], list[str]]:
    begin, problems = input_checks.read_moment("since", since)
    end, problems_of_end = input_checks.read_moment("until", until)
    problems = [*problems, *problems_of_end]
    if max_age is not None and since is not None:
        problems.append("max_age_in_days, since: both say where to begin; give one")
    if incremental_from is not None and (since is not None or max_age is not None):
        other = "since" if since is not None else "max_age_in_days"
        problems.append(f"incremental_from, {other}: both say where to begin; give one")
    if incremental_from is not None and not isinstance(incremental_from, str):
        problems.append(
            f"incremental_from: {incremental_from!r} is not a prefix of keys; give a text, '' for the whole bucket"
        )
    days: Any = DEFAULT_MAX_AGE_IN_DAYS if max_age is None else max_age
    if isinstance(days, bool) or not isinstance(days, (int, float)) or not 0 < days < 365_000:
        problems.append(f"max_age_in_days: {max_age!r} is not an age; give a number of days above 0")
    if problems:
        return (None, None), problems
    if begin is None and (max_age is not None or (since is None and until is None)):
        begin = (end or now) - timedelta(days=days)
    if incremental_from is not None:
        end = end or now - timedelta(seconds=CUT_SECONDS)
    if begin is not None and end is not None and begin >= end:
        problems.append(
            f"since, until: {begin.isoformat()} is not before {end.isoformat()}; the interval holds its beginning and not its end"
        )
    return (begin, end), problems


def is_bucket(value: Any) -> bool:
    """Tell whether something can be the name of a bucket.

    :param value: What the caller gave.
    """
    return isinstance(value, str) and _BUCKET.fullmatch(value) is not None


def _check_bucket(value: Any) -> list[str]:
    if is_bucket(value):
        return []
    return [f"s3_bucket: {value!r} is not the name of a bucket; give it without 's3://' and without a path"]


def _check_road_arguments(route: Any, metadata_conn_id: Any) -> list[str]:
    if metadata_conn_id is not None and route in ("metadata_api", "rest"):
        return [
            f"metadata_conn_id, route: a connection to the database is of no use on the road {route!r}; leave one of them out"
        ]
    return []


def _check_age_columns(value: Any) -> list[str]:
    if value is None or (
        isinstance(value, Mapping) and all(isinstance(one, str) for pair in value.items() for one in pair)
    ):
        return []
    return [f"age_columns: {value!r} is not a dict of table to column, such as {{'task_instance': 'updated_at'}}"]


def _check_extra_args(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, Mapping):
        return [
            f"extra_args: {type(value).__name__} is not a dict; give for example {{'ServerSideEncryption': 'aws:kms'}}"
        ]
    return [f"extra_args: {name!r} is not one of {', '.join(EXTRA_ARGS)}" for name in value if name not in EXTRA_ARGS]


def _check_part(part: str) -> list[str]:
    if re.fullmatch(r"[\w-]*", part):
        return []
    return [f"part: {part!r} cannot be one; give letters, digits, '-' and '_'"]
