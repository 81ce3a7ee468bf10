"""``manifest.json``: what an export holds. It is written last, so an export without one does not exist."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timezone
from typing import Any

from mwaa_provider.exceptions import VerificationError

#: Tells our manifests from other JSON that lies about.
KIND = "airflow-provider-mwaa metadata export"
FORMAT_VERSION = 1


@dataclass(frozen=True)
class ColumnEntry:
    """A column as it was written.

    :param name: Its name.
    :param type: Its type in PostgreSQL.
    :param encoding: ``base64`` for bytes; ``None`` for all else.
    """

    name: str
    type: str
    encoding: str | None = None


@dataclass(frozen=True)
class FileEntry:
    """One file of an export.

    :param table: The table.
    :param key: The object's key.
    :param version_id: Its version, in a bucket that keeps versions.
    :param columns: The columns, in order.
    :param left_out: Columns that were kept secret.
    :param age_column: The column that tells a row's age; ``None`` if the table was exported whole.
    :param row_count: How many rows.
    :param first_age: The smallest value of the age column, ISO 8601 in UTC.
    :param last_age: The largest.
    :param size: Bytes of the object.
    :param sha256: The sum of its bytes.
    """

    table: str
    key: str
    version_id: str | None
    columns: tuple[ColumnEntry, ...]
    left_out: tuple[str, ...]
    age_column: str | None
    row_count: int
    first_age: str | None
    last_age: str | None
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """An export.

    :param environment: The MWAA environment; ``None`` for an Airflow that is none.
    :param airflow_version: The release of Airflow whose database it is.
    :param schema_revision: The database's revision.
    :param road: The road the rows took: ``database``, ``metadata_api`` or ``rest``.
    :param road_reason: Why that road.
    :param missing: What that road could not give, as sentences.
    :param notes: What else there is to know, as sentences.
    :param snapshot_time: The moment whose rows these are.
    :param since: The first moment of the interval; ``None`` for no bound.
    :param until: The moment after the last; ``None`` for no bound.
    :param file_format: ``csv``, ``jsonl`` or ``parquet``.
    :param compression: ``gzip``, ``zstd`` or ``None``.
    :param bucket: The bucket.
    :param files: The files, a table each (in a joint manifest a table and part each).
    :param part: Which part of a shared export this is; empty if it is not shared.
    :param parts: In a joint manifest: the addresses of the parts' manifests.
    :param exported_by: The task instance that made it.
    """

    environment: str | None
    airflow_version: str
    schema_revision: str | None
    road: str
    road_reason: str
    missing: tuple[str, ...]
    notes: tuple[str, ...]
    snapshot_time: datetime
    since: datetime | None
    until: datetime | None
    file_format: str
    compression: str | None
    bucket: str
    files: tuple[FileEntry, ...]
    part: str = ""
    parts: tuple[str, ...] = ()
    exported_by: dict[str, Any] = field(default_factory=dict)

    @property
    def row_counts(self) -> dict[str, int]:
        """How many rows of each table."""
        counts: dict[str, int] = {}
        for file in self.files:
            counts[file.table] = counts.get(file.table, 0) + file.row_count
        return counts

    def to_json(self) -> str:
        """Write it."""
        return (
            json.dumps({"kind": KIND, "version": FORMAT_VERSION, **_plain(asdict(self))}, indent=2, ensure_ascii=False)
            + "\n"
        )

    @classmethod
    def from_json(cls, text: str | bytes, address: str) -> Manifest:
        """Read one.

        :param text: Its text.
        :param address: Where it lies, for messages.
        :raises VerificationError: It is not one of ours.
        """
        try:
            read = json.loads(text)
            if read["kind"] != KIND or read["version"] > FORMAT_VERSION:
                raise ValueError(f"kind {read['kind']!r}, version {read['version']!r}")
            values = {one.name: read[one.name] for one in fields(cls)}
            files = tuple(_file(entry) for entry in values.pop("files"))
            for name in ("snapshot_time", "since", "until"):
                values[name] = None if values[name] is None else datetime.fromisoformat(values[name])
            for name in ("missing", "notes", "parts"):
                values[name] = tuple(values[name])
            return cls(files=files, **values)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise VerificationError(
                f"{address} is not a manifest of an export ({type(error).__name__}: {error}).",
                manifest=address,
                differences=(),
            ) from error


def _file(entry: dict[str, Any]) -> FileEntry:
    values = {one.name: entry[one.name] for one in fields(FileEntry)}
    values["columns"] = tuple(ColumnEntry(**column) for column in values["columns"])
    values["left_out"] = tuple(values["left_out"])
    return FileEntry(**values)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value
