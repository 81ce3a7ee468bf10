"""The archives of clean-ups that were killed: whether a transaction ended well is asked of PostgreSQL, and the archive finished."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from mwaa_provider.metadata.cleanup.archive_target import Target, put
from mwaa_provider.metadata.cleanup.sessions import ask
from mwaa_provider.metadata.export.bucket import address, read_manifest
from mwaa_provider.metadata.export.manifest import Manifest

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def settle(target: Target, connection: Connection) -> list[str]:
    """Finish the archives of clean-ups that were killed, and return what there is to know, as sentences.

    :param target: Where they lie.
    :param connection: Tells how transactions ended.
    """
    return settle_by(target, lambda manifest: _status(connection, str(manifest.exported_by.get("transaction", ""))))


def settle_by(target: Target, status_of: Callable[[Manifest], str | None]) -> list[str]:
    """Finish the archives of clean-ups that were killed, and return what there is to know, as sentences.

    What is gone comes into a manifest, what is not gone is removed from the archive.

    :param target: Where they lie.
    :param status_of: Tells of a note whether its rows were removed, in PostgreSQL's words for transactions; ``None`` if it cannot.
    """
    gone: dict[str, list[tuple[str, Manifest]]] = {}
    notes = []
    for key in _listed(target, target.key("pending", "")):
        manifest = read_manifest(target.client, target.bucket, key) if key.endswith(".json") else None
        if manifest is None:
            continue
        status = status_of(manifest)
        if status == "committed":
            gone.setdefault(str(manifest.exported_by["clean_up"]), []).append((key, manifest))
        elif status == "aborted":
            for one in (*(file.key for file in manifest.files), key):
                target.client.delete_object(Bucket=target.bucket, Key=one)
        elif status is None:
            why = "PostgreSQL does not know any more whether these rows were removed; compare and decide."
            if "look" in manifest.exported_by:
                why = "whether these rows were removed is told by the next clean-up by the metadata API."
            notes.append(f"{address(target.bucket, key)}: {why}")
    for stamp, parts in gone.items():
        whole = target.key(stamp, "manifest.json")
        before = read_manifest(target.client, target.bucket, whole)
        files = {file.key: file for file in (before.files if before else ())}
        files |= {file.key: file for _, manifest in parts for file in manifest.files}
        put(target, whole, replace(parts[0][1], files=tuple(files.values()), exported_by={"clean_up": stamp}))
        for key, _ in parts:
            target.client.delete_object(Bucket=target.bucket, Key=key)
        notes.append(
            f"A clean-up that was killed had archived {address(target.bucket, whole)}; its manifest is there now."
        )
    return notes


def _status(connection: Connection, transaction: str) -> str | None:
    if not transaction.isdigit():
        return None
    try:
        status: str | None = ask(connection, "SELECT txid_status(%s::text::bigint)", (transaction,)).scalar()
    except Exception:  # it lies in the future: this is another database than that
        connection.rollback()
        return None
    return status


def _listed(target: Target, prefix: str) -> list[str]:
    pages = target.client.get_paginator("list_objects_v2").paginate(Bucket=target.bucket, Prefix=prefix)
    return [one["Key"] for page in pages for one in page.get("Contents", ())]
