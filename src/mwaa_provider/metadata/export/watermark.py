"""Where the last export ended, so that the next one goes on from there; and whether all of them fit together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mwaa_provider.exceptions import VerificationError
from mwaa_provider.metadata.export import s3_errors
from mwaa_provider.metadata.export.bucket import address, read_manifest
from mwaa_provider.metadata.export.manifest import Manifest

#: So many manifests are read, the newest first: three years of one a day.
_MOST = 1000


@dataclass(frozen=True)
class Watermark:
    """Where to go on.

    :param since: The end of the last export; ``None`` if there is none.
    :param address: Its manifest's address.
    :param notes: Gaps and overlaps, as sentences.
    """

    since: datetime | None
    address: str = ""
    notes: tuple[str, ...] = ()


def since_of(
    client: Any, bucket: str, prefix: str, *, environment: str | None, tables: Sequence[str] | None, owner: str
) -> Watermark:
    """Read the manifests under a prefix and find the last one of this environment.

    IAM actions: ``s3:ListBucket`` on ``arn:aws:s3:::BUCKET``, ``s3:GetObject`` on ``arn:aws:s3:::BUCKET/*``.

    :param client: boto3's client for S3.
    :param bucket: The bucket.
    :param prefix: Where to look.
    :param environment: The environment's name; others' exports do not count.
    :param tables: The tables that will be exported, where they are named one by one.
    :param owner: The mark of this task instance: what an earlier try of it wrote does not count.
    """
    found, notes = _manifests(client, bucket, prefix, owner)
    ours = [
        (key, one) for key, one in found if one.environment == environment and not one.part and one.until is not None
    ]
    if not ours:
        return Watermark(
            None, notes=(*notes, f"There is no earlier export under {address(bucket, prefix)}: this is the first.")
        )
    ours.sort(key=lambda pair: (_moment(pair[1].until), _moment(pair[1].since)))
    key, last = ours[-1]
    return Watermark(last.until, address(bucket, key), (*notes, *_misfits(bucket, ours), *_new_tables(last, tables)))


def _manifests(client: Any, bucket: str, prefix: str, owner: str) -> tuple[list[tuple[str, Manifest]], tuple[str, ...]]:
    from mwaa_provider.metadata.export.bucket import OWNER

    try:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        listed = [one for page in pages for one in page.get("Contents", ()) if _may_be_one(one["Key"])]
    except Exception as error:
        raise s3_errors.from_botocore(error, bucket=bucket, key=prefix) from error
    listed.sort(key=lambda one: one["LastModified"], reverse=True)
    found = []
    for one in listed[:_MOST]:
        try:
            manifest = read_manifest(client, bucket, one["Key"])
        except VerificationError:
            continue  # somebody else's JSON
        if manifest is None:
            continue
        if owner and client.head_object(Bucket=bucket, Key=one["Key"]).get("Metadata", {}).get(OWNER) == owner:
            continue
        found.append((one["Key"], manifest))
    notes = (f"Of {len(listed)} manifests the newest {_MOST} were read.",) if len(listed) > _MOST else ()
    return found, notes


def _may_be_one(key: str) -> bool:
    return key.endswith(".json") and "manifest" in key


def _misfits(bucket: str, exports: list[tuple[str, Manifest]]) -> list[str]:
    problems = []
    ordered = sorted(exports, key=lambda pair: (_moment(pair[1].since), _moment(pair[1].until)))
    reached: datetime | None = None
    before = ""
    for key, one in ordered:
        if reached is not None and before:
            if one.since is None or one.since < reached:
                problems.append(
                    f"{address(bucket, key)} begins at {_shown(one.since)} and overlaps {address(bucket, before)}, which reaches to "
                    f"{_shown(reached)}: rows of that time are in both."
                )
            elif one.since > reached:
                problems.append(
                    f"Between {_shown(reached)} ({address(bucket, before)}) and {_shown(one.since)} ({address(bucket, key)}) nothing was "
                    "exported: export that interval with since and until."
                )
        if reached is None or (one.until is not None and one.until > reached):
            reached, before = one.until, key
    return problems


def _new_tables(last: Manifest, tables: Sequence[str] | None) -> list[str]:
    there = {file.table for file in last.files}
    new = [table for table in tables or () if table != "history" and table not in there]
    return [
        f"The last export has no table {table!r}: its rows from before {_shown(last.until)} are in no export. Export them with until."
        for table in new
    ]


def _moment(value: datetime | None) -> float:
    return float("-inf") if value is None else value.timestamp()


def _shown(value: datetime | None) -> str:
    return "the beginning" if value is None else value.isoformat()
