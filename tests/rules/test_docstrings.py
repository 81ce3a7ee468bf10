"""Every parameter of what users hold is explained, and every template field is there to be rendered."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import mwaa_provider
from tests.rules.docstrings import undocumented

SOURCE = Path(mwaa_provider.__file__).parent
PARTS = ("client", "hooks", "operators", "packaging", "sensors", "transfers", "triggers")


def test_every_parameter_is_explained():
    files = [file for part in PARTS for file in sorted((SOURCE / part).rglob("*.py")) if not file.stem.startswith("_")]
    assert [problem for file in files for problem in undocumented(file)] == []


def test_what_is_not_explained_is_found(tmp_path):
    file = tmp_path / "sample.py"
    file.write_text(
        '''
from dataclasses import dataclass

def explained(name, *, count=1, _private=None, **kwargs):
    """Do it.

    :param name: The name.
    :param int count: How many.
    """

def forgotten(name): ...

def _private(name): ...

@dataclass
class Facts:
    """Facts.

    :param one: The one.
    """

    one: int
    two: int

class Operator:
    """An operator.

    :param one: The one.
    :param two:
    """

    def __init__(self, one, two, three): ...

    def execute(self, context):
        """Do it."""

    def fetch(self, url):
        """Fetch it."""
'''
    )
    assert undocumented(file) == [
        "sample.py: forgotten has no docstring",
        "sample.py: forgotten: no ':param name:'",
        "sample.py: Facts: no ':param two:'",
        "sample.py: Operator: no ':param two:'",
        "sample.py: Operator: no ':param three:'",
        "sample.py: Operator.fetch: no ':param url:'",
    ]


def test_every_template_field_is_an_attribute():
    missing = [
        f"{kind.__qualname__} never sets self.{name}"
        for kind in _templated_classes()
        for name in _fields_never_set(kind)
    ]
    assert missing == []


def test_a_template_field_that_is_never_set_is_found():
    class Sample:
        template_fields = ("one", "two")

        def __init__(self):
            self.one: str = ""

    assert _fields_never_set(Sample) == ["two"]


def _templated_classes() -> list[type]:
    classes = []
    for part in ("operators", "sensors", "transfers"):
        for module in pkgutil.walk_packages([str(SOURCE / part)], f"mwaa_provider.{part}."):
            for value in vars(importlib.import_module(module.name)).values():
                if inspect.isclass(value) and value.__module__ == module.name and hasattr(value, "template_fields"):
                    classes.append(value)
    return classes


def _fields_never_set(kind: type) -> list[str]:
    # Airflow's own base classes set what Airflow's own template fields need; some of theirs are made at import and have no source.
    ours = [base for base in kind.__mro__ if base.__module__.partition(".")[0] in ("mwaa_provider", "tests")]
    text = "\n".join(inspect.getsource(base) for base in ours)
    return [name for name in kind.template_fields if not re.search(rf"\bself\.{name}\b(: [^=\n]+)? = ", text)]
