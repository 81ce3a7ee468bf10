"""One fresh interpreter of a release: Airflow's base classes, and over them, in a fork for each side, its modules. Prints JSON."""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version

_BASES = (
    ("airflow.sdk", "BaseOperator"),
    ("airflow.sdk", "BaseSensorOperator"),
    ("airflow.models.baseoperator", "BaseOperator"),
    ("airflow.sensors.base", "BaseSensorOperator"),
    ("airflow.triggers.base", "BaseTrigger"),
)


def _load_bases() -> None:
    for module, name in _BASES:
        with suppress(ImportError, AttributeError):  # the other of Airflow 2 and 3
            getattr(importlib.import_module(module), name)


def _seconds(by_kind: dict[str, list[str]]) -> dict[str, float] | None:
    """Return the CPU seconds of each kind's modules, one kind after the other; None if there is a module that is not there."""
    readable, writable = os.pipe()
    if os.fork() == 0:
        told: dict[str, float] | None = {}
        try:
            for kind, modules in by_kind.items():
                began = time.process_time()
                for module in modules:
                    importlib.import_module(module)
                told[kind] = time.process_time() - began
        except ModuleNotFoundError as error:
            print(error, file=sys.stderr)
            told = None
        os.write(writable, json.dumps(told).encode())
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as pipe:
        answer: dict[str, float] | None = json.loads(pipe.read())
    os.wait()
    return answer


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "-"


def _main() -> None:
    sides: dict[str, dict[str, list[str]]] = json.loads(sys.argv[1])
    answers, sys.stdout = sys.stdout, sys.stderr  # Airflow prints while it is imported
    began = time.process_time()
    _load_bases()
    bases = time.process_time() - began
    # What is there already is not looked at again, nor copied, in a fork.
    gc.collect()
    gc.freeze()
    told = {
        "airflow": _version("apache-airflow"),
        "amazon": _version("apache-airflow-providers-amazon"),
        "bases": bases,
        "sides": {side: _seconds(by_kind) for side, by_kind in sides.items()},
    }
    print(json.dumps(told), file=answers, flush=True)


if __name__ == "__main__":
    _main()
