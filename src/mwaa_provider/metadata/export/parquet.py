"""Rows as Parquet, with their types. pyarrow is imported where it is used: the extra ``parquet`` brings it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from mwaa_provider.exceptions import ExportError
from mwaa_provider.metadata.catalog import Column

if TYPE_CHECKING:
    from mwaa_provider.metadata.export.formats import Sink
    from mwaa_provider.metadata.export.source import TableRows

#: The rows of so many bytes of CSV make a row group.
_GROUP_BYTES = 4 * 1024 * 1024
#: A column of text gets a dictionary if so many of its values are others' equals: building one for keys takes time and room.
_WORTH_A_DICTIONARY = 0.5


def write_parquet(rows: TableRows, sink: Sink, compression: str | None) -> None:
    """Write the rows of a table.

    :param rows: The rows.
    :param sink: Where the file's bytes go.
    :param compression: ``gzip``, ``zstd`` or ``None``, inside of the file.
    :raises ExportError: A value is not of its column's type.
    """
    import pyarrow
    import pyarrow.parquet

    kinds = {column.name: arrow_type(column) for column in rows.columns}
    schema = pyarrow.schema([pyarrow.field(name, kind) for name, kind in kinds.items()])
    target = pyarrow.PythonFile(ArrowFile(sink), "w")
    writer: Any = None
    writing: Future[None] | None = None
    box: list[Any] = []
    try:
        # The next rows are parsed while a group is written; both is arithmetic outside of Python.
        with ThreadPoolExecutor(1, thread_name_prefix="parquet") as pool:
            for group in _groups(rows, kinds):
                if writing is not None:
                    writing.result()
                # The thread that made a group lets go of it: Arrow's allocator would keep what another one frees.
                box = [group]
                writer = writer or _writer(target, schema, compression, group)
                writing = pool.submit(_write, writer, box)
                del group
                # It would keep what is free, too, up to 20 MiB more at the peak.
                pyarrow.default_memory_pool().release_unused()
            if writing is not None:
                writing.result()
        writer = writer or _writer(target, schema, compression, schema.empty_table())
    finally:
        if writer is not None:
            writer.close()


def _write(writer: Any, box: list[Any]) -> None:
    writer.write_table(box[0])


def _writer(target: Any, schema: Any, compression: str | None, first: Any) -> Any:
    import pyarrow.parquet

    repeated = [
        field.name
        for field, column in zip(schema, first.columns, strict=True)
        if pyarrow.types.is_string(field.type) and len(column.unique()) <= _WORTH_A_DICTIONARY * len(column)
    ]
    # The smallest and the largest text of a group tell nobody where to look, and stay in memory to the end of the file.
    told = [field.name for field in schema if not pyarrow.types.is_string(field.type)]
    return pyarrow.parquet.ParquetWriter(
        target, schema, compression=compression or "none", use_dictionary=repeated, write_statistics=told
    )


def _groups(rows: TableRows, kinds: dict[str, Any]) -> Iterator[Any]:
    """Give the rows as Arrow tables: parsed in small blocks, as parsing takes several times a block's size, and put together."""
    import pyarrow
    import pyarrow.csv

    from mwaa_provider.metadata.export.formats import BLOCK_BYTES, whole_records

    convert = pyarrow.csv.ConvertOptions(
        column_types=kinds,
        null_values=[""],
        true_values=["t"],
        false_values=["f"],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
    held: list[Any] = []
    size = 0
    for block in whole_records(rows.chunks(), BLOCK_BYTES):
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
        if size >= _GROUP_BYTES:
            group = pyarrow.concat_tables(held)
            held, size, table = [], 0, None
            yield group
            del group
    if held:
        yield pyarrow.concat_tables(held)


class ArrowFile:
    """A sink as the file that pyarrow wants to see."""

    closed = False
    mode = "wb"

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._at = 0

    def write(self, data: Any) -> int:
        """Give some bytes on."""
        held = bytes(data)
        self._sink.write(held)
        self._at += len(held)
        return len(held)

    def tell(self) -> int:
        """Return how many bytes there were."""
        return self._at

    def flush(self) -> None:
        """Do nothing: the sink holds back what it wants to."""

    def close(self) -> None:
        """Do nothing: whoever made the sink ends it."""

    def readable(self) -> bool:
        """Return false."""
        return False

    def writable(self) -> bool:
        """Return true."""
        return True

    def seekable(self) -> bool:
        """Return false."""
        return False


def arrow_type(column: Column) -> Any:
    """Return the type of Arrow that a column's values have; what it has no type for stays text.

    :param column: The column.
    """
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
