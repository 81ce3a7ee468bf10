"""scripts/demo understands which releases are meant."""

from __future__ import annotations

import argparse

import _demo
import pytest


@pytest.mark.parametrize(
    ("said", "meant"),
    [("2", "2.10.3"), ("2.x", "2.10.3"), ("3", "3.3.1"), ("3.x", "3.3.1"), ("2.7.2", "2.7.2"), ("3.0.6", "3.0.6")],
)
def test_a_line_or_a_release(said, meant):
    assert _demo.airflow_version(said) == meant


@pytest.mark.parametrize("said", ["4", "1.10.12", "latest", ""])
def test_what_there_are_no_pins_for(said):
    with pytest.raises(argparse.ArgumentTypeError, match=r"is none of 2\.x, 3\.x, 2\.7\.2"):
        _demo.airflow_version(said)
