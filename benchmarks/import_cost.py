"""CPU seconds that operator, sensor and trigger modules cost a DAG file over Airflow's own base classes, on every release."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from _table import ratio, show

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
KINDS = ("operators", "sensors", "triggers")
_NOT_INHERITED = ("AIRFLOW_", "AWS_", "PYTHON")
PEER = {kind: [f"airflow.providers.amazon.aws.{kind}.mwaa"] for kind in KINDS}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--python",
        nargs="+",
        metavar="PATH",
        help="interpreters with an Airflow (default: those of .venvs/airflow-*, which scripts/test makes, and this one)",
    )
    parser.add_argument("--times", type=int, default=5, help="fresh interpreters; the median counts (default: 5)")
    options = parser.parse_args()
    pythons = options.python or [*map(str, sorted(ROOT.glob(".venvs/airflow-*/bin/python"))), sys.executable]
    rows = [_row(_measure(python, options.times)) for python in pythons]
    print(f"CPU seconds to import all operator, sensor and trigger modules, median of {options.times}\n")
    show(("Airflow", "ours", *(f"ours: {kind}" for kind in KINDS), "peer", "time", "peer's provider", "bases"), rows)
    print(
        "\nours: all modules there are. peer: airflow.providers.amazon.aws.*.mwaa, where the release's provider has them. "
        "time: the peer's in ours.\nbases: Airflow's own base classes, which both build on and which are not counted."
    )


def our_modules() -> dict[str, list[str]]:
    """Return what a DAG file may import of us, by kind."""
    return {
        kind: [
            f"mwaa_provider.{kind}.{file.stem}"
            for file in sorted((SOURCE / "mwaa_provider" / kind).glob("*.py"))
            if file.stem != "__init__"
        ]
        for kind in KINDS
    }


def _measure(python: str, times: int) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)},
            "AIRFLOW_HOME": home,
            "PYTHONPATH": str(SOURCE),
            # An interpreter that is not counted fills it: byte code is there on every worker.
            "PYTHONPYCACHEPREFIX": str(Path(home) / "byte code"),
        }
        return [_import_once(python, environment) for _ in range(1 + times)][1:]


def _import_once(python: str, environment: dict[str, str]) -> dict[str, Any]:
    command = [python, str(Path(__file__).with_name("_import_once.py"))]
    done = subprocess.run(
        [*command, json.dumps({"ours": our_modules(), "peer": PEER})],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode:
        raise SystemExit(f"{python} could not import Airflow:\n{done.stderr[-4000:]}")
    told: dict[str, Any] = json.loads(done.stdout)
    if told["sides"]["ours"] is None:
        raise SystemExit(f"{python} could not import our modules:\n{done.stderr[-4000:]}")
    return told


def _row(told: Sequence[dict[str, Any]]) -> tuple[object, ...]:
    ours = [one["sides"]["ours"] for one in told]
    peer = [sum(one["sides"]["peer"].values()) for one in told if one["sides"]["peer"] is not None]
    total = median(sum(one.values()) for one in ours)
    return (
        told[0]["airflow"],
        f"{total:.3f}",
        *(f"{median(one[kind] for one in ours):.3f}" for kind in KINDS),
        f"{median(peer):.3f}" if peer else "-",
        ratio(median(peer), total) if peer else "-",
        told[0]["amazon"],
        f"{median(one['bases'] for one in told):.1f}",
    )


if __name__ == "__main__":
    main()
