"""The check of the built site finds links that lead nowhere, and every sample of the guide has a heading that the search knows."""

from __future__ import annotations

import re

import _site_check
import _site_hooks

from tests.support.processes import ROOT

SAMPLES = (ROOT / "docs/samples.md").read_text(encoding="utf-8")


def test_links_that_lead_nowhere(tmp_path):
    (tmp_path / "guide").mkdir()
    (tmp_path / "index.html").write_text(
        '<h2 id="one">One</h2><a href="guide/#two">good</a> <a href="#one">good</a> <a href="https://example.com/x">elsewhere</a>'
        '<a href="guide/#three">no such id</a> <a href="none/">no such page</a> <img src="none.svg">'
    )
    (tmp_path / "guide/index.html").write_text('<h2 id="two">Two</h2><a href="../index.html#one">good</a>')
    (tmp_path / "404.html").write_text('<a href="/begins/elsewhere">left out</a>')
    assert _site_check.dead_links(tmp_path) == [
        "index.html: guide/#three",
        "index.html: none/",
        "index.html: none.svg",
    ]


def test_every_sample_has_a_heading_with_all_its_names():
    parts = _site_hooks.by_name(SAMPLES)
    headings = re.findall(r"^### (.+)$", parts, re.MULTILINE)
    assert len(headings) == 40
    names = _site_check.sample_names()
    assert len(names) > 60
    assert [name for name in names if not any(name in heading for heading in headings)] == []
    assert "### Import variables from a JSON file: Using a DAG to import variables in the CLI\n\nSample 10 of" in parts


def test_what_pages_and_examples_import_is_public():
    found = _site_check._imported_by_examples()
    assert "mwaa_provider.hooks.s3.s3_client" in found
    assert "mwaa_provider.operators.dag_run.MwaaTriggerDagRunOperator" in found
