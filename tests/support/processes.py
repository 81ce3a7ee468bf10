"""Run a piece of Python in a fresh interpreter of this release, with the network blocked there too."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]

_FRAME = """
import json, sys
sys.path[:0] = {paths!r}
from tests.support.network import block_network
block_network()
argument = json.loads(sys.argv[1])
answer = None
exec(compile({code!r}, "<in a fresh interpreter>", "exec"))
with open(sys.argv[2], "w") as target:
    json.dump(answer, target)
"""


def in_fresh_interpreter(
    code: str, argument: Any, folder: Path, *, environment: Mapping[str, str] | None = None, timeout: float = 180.0
) -> Any:
    """Run code that reads ``argument`` and sets ``answer``, both plain data; give back the answer.

    :param code: Python statements.
    :param argument: Anything that JSON can hold.
    :param folder: An existing folder for the answer.
    :param environment: The whole environment; that of the tests if not given.
    :param timeout: Seconds until it is ended.
    :raises AssertionError: It failed; with what it printed.
    """
    frame = _FRAME.format(paths=[str(ROOT), str(ROOT / "src")], code=code)
    answer = folder / "answer.json"
    done = subprocess.run(
        [sys.executable, "-c", frame, json.dumps(argument), str(answer)],
        env=dict(os.environ if environment is None else environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout,
        cwd=folder,
    )
    if done.returncode:
        raise AssertionError(f"It ended with status {done.returncode}:\n{done.stdout[-6000:]}")
    return json.loads(answer.read_text())
