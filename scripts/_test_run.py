"""What ``scripts/test`` does: choose the legs, run checks and legs, print the table."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import _checks
from _legs import DEFAULT_LEGS, LEGS
from _machine import Pythons, SetupError, check_machine
from _pytest_leg import LegResult, LegRun, end_all
from _report import Row, print_table
from _workbench import ROOT, airflow_environment, say, uv_environment

if TYPE_CHECKING:
    import types
    from collections.abc import Iterable, Sequence

# GiB, measured: ten releases take 2.5 of disk with uv's cache, each up to 0.4 by itself, and PostgreSQL's data comes on
# top. A real Airflow 3 takes 1 of memory, an Airflow 2 half of that; tests that start two of them run beside those of
# another leg.
MEMORY = 4.0
DISK_FOR_TOOLS = 1.5
DISK_PER_LEG = 0.5


# What runs outside of Airflow wherever it is used, and is the same for every release: the matrix tests it on the default legs.
# The examples run there too; on the others they are parsed (tests/rules).
SAME_EVERYWHERE = (
    "tests/cli",
    "tests/docs",
    "tests/example_dags",
    "tests/local",
    "tests/metrics/test_host.py",
    "tests/metrics/test_listening.py",
    "tests/packaging/checks",
    "tests/scripts",
)
# The client knows no Airflow of its own process: it meets the oldest boto3 and requests, the default legs', and in the full run all.
CLIENT = "tests/client"


@dataclass(frozen=True)
class Part:
    """One run of pytest on one release.

    :param airflow: The release.
    :param markers: pytest's ``-m``; empty for all tests.
    :param only: What tells it from the other part of the same release; empty if there is none.
    :param left_out: The folders and files of tests that it does without.
    """

    airflow: str
    markers: str
    only: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called in the table, and its files."""
        return f"{self.airflow} {self.only}".strip()


@dataclass(frozen=True)
class Plan:
    """What is going to run.

    :param parts: What to run, in the order in which it starts.
    :param at_once: How many parts run at a time. Real Airflows are waited for more than they compute, so there are more of them than cores.
    :param time_limit: Seconds for one part.
    """

    parts: tuple[Part, ...]
    at_once: int
    time_limit: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; 0 only if nothing failed."""
    parser = argparse.ArgumentParser(
        prog="scripts/test",
        description="Format, lint, types, the wheel, the site; tests on an Airflow 2 and an Airflow 3, real environments too.",
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
    parser.add_argument("--lint", action="store_true", help="only format, lint, types, the wheel and the site")
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


def _left_out(airflow: str) -> tuple[str, ...]:
    return SAME_EVERYWHERE if airflow == next(iter(LEGS)) else (*SAME_EVERYWHERE, CLIENT)


def _plan(options: argparse.Namespace) -> Plan:
    if options.lint:
        return Plan((), 1, 0)
    if options.leg:
        return Plan(tuple(Part(airflow, "not slow") for airflow in dict.fromkeys(options.leg)), 2, 3600)
    if options.full:
        return Plan(_in_two_parts(LEGS, ""), at_once=3, time_limit=3 * 3600)
    if options.matrix:
        # What takes longest begins.
        others = tuple(
            Part(airflow, "not slow and not real_airflow", left_out=_left_out(airflow))
            for airflow in reversed(LEGS)
            if airflow not in DEFAULT_LEGS
        )
        return Plan((*_in_two_parts(DEFAULT_LEGS, "not slow"), *others), at_once=3, time_limit=1800)
    return Plan(_in_two_parts(DEFAULT_LEGS, "not slow and not patient"), at_once=4, time_limit=1500)


def _in_two_parts(releases: Iterable[str], markers: str) -> tuple[Part, ...]:
    """Give each release a part that starts real Airflows and one that does not."""
    and_so = f"{markers} and " if markers else ""
    return (
        *(Part(airflow, f"{and_so}real_airflow", "real") for airflow in releases),
        *(Part(airflow, f"{and_so}not real_airflow", "played") for airflow in releases),
    )


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
        running = [pool.submit(_run_part, part, plan.time_limit, pythons, further) for part in plan.parts]
        try:
            legs = [future.result() for future in running]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            end_all()
            raise
    rows += [row for row, _ in legs]
    for _, result in legs:
        if result is not None and result.failed:
            print(f"\n---- Airflow {result.name}: the end of {result.log.relative_to(ROOT)}\n{result.tail}")
    print_table(rows, selected=bool(further))
    for _, result in legs:
        if result is not None and result.closing_line:
            print(result.closing_line)
    return 1 if any(row.failed for row in rows) else 0


def _disk(plan: Plan) -> float:
    releases = {part.airflow for part in plan.parts}
    missing = sum(not any((ROOT / ".venvs").glob(f"airflow-{airflow}-py*/.stamp")) for airflow in releases)
    return DISK_FOR_TOOLS + DISK_PER_LEG * missing


def _run_part(part: Part, time_limit: float, pythons: Pythons, further: Sequence[str]) -> tuple[Row, LegResult | None]:
    leg = LEGS[part.airflow]
    chosen = pythons.choose(leg)
    if chosen is None:
        wanted = " or ".join(f"{major}.{minor}" for major, minor in leg.pythons)
        # CI's machine has them all: there a leg that did not run is a promise that was not tested.
        required = os.environ.get("CI") == "true"
        say(f"Airflow {part.name}: not run, there is no Python {wanted} here")
        return Row(
            f"Airflow {part.name}", outcome="FAILED" if required else "not run", notes=(f"no Python {wanted} here",)
        ), None
    python = f"{chosen[0][0]}.{chosen[0][1]}"
    try:
        environment = airflow_environment(part.airflow, pythons)
    except SetupError as problem:
        say(f"Airflow {part.name}: {problem}")
        return Row(
            f"Airflow {part.name}", python, outcome="FAILED", notes=("its environment could not be made, see above",)
        ), None
    ignored = [f"--ignore={folder}" for folder in part.left_out]
    # What is selected by hand may all lie in one of a release's parts.
    run = LegRun(part.name, environment, part.markers, time_limit, may_be_empty=bool(part.only and further))
    result = run.run([*ignored, *further])
    return result.row(python), result
