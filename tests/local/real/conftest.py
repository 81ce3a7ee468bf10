from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Workplace:
    """A temporary folder that is all a local environment writes to, so that whatever it left behind can be found."""

    def __init__(self) -> None:
        # Short, because of the limit on a socket's path, and open to enter, since PostgreSQL may run as another user.
        self.path = Path(tempfile.mkdtemp(prefix="mt-", dir="/tmp"))
        self.path.chmod(0o711)

    def leftovers(self) -> list[str]:
        """Every process that runs in, or was told of, this folder, and every file in it."""
        found = [str(path) for path in self.path.iterdir()]
        for entry in os.listdir("/proc"):
            if entry.isdigit() and int(entry) != os.getpid():
                facts = _facts(Path("/proc", entry))
                if str(self.path) in facts:
                    found.append(f"process {entry}: {facts[:200]}")
        return found


def _facts(process: Path) -> str:
    try:
        if b") Z " in (process / "stat").read_bytes():
            return ""
        texts = [(process / name).read_bytes().decode(errors="replace") for name in ("cmdline", "environ")]
        return " ".join([*texts, os.readlink(process / "cwd")])
    except OSError:
        return ""


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workplace]:
    # pytest's own folders are to stay where they are.
    tmp_path_factory.getbasetemp()
    place, former = Workplace(), tempfile.tempdir
    tempfile.tempdir = str(place.path)
    try:
        yield place
    finally:
        tempfile.tempdir = former
        shutil.rmtree(place.path, ignore_errors=True)


@pytest.fixture
def eventually() -> Callable[..., None]:
    def wait(condition: Callable[[], object], seconds: float = 20.0) -> None:
        """Look until it is so, or fail; returns as soon as it is."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < end, f"not so after {seconds} s: {condition}: {value!r}"
            time.sleep(0.05)

    return wait
