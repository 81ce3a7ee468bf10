"""A big export shared by many tasks: intervals of about equal size, and one manifest over all of them at the end."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import ExportError, InvalidInputError, MwaaError, VerificationError
from mwaa_provider.metadata import database
from mwaa_provider.metadata.catalog import Catalog
from mwaa_provider.metadata.export.bucket import address, read_manifest
from mwaa_provider.metadata.export.manifest import Manifest
from mwaa_provider.metadata.export.request import ExportRequest
from mwaa_provider.metadata.export.running import write_manifest
from mwaa_provider.metadata.export.source import Asked
from mwaa_provider.metadata.export.verifying import read_address
from mwaa_provider.metadata.selecting import histogram_statement

#: The interval is looked at in so many slices; no partition is smaller than one.
_SLICES = 1000


def plan_partitions(
    *,
    since: Any,
    until: Any,
    partitions: int = 8,
    tables: Sequence[str] | None = None,
    metadata_conn_id: str | None = None,
) -> list[dict[str, str]]:
    """Cut an interval into parts with about the same number of rows, for ``MetadataToS3Operator.partial(...).expand_kwargs(...)``.

    Where this process reaches the database, rows are counted (one read of each table); elsewhere the parts are equally long.

    :param since: The first moment (inclusive), a datetime with time zone or ISO 8601 text.
    :param until: The moment after the last (exclusive).
    :param partitions: How many parts at most (default 8).
    :param tables: The tables that will be exported (default: the three of the AWS guide).
    :param metadata_conn_id: An Airflow connection to the database (default: this process's own way).
    :returns: For each part ``since``, ``until`` and ``part``, as text.
    :raises InvalidInputError: naming every problem at once.
    """
    begin, problems = input_checks.read_moment("since", since)
    end, problems_of_end = input_checks.read_moment("until", until)
    problems = [*problems, *problems_of_end, *input_checks.check_count("partitions", partitions)]
    if begin is None or end is None:
        problems += [] if problems else ["since, until: both ends are needed to cut an interval into parts"]
    elif not problems and begin >= end:
        problems.append(f"since, until: {begin.isoformat()} is not before {end.isoformat()}")
    if problems or begin is None or end is None:
        raise InvalidInputError(problems)
    asked = Asked(None if tables is None else tuple(tables), begin, end)
    counts = _counted(asked, metadata_conn_id) or [1] * _SLICES
    return _cut(begin, end, counts, partitions)


def _counted(asked: Asked, metadata_conn_id: str | None) -> list[int] | None:
    for way in database.ways(metadata_conn_id):
        try:
            with way.snapshot() as connection:
                catalog = Catalog.read(connection, way.schema)
                counts = [0] * _SLICES
                for selection in catalog.selections(asked):
                    if selection.age_column is None:
                        continue
                    statement = histogram_statement(catalog.tables[selection.table], selection, _SLICES)
                    for slice_number, count in connection.exec_driver_sql(statement):
                        counts[min(max(int(slice_number) - 1, 0), _SLICES - 1)] += count
                return counts
        except InvalidInputError:
            raise
        except MwaaError:
            if metadata_conn_id is not None:
                raise
    return None


def _cut(begin: datetime, end: datetime, counts: list[int], partitions: int) -> list[dict[str, str]]:
    total = sum(counts) or 1
    borders = [begin]
    passed = 0
    for number, count in enumerate(counts[:-1], start=1):
        passed += count
        if passed >= total * len(borders) / partitions and len(borders) < partitions:
            border = begin + (end - begin) * number / len(counts)
            borders.append(border.replace(microsecond=border.microsecond // 1000 * 1000))
    borders = [*dict.fromkeys(border for border in borders if begin <= border < end), end]
    width = max(3, len(str(len(borders))))
    return [
        {"since": first.isoformat(), "until": last.isoformat(), "part": f"{number:0{width}d}"}
        for number, (first, last) in enumerate(itertools.pairwise(borders))
    ]


def join_manifests(
    client: Any,
    addresses: Sequence[str],
    *,
    key: str | None = None,
    owner: str = "",
    extra_args: Mapping[str, Any] | None = None,
) -> tuple[str, Manifest]:
    """Write one manifest over the parts of a shared export; return its address and itself.

    :param client: boto3's client for S3.
    :param addresses: The addresses of the parts' manifests.
    :param key: Its key (default: ``manifest.json`` in the folder that the parts' manifests share).
    :param owner: Who writes it.
    :param extra_args: Further arguments for S3.
    :raises InvalidInputError: The parts do not belong together: the problems, all at once.
    :raises VerificationError: A part has no manifest.
    """
    parts = []
    for one in addresses:
        bucket, part_key = read_address(one)
        manifest = read_manifest(client, bucket, part_key)
        if manifest is None:
            raise VerificationError(
                f"There is no manifest {one}: that part is not complete.", manifest=one, differences=()
            )
        parts.append(manifest)
    if problems := _misfits(parts):
        raise InvalidInputError(problems)
    parts.sort(key=lambda part: part.since or datetime.min.replace(tzinfo=timezone.utc))
    first, last = parts[0], parts[-1]
    joint = replace(
        first,
        until=last.until,
        snapshot_time=min(part.snapshot_time for part in parts),
        files=tuple(file for part in parts for file in part.files),
        missing=tuple(dict.fromkeys(one for part in parts for one in part.missing)),
        notes=(
            *dict.fromkeys(one for part in parts for one in part.notes),
            f"{len(parts)} parts, each of its own snapshot, taken between {min(part.snapshot_time for part in parts).isoformat()} and "
            f"{max(part.snapshot_time for part in parts).isoformat()}.",
        ),
        part="",
        parts=tuple(addresses),
    )
    if key is None:
        folder = os.path.commonpath([os.path.dirname(read_address(one)[1]) or "." for one in addresses])
        key = "manifest.json" if folder in ("", ".") else f"{folder}/manifest.json"
    if key in {read_address(one)[1] for one in addresses}:
        raise ExportError(f"{key!r} is the manifest of a part already; name another key", bucket=first.bucket, key=key)
    request = ExportRequest(first.bucket, "", Asked(), extra_args=dict(extra_args or {}), owner=owner)
    write_manifest(joint, client, key, request)
    return address(first.bucket, key), joint


def _misfits(parts: list[Manifest]) -> list[str]:
    if not parts:
        return ["manifests: there is none; give the addresses that the parts have returned"]
    problems = []
    for name in ("bucket", "environment", "file_format", "compression", "airflow_version", "schema_revision"):
        values = {getattr(part, name) for part in parts}
        if len(values) > 1:
            problems.append(f"manifests: the parts differ in {name}: {', '.join(sorted(map(str, values)))}")
    tables = {tuple(sorted(file.table for file in part.files)) for part in parts}
    if len(tables) > 1:
        problems.append("manifests: the parts hold different tables")
    ordered = sorted(parts, key=lambda part: part.since or datetime.min.replace(tzinfo=timezone.utc))
    for one, other in itertools.pairwise(ordered):
        if one.until != other.since:
            problems.append(
                f"manifests: part {one.part!r} ends at {one.until}, part {other.part!r} begins at {other.since}: a gap, or an overlap"
            )
    return problems
