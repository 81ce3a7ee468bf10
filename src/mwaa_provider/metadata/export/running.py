"""One export from its source to its manifest, which comes last."""

from __future__ import annotations

import logging
import time
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from mwaa_provider.exceptions import InvalidInputError, MetadataDatabaseError, VerificationError
from mwaa_provider.metadata.export import formats, keys, s3_errors
from mwaa_provider.metadata.export.bucket import OWNER, address, check_bucket, read_manifest
from mwaa_provider.metadata.export.manifest import ColumnEntry, FileEntry, Manifest
from mwaa_provider.metadata.export.progress import Progress, WatchedRows
from mwaa_provider.metadata.export.request import ExportRequest
from mwaa_provider.metadata.export.s3_upload import S3Upload, abort_leftovers
from mwaa_provider.metadata.export.source import Source, TableSelection
from mwaa_provider.metadata.export.stopping import Stop
from mwaa_provider.metadata.export.verifying import differences_of
from mwaa_provider.metadata.export.watermark import since_of

log = logging.getLogger(__name__)

_MIB = 1024 * 1024


@dataclass(frozen=True)
class ExportResult:
    """What came of an export.

    :param address: The manifest's address.
    :param manifest: The manifest.
    """

    address: str
    manifest: Manifest

    def xcom(self) -> dict[str, Any]:
        """Return it as an XCom holds it."""
        return {"manifest": self.address, "row_counts": self.manifest.row_counts}


def export(
    request: ExportRequest,
    source: Source,
    client: Any,
    *,
    road_reason: str = "",
    stop: Stop | None = None,
    progress: Progress | None = None,
) -> ExportResult:
    """Write the tables that are wanted, verify them if asked to, and write the manifest.

    :param request: What is wanted.
    :param source: The rows, by one of the roads.
    :param client: boto3's client for S3.
    :param road_reason: Why that road, for the manifest.
    :param stop: Ends it from outside.
    :param progress: Is told how far it is.
    :raises InvalidInputError: The request cannot be carried out; nothing was read or written.
    :raises ExportError: It failed; its uploads are aborted and there is no manifest.
    :raises VerificationError: What was read back is not what was written; there is no manifest.
    """
    stop = stop or Stop()
    formats.load(request.file_format, request.compression)
    began = datetime.now(timezone.utc)
    request, notes = _with_watermark(request, source, client)
    plan = _plan(request, source, client)
    for key in _aborted(request, client, {*plan.keys.values(), plan.manifest_key}, began):
        log.info("Aborted an upload of %r that a killed process had left", key)
    former = _remove_former_manifest(request, client, plan.manifest_key)
    stop.check()
    files = _write_all(request, source, client, plan, stop, progress)
    facts = source.facts
    manifest = Manifest(
        environment=facts.environment,
        airflow_version=facts.airflow_version,
        schema_revision=facts.schema_revision,
        road=source.road,
        road_reason=road_reason,
        missing=facts.missing,
        notes=(*facts.notes, *notes, *_notes_of(request, plan.selections)),
        snapshot_time=facts.snapshot_time,
        since=request.asked.since,
        until=_reached(request, plan.selections),
        file_format=request.file_format,
        compression=request.compression,
        bucket=request.bucket,
        files=files,
        part=request.part,
        exported_by=dict(request.exported_by),
    )
    if request.verify:
        _verify(manifest, client, request, plan.manifest_key)
    stop.check()
    write_manifest(manifest, client, plan.manifest_key, request)
    _remove_objects_that_are_no_more(request, client, former, manifest)
    result = ExportResult(address(request.bucket, plan.manifest_key), manifest)
    log.info("Exported %s by the road %r; %s", manifest.row_counts, source.road, result.address)
    return result


@dataclass(frozen=True)
class _Plan:
    selections: tuple[TableSelection, ...]
    keys: dict[str, str]
    manifest_key: str


def _plan(request: ExportRequest, source: Source, client: Any) -> _Plan:
    problems: list[str] = []
    selections: tuple[TableSelection, ...] = ()
    try:
        selections = source.selections(request.asked)
    except InvalidInputError as error:
        problems += error.facts["problems"]
    values = request.key_values(source.facts.environment)
    tables = [selection.table for selection in selections]
    problems += keys.check_template(request.key_template, tables=tables, part=request.part) if selections else []
    found: dict[str, str] = {}
    manifest_key = ""
    if not problems:
        found = {table: keys.key_of(request.key_template, table, values) for table in tables}
        manifest_key = keys.manifest_key(request.key_template, values)
        problems += keys.check_keys({**found, "manifest": manifest_key})
    wanted = [*found.values(), manifest_key] if manifest_key else []
    problems += check_bucket(client, request.bucket, wanted, request.owner, overwrite=request.overwrite)
    if problems:
        raise InvalidInputError(problems)
    return _Plan(selections, found, manifest_key)


def _with_watermark(request: ExportRequest, source: Source, client: Any) -> tuple[ExportRequest, tuple[str, ...]]:
    if request.incremental_from is None:
        return request, ()
    mark = since_of(
        client,
        request.bucket,
        request.incremental_from,
        environment=source.facts.environment,
        tables=request.asked.tables,
        owner=request.owner,
    )
    for note in mark.notes:
        log.warning("%s", note)
    if mark.since is None:
        return request, mark.notes
    asked = replace(request.asked, since=mark.since)
    if asked.until is not None and mark.since >= asked.until:
        raise InvalidInputError(
            [
                f"incremental_from, until: the last export ({mark.address}) reaches to {mark.since.isoformat()} already; nothing is left "
                f"before {asked.until.isoformat()}"
            ]
        )
    log.info("Going on from %s, where %s ends", mark.since.isoformat(), mark.address)
    return replace(request, asked=asked), (*mark.notes, f"Goes on from {mark.address}.")


def _aborted(request: ExportRequest, client: Any, wanted: set[str], began: datetime) -> list[str]:
    try:
        return abort_leftovers(client, request.bucket, wanted, began)
    except Exception as error:
        # Not allowed to list, most likely: what a killed process left stays until a rule of the bucket's life cycle removes it.
        log.info("Unfinished uploads in bucket %r could not be looked for: %s", request.bucket, error)
        return []


def _remove_former_manifest(request: ExportRequest, client: Any, key: str) -> Manifest | None:
    """While its files are being replaced, an export does not exist."""
    try:
        former = read_manifest(client, request.bucket, key)
    except VerificationError:
        former = None
        if not request.overwrite:
            raise
    if former is None and not request.overwrite:
        return None
    try:
        client.delete_object(Bucket=request.bucket, Key=key)
    except Exception as error:
        raise s3_errors.from_botocore(error, bucket=request.bucket, key=key) from error
    return former


def _write_all(
    request: ExportRequest, source: Source, client: Any, plan: _Plan, stop: Stop, progress: Progress | None
) -> tuple[FileEntry, ...]:
    at_once = request.at_once if getattr(source, "is_parallel", True) else 1
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="export")
    try:
        running = [
            pool.submit(_write_one, request, source, client, selection, plan.keys[selection.table], stop, progress)
            for selection in plan.selections
        ]
        # Waited for in small pieces: a signal's handler runs in this thread, between two of them.
        while not all(one.done() for one in running):
            done, _ = wait(running, timeout=0.5, return_when=FIRST_EXCEPTION)
            if any(one.exception() is not None for one in done):
                break
        for one in running:
            if one.done():
                one.result()
        return tuple(one.result() for one in running)
    except BaseException:
        stop.now()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _write_one(
    request: ExportRequest,
    source: Source,
    client: Any,
    selection: TableSelection,
    key: str,
    stop: Stop,
    progress: Progress | None,
) -> FileEntry:
    stop.check()
    upload = S3Upload(client, request.bucket, key, extra_args=request.extra_args, metadata={OWNER: request.owner})
    began = time.monotonic()
    try:
        with stop.watching(upload), source.open(selection) as opened, stop.watching(opened), upload:
            rows = WatchedRows(opened, selection.table, stop, progress)
            formats.write_rows(rows, upload, request.file_format, request.compression)
    except MetadataDatabaseError:
        stop.check()  # then the reading was cancelled, and did not fail
        raise
    stored = upload.stored
    assert stored is not None  # noqa: S101 - for the type checker: the block was left without an error
    seconds = max(time.monotonic() - began, 1e-9)
    log.info(
        "%s: %s rows, %.1f MiB in S3, %.1f s, %s rows/s, %.1f MiB/s of rows",
        selection.table,
        f"{opened.row_count:,}",
        stored.size / _MIB,
        seconds,
        f"{opened.row_count / seconds:,.0f}",
        rows.size / _MIB / seconds,
    )
    return FileEntry(
        table=selection.table,
        key=key,
        version_id=stored.version_id,
        columns=tuple(
            ColumnEntry(column.name, column.type, "base64" if column.is_base64 else None) for column in opened.columns
        ),
        left_out=selection.left_out,
        age_column=selection.age_column,
        row_count=opened.row_count,
        first_age=opened.first_age,
        last_age=opened.last_age,
        size=stored.size,
        sha256=stored.sha256,
    )


def _notes_of(request: ExportRequest, selections: tuple[TableSelection, ...]) -> tuple[str, ...]:
    if request.asked.since is None and request.asked.until is None:
        return ()
    whole = [selection.table for selection in selections if selection.age_column is None]
    return (f"Exported whole, as their rows have no age: {', '.join(whole)}.",) if whole else ()


def _reached(request: ExportRequest, selections: tuple[TableSelection, ...]) -> datetime | None:
    """Return the end of the interval: a road over a web server leaves the youngest rows, which could still change, to the next export."""
    ends = [one.until for one in selections if one.age_column is not None and one.until is not None]
    return min(ends) if ends else request.asked.until


def _verify(manifest: Manifest, client: Any, request: ExportRequest, key: str) -> None:
    differences = differences_of(manifest, client)
    if differences:
        listed = "".join(f"\n  - {one}" for one in differences)
        raise VerificationError(
            f"What was read back is not what was written, so there is no manifest:{listed}",
            manifest=address(request.bucket, key),
            differences=tuple(differences),
        )
    log.info("Read back and compared: %d files are as they were written", len(manifest.files))


def write_manifest(manifest: Manifest, client: Any, key: str, request: ExportRequest) -> None:
    """Write a manifest.

    :param manifest: The manifest.
    :param client: boto3's client for S3.
    :param key: Its key.
    :param request: Says how objects are written.
    """
    with S3Upload(
        client, manifest.bucket, key, extra_args=request.extra_args, metadata={OWNER: request.owner}
    ) as upload:
        upload.write(manifest.to_json().encode())


def _remove_objects_that_are_no_more(
    request: ExportRequest, client: Any, former: Manifest | None, manifest: Manifest
) -> None:
    """Remove what an earlier try of this task instance wrote and this one did not: other tables were asked for, another format."""
    if former is None or former.bucket != request.bucket or request.overwrite:
        return
    for key in {file.key for file in former.files} - {file.key for file in manifest.files}:
        with suppress(Exception):
            found = client.head_object(Bucket=request.bucket, Key=key)
            if found.get("Metadata", {}).get(OWNER) == request.owner:
                client.delete_object(Bucket=request.bucket, Key=key)
                log.info("Removed %s, which an earlier try had written", address(request.bucket, key))
