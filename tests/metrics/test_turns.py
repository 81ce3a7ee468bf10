"""One process of a host publishes per interval, however many ask at once, and what tasks leave is fetched once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mwaa_provider.metrics.host import CpuReading
from mwaa_provider.metrics.turns import HostTurns, Turn


def reading(at: float) -> CpuReading:
    return CpuReading(at, 1.0, 2.0, 3.0, 6.0, 0.5)


@pytest.fixture
def turns(tmp_path: Path) -> HostTurns:
    return HostTurns("prod", tmp_path / "mine")


def test_the_first_who_asks_has_the_turn_and_the_next_after_the_interval(turns: HostTurns) -> None:
    assert turns.is_due(1000.0, 60)
    assert turns.take(reading(1000.0), 60) == Turn(None)
    assert not turns.is_due(1059.9, 60)
    assert turns.take(reading(1059.9), 60) is None
    assert turns.is_due(1060.0, 60)
    assert turns.take(reading(1060.0), 60) == Turn(reading(1000.0))
    # Over a pause of hours the processors' average would say nothing of now.
    assert turns.take(reading(5000.0), 60) == Turn(None)


def test_a_time_of_the_machines_last_life_counts_for_nothing(turns: HostTurns) -> None:
    turns.take(reading(100_000.0), 60)
    assert turns.take(reading(5.0), 60) == Turn(None)
    assert turns.take(reading(6.0), 60) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"cpu": {"at": 1}}', '{"cpu": {"at": "x"}}', "\x00"])
def test_a_file_that_cannot_be_read_is_written_anew(turns: HostTurns, tmp_path: Path, text: str) -> None:
    turns.take(reading(1000.0), 60)
    (tmp_path / "mine/prod-turns.json").write_text(text)
    assert turns.is_due(1001.0, 60)
    assert turns.take(reading(1001.0), 60) == Turn(None)
    assert turns.take(reading(1002.0), 60) is None


def test_one_of_many_processes_has_the_turn(tmp_path: Path) -> None:
    """Sixty-four askers at once, in eight processes."""
    code = (
        "import sys; from concurrent.futures import ThreadPoolExecutor; from pathlib import Path\n"
        "from mwaa_provider.metrics.host import CpuReading; from mwaa_provider.metrics.turns import HostTurns\n"
        "sys.stdin.readline()\n"
        "def ask(_): return HostTurns('prod', Path(sys.argv[1])).take(CpuReading(1000.0, 1, 1, 1, 3), 60) is not None\n"
        "print(sum(ThreadPoolExecutor(8).map(ask, range(8))))"
    )
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "mine")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    for process in asking:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    assert sum(int(process.communicate(timeout=60)[0]) for process in asking) == 1


def test_nothing_that_tasks_leave_is_lost_or_fetched_twice(turns: HostTurns) -> None:
    def leave(number: int) -> bool:
        return turns.leave({"number": number})

    fetched = []
    with ThreadPoolExecutor(8) as pool:
        left = pool.map(leave, range(200))
        for _ in range(20):
            fetched += turns.fetch()
        kept = [number for number, was_left in enumerate(left) if was_left]
    fetched += turns.fetch()
    assert sorted(line["number"] for line in fetched) == kept
    assert turns.fetch() == []


def test_what_could_not_be_published_is_kept_up_to_a_size(turns: HostTurns) -> None:
    lines = [{"text": "x" * 1000} for _ in range(100)]
    turns.put_back(lines)
    assert len(turns.fetch()) == 100
    for _ in range(10):
        turns.put_back(lines)
    assert len(turns.fetch()) == 500
    assert turns.leave({"text": "there is room again"})


def test_only_so_many_series_are_known(turns: HostTurns) -> None:
    assert turns.admit(["a", "b"], 3) == {"a", "b"}
    assert turns.admit(["b", "c", "d", "a"], 3) == {"a", "b", "c"}
    turns.take(reading(1000.0), 60)
    assert turns.admit(["e"], 3) == {"a", "b", "c"}


def test_the_files_are_this_users_alone(turns: HostTurns, tmp_path: Path) -> None:
    turns.take(reading(1000.0), 60)
    turns.leave({})
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "mine").iterdir()} == {0o600}


def test_a_folder_that_others_could_have_prepared_is_not_used(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "link").symlink_to(elsewhere)
    open_to_all = tmp_path / "open"
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    for folder in (tmp_path / "link", open_to_all):
        with pytest.raises(PermissionError, match="is not a folder that only this user can write to"):
            HostTurns("prod", folder).take(reading(1000.0), 60)
    assert list(elsewhere.iterdir()) == []


def test_a_link_in_place_of_a_file_is_not_followed(turns: HostTurns, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("keep")
    (tmp_path / "mine").mkdir(mode=0o700)
    (tmp_path / "mine/prod-turns.json").symlink_to(target)
    with pytest.raises(OSError, match="symbolic"):
        turns.take(reading(1000.0), 60)
    assert target.read_text() == "keep"


def test_environments_of_one_host_have_turns_of_their_own(tmp_path: Path) -> None:
    assert HostTurns("a", tmp_path / "mine").take(reading(1000.0), 60) is not None
    assert HostTurns("b", tmp_path / "mine").take(reading(1000.0), 60) is not None
    assert json.loads((tmp_path / "mine/a-turns.json").read_text())["cpu"]["at"] == 1000.0


def test_the_default_folder_is_of_this_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    HostTurns("prod").take(reading(1000.0), 60)
    assert [one.name for one in tmp_path.iterdir()] == [f"mwaa_provider-{os.getuid()}"]
