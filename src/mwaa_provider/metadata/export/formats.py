"""From CSV as ``COPY`` writes it to what lies in S3: CSV, JSON Lines or Parquet, compressed. In bounded memory, whatever the table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, Protocol

from mwaa_provider.metadata import gzipping
from mwaa_provider.metadata.catalog import Column
from mwaa_provider.metadata.export.source import TableRows

FORMATS = ("csv", "jsonl", "parquet")
COMPRESSIONS = ("gzip", "zstd", None)

#: Rows are parsed in blocks of about so many bytes; a single row that is larger makes a larger block.
BLOCK_BYTES = 512 * 1024

_FIELD = re.compile(r'("[^"]*(?:""[^"]*)*"|[^,"\n]*)([,\n])')
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes) -> Any:
        """Take some bytes."""


def check_format(file_format: Any, compression: Any) -> list[str]:
    """Check a format and a compression, and that what they need is installed.

    :param file_format: What the caller gave.
    :param compression: What the caller gave.
    """
    problems = []
    if file_format not in FORMATS:
        problems.append(f"file_format: {file_format!r} is not one of {', '.join(FORMATS)}")
    if compression not in COMPRESSIONS:
        problems.append(f"compression: {compression!r} is not one of gzip, zstd, None")
    if not problems and (file_format == "parquet" or compression == "zstd") and find_spec("pyarrow") is None:
        what = "file_format 'parquet'" if file_format == "parquet" else "compression 'zstd'"
        problems.append(
            f"{what} needs pyarrow: put airflow-provider-mwaa[parquet] into requirements.txt, or take 'csv' with 'gzip'"
        )
    return problems


def load(file_format: str, compression: str | None) -> None:
    """Load what a format needs, in the thread that lives as long as the process.

    pyarrow that was first loaded by a thread which has ended lets the next thread that uses it die of a segmentation fault (pyarrow 25).

    :param file_format: The format.
    :param compression: The compression.
    """
    if (file_format == "parquet" or compression == "zstd") and find_spec("pyarrow") is not None:
        import pyarrow.csv
        import pyarrow.parquet  # noqa: F401


def extension(file_format: str, compression: str | None) -> str:
    """Return how such a file's name ends, without the leading dot; a Parquet file is compressed inside.

    :param file_format: The format.
    :param compression: The compression.
    """
    ending = {"gzip": ".gz", "zstd": ".zst", None: ""}[compression]
    return file_format if file_format == "parquet" else f"{file_format}{ending}"


def write_rows(rows: TableRows, sink: Sink, file_format: str, compression: str | None) -> None:
    """Write the rows of a table.

    :param rows: The rows.
    :param sink: Where the file's bytes go.
    :param file_format: ``csv``, ``jsonl`` or ``parquet``.
    :param compression: ``gzip``, ``zstd`` or ``None``.
    :raises ExportError: A value is not of its column's type.
    """
    if file_format == "parquet":
        from mwaa_provider.metadata.export.parquet import write_parquet

        write_parquet(rows, sink, compression)
        return
    write = _write_csv if file_format == "csv" else _write_jsonl
    compressor = _compressor(sink, compression)
    write(rows, compressor.write)
    compressor.close()


def _write_csv(rows: TableRows, write: Callable[[bytes], Any]) -> None:
    write((",".join(_csv_name(column.name) for column in rows.columns) + "\n").encode())
    for chunk in rows.chunks():
        write(chunk)


def _csv_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if any(sign in name for sign in ',"\n\r') else name


def _write_jsonl(rows: TableRows, write: Callable[[bytes], Any]) -> None:
    heads = [
        ("," if at else "{") + json.dumps(column.name, ensure_ascii=False) + ":"
        for at, column in enumerate(rows.columns)
    ]
    writers = [_json_writer(column) for column in rows.columns]
    for block in whole_records(rows.chunks(), BLOCK_BYTES):
        parts: list[str] = []
        at = 0
        for field, end in _FIELD.findall(block.decode()):
            parts.append(heads[at])
            if not field:
                parts.append("null")
            elif field[0] == '"':
                parts.append(writers[at](field[1:-1].replace('""', '"')))
            else:
                parts.append(writers[at](field))
            at += 1
            if end == "\n":
                at = 0
                parts.append("}\n")
        write("".join(parts).encode())


def _json_writer(column: Column) -> Callable[[str], str]:
    kind = column.type.partition("(")[0]
    if kind in ("smallint", "integer", "bigint"):
        return str
    if kind in ("double precision", "real", "numeric"):
        # JSON has no NaN and no Infinity: they stay what PostgreSQL calls them, as text.
        return lambda text: text if _PLAIN_NUMBER.fullmatch(text) else json.dumps(text)
    if kind == "boolean":
        return lambda text: "true" if text == "t" else "false"
    if column.type == "timestamp with time zone":
        # 2026-01-31 12:00:00+00 -> 2026-01-31T12:00:00+00:00
        return lambda text: json.dumps(text.replace(" ", "T", 1) + (":00" if text.endswith("+00") else ""))
    if column.is_moment:
        return lambda text: json.dumps(text.replace(" ", "T", 1))
    return _json_text


_json_text = json.JSONEncoder(ensure_ascii=False).encode


def whole_records(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Cut CSV into blocks of whole rows: at a line's end that lies in no quotes.

    :param chunks: The CSV, cut anywhere.
    :param size: About how many bytes a block is to have.
    """
    held: list[bytes] = []
    length = 0
    for chunk in chunks:
        held.append(chunk)
        length += len(chunk)
        if length < size:
            continue
        block = b"".join(held)
        end = _last_record_end(block)
        if end:
            yield block[:end]
        held, length = ([block[end:]], len(block) - end)
    rest = b"".join(held)
    if rest:
        yield rest


def _last_record_end(block: bytes) -> int:
    inside = block.count(b'"') % 2 == 1
    end = len(block)
    while True:
        at = block.rfind(b"\n", 0, end)
        if at < 0:
            return 0
        inside ^= block.count(b'"', at, end) % 2 == 1
        if not inside:
            return at + 1
        end = at


class _Plain:
    def __init__(self, sink: Sink) -> None:
        self.write = sink.write

    def close(self) -> None:
        pass


class _Gzip:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._deflate = gzipping.compressor()

    def write(self, data: bytes) -> None:
        packed = self._deflate.compress(data)
        if packed:
            self._sink.write(packed)

    def close(self) -> None:
        self._sink.write(self._deflate.flush())


class _Zstd:
    def __init__(self, sink: Sink) -> None:
        import pyarrow

        from mwaa_provider.metadata.export.parquet import ArrowFile

        self._stream = pyarrow.CompressedOutputStream(pyarrow.PythonFile(ArrowFile(sink), "w"), "zstd")
        self.write = self._stream.write

    def close(self) -> None:
        self._stream.close()


def _compressor(sink: Sink, compression: str | None) -> Any:
    return {None: _Plain, "gzip": _Gzip, "zstd": _Zstd}[compression](sink)
