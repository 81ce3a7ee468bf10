"""The figures of the host, that is the container, that this process runs on.

The AWS guide's sample asks ``psutil.cpu_times_percent(interval=0)`` in a fresh process, and is told 0.0 for every field: psutil compares
with its last call, and there was none. Here two readings are compared that are some time apart.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from mwaa_provider.client.clock import Clock, SystemClock
from mwaa_provider.metrics.cgroup import ContainerFigures, read_container
from mwaa_provider.metrics.model import Measurement
from mwaa_provider.metrics.naming import host_name

#: Seconds between the two readings where there is none from before.
CPU_INTERVAL = 1.0

#: How Airflow titles the process of a task: Airflow 2 (forked, and with an interpreter of its own), Airflow 3.
_TASK_PROCESS = re.compile(r"airflow task runner: |airflow worker -- [0-9a-f]{8}-|.*\btasks run\b.* --raw\b")


class HostMetric(NamedTuple):
    """What a metric of the host is.

    :param category: Its dimension ``Category``.
    :param unit: CloudWatch's unit.
    :param about: What it says.
    """

    category: str
    unit: str
    about: str


#: Every metric of a host, by name. The first ten are those of the AWS guide's sample.
HOST_METRICS: dict[str, HostMetric] = {
    "virtual_memory_total": HostMetric("virtual_memory", "Bytes", "memory of the machine"),
    "virtual_memory_available": HostMetric("virtual_memory", "Bytes", "what processes can still have without swapping"),
    "virtual_memory_used": HostMetric("virtual_memory", "Bytes", "in use"),
    "virtual_memory_free": HostMetric("virtual_memory", "Bytes", "in use for nothing, not even as a cache"),
    "virtual_memory_active": HostMetric("virtual_memory", "Bytes", "used lately"),
    "virtual_memory_inactive": HostMetric("virtual_memory", "Bytes", "not used lately"),
    "virtual_memory_percent": HostMetric("virtual_memory", "Percent", "what is not available, of the total"),
    "cpu_times_percent_user": HostMetric("cpu_times_percent", "Percent", "processor time of programs"),
    "cpu_times_percent_system": HostMetric("cpu_times_percent", "Percent", "processor time of the kernel"),
    "cpu_times_percent_idle": HostMetric("cpu_times_percent", "Percent", "processor time of nobody"),
    "container_memory_used": HostMetric("container", "Bytes", "memory of the container, page cache included"),
    "container_memory_working_set": HostMetric(
        "container", "Bytes", "without the file pages that the kernel takes back at need"
    ),
    "container_memory_limit": HostMetric(
        "container", "Bytes", "what it may use; without a limit, the machine's memory"
    ),
    "container_memory_percent": HostMetric("container", "Percent", "the working set, of the limit"),
    "container_cpu_limit": HostMetric("container", "Count", "processors it may use; without a limit, the machine's"),
    "container_cpu_percent": HostMetric("container", "Percent", "processor time of the container, of the limit"),
    "disk_total": HostMetric("disk", "Bytes", "size of the file system of /"),
    "disk_used": HostMetric("disk", "Bytes", "of it in use"),
    "disk_free": HostMetric("disk", "Bytes", "of it free"),
    "disk_percent": HostMetric("disk", "Percent", "of it in use"),
    "tmp_total": HostMetric("tmp", "Bytes", "size of the file system of the folder for temporary files"),
    "tmp_used": HostMetric("tmp", "Bytes", "of it in use"),
    "tmp_free": HostMetric("tmp", "Bytes", "of it free"),
    "tmp_percent": HostMetric("tmp", "Percent", "of it in use"),
    "load_average_1m": HostMetric("load", "Count", "processes that run or want to, on average of a minute"),
    "load_average_5m": HostMetric("load", "Count", "the same of five minutes"),
    "load_average_15m": HostMetric("load", "Count", "the same of fifteen minutes"),
    "open_file_descriptors": HostMetric(
        "processes", "Count", "open files and sockets of all processes that can be seen"
    ),
    "processes": HostMetric("processes", "Count", "processes that can be seen"),
    "task_processes": HostMetric("processes", "Count", "those of them that run an Airflow task"),
}
CATEGORIES = tuple(dict.fromkeys(metric.category for metric in HOST_METRICS.values()))


@dataclass(frozen=True)
class CpuReading:
    """What the processors have done until now; two of them tell what they did in between.

    :param at: Seconds of the machine's monotonic clock, which all its processes share.
    :param user: Seconds of programs, of all processors together.
    :param system: Seconds of the kernel.
    :param idle: Seconds of nobody.
    :param total: Seconds of all that the processors did or did not do.
    :param container: Seconds of this container; ``None`` where the kernel does not tell.
    """

    at: float
    user: float
    system: float
    idle: float
    total: float
    container: float | None = None

    def to_json(self) -> dict[str, float | None]:
        """Return it as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Any) -> CpuReading | None:
        """Return what :meth:`to_json` gave, or ``None`` if it is something else.

        :param value: What JSON held.
        """
        names = [one.name for one in fields(cls)]
        if not isinstance(value, dict) or set(value) != set(names):
            return None
        numbers = [value[name] for name in names]
        is_whole = all(
            isinstance(number, (int, float)) or (number is None and name == "container")
            for name, number in zip(names, numbers, strict=True)
        )
        return cls(*numbers) if is_whole else None


class HostSampler:
    """Measures this host.

    :param environment_name: The environment's name, for the dimension ``Environment``.
    :param host: The dimension ``Host`` (default: the host's address).
    :param categories: Only figures of these categories (default: all).
    :param clock: The clock.
    :param root: Where ``proc`` and ``sys`` are (default: the machine's), for the figures of the container.
    """

    def __init__(
        self,
        environment_name: str,
        *,
        host: str | None = None,
        categories: Collection[str] | None = None,
        clock: Clock | None = None,
        root: Path = Path("/"),
    ) -> None:
        self._environment_name = environment_name
        self._host = host or host_name()
        self._categories = CATEGORIES if categories is None else categories
        self._clock = clock or SystemClock()
        self._root = root

    def read_cpu(self) -> CpuReading:
        """Read what the processors have done until now."""
        import psutil

        times = psutil.cpu_times()
        # Linux counts the time of guests in "user" and "nice", and once more by itself.
        total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        container = read_container(self._root).cpu_seconds
        return CpuReading(self._clock.monotonic(), times.user, times.system, times.idle, total, container)

    def sample(self, since: CpuReading | None = None) -> list[Measurement]:
        """Measure everything.

        :param since: An earlier reading, to tell what the processors have done since (default: one is made now, and a second one a second
            later).
        """
        if since is None:
            since = self.read_cpu()
            self._clock.sleep(CPU_INTERVAL)
        until = self.read_cpu()
        at = datetime.fromtimestamp(self._clock.time(), timezone.utc)
        measured: dict[str, float] = {}
        for category, measure in _MEASURES.items():
            if category in self._categories:
                measured.update(measure(self._root))
        measured.update(
            (name, value)
            for name, value in _cpu(since, until, self._root)
            if HOST_METRICS[name].category in self._categories
        )
        return [self._measurement(name, measured[name], at) for name in HOST_METRICS if name in measured]

    def _measurement(self, name: str, value: float, at: datetime) -> Measurement:
        metric = HOST_METRICS[name]
        dimensions = {"Environment": self._environment_name, "Category": metric.category, "Host": self._host}
        return Measurement(name, float(value), metric.unit, at, dimensions)


def _cpu(since: CpuReading, until: CpuReading, root: Path) -> Iterator[tuple[str, float]]:
    total = until.total - since.total
    if total > 0:
        for name in ("user", "system", "idle"):
            share = (getattr(until, name) - getattr(since, name)) / total
            yield f"cpu_times_percent_{name}", 100 * min(1.0, max(0.0, share))
    limit = read_container(root).cpu_limit or float(os.cpu_count() or 1)
    yield "container_cpu_limit", limit
    seconds = until.at - since.at
    if seconds > 0 and since.container is not None and until.container is not None:
        yield "container_cpu_percent", 100 * max(0.0, until.container - since.container) / (seconds * limit)


def _virtual_memory(root: Path) -> Iterator[tuple[str, float]]:
    import psutil

    memory = psutil.virtual_memory()
    for name in ("total", "available", "used", "free", "active", "inactive", "percent"):
        if hasattr(memory, name):  # not every system tells all
            yield f"virtual_memory_{name}", getattr(memory, name)


def _container(root: Path) -> Iterator[tuple[str, float]]:
    import psutil

    container: ContainerFigures = read_container(root)
    if container.memory_used is None or container.memory_working_set is None:
        return
    machine = psutil.virtual_memory().total
    limit = min(container.memory_limit or machine, machine)
    yield "container_memory_used", container.memory_used
    yield "container_memory_working_set", container.memory_working_set
    yield "container_memory_limit", limit
    yield "container_memory_percent", 100 * container.memory_working_set / limit


def _disk(root: Path) -> Iterator[tuple[str, float]]:
    return _file_system("disk", "/")


def _tmp(root: Path) -> Iterator[tuple[str, float]]:
    return _file_system("tmp", tempfile.gettempdir())


def _file_system(name: str, folder: str) -> Iterator[tuple[str, float]]:
    import psutil

    usage = psutil.disk_usage(folder)
    yield from ((f"{name}_{part}", getattr(usage, part)) for part in ("total", "used", "free", "percent"))


def _load(root: Path) -> Iterator[tuple[str, float]]:
    import psutil

    yield from zip(("load_average_1m", "load_average_5m", "load_average_15m"), psutil.getloadavg(), strict=True)


def _processes(root: Path) -> Iterator[tuple[str, float]]:
    import psutil

    descriptors = processes = tasks = 0
    for process in psutil.process_iter():
        try:
            tasks += bool(_TASK_PROCESS.match(" ".join(process.cmdline())))
            processes += 1
            descriptors += process.num_fds()
        except psutil.Error:  # it has gone, or is another user's
            continue
    yield "open_file_descriptors", descriptors
    yield "processes", processes
    yield "task_processes", tasks


_MEASURES: dict[str, Callable[[Path], Iterator[tuple[str, float]]]] = {
    "virtual_memory": _virtual_memory,
    "container": _container,
    "disk": _disk,
    "tmp": _tmp,
    "load": _load,
    "processes": _processes,
}
