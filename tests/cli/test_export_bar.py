"""The progress bar of ``mwaa export run``."""

from __future__ import annotations

from mwaa_provider.cli.export_bar import ExportBar

MIB = 1024 * 1024


def drawn(*told: tuple[str, int, float | None]) -> list[str]:
    written: list[str] = []
    bar = ExportBar(written.append)
    for one in told:
        bar.show(*one)
    bar.end()
    assert all(text.startswith("\r\x1b[K") for text in written)
    return [text.removeprefix("\r\x1b[K") for text in written]


def test_a_table_that_is_half_there():
    assert drawn(("log", 3 * MIB, 0.5)) == [f"log [{'#' * 15}{'-' * 15}]  50%  3.0 MiB", ""]


def test_tables_count_by_their_size():
    assert drawn(("log", 2 * MIB, 0.5), ("dag_run", MIB, 0.25))[1] == (
        f"log and 1 more [{'#' * 11}{'-' * 19}]  38%  3.0 MiB"
    )


def test_a_table_that_is_whole_keeps_its_line():
    assert drawn(("log", MIB, 0.5), ("dag_run", MIB, 0.1), ("log", 2 * MIB, 1.0))[2] == (
        f"log: 2.0 MiB of rows\ndag_run [{'#' * 3}{'-' * 27}]  10%  1.0 MiB"
    )


def test_where_nobody_knows_there_is_no_bar():
    assert drawn(("log", MIB, None)) == ["log: 1.0 MiB", ""]


def test_it_never_claims_an_end_that_has_not_come():
    assert " 99%" in drawn(("log", MIB, 0.999))[0]
