"""What the kernel's files of a control group mean, of both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from mwaa_provider.metrics.cgroup import ContainerFigures, read_container

MIB = 1024 * 1024


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


#: As in a container with a namespace of its own: the group is the top.
VERSION_2 = {
    "proc/self/cgroup": "0::/\n",
    "sys/fs/cgroup/memory.current": f"{900 * MIB}\n",
    "sys/fs/cgroup/memory.max": f"{2048 * MIB}\n",
    "sys/fs/cgroup/memory.stat": f"anon {500 * MIB}\nfile {400 * MIB}\ninactive_file {300 * MIB}\nactive_file {100 * MIB}\n",
    "sys/fs/cgroup/cpu.stat": "usage_usec 7500000\nuser_usec 7000000\nsystem_usec 500000\nnr_periods 0\n",
    "sys/fs/cgroup/cpu.max": "150000 100000\n",
}
FIGURES = ContainerFigures(900 * MIB, 600 * MIB, 2048 * MIB, 7.5, 1.5)

VERSION_1 = {
    "proc/self/cgroup": "5:memory:/ecs/task/abc\n4:cpu,cpuacct:/ecs/task/abc\n1:name=systemd:/\n0::/\n",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
    "sys/fs/cgroup/memory/ecs/task/memory.limit_in_bytes": f"{2048 * MIB}\n",
    "sys/fs/cgroup/memory/ecs/task/abc/memory.limit_in_bytes": f"{4096 * MIB}\n",
    "sys/fs/cgroup/memory/ecs/task/abc/memory.usage_in_bytes": f"{900 * MIB}\n",
    "sys/fs/cgroup/memory/ecs/task/abc/memory.stat": f"inactive_file 1\ntotal_inactive_file {300 * MIB}\n",
    "sys/fs/cgroup/cpu,cpuacct/ecs/task/abc/cpuacct.usage": "7500000000\n",
    "sys/fs/cgroup/cpu,cpuacct/ecs/task/abc/cpu.cfs_quota_us": "-1\n",
    "sys/fs/cgroup/cpu,cpuacct/ecs/task/abc/cpu.cfs_period_us": "100000\n",
    "sys/fs/cgroup/cpu,cpuacct/ecs/task/cpu.cfs_quota_us": "150000\n",
    "sys/fs/cgroup/cpu,cpuacct/ecs/task/cpu.cfs_period_us": "100000\n",
}


def test_version_2(tmp_path: Path) -> None:
    assert read_container(tree(tmp_path, VERSION_2)) == FIGURES


def test_version_1_with_limits_of_the_groups_above(tmp_path: Path) -> None:
    assert read_container(tree(tmp_path, VERSION_1)) == FIGURES


def test_version_2_below_other_groups(tmp_path: Path) -> None:
    moved = {name.replace("sys/fs/cgroup/", "sys/fs/cgroup/a/b/"): text for name, text in VERSION_2.items()}
    limits = {"sys/fs/cgroup/a/memory.max": f"{1024 * MIB}\n", "sys/fs/cgroup/a/cpu.max": "50000 100000\n"}
    figures = read_container(tree(tmp_path, {**moved, **limits, "proc/self/cgroup": "0::/a/b\n"}))
    assert figures == ContainerFigures(900 * MIB, 600 * MIB, 1024 * MIB, 7.5, 0.5)


def test_a_path_of_another_namespace_means_the_nearest_group_that_is_there(tmp_path: Path) -> None:
    """Docker without a namespace: the path is the host's, the group's own folder is mounted at the top."""
    assert read_container(tree(tmp_path, {**VERSION_2, "proc/self/cgroup": "0::/docker/4f21\n"})) == FIGURES


def test_a_path_that_leads_above_the_top(tmp_path: Path) -> None:
    assert read_container(tree(tmp_path, {**VERSION_2, "proc/self/cgroup": "0::/../other\n"})) == FIGURES


def test_no_limits(tmp_path: Path) -> None:
    unlimited = {"sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}
    figures = read_container(tree(tmp_path, {**VERSION_2, **unlimited}))
    assert (figures.memory_limit, figures.cpu_limit) == (None, None)


@pytest.mark.parametrize("files", [{}, {"proc/self/cgroup": "0::/\n"}, {"proc/self/cgroup": "5:memory:/x\n"}])
def test_a_kernel_that_tells_nothing(tmp_path: Path, files: dict[str, str]) -> None:
    assert read_container(tree(tmp_path, files)) == ContainerFigures()
