"""What the kernel says of this container: memory and CPU of its control group, version 1 or 2, and their limits.

A process finds its group in ``/proc/self/cgroup``. In a container the group's folder may be mounted at the top, so that the path that is
told leads nowhere: then the nearest folder above it that is there is meant. A limit of any group above counts too.

https://docs.kernel.org/admin-guide/cgroup-v2.html
https://docs.kernel.org/admin-guide/cgroup-v1/memory.html
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Number = TypeVar("Number", int, float)

_MOUNT = Path("sys/fs/cgroup")
#: Version 1 writes "no limit" as the largest number of pages there is.
_NO_LIMIT = 1 << 60


@dataclass(frozen=True)
class ContainerFigures:
    """How a control group stands. What the kernel does not tell is ``None``.

    :param memory_used: Bytes in use, the page cache included.
    :param memory_working_set: The same without file pages that nobody has used lately, which the kernel takes back when it needs memory.
    :param memory_limit: Bytes it may use; ``None`` for no limit.
    :param cpu_seconds: Processor seconds used since it was made.
    :param cpu_limit: How many processors it may use; ``None`` for no limit.
    """

    memory_used: int | None = None
    memory_working_set: int | None = None
    memory_limit: int | None = None
    cpu_seconds: float | None = None
    cpu_limit: float | None = None


def read_container(root: Path = Path("/")) -> ContainerFigures:
    """Read the figures of this process's control group; all ``None`` where there is none, as on macOS.

    :param root: Where ``proc`` and ``sys`` are (default: the machine's).
    """
    groups = _groups(root)
    if "memory" in groups:  # version 1, also where version 2 is mounted beside it
        return _version_1(root, groups)
    return _version_2(root, groups[""]) if "" in groups else ContainerFigures()


def _groups(root: Path) -> dict[str, str]:
    """Return the path by controller; the controller of version 2 is an empty text."""
    text = _text(root / "proc/self/cgroup") or ""
    groups = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        groups.update(dict.fromkeys(controllers.split(","), path))
    return groups


def _version_1(root: Path, groups: dict[str, str]) -> ContainerFigures:
    memory = _folders(_mounted(root, "memory"), groups["memory"])
    used = _first(memory, "memory.usage_in_bytes", int)
    accounting = _folders(_mounted(root, "cpuacct"), groups.get("cpuacct", "/"))
    nanoseconds = _first(accounting, "cpuacct.usage", int)
    cpu = _folders(_mounted(root, "cpu"), groups.get("cpu", "/"))
    return ContainerFigures(
        memory_used=used,
        memory_working_set=_working_set(used, memory, "total_inactive_file"),
        memory_limit=_least(_each(memory, "memory.limit_in_bytes", lambda text: _limit(int(text)))),
        cpu_seconds=None if nanoseconds is None else nanoseconds / 1e9,
        cpu_limit=_least([_quota(_text(one / "cpu.cfs_quota_us"), _text(one / "cpu.cfs_period_us")) for one in cpu]),
    )


def _version_2(root: Path, path: str) -> ContainerFigures:
    folders = _folders(root / _MOUNT, path)
    used = _first(folders, "memory.current", int)
    microseconds = _first(folders, "cpu.stat", lambda text: _field(text, "usage_usec"))
    return ContainerFigures(
        memory_used=used,
        memory_working_set=_working_set(used, folders, "inactive_file"),
        memory_limit=_least(_each(folders, "memory.max", lambda text: None if text == "max" else int(text))),
        cpu_seconds=None if microseconds is None else microseconds / 1e6,
        cpu_limit=_least(_each(folders, "cpu.max", lambda text: _quota(*text.split()[:2]))),
    )


def _mounted(root: Path, controller: str) -> Path:
    """Where a controller of version 1 is mounted: by itself, or (``cpu,cpuacct``) with others."""
    mount = root / _MOUNT
    if (mount / controller).is_dir() or not mount.is_dir():
        return mount / controller
    return next((one for one in sorted(mount.iterdir()) if controller in one.name.split(",")), mount / controller)


def _folders(mount: Path, path: str) -> list[Path]:
    """Return the group's folder and those above it, as far as they are there, the nearest first."""
    steps = [step for step in path.split("/") if step and step != ".."]
    folders = [mount.joinpath(*steps[:count]) for count in range(len(steps), -1, -1)]
    return [one for one in folders if one.is_dir()]


def _first(folders: list[Path], name: str, read: Callable[[str], int | None]) -> int | None:
    found = _each(folders, name, read)
    return found[0] if found else None


def _each(folders: list[Path], name: str, read: Callable[[str], Number | None]) -> list[Number | None]:
    texts = [_text(one / name) for one in folders]
    return [read(text) for text in texts if text]


def _working_set(used: int | None, folders: list[Path], name: str) -> int | None:
    if used is None:
        return None
    inactive = _first(folders, "memory.stat", lambda text: _field(text, name))
    return max(0, used - (inactive or 0))


def _field(text: str, name: str) -> int | None:
    return next((int(value) for key, value in map(str.split, text.splitlines()) if key == name), None)


def _limit(number: int) -> int | None:
    return None if number >= _NO_LIMIT else number


def _quota(quota: str | None, period: str | None) -> float | None:
    if not quota or not period or quota == "max" or int(quota) <= 0:
        return None
    return int(quota) / int(period)


def _least(limits: list[Number | None]) -> Number | None:
    return min((one for one in limits if one is not None), default=None)


def _text(file: Path) -> str | None:
    try:
        return file.read_text().strip()
    except OSError:
        return None
