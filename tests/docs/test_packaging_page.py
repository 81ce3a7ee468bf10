"""docs/packaging.md lists every kind of finding, with its severity and meaning."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mwaa_provider.packaging.rules import PLUGINS_RULES, REQUIREMENTS_RULES, STARTUP_RULES, Rule

PAGE = (Path(__file__).parents[2] / "docs/packaging.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("heading", "rules"),
    [("plugins.zip", PLUGINS_RULES), ("requirements.txt", REQUIREMENTS_RULES), ("the startup script", STARTUP_RULES)],
)
def test_the_page_lists_every_kind_of_finding(heading: str, rules: dict[str, Rule]) -> None:
    section = PAGE.partition(f"## What the checks find in {heading}\n")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `([a-z0-9-]+)` \| (\w+) \| (.*) \|$", section, re.MULTILINE)
    assert listed == [(name, rule.severity.value, rule.meaning) for name, rule in rules.items()]
