"""Nothing outlives its owner, whatever it did to get away and however the owner ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from mwaa_provider.local.real.process import GuardedProcess, PrivateFolder, last_lines, stop_all

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="walks /proc, which this system has not")

# A family like Airflow's: a child in a session of its own, and an orphan that ignores SIGTERM.
FAMILY = textwrap.dedent(
    """
    import os, signal, sys, time
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            open(sys.argv[1], "w").close()
            time.sleep(600)
        os._exit(0)
    time.sleep(600)
    """
)


@pytest.fixture
def folder(workplace):
    folder = PrivateFolder(prefix="guard-")
    yield folder
    folder.remove()


def guarded(folder, *arguments, **more):
    return GuardedProcess("it", arguments, environment={"PATH": os.defpath}, folder=folder, **more)


def test_stop_ends_the_whole_family(workplace, folder, eventually):
    process = guarded(folder, sys.executable, "-c", FAMILY, str(folder.path / "up"), output=folder.path / "log")
    eventually((folder.path / "up").exists)
    assert process.exit_code is None

    process.stop()
    process.stop()
    folder.remove()

    assert process.exit_code == 128 + signal.SIGTERM
    assert workplace.leftovers() == []


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_owner_dies(workplace, eventually, how):
    owner = textwrap.dedent(
        """
        import sys, tempfile, time
        from pathlib import Path
        from mwaa_provider.local.real.process import GuardedProcess, PrivateFolder
        tempfile.tempdir = sys.argv[1]
        folder = PrivateFolder()
        family = [
            GuardedProcess(name, [sys.executable, "-c", sys.argv[2], str(folder.path / name)],
                           environment={}, folder=folder, output=folder.path / "log")
            for name in ("one", "two")
        ]
        while not (folder.path / "one").exists() or not (folder.path / "two").exists():
            time.sleep(0.05)
        print("up", flush=True)
        time.sleep(600)
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", owner, str(workplace.path), FAMILY], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with process:
        assert process.stdout.readline() == b"up\n"
        # The owner, and for each of the two a guard, the command and the orphan; and the folder.
        assert len(workplace.leftovers()) == 1 + 1 + 2 * 3
        process.send_signal(how)

    eventually(lambda: workplace.leftovers() == [])


def test_what_a_command_leaves_behind_goes_with_it(workplace, folder):
    leaver = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)"
    process = guarded(folder, sys.executable, "-c", leaver, output=folder.path / "log")

    assert process.wait(20.0) == 0

    assert [found for found in workplace.leftovers() if found.startswith("process")] == []
    assert folder.path.is_dir()


def test_output_and_exit_code(folder):
    process = guarded(folder, "/bin/sh", "-c", "echo out; echo err >&2; exit 3")

    assert process.communicate(20.0) == (b"out\n", b"err\n")
    assert (process.exit_code, process.timed_out) == (3, False)


def test_time_out(workplace, folder):
    process = guarded(folder, "/bin/sh", "-c", "echo begun; exec sleep 600")

    assert process.communicate(0.5) == (b"begun\n", b"")

    assert process.timed_out
    assert [found for found in workplace.leftovers() if found.startswith("process")] == []


def test_command_that_does_not_exist(folder):
    process = guarded(folder, "/no/such/command")

    assert process.communicate(20.0) == (b"", b"cannot run /no/such/command: No such file or directory\n")
    assert process.exit_code == 127


def test_a_folder_of_the_users_is_kept(workplace, tmp_path):
    (tmp_path / "mine").touch()
    folder = PrivateFolder(tmp_path)
    process = guarded(folder, "/bin/sleep", "600", output=tmp_path / "log")

    stop_all([process])
    folder.remove()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "mine"]


def test_only_the_owner_may_read(folder):
    process = guarded(folder, "/bin/sh", "-c", "touch made", output=folder.path / "log")

    assert process.wait(20.0) == 0

    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in (folder.path, *folder.path.iterdir())}
    assert modes == {folder.path.name: "0o700", "log": "0o600", "made": "0o600", ".lock": "0o600"}


def test_last_lines_are_masked(tmp_path):
    log = tmp_path / "log"
    log.write_text("".join(f"line {number} hidden\n" for number in range(30)))

    assert last_lines(log, lambda text: text.replace("hidden", "***"), 2) == "line 28 ***\nline 29 ***"
    assert last_lines(tmp_path / "missing", str) == ""
