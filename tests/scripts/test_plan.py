"""Which tests run where."""

from __future__ import annotations

import argparse
from typing import Any

import pytest
from _legs import DEFAULT_LEGS, LEGS
from _test_run import SAME_EVERYWHERE, _plan

from tests.support.processes import ROOT


def planned(**options: Any) -> Any:
    return _plan(argparse.Namespace(**{"lint": False, "full": False, "leg": None, "matrix": False, **options}))


def test_the_default_tier_leaves_out_what_takes_long() -> None:
    plan = planned()
    assert plan.markers == dict.fromkeys(DEFAULT_LEGS, "not slow and not patient")
    assert plan.left_out == {}


def test_the_matrix_runs_all_ten_and_everything_but_the_slow_on_the_default_legs() -> None:
    plan = planned(matrix=True)
    assert set(plan.legs) == set(LEGS)
    assert plan.legs[:2] == tuple(DEFAULT_LEGS)
    for release in LEGS:
        is_default = release in DEFAULT_LEGS
        assert plan.markers[release] == ("not slow" if is_default else "not slow and not real_airflow")
        assert plan.left_out.get(release, ()) == (() if is_default else SAME_EVERYWHERE)


@pytest.mark.parametrize("folder", SAME_EVERYWHERE)
def test_what_is_left_out_is_there(folder: str) -> None:
    assert (ROOT / folder).is_dir()


def test_the_full_run_leaves_out_nothing() -> None:
    plan = planned(full=True)
    assert (plan.markers, plan.left_out) == (dict.fromkeys(LEGS, ""), {})
