"""Docstrings as the site shows them: what they say in reStructuredText becomes Markdown.

An extension of griffe's, which reads the source for the reference (mkdocs.yml).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import griffe

#: ``:class:`Name``` and its like; with ``~`` the last part of the name is shown alone.
_ROLE = re.compile(r":(?:class|func|meth|mod|data|attr|exc):`(~?)([^`]+)`")
#: What comes next, indented, is code: at the end of a sentence, or on a line of its own.
_CODE_FOLLOWS = re.compile(r"(?m)^(.*\S)?::$")
#: A table drawn by lines of ``=``: shown as it stands.
_DRAWN_TABLE = re.compile(r"(?m)(?:^=[= ]*=\n)(?:.*\n)*?(?:^=[= ]*=$)")


#: A parameter that a docstring explains.
_EXPLAINED = re.compile(r"(?m)^:param (?:\w+ )?(\w+):")


class ReadAsMarkdown(griffe.Extension):
    """Rewrite each docstring before it is parsed, and show parameters that go through to a base class with their types and defaults."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of a module, class, function or attribute.

        :param obj: What has just been read.
        """
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Give the signature of each class the parameters that its docstring explains and a base class takes.

        :param pkg: The package, read whole.
        """
        for module in _modules_of(pkg):
            for one in module.classes.values():
                if isinstance(one, griffe.Class):
                    _show_inherited_parameters(one)


def _modules_of(module: griffe.Module) -> Iterator[griffe.Module]:
    yield module
    for inner in module.modules.values():
        if isinstance(inner, griffe.Module):
            yield from _modules_of(inner)


def _show_inherited_parameters(one: griffe.Class) -> None:
    init = one.members.get("__init__")
    if not isinstance(init, griffe.Function) or one.docstring is None:
        return
    own = list(init.parameters)
    known = {parameter.name for parameter in own}
    explained = [name for name in _EXPLAINED.findall(one.docstring.value) if name not in known]
    bases = [base.members.get("__init__") for base in one.mro()]
    further = [
        next(base.parameters[name] for base in bases if isinstance(base, griffe.Function) and name in base.parameters)
        for name in explained
    ]
    ends = [parameter for parameter in own if parameter.kind is griffe.ParameterKind.var_keyword]
    init.parameters = griffe.Parameters(*[one for one in own if one not in ends], *further, *ends)


def as_markdown(text: str) -> str:
    """Return a docstring with its reStructuredText as Markdown.

    :param text: The docstring.
    """
    text = _DRAWN_TABLE.sub(lambda match: f"```text\n{match[0]}\n```", text)
    text = _CODE_FOLLOWS.sub(lambda match: f"{match[1]}:" if match[1] else "", text)
    return _ROLE.sub(lambda match: f"`{match[2].rpartition('.')[2] if match[1] else match[2]}`", text)
