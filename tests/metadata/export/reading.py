"""Exported files read back by other hands than those that wrote them, into what PostgreSQL would call the same row."""

from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import datetime
from typing import Any


def unpacked(data: bytes, compression: str | None) -> bytes:
    if compression == "gzip":
        return gzip.decompress(data)
    if compression == "zstd":
        import pyarrow

        return pyarrow.CompressedInputStream(pyarrow.BufferReader(data), "zstd").read()
    return data


def read_csv(data: bytes, rows: Any) -> list[tuple[Any, ...]]:
    """Have PostgreSQL itself read it: its COPY FROM is the other side of its COPY TO."""
    header, _, body = data.partition(b"\n")
    names = next(csv.reader([header.decode()]))
    with rows.connection.cursor() as cursor:
        columns = ", ".join(f'"{name}" text' for name in names)
        cursor.execute(f"CREATE TEMP TABLE read_back ({columns})")
        try:
            cursor.copy_expert("COPY read_back FROM STDIN WITH (FORMAT csv)", io.BytesIO(body))
            cursor.execute("SELECT * FROM read_back")
            return cursor.fetchall()
        finally:
            cursor.execute("DROP TABLE read_back")


def read_jsonl(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.decode().split("\n") if line]


def read_parquet(data: bytes) -> Any:
    import pyarrow
    import pyarrow.parquet

    return pyarrow.parquet.read_table(pyarrow.BufferReader(data))


def expected(rows: Any, table: str, names: list[str], *, typed: bool) -> list[tuple[Any, ...]]:
    """What the database holds, as text (typed=False) or as Python's values."""
    kinds = {name: kind for name, kind, _ in rows.columns(table)}

    def value(name: str) -> str:
        if kinds[name] == "bytea":
            return f"replace(encode(\"{name}\", 'base64'), chr(10), '')"
        if typed and (kinds[name].startswith("timestamp") or kinds[name] in ("integer", "double precision", "boolean")):
            return f'"{name}"'
        if kinds[name] == "boolean":
            return f"CASE WHEN \"{name}\" THEN 't' WHEN NOT \"{name}\" THEN 'f' END"
        return f'"{name}"::text'

    rows.execute("SET TimeZone = 'UTC'")
    return rows.execute(f'SELECT {", ".join(map(value, names))} FROM "{table}"')


def utc(value: Any) -> Any:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value
