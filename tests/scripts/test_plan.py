"""Which tests run where."""

from __future__ import annotations

import argparse
from typing import Any

import pytest
from _legs import DEFAULT_LEGS, LEGS
from _test_run import CLIENT, SAME_EVERYWHERE, Part, _plan

from tests.support.processes import ROOT


def planned(**options: Any) -> Any:
    return _plan(argparse.Namespace(**{"lint": False, "full": False, "leg": None, "matrix": False, **options}))


REAL, PLAYED = "real_airflow", "not real_airflow"


def in_two_parts(releases: Any, markers: str) -> set[Part]:
    return {
        Part(release, f"{markers}{kind}", only)
        for release in releases
        for kind, only in ((REAL, "real"), (PLAYED, "played"))
    }


def test_the_default_tier_leaves_out_what_takes_long() -> None:
    plan = planned()
    assert set(plan.parts) == in_two_parts(DEFAULT_LEGS, "not slow and not patient and ")
    assert plan.at_once == len(plan.parts)


def test_the_matrix_runs_all_ten_and_everything_but_the_slow_on_the_default_legs() -> None:
    parts = planned(matrix=True).parts
    assert set(parts[:4]) == in_two_parts(DEFAULT_LEGS, "not slow and ")
    others = [release for release in reversed(LEGS) if release not in DEFAULT_LEGS]
    assert list(parts[4:]) == [
        Part(release, "not slow and not real_airflow", left_out=left_out)
        for release in others
        for left_out in [SAME_EVERYWHERE if release == "2.7.2" else (*SAME_EVERYWHERE, CLIENT)]
    ]


@pytest.mark.parametrize("folder", [*SAME_EVERYWHERE, CLIENT])
def test_what_is_left_out_is_there(folder: str) -> None:
    assert (ROOT / folder).exists()


def test_the_full_run_leaves_out_nothing() -> None:
    assert set(planned(full=True).parts) == in_two_parts(LEGS, "")


def test_one_leg_is_one_part() -> None:
    assert planned(leg=["3.0.6", "3.0.6"]).parts == (Part("3.0.6", "not slow"),)
