"""The host's figures are the kernel's, and a load of a known size shows in them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metrics.cgroup import read_container
from mwaa_provider.metrics.host import CATEGORIES, HOST_METRICS, CpuReading, HostSampler
from mwaa_provider.metrics.naming import environment_name_of
from tests.metrics.test_cgroup import MIB, VERSION_1, VERSION_2, tree

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads the files of Linux's kernel")
#: What a machine with others on it may do between two looks.
SLACK = 512 * MIB


def values(sampler: HostSampler, since: CpuReading | None = None) -> dict[str, float]:
    return {one.name: one.value for one in sampler.sample(since)}


def meminfo() -> dict[str, int]:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines}


def burn(seconds: float) -> float:
    """Use the processor for so many of its seconds; a shared machine may take longer for it."""
    began = time.process_time()
    while time.process_time() - began < seconds:
        pass
    return time.process_time() - began


@linux
def test_memory_and_load_are_what_the_kernel_says() -> None:
    sampler = HostSampler("prod", categories=("virtual_memory", "load", "container"))
    before = meminfo(), Path("/proc/loadavg").read_text().split(), read_container()
    found = values(sampler, sampler.read_cpu())
    after = meminfo(), Path("/proc/loadavg").read_text().split(), read_container()

    assert found["virtual_memory_total"] == before[0]["MemTotal"]
    for name, of_kernel in (
        ("available", "MemAvailable"),
        ("free", "MemFree"),
        ("active", "Active"),
        ("inactive", "Inactive"),
    ):
        told = sorted(one[0][of_kernel] for one in (before, after))
        assert told[0] - SLACK <= found[f"virtual_memory_{name}"] <= told[1] + SLACK, name
    assert found["virtual_memory_percent"] == pytest.approx(
        100 * (1 - found["virtual_memory_available"] / found["virtual_memory_total"]), abs=3
    )
    for number, name in enumerate(("load_average_1m", "load_average_5m", "load_average_15m")):
        assert min(abs(found[name] - float(one[1][number])) for one in (before, after)) <= 0.011
    used = [one[2].memory_used for one in (before, after)]
    if None not in used:  # a machine without control groups has no such figure
        assert min(used) - SLACK <= found["container_memory_used"] <= max(used) + SLACK
        limit = min(before[2].memory_limit or 1 << 60, before[0]["MemTotal"])
        assert found["container_memory_limit"] == limit
        assert found["container_memory_percent"] == pytest.approx(100 * found["container_memory_working_set"] / limit)


@linux
def test_a_known_load_shows_in_the_figures_of_the_processors() -> None:
    sampler = HostSampler("prod", categories=("cpu_times_percent", "container"))
    stat = [int(text) for text in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    since = sampler.read_cpu()
    used = burn(0.4)
    found = values(sampler, since)
    until = sampler.read_cpu()
    stat = [
        int(text) - was
        for text, was in zip(Path("/proc/stat").read_text().splitlines()[0].split()[1:], stat, strict=True)
    ]

    elapsed = until.at - since.at
    # The kernel counts in hundredths of a second. Where these tests run with a lower priority, "user" is not where their time goes.
    assert 100 - found["cpu_times_percent_idle"] >= 100 * (used - 0.05) / (until.total - since.total + 0.1)
    if os.nice(0) <= 0:  # to read the clock is the system's time
        assert found["cpu_times_percent_user"] + found["cpu_times_percent_system"] >= 100 * (used - 0.05) / (
            until.total - since.total + 0.1
        )
    total = sum(stat[:8])
    assert found["cpu_times_percent_user"] == pytest.approx(100 * stat[0] / total, abs=25)
    # Not the same instants: on a busy machine much else happens between them.
    assert found["cpu_times_percent_idle"] == pytest.approx(100 * stat[3] / total, abs=25)
    assert 0 <= sum(found[f"cpu_times_percent_{name}"] for name in ("user", "system", "idle")) <= 100.001
    if "container_cpu_percent" in found:
        assert found["container_cpu_percent"] * found["container_cpu_limit"] / 100 * elapsed >= used * 0.9


def test_the_first_figures_of_a_process_are_no_zeros() -> None:
    """psutil's interval=0 gives 0.0 three times there."""
    code = (
        "import json, psutil; from mwaa_provider.metrics.host import HostSampler\n"
        "found = {one.name: one.value for one in HostSampler('prod', categories=['cpu_times_percent']).sample()}\n"
        "print(json.dumps(found))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert re.findall(r'"cpu_times_percent_(user|system|idle)": ', found) == ["user", "system", "idle"]
    assert sum(float(text) for text in re.findall(r": ([\d.]+)", found)) > 0


@pytest.mark.parametrize(("files", "usage", "unit"), [(VERSION_2, "cpu.stat", 1e6), (VERSION_1, "cpuacct.usage", 1e9)])
def test_container_figures_are_of_the_limits(tmp_path: Path, files: dict[str, str], usage: str, unit: float) -> None:
    class Clock:
        seconds = 100.0

        def monotonic(self) -> float:
            return self.seconds

        def time(self) -> float:
            return 1.8e9 + self.seconds

        def sleep(self, seconds: float) -> None:
            """In this second the container uses 0.75 of its 1.5 processors."""
            self.seconds += seconds
            text = f"{round(8.25 * unit)}"
            file.write_text(f"usage_usec {text}\n" if unit == 1e6 else text)

    root = tree(tmp_path, files)
    (file,) = root.rglob(usage)
    found = values(HostSampler("prod", categories=["container"], clock=Clock(), root=root))
    machine = psutil.virtual_memory().total
    limit = min(2048 * MIB, machine)
    assert found == {
        "container_memory_used": 900 * MIB,
        "container_memory_working_set": 600 * MIB,
        "container_memory_limit": limit,
        "container_memory_percent": pytest.approx(100 * 600 * MIB / limit),
        "container_cpu_limit": 1.5,
        "container_cpu_percent": pytest.approx(50.0),
    }


@linux
def test_processes_files_and_disks_are_counted() -> None:
    sampler = HostSampler("prod", categories=("processes", "disk", "tmp"))
    titles = ("airflow task runner: load extract manual__1", "airflow worker -- 0190c1a2-0000-7000-8000-000000000000")
    program = "import sys, time; from setproctitle import setproctitle; setproctitle(sys.argv[1]); print('on', flush=True); time.sleep(60)"
    tasks = [subprocess.Popen([sys.executable, "-c", program, title], stdout=subprocess.PIPE) for title in titles]
    files = [os.open(os.devnull, os.O_RDONLY) for _ in range(700)]
    try:
        for task in tasks:
            assert task.stdout is not None
            task.stdout.readline()
        found = values(sampler, sampler.read_cpu())
    finally:
        for task in tasks:
            task.kill()
            task.communicate()
        for file in files:
            os.close(file)
    # Other processes of the machine come and go meanwhile.
    assert found["task_processes"] >= 2
    assert found["open_file_descriptors"] >= 700
    seen = len([name for name in os.listdir("/proc") if name.isdigit()])
    assert seen * 0.5 <= found["processes"] <= seen * 1.5
    disk = os.statvfs("/")
    assert found["disk_total"] == disk.f_blocks * disk.f_frsize
    assert found["disk_free"] == pytest.approx(disk.f_bavail * disk.f_frsize, rel=0.05)
    assert 0 < found["tmp_percent"] <= 100


def test_every_series_has_the_dimensions_of_the_guide_and_its_own_category() -> None:
    sampler = HostSampler("prod", host="10.1.2.3")
    since = sampler.read_cpu()
    time.sleep(0.05)
    found = sampler.sample(since)
    assert {one.name for one in found} <= set(HOST_METRICS)
    if sys.platform == "linux":
        assert {one.name for one in found} >= {
            name for name, metric in HOST_METRICS.items() if metric.category != "container"
        }
    assert Counter(one.name for one in found).most_common(1)[0][1] == 1
    for one in found:
        metric = HOST_METRICS[one.name]
        assert one.dimensions == {"Environment": "prod", "Category": metric.category, "Host": "10.1.2.3"}
        assert one.unit == metric.unit
    assert {one.dimensions["Category"] for one in found} <= set(CATEGORIES)


def test_the_guides_ten_metrics_have_its_names_and_units() -> None:
    memory = ["total", "available", "used", "free", "active", "inactive"]
    assert list(HOST_METRICS)[:10] == [
        *(f"virtual_memory_{name}" for name in memory),
        "virtual_memory_percent",
        *(f"cpu_times_percent_{name}" for name in ("user", "system", "idle")),
    ]
    assert [HOST_METRICS[name].unit for name in list(HOST_METRICS)[:10]] == ["Bytes"] * 6 + ["Percent"] * 4


@pytest.mark.parametrize(
    ("given", "variables", "name"),
    [
        ("said", {"AIRFLOW_ENV_NAME": "a", "MWAA_ENV_NAME": "m"}, "said"),
        ("", {"AIRFLOW_ENV_NAME": "a", "MWAA_ENV_NAME": "m"}, "a"),
        (None, {"AIRFLOW_ENV_NAME": "", "MWAA_ENV_NAME": "m"}, "m"),
    ],
)
def test_who_tells_the_environments_name(given: str | None, variables: dict[str, str], name: str) -> None:
    assert environment_name_of(given, variables) == name


def test_nobody_tells_the_environments_name() -> None:
    with pytest.raises(InvalidInputError) as raised:
        environment_name_of(None, {})
    assert raised.value.problems == (
        "environment_name: it is missing, and neither AIRFLOW_ENV_NAME nor MWAA_ENV_NAME is set in this process; give it, or export "
        "MWAA_ENV_NAME in the startup script",
    )
