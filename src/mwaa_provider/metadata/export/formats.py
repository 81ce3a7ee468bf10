"""From CSV as ``COPY`` writes it to what lies in S3: CSV, JSON Lines or Parquet, compressed. In bounded memory, whatever the table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any, Protocol

from mwaa_provider.exceptions import ExportError
from mwaa_provider.metadata import gzipping
from mwaa_provider.metadata.catalog import Column
from mwaa_provider.metadata.export.source import TableRows

FORMATS = ("csv", "jsonl", "parquet")
COMPRESSIONS = ("gzip", "zstd", None)

#: Rows are parsed in blocks of about so many bytes; a single row that is larger makes a larger block.
_BLOCK = 1024 * 1024
#: The rows of so many bytes of CSV make a row group of a Parquet file.
_GROUP = 8 * 1024 * 1024

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
        _write_parquet(rows, sink, compression)
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
    for block in whole_records(rows.chunks(), _BLOCK):
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

        self._stream = pyarrow.CompressedOutputStream(pyarrow.PythonFile(_File(sink), "w"), "zstd")
        self.write = self._stream.write

    def close(self) -> None:
        self._stream.close()


def _compressor(sink: Sink, compression: str | None) -> Any:
    return {None: _Plain, "gzip": _Gzip, "zstd": _Zstd}[compression](sink)


class _File:
    """A sink as the file that pyarrow wants to see."""

    closed = False
    mode = "wb"

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._at = 0

    def write(self, data: Any) -> int:
        held = bytes(data)
        self._sink.write(held)
        self._at += len(held)
        return len(held)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


def _write_parquet(rows: TableRows, sink: Sink, compression: str | None) -> None:
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    kinds = {column.name: _arrow_type(column) for column in rows.columns}
    schema = pyarrow.schema([pyarrow.field(name, kind) for name, kind in kinds.items()])
    convert = pyarrow.csv.ConvertOptions(
        column_types=kinds,
        null_values=[""],
        true_values=["t"],
        false_values=["f"],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
    with pyarrow.parquet.ParquetWriter(
        pyarrow.PythonFile(_File(sink), "w"), schema, compression=compression or "none"
    ) as writer:
        held: list[Any] = []
        size = 0
        # Parsed in small blocks, written in large groups: parsing takes several times a block's size, a group about its own.
        for block in whole_records(rows.chunks(), _BLOCK):
            read = pyarrow.csv.ReadOptions(column_names=list(kinds), block_size=len(block) + 1, use_threads=False)
            try:
                table = pyarrow.csv.read_csv(
                    pyarrow.BufferReader(block), read_options=read, parse_options=parse, convert_options=convert
                )
            except pyarrow.ArrowInvalid as error:
                raise ExportError(
                    f"A value does not fit into Parquet ({error}). Take file_format='csv', which holds everything that PostgreSQL does.",
                    bucket="",
                    key="",
                ) from error
            held.append(table)
            size += len(block)
            if size >= _GROUP:
                writer.write_table(pyarrow.concat_tables(held))
                held, size = [], 0
                # Arrow's allocator would keep it, up to 20 MiB more at the peak.
                pyarrow.default_memory_pool().release_unused()
        if held:
            writer.write_table(pyarrow.concat_tables(held))


def _arrow_type(column: Column) -> Any:
    import pyarrow

    kind = column.type.partition("(")[0]
    simple = {
        "smallint": pyarrow.int16(),
        "integer": pyarrow.int32(),
        "bigint": pyarrow.int64(),
        "real": pyarrow.float32(),
        "double precision": pyarrow.float64(),
        "boolean": pyarrow.bool_(),
        "date": pyarrow.date32(),
    }
    if kind in simple:
        return simple[kind]
    if column.type == "timestamp with time zone":
        return pyarrow.timestamp("us", tz="UTC")
    if column.is_moment:
        return pyarrow.timestamp("us")
    return pyarrow.string()
