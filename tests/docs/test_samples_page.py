"""The table of the guide's samples has no empty cell and no file that is not there, and no example is left out of the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/samples.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if re.match(r"\| \d+ \|", line)
]
PATH = re.compile(r"`((?:example_dags|examples|docs)/[\w./-]+)`")


def test_every_sample_has_a_row() -> None:
    assert [int(row[0]) for row in ROWS] == list(range(1, 41))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1])
def test_no_cell_is_empty_and_every_file_is_there(row: list[str]) -> None:
    assert len(row) == 5
    assert all(len(cell) >= 3 for cell in row[1:])
    here = row[2]
    named = PATH.findall(here)
    assert named, "it names what does the same"
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert ("nothing to test" in row[4]) == here.startswith("none")


def test_what_runs_is_run() -> None:
    """A row that says so has a test that names the example."""
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    for row in ROWS:
        if re.match(r"runs\b", row[4]):
            for path in PATH.findall(row[2]):
                assert Path(path).stem in tests or Path(path).parent.name in tests, path


def test_no_example_is_left_out() -> None:
    files = [*(ROOT / "example_dags").glob("*.py"), *(ROOT / "examples").glob("*.*")]
    assert [path.name for path in files if f"`{path.parent.name}/{path.name}`" not in PAGE] == []
