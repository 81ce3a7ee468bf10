"""Environments are made once, remade when stale or half-made, and never by two at the same time."""

from __future__ import annotations

import threading
from pathlib import Path

import _workbench
import pytest
from _machine import Pythons, SetupError


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Makes an environment named "sample" by writing its interpreter; tells how often it was made."""
    venvs = tmp_path / "a path with spaces" / ".venvs"
    venvs.parent.mkdir()
    monkeypatch.setattr(_workbench, "VENVS", venvs)
    times = []

    def make():
        (venvs / "sample/bin").mkdir(parents=True)
        (venvs / "sample/bin/python").touch()
        times.append(1)

    return venvs, make, times


def test_an_environment_is_made_once(made):
    venvs, make, times = made
    first = _workbench._made("sample", "digest", make)
    second = _workbench._made("sample", "digest", make)
    assert (first.python, second) == (venvs / "sample/bin/python", _workbench.Environment("sample", first.python, 0.0))
    assert first.command("airflow") == venvs / "sample/bin/airflow"
    assert len(times) == 1


def test_other_pins_make_it_again(made):
    _, make, times = made
    _workbench._made("sample", "digest", make)
    _workbench._made("sample", "another digest", make)
    assert len(times) == 2


def test_a_half_made_one_is_cleared_away(made):
    venvs, make, times = made

    def fail():
        (venvs / "sample").mkdir(parents=True)
        (venvs / "sample/rubbish").touch()
        raise SetupError("no network")

    with pytest.raises(SetupError, match="no network"):
        _workbench._made("sample", "digest", fail)
    _workbench._made("sample", "digest", make)
    assert not (venvs / "sample/rubbish").exists()
    assert len(times) == 1


def test_two_at_once_make_one(made, capsys):
    _, make, times = made
    inside, go_on = threading.Event(), threading.Event()

    def make_slowly():
        inside.set()
        assert go_on.wait(30)
        make()

    first = threading.Thread(target=_workbench._made, args=("sample", "digest", make_slowly))
    first.start()
    assert inside.wait(30)
    second = threading.Thread(target=_workbench._made, args=("sample", "digest", make))
    second.start()
    go_on.set()
    first.join(30)
    second.join(30)
    assert len(times) == 1


def test_a_failure_shows_the_end_of_what_the_tool_said():
    with pytest.raises(
        SetupError,
        match=r"(?s)sample could not be made; sh said:\n    no route to host\nCan the package index be reached",
    ):
        _workbench._run("sample", ["/bin/sh", "-c", "echo no route to host; exit 3"])


def test_a_python_without_ensurepip_is_told_with_the_cure(monkeypatch):
    pythons = Pythons()
    monkeypatch.setattr(pythons, "with_ensurepip", [])
    with pytest.raises(
        SetupError, match=r"(?s)No Python here can make a virtual environment.*apt install python3-venv"
    ):
        _workbench.uv(pythons)


def test_an_unknown_release_is_told(monkeypatch):
    with pytest.raises(
        SetupError, match=r"There are no pins for Airflow 2\.5\.1\. There are some for 2\.7\.2, .*3\.3\.1\."
    ):
        _workbench.airflow_environment("2.5.1", None)


def test_a_machine_whose_only_python_is_too_new_is_told_which_would_do(monkeypatch):
    pythons = Pythons()
    monkeypatch.setattr(pythons, "_found", {(3, 13): Path("/usr/bin/python3.13")})
    with pytest.raises(
        SetupError, match=r"Airflow 2\.10\.3 needs Python 3\.10, 3\.11, 3\.12; found on this machine: 3\.13"
    ):
        _workbench.airflow_environment("2.10.3", pythons)
