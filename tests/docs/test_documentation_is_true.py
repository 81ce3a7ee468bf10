"""Documentation includes its code from example_dags/ by marker, links lead somewhere, and changelog and version agree."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest

import mwaa_provider
from mwaa_provider.local import LocalMwaa

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
INCLUDED = re.compile(r"<!-- \[START (\w+)\] from (\S+) -->\n```python\n(.*?)```\n<!-- \[END \1\] -->", re.DOTALL)


def included() -> list[tuple[str, str, str, str]]:
    return [
        (str(page.relative_to(ROOT)), *match.groups())
        for page in PAGES
        for match in INCLUDED.finditer(page.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize(("page", "marker", "source", "code"), included(), ids=lambda value: value[:40])
def test_included_code_is_the_examples(page: str, marker: str, source: str, code: str) -> None:
    text = (ROOT / source).read_text(encoding="utf-8")
    wanted = re.search(rf"^ *# \[START {marker}\]\n(.*?)^ *# \[END {marker}\]", text, re.DOTALL | re.MULTILINE)
    assert wanted is not None, f"{source} has no marker {marker}"
    assert without_empty_lines(code) == without_empty_lines(textwrap.dedent(wanted[1]))


def without_empty_lines(code: str) -> str:
    """The formatter wants two between the functions of a page, one between those in a DAG, and one before a marker's end.

    Markers within what is included are left out as well.
    """
    marker = re.compile(r" *# \[(START|END) \w+\]")
    return "\n".join(line for line in code.splitlines() if line.strip() and not marker.fullmatch(line))


def test_no_marker_is_left_without_its_code() -> None:
    for page in PAGES:
        assert page.read_text(encoding="utf-8").count("<!-- [START") == sum(
            name == str(page.relative_to(ROOT)) for name, *_ in included()
        )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_stands_in_the_index_and_in_the_navigation() -> None:
    pages = sorted(page.name for page in (ROOT / "docs").glob("*.md") if page.name != "index.md")
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^- .*\]\(([\w-]+\.md)\)", index, re.MULTILINE)) == pages
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    reference = [f"reference/{page.name}" for page in (ROOT / "docs/reference").glob("*.md")]
    named = re.findall(r"^ +- (?:.*: )?([\w/-]+\.md)$", navigation, re.MULTILINE)
    assert sorted(named) == sorted([*pages, *reference, "index.md"])


def test_paths_that_pages_name_exist() -> None:
    named = re.compile(r"`((?:src|tests|scripts|example_dags|docs|pins|client|operators|local)/[\w./-]*)`")
    for page in PAGES:
        for path in named.findall(page.read_text(encoding="utf-8")):
            assert any((root / path).exists() for root in (ROOT, ROOT / "src/mwaa_provider")), (
                f"{page.name} names {path}"
            )


def test_the_changelog_begins_with_this_version() -> None:
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert first is not None
    assert first[1] == mwaa_provider.__version__


def test_python_in_pages_compiles() -> None:
    for page in PAGES:
        for code in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            compile(code, page.name, "exec")


def test_the_example_of_the_local_mwaa_page_passes(local_mwaa: LocalMwaa) -> None:
    """The page's second block is a test for its readers' own projects; it must pass as it stands there."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/local-mwaa.md").read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(blocks[1], "local-mwaa.md", "exec"), names)
    names["test_a_lost_answer_starts_one_run"](local_mwaa)
