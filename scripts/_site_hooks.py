"""What mkdocs does to a page before it builds it (mkdocs.yml): a heading for each sample of the AWS guide, by which the search finds it."""

from __future__ import annotations

import re
from typing import Any

#: A row of the table in docs/samples.md.
_ROW = re.compile(r"^\| (\d+) \| (.+?)(?: \(\*(.+)\*\))? \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Add to the table of samples a part for each of them.

    :param markdown: The page.
    :param page: What mkdocs knows of it.
    """
    return markdown + by_name(markdown) if page.file.src_uri == "samples.md" else markdown


def by_name(markdown: str) -> str:
    """Return a part for each row of the table: its names as the heading, and what does the same here.

    :param markdown: The page with the table.
    """
    parts = [
        f"### {name}{f': {title}' if title else ''}\n\nSample {number} of the table. Here: {here}. What was wrong with it: {wrong}. "
        f"How ours is tested: {tested}.\n"
        for number, name, title, here, wrong, tested in _ROW.findall(markdown)
    ]
    return "\n\n## Each by its name\n\n" + "\n".join(parts)
