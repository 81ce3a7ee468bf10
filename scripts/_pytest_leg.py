"""Run the tests on one Airflow release, or a part of them, and tell how they get on while they do."""

from __future__ import annotations

import collections
import contextlib
import os
import re
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from _report import Row
from _workbench import ROOT, Environment, clean_environment, say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_PROGRESS_EVERY = 15.0
# Time for fixtures to end what they started before the rest is killed.
_GRACE = 20.0
_CLOSING = re.compile(r"^=+ .*\bin \d+\.\d+s\b.* =+$", re.MULTILINE)
_TEST = re.compile(r"^(\S+\.py::\S+)", re.MULTILINE)
_PERCENT = re.compile(r"\[ *(\d+)%\]$", re.MULTILINE)

_RUNNING: set[subprocess.Popen[bytes]] = set()
_RUNNING_LOCK = threading.Lock()


@dataclass(frozen=True)
class LegResult:
    """What came of one release.

    :param name: The release, and which part of its tests.
    :param seconds: How long the tests took, the environment included.
    :param counts: Tests passed, failed, skipped.
    :param problem: What failed besides single tests; empty if nothing.
    :param skips: Reason to number of tests.
    :param log: Everything that pytest printed.
    :param closing_line: pytest's last line.
    """

    name: str
    seconds: float
    counts: tuple[int, int, int]
    problem: str
    skips: dict[str, int]
    log: Path
    closing_line: str

    @property
    def failed(self) -> bool:
        """Whether anything failed."""
        return bool(self.problem) or self.counts[1] > 0

    @property
    def tail(self) -> str:
        """The end of pytest's output, where the failures are told."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-60:])

    def row(self, python: str) -> Row:
        """Give the line for the table.

        :param python: The Python's version.
        """
        notes = [f"skipped {number}: {reason}" for reason, number in sorted(self.skips.items())]
        if self.problem:
            notes.append(self.problem)
        outcome = "FAILED" if self.failed else "passed"
        return Row(f"Airflow {self.name}", python, outcome, self.seconds, self.counts, tuple(notes))


class LegRun:
    """The tests on one release.

    :param name: The release, and which part of its tests.
    :param environment: Its virtual environment.
    :param markers: pytest's ``-m``; empty for all tests.
    :param time_limit: Seconds after which it is ended, and has failed.
    :param may_be_empty: Whether it may find no test.
    """

    def __init__(
        self, name: str, environment: Environment, markers: str, time_limit: float, *, may_be_empty: bool = False
    ) -> None:
        self._name = name
        self._may_be_empty = may_be_empty
        self._environment = environment
        self._markers = markers
        self._time_limit = time_limit
        self._log = ROOT / "test-results" / f"{name.replace(' ', '-')}.log"
        self._xml = ROOT / "test-results" / f"{name.replace(' ', '-')}.xml"

    def run(self, further: Sequence[str]) -> LegResult:
        """Run pytest to its end.

        :param further: Further arguments for pytest.
        """
        say(f"Airflow {self._name}: tests begin ({self._markers or 'all'}), details in {self._log.relative_to(ROOT)}")
        command = [str(self._environment.python), "-m", "pytest", "-v", "--color=no", f"--junitxml={self._xml}"]
        command += ["-p", "no:cacheprovider", *(["-m", self._markers] if self._markers else []), *further]
        began = time.monotonic()
        with self._log.open("wb") as output:
            # A session of its own, so that the end of the tests can be made the end of all that they started.
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**clean_environment(), "PYTHONUNBUFFERED": "1", "COLUMNS": "110"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            with _RUNNING_LOCK:
                _RUNNING.add(process)
            in_time = self._follow(process, began)
        with _RUNNING_LOCK:
            _RUNNING.discard(process)
        return self._result(process.returncode, in_time, time.monotonic() - began + self._environment.seconds)

    def _follow(self, process: subprocess.Popen[bytes], began: float) -> bool:
        """Wait, saying how far it is; False if it had to be ended."""
        while True:
            try:
                process.wait(_PROGRESS_EVERY)
                return True
            except subprocess.TimeoutExpired:
                pass
            text = self._log.read_text(errors="replace")
            now = f"at {_TEST.findall(text)[-1]}" if _TEST.search(text) else "collecting tests"
            say(f"Airflow {self._name}: {(_PERCENT.findall(text) or ['0'])[-1]:>2} % done, {now}")
            if time.monotonic() - began > self._time_limit:
                _end(process)
                return False

    def _result(self, code: int, in_time: bool, seconds: float) -> LegResult:
        counts, skips = _counts(self._xml)
        closing = _CLOSING.findall(self._log.read_text(errors="replace"))
        problem = ""
        if not in_time:
            problem = f"ended after {self._time_limit / 60:.0f} minutes"
        elif code == 5:
            problem = "" if self._may_be_empty else "no test was selected"
        elif code not in (0, 1) or (code == 1 and not counts[1]):
            problem = f"pytest ended with status {code}, see {self._log.relative_to(ROOT)}"
        result = LegResult(self._name, seconds, counts, problem, skips, self._log, closing[-1] if closing else "")
        outcome = "FAILED" if result.failed else "passed"
        say(f"Airflow {self._name}: {outcome}, {result.closing_line.strip('= ') or problem}")
        return result


def _counts(xml: Path) -> tuple[tuple[int, int, int], dict[str, int]]:
    passed = failed = 0
    skips: collections.Counter[str] = collections.Counter()
    # Written by our own pytest a moment ago.
    cases = ElementTree.parse(xml).iter("testcase") if xml.is_file() else ()  # noqa: S314
    for case in cases:
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif skipped is not None:
            skips[skipped.get("message") or "no reason given"] += 1
        else:
            passed += 1
    return (passed, failed, skips.total()), dict(skips)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End pytest, giving its fixtures time to end what they started."""
    for number, patience in ((signal.SIGINT, _GRACE), (signal.SIGKILL, _GRACE)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if number == signal.SIGINT:
                os.kill(process.pid, number)
            else:
                os.killpg(process.pid, number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue


def end_all() -> None:
    """End every pytest that still runs."""
    with _RUNNING_LOCK:
        processes = [process for process in _RUNNING if process.poll() is None]
    for process in processes:
        _end(process)
