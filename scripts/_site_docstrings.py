"""Docstrings as the site shows them: what they say in reStructuredText becomes Markdown.

An extension of griffe's, which reads the source for the reference (mkdocs.yml).
"""

from __future__ import annotations

import re
from typing import Any

import griffe

#: ``:class:`Name``` and its like; with ``~`` the last part of the name is shown alone.
_ROLE = re.compile(r":(?:class|func|meth|mod|data|attr|exc):`(~?)([^`]+)`")
#: What comes next, indented, is code: at the end of a sentence, or on a line of its own.
_CODE_FOLLOWS = re.compile(r"(?m)^(.*\S)?::$")
#: A table drawn by lines of ``=``: shown as it stands.
_DRAWN_TABLE = re.compile(r"(?m)(?:^=[= ]*=\n)(?:.*\n)*?(?:^=[= ]*=$)")


class ReadAsMarkdown(griffe.Extension):
    """Rewrite each docstring before it is parsed."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of a module, class, function or attribute.

        :param obj: What has just been read.
        """
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    """Return a docstring with its reStructuredText as Markdown.

    :param text: The docstring.
    """
    text = _DRAWN_TABLE.sub(lambda match: f"```text\n{match[0]}\n```", text)
    text = _CODE_FOLLOWS.sub(lambda match: f"{match[1]}:" if match[1] else "", text)
    return _ROLE.sub(lambda match: f"`{match[2].rpartition('.')[2] if match[1] else match[2]}`", text)
