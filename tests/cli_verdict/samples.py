"""What real commands printed, and how they ended: recorded, so that the rule is held to it without a real Airflow too."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "samples"
_KEPT_HEAD, _KEPT_TAIL = 200, 700


@dataclass(frozen=True)
class Sample:
    """One command that was run."""

    command: tuple[str, ...]
    stdout: str
    stderr: str
    exit_code: int

    @property
    def warned(self) -> bool:
        """Whether it succeeded, and warned or talked to standard error."""
        return self.exit_code == 0 and (bool(self.stderr) or "warning" in self.stdout.lower())

    def __str__(self) -> str:
        return " ".join(word[:20] for word in self.command)


def recorded(airflow_version: str) -> list[Sample]:
    """Return the samples of a release.

    :param airflow_version: The release.
    """
    rows = json.loads((FOLDER / f"airflow-{airflow_version}.json").read_text())
    return [Sample(tuple(row["command"]), row["stdout"], row["stderr"], row["exit_code"]) for row in rows]


def record(airflow_version: str, samples: list[Sample]) -> None:
    """Write the samples of a release down, without this machine's paths and without their middles.

    :param airflow_version: The release.
    :param samples: The samples.
    """
    rows: list[dict[str, Any]] = [
        {
            "command": list(sample.command),
            "exit_code": sample.exit_code,
            "stdout": _shortened(sample.stdout, whole="json" in sample.command),
            "stderr": _without_frames(sample.stderr),
        }
        for sample in samples
        if sample.exit_code >= 0
    ]
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"airflow-{airflow_version}.json").write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


def _shortened(text: str, *, whole: bool = False) -> str:
    text = _without_paths(text)
    if whole or len(text) <= _KEPT_HEAD + _KEPT_TAIL:
        return text
    lines = text.splitlines(keepends=True)
    head, tail = "", ""
    while lines and len(head) < _KEPT_HEAD:
        head += lines.pop(0)
    while lines and len(tail) < _KEPT_TAIL:
        tail = lines.pop() + tail
    return head + tail


def _without_frames(text: str) -> str:
    """Leave a traceback its beginning and its end."""
    lines = _without_paths(text).splitlines(keepends=True)
    last = len(lines) - 6
    return "".join(line for number, line in enumerate(lines) if number >= last or not line.startswith(" "))


def _without_paths(text: str) -> str:
    text = re.sub(r"/(?:[\w.+-]+/)*site-packages/", "/usr/local/airflow/.local/site-packages/", text)
    text = re.sub(r"/(?:[\w.+-]+/)*(tests|src|lib|bin)/(?!site-packages)", r"/usr/local/airflow/\1/", text)
    return re.sub(r"/tmp/[\w.+-]+", "/tmp/home", text)
