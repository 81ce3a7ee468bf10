"""Every format, read back and compared with the database row by row, in the real schema of the installed release."""

from __future__ import annotations

import datetime as dt
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mwaa_provider.metadata.export import formats
from mwaa_provider.metadata.export.database_source import open_database
from mwaa_provider.metadata.export.source import Asked
from tests.metadata.export import reading
from tests.support.metadata import EPOCH, Rows

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMS = [
    *((kind, packed) for kind in ("csv", "jsonl") for packed in formats.COMPRESSIONS),
    *(("parquet", packed) for packed in formats.COMPRESSIONS),
]
#: What PostgreSQL stores as text: anything without a NUL and without half a surrogate pair.
TEXT = st.text(st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]), max_size=60)
AWKWARD = st.one_of(
    st.none(),
    st.just(""),
    st.sampled_from(
        ['"', '""', "\n", "\r\n", ",", "\\.", "\\N", '",""\n', "null", " ", "t", '{"a": "b"}', "ä\u2028\U0001f600"]
    ),
    TEXT,
)


class Memory:
    """A sink."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> int:
        self.data += data
        return len(data)


@contextmanager
def exported(database: Any, table: str) -> Iterator[Any]:
    with open_database(database) as source:
        (selection,) = source.selections(Asked((table,)))
        with source.open(selection) as rows:
            yield rows


def written(database: Any, table: str, kind: str, packed: str | None) -> tuple[bytes, list[str]]:
    sink = Memory()
    with exported(database, table) as rows:
        formats.write_rows(rows, sink, kind, packed)
        names = [column.name for column in rows.columns]
    return bytes(sink.data), names


def compare(rows: Rows, database: Any, table: str, kind: str, packed: str | None) -> None:
    data, names = written(database, table, kind, packed)
    if kind == "parquet":
        read = reading.read_parquet(data)
        got = [tuple(map(reading.utc, row.values())) for row in read.to_pylist()]
        assert read.column_names == names
        assert got == [tuple(map(reading.utc, row)) for row in reading.expected(rows, table, names, typed=True)]
        return
    data = reading.unpacked(data, packed)
    if kind == "csv":
        assert data.partition(b"\n")[0].decode().split(",") == names
        assert reading.read_csv(data, rows) == reading.expected(rows, table, names, typed=False)
        return
    read_back = reading.read_jsonl(data)
    assert all(list(row) == names for row in read_back)
    got = [tuple(map(json_value, rows_types(rows, table, names), row.values())) for row in read_back]
    assert got == [tuple(map(reading.utc, row)) for row in reading.expected(rows, table, names, typed=True)]


def rows_types(rows: Rows, table: str, names: list[str]) -> list[str]:
    kinds = {name: kind for name, kind, _ in rows.columns(table)}
    return [kinds[name] for name in names]


def json_value(kind: str, value: Any) -> Any:
    if value is not None and kind.startswith("timestamp"):
        return reading.utc(dt.datetime.fromisoformat(value))
    return value


@pytest.mark.parametrize(("kind", "packed"), FORMS)
def test_rows_come_back_as_they_are_in_the_database(rows, database, kind, packed):
    rows.add_task_instance(hostname='a "quoted", value\nin two lines\r\n', unixname="", pid=7, duration=1e-7)
    rows.add_task_instance(start_date=None, hostname=None, unixname="ünïcödé \U0001f600", operator="\\.")
    rows.add_task_instance(EPOCH + dt.timedelta(microseconds=123456), executor_config=bytes(range(256)), duration=0.1)
    compare(rows, database, "task_instance", kind, packed)


@pytest.mark.parametrize("kind", formats.FORMATS)
def test_awkward_text_comes_back(rows, database, kind):
    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(AWKWARD, AWKWARD), min_size=1, max_size=5))
    def check(values: list[tuple[str | None, str | None]]) -> None:
        rows.execute("DELETE FROM import_error")
        for first, second in values:
            rows.add("import_error", filename=first, stacktrace=second)
        compare(rows, database, "import_error", kind, None)

    check()


@pytest.mark.parametrize("kind", formats.FORMATS)
def test_a_value_larger_than_any_block_comes_back(rows, database, kind):
    long = ('"\n,' + "x" * 97) * 200_000  # 20 MB, with all that could be mistaken for its end
    rows.add("import_error", filename="first", stacktrace="short")
    rows.add("import_error", filename="second", stacktrace=long)
    rows.add("import_error", filename="third", stacktrace=None)
    compare(rows, database, "import_error", kind, None)


@pytest.mark.parametrize("kind", formats.FORMATS)
def test_an_empty_table_is_a_file_without_rows(rows, database, kind):
    compare(rows, database, "task_instance", kind, None)


def test_every_table_of_the_release_is_written_in_every_format(rows, database):
    """Whatever types its columns have."""
    names = [
        name
        for (name,) in rows.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY 1"
        )
    ]
    kept = {"alembic_version", "log_template", "slot_pool"}
    for name in names:
        if name not in kept and not name.startswith("ab_"):
            rows.add(name)
    with open_database(database) as source:
        for selection in source.selections(Asked(tuple(names))):
            (wanted,) = rows.execute(f'SELECT count(*) FROM "{selection.table}"')[0]
            for kind in formats.FORMATS:
                sink = Memory()
                with source.open(selection) as opened:
                    formats.write_rows(opened, sink, kind, None)
                assert (selection.table, kind, opened.row_count) == (selection.table, kind, wanted)
                assert sink.data or (kind == "jsonl" and not wanted)


@given(st.lists(st.tuples(AWKWARD, AWKWARD), max_size=8), st.integers(1, 40), st.integers(1, 200))
@settings(deadline=None)
def test_blocks_are_whole_records_wherever_the_chunks_are_cut(values, cut, size):
    text = "".join(f"{quoted(first)},{quoted(second)}\n" for first, second in values).encode()
    chunks = [text[at : at + cut] for at in range(0, len(text), cut)]
    blocks = list(formats.whole_records(iter(chunks), size))
    assert b"".join(blocks) == text
    assert all(block.endswith(b"\n") and block.count(b'"') % 2 == 0 for block in blocks)


def quoted(value: str | None) -> str:
    return "" if value is None else '"' + value.replace('"', '""') + '"'
