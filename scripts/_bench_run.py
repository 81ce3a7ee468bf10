"""What ``scripts/bench`` does: make the environment with the peer in it, run the benchmarks one after the other."""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import TYPE_CHECKING

from _machine import Pythons, SetupError
from _workbench import ROOT, benchmark_environment, clean_environment, say

if TYPE_CHECKING:
    from collections.abc import Sequence

BENCHMARKS = ROOT / "benchmarks"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; 0 only if every benchmark came to its end."""
    names = sorted(path.stem for path in BENCHMARKS.glob("[a-z]*.py"))
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description="Measure the client beside the Amazon provider's MwaaHook, against a local MWAA.",
        epilog="What follows -- goes to the benchmark: scripts/bench requests_per_call -- --calls 10000",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(names)} (default: all)")
    given = list(sys.argv[1:] if arguments is None else arguments)
    at = given.index("--") if "--" in given else len(given)
    options, further = parser.parse_args(given[:at]), given[at + 1 :]
    if unknown := sorted(set(options.names) - set(names)):
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(names)}")
    try:
        environment = benchmark_environment(Pythons())
    except SetupError as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 2
    failed = []
    for name in options.names or names:
        say(f"{name} begins")
        command = [str(environment.python), str(BENCHMARKS / f"{name}.py"), *further]
        try:
            done = subprocess.run(command, cwd=ROOT, env=clean_environment(), stdin=subprocess.DEVNULL)
        except KeyboardInterrupt:
            return 130
        if done.returncode:
            failed.append(name)
    if failed:
        print(f"\nNot measured: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0
