"""What ``scripts/test`` does: choose the legs, run checks and legs, print the table."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import _checks
from _legs import DEFAULT_LEGS, LEGS
from _machine import Pythons, SetupError, check_machine
from _pytest_leg import LegResult, LegRun, end_all
from _report import Row, print_table
from _workbench import ROOT, airflow_environment, say, uv_environment

if TYPE_CHECKING:
    import types
    from collections.abc import Sequence

# GiB, measured: ten releases take 2.5 of disk with uv's cache, each up to 0.4 by itself, and PostgreSQL's data comes on
# top. A real Airflow 3 takes 1 of memory, an Airflow 2 half of that; tests that start two of them run beside those of
# another leg.
MEMORY = 3.0
DISK_FOR_TOOLS = 1.5
DISK_PER_LEG = 0.5


# What runs outside of Airflow wherever it is used, and is the same for every release: the matrix tests it on the default legs.
SAME_EVERYWHERE = ("tests/cli", "tests/docs", "tests/local", "tests/packaging/checks", "tests/scripts")


@dataclass(frozen=True)
class Plan:
    """What is going to run.

    :param legs: The releases, in the order in which they start.
    :param markers: Release to pytest's ``-m``.
    :param at_once: How many legs run at a time.
    :param time_limit: Seconds for one leg.
    :param left_out: Release to the folders of tests that it does without.
    """

    legs: tuple[str, ...]
    markers: dict[str, str]
    at_once: int
    time_limit: float
    left_out: dict[str, tuple[str, ...]] = field(default_factory=dict)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; 0 only if nothing failed."""
    parser = argparse.ArgumentParser(
        prog="scripts/test",
        description="Format, lint, types, the wheel; tests on an Airflow 2 and an Airflow 3, real environments too.",
        epilog="What follows -- goes to pytest: scripts/test --leg 3.3.1 -- tests/client -x",
    )
    tiers = parser.add_mutually_exclusive_group()
    tiers.add_argument(
        "--matrix", action="store_true", help="that, and all ten releases, without real environments on the others"
    )
    tiers.add_argument(
        "--full", action="store_true", help="everything on all ten releases, real environments and slow tests (hours)"
    )
    tiers.add_argument(
        "--leg", action="append", choices=LEGS, metavar="RELEASE", help="the tests on this release only (repeatable)"
    )
    parser.add_argument("--no-lint", action="store_true", help="only the tests")
    parser.add_argument("--lint", action="store_true", help="only format, lint, types and the wheel")
    parser.add_argument("-k", metavar="EXPR", help="only tests whose names match, as in pytest")
    parser.add_argument("pytest", nargs="*", metavar="-- ...", help="further arguments for pytest")
    options = parser.parse_args(arguments)
    # SIGINT too: a shell starts background jobs with it ignored, and so would pytest be.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return _run(options)
    except SetupError as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    finally:
        end_all()


def _interrupt(number: int, frame: types.FrameType | None) -> None:
    raise KeyboardInterrupt


def _plan(options: argparse.Namespace) -> Plan:
    if options.lint:
        return Plan((), {}, 1, 0)
    if options.full:
        return Plan(tuple(LEGS), dict.fromkeys(LEGS, ""), at_once=2, time_limit=3 * 3600)
    if options.leg:
        return Plan(
            tuple(dict.fromkeys(options.leg)), dict.fromkeys(options.leg, "not slow"), at_once=2, time_limit=3600
        )
    markers = dict.fromkeys(DEFAULT_LEGS, "not slow" if options.matrix else "not slow and not patient")
    if options.matrix:
        # The default legs take longest, so they begin.
        others = [airflow for airflow in LEGS if airflow not in markers]
        markers |= dict.fromkeys(others, "not slow and not real_airflow")
        return Plan(
            tuple(markers), markers, at_once=2, time_limit=1500, left_out=dict.fromkeys(others, SAME_EVERYWHERE)
        )
    return Plan(tuple(markers), markers, at_once=2, time_limit=1500)


def _run(options: argparse.Namespace) -> int:
    plan = _plan(options)
    check_machine(ROOT, free_memory=MEMORY, free_disk=_disk(plan))
    pythons = Pythons()
    say(f"Pythons on this machine: {pythons}")
    uv_environment(pythons)
    results_folder = ROOT / "test-results"
    shutil.rmtree(results_folder, ignore_errors=True)
    results_folder.mkdir()
    rows: list[Row] = []
    if not (options.no_lint or options.leg):
        rows += _checks.run_all(pythons)
    further = [*(["-k", options.k] if options.k else []), *options.pytest]
    with ThreadPoolExecutor(plan.at_once) as pool:
        running = [pool.submit(_leg, airflow, plan, pythons, further) for airflow in plan.legs]
        try:
            legs = [future.result() for future in running]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            end_all()
            raise
    rows += [row for row, _ in legs]
    for _, result in legs:
        if result is not None and result.failed:
            print(f"\n---- Airflow {result.airflow}: the end of {result.log.relative_to(ROOT)}\n{result.tail}")
    print_table(rows, selected=bool(further))
    for _, result in legs:
        if result is not None and result.closing_line:
            print(result.closing_line)
    return 1 if any(row.failed for row in rows) else 0


def _disk(plan: Plan) -> float:
    missing = sum(not any((ROOT / ".venvs").glob(f"airflow-{airflow}-py*/.stamp")) for airflow in plan.legs)
    return DISK_FOR_TOOLS + DISK_PER_LEG * missing


def _leg(airflow: str, plan: Plan, pythons: Pythons, further: Sequence[str]) -> tuple[Row, LegResult | None]:
    leg = LEGS[airflow]
    chosen = pythons.choose(leg)
    if chosen is None:
        wanted = " or ".join(f"{major}.{minor}" for major, minor in leg.pythons)
        # CI's machine has them all: there a leg that did not run is a promise that was not tested.
        required = os.environ.get("CI") == "true"
        say(f"Airflow {airflow}: not run, there is no Python {wanted} here")
        return Row(
            f"Airflow {airflow}", outcome="FAILED" if required else "not run", notes=(f"no Python {wanted} here",)
        ), None
    python = f"{chosen[0][0]}.{chosen[0][1]}"
    try:
        environment = airflow_environment(airflow, pythons)
    except SetupError as problem:
        say(f"Airflow {airflow}: {problem}")
        return Row(
            f"Airflow {airflow}", python, outcome="FAILED", notes=("its environment could not be made, see above",)
        ), None
    ignored = [f"--ignore={folder}" for folder in plan.left_out.get(airflow, ())]
    result = LegRun(airflow, environment, plan.markers[airflow], plan.time_limit).run([*ignored, *further])
    return result.row(python), result
