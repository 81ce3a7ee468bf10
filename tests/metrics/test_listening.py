"""What a task's process does beside its task, however CloudWatch behaves. In a real Airflow: tests/real_tasks/test_host_metrics.py."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mwaa_provider.metrics.host import HOST_METRICS, CpuReading, HostSampler
from mwaa_provider.metrics.listening import ListenerSettings, TaskWatch
from mwaa_provider.metrics.task_figures import TaskFigures, TaskMeter, task_measurements
from mwaa_provider.metrics.turns import HostTurns
from tests.metrics.test_host import burn
from tests.support.cloudwatch import CloudWatch, Mood

MIB = 1024 * 1024
#: Nothing is published by chance: the first look is at once, the next after a minute.
SETTINGS = ListenerSettings(host_metrics=True, task_metrics=True, environment_name="prod", timeout=10.0)


@pytest.fixture(autouse=True)
def worker(cloud: CloudWatch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The worker's environment, and its folder for temporary files."""
    for name, value in cloud.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield tmp_path
    cloud.let_go()
    for thread in threading.enumerate():  # what it has to say belongs to this test
        if thread.name == "mwaa-host-metrics":
            thread.join(30.0)


def run_task(settings: ListenerSettings = SETTINGS, task_id: str = "extract", seconds: float = 0.0) -> float:
    """Run one task, and return for how long the listener held its end, in seconds."""
    watch = TaskWatch(settings, "load", task_id)
    watch.begin()
    time.sleep(seconds)
    began = time.monotonic()
    watch.finish()
    return time.monotonic() - began


def test_the_first_task_publishes_the_host_and_the_next_ones_do_not(cloud: CloudWatch) -> None:
    for _ in range(5):
        run_task()
    published = [one for one in cloud.kept() if one.dimensions["Category"] != "task"]
    assert cloud.calls == 1
    missing = {name for name in HOST_METRICS if not name.startswith("container_")} - {one.name for one in published}
    assert missing == set()
    assert len({(one.name, str(one.dimensions)) for one in published}) == len(published)
    assert {one.dimensions["Environment"] for one in published} == {"prod"}


def test_what_tasks_have_left_is_published_with_the_next_turn(cloud: CloudWatch) -> None:
    often = ListenerSettings(task_metrics=True, environment_name="prod", interval=0.2, timeout=10.0)
    for number in range(3):
        run_task(often, task_id=f"task_{number}")
    time.sleep(0.25)
    run_task(often, task_id="last")
    by_task = {one.dimensions["Task"]: one for one in cloud.kept() if one.name == "task_duration"}
    assert {"task_0", "task_1", "task_2"} <= set(by_task)
    assert by_task["task_0"].dimensions == {"Environment": "prod", "Category": "task", "DAG": "load", "Task": "task_0"}
    assert by_task["task_0"].unit == "Seconds"


def test_a_long_task_publishes_again_and_again(cloud: CloudWatch) -> None:
    often = ListenerSettings(
        host_metrics=True, environment_name="prod", interval=0.3, timeout=10.0, categories=("load",)
    )
    watch = TaskWatch(often, "load", "extract")
    watch.begin()
    end = time.monotonic() + 60.0
    while cloud.calls < 3 and time.monotonic() < end:
        time.sleep(0.05)
    watch.finish()
    assert cloud.calls >= 3


@pytest.mark.parametrize("mood", ["slow", "throttled", "denied", "failing", "hangs_up"])
def test_a_task_ends_in_time_whatever_cloudwatch_does(
    cloud: CloudWatch, mood: Mood, caplog: pytest.LogCaptureFixture
) -> None:
    cloud.mood = mood
    # Whatever is no more than a no comes in its own time, which on a busy machine is boto3's to load.
    settings = ListenerSettings(host_metrics=True, environment_name="prod", timeout=2.0 if mood == "slow" else 30.0)
    with caplog.at_level(logging.WARNING):
        held = [run_task(settings) for _ in range(4)]
        if mood == "slow":
            cloud.let_go()
    assert held[0] < settings.timeout + 10.0
    assert cloud.calls <= 1  # the others had nothing to wait for
    warnings = [one.getMessage() for one in caplog.records if one.name == "mwaa_provider.metrics.listening"]
    if mood != "slow":  # there the thread still waits when the process would have ended
        assert len(warnings) == 1
        assert warnings[0].startswith("The figures of this host were not published: ")


def test_nobody_listens_at_cloudwatchs_address(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", "http://127.0.0.1:9")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            run_task()
    (warning,) = [one.getMessage() for one in caplog.records if one.name == "mwaa_provider.metrics.listening"]
    assert "AWS cannot be reached" in warning


def test_figures_of_tasks_survive_a_cloudwatch_that_fails(cloud: CloudWatch) -> None:
    often = ListenerSettings(task_metrics=True, environment_name="prod", interval=0.2, timeout=10.0)
    cloud.mood = "denied"
    run_task(often, task_id="kept")
    time.sleep(0.25)
    run_task(often, task_id="second")
    assert cloud.calls >= 1
    assert cloud.kept() == []
    cloud.mood = "well"
    time.sleep(0.25)
    run_task(often, task_id="third")
    assert [one.dimensions["Task"] for one in cloud.kept() if one.name == "task_duration"].count("kept") == 1


def test_a_folder_that_cannot_be_written_is_a_line_in_the_log(
    worker: Path, cloud: CloudWatch, caplog: pytest.LogCaptureFixture
) -> None:
    (worker / f"mwaa_provider-{os.getuid()}").write_text("not a folder")
    with caplog.at_level(logging.WARNING):
        run_task(ListenerSettings(host_metrics=True, environment_name="prod"))
    assert cloud.calls == 0
    assert len([one for one in caplog.records if one.name == "mwaa_provider.metrics.listening"]) == 1


def test_no_name_is_a_line_in_the_log(cloud: CloudWatch, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        run_task(ListenerSettings(host_metrics=True))
    (warning,) = [one.getMessage() for one in caplog.records if one.name == "mwaa_provider.metrics.listening"]
    assert "neither AIRFLOW_ENV_NAME nor MWAA_ENV_NAME is set" in warning
    assert cloud.calls == 0


@pytest.mark.patient
def test_a_tasks_figures_are_its_own(worker: Path, cloud: CloudWatch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory and processor time of a known size; what publishing takes is not the task's."""
    read_cpu = HostSampler.read_cpu

    def laborious(sampler: HostSampler) -> CpuReading:
        began = time.thread_time()
        while time.thread_time() < began + 1.0:
            pass
        return read_cpu(sampler)

    monkeypatch.setattr(HostSampler, "read_cpu", laborious)
    HostTurns("prod")  # an hour's interval, and nobody has published: this task does
    settings = ListenerSettings(
        host_metrics=True, task_metrics=True, environment_name="prod", interval=3600, timeout=10.0
    )
    began = time.process_time()
    watch = TaskWatch(settings, "load", "extract")
    watch.begin()
    block = bytearray(200 * MIB)
    burn(0.3)
    while cloud.calls == 0:  # a publication that is still to begin would take this task's figures along
        time.sleep(0.01)
    watch.finish()
    whole = time.process_time() - began
    (line,) = HostTurns("prod").fetch() or [None]
    told = TaskFigures.from_json(line)
    assert told is not None
    assert cloud.calls == 1
    assert (told.dag_id, told.task_id) == ("load", "extract")
    assert told.memory >= len(block)
    assert 0 < told.cpu_seconds <= whole - 0.9
    assert told.seconds >= 0.3


def test_what_a_child_uses_counts() -> None:
    import subprocess
    import sys

    meter = TaskMeter("load", "bash")
    subprocess.run([sys.executable, "-c", "x = bytearray(300 << 20)\nfor i in range(4_000_000): pass"], check=True)
    told = meter.read()
    assert told.memory >= 300 * MIB
    assert told.cpu_seconds > 0.05


def test_beyond_the_cap_tasks_count_together() -> None:
    figures = [TaskFigures("load", f"task_{number}", time.time(), 1.0, 2, 3.0) for number in range(4)]
    found = task_measurements("prod", figures, known={"load task_0", "load task_1"})
    assert sorted({(one.dimensions["DAG"], one.dimensions["Task"]) for one in found}) == [
        ("(other)", "(other)"),
        ("load", "task_0"),
        ("load", "task_1"),
    ]
    assert len(found) == 12


def test_ids_in_any_letters() -> None:
    found = task_measurements("prod", [TaskFigures("für", "größe", time.time(), 1.0, 2, 3.0)], known={"für größe"})
    assert found[0].dimensions["DAG"] == r"f\xfcr"


def test_settings_that_cannot_be_right_are_all_named() -> None:
    wrong = ListenerSettings(
        interval=0,
        timeout=-1,
        task_series=0,
        namespace="AWS/X",
        storage_resolution=5,
        environment_name="1x",
        categories=("cpu",),
    )
    assert [problem.partition(":")[0] for problem in wrong.problems()] == [
        "metrics_interval",
        "metrics_timeout",
        "task_metrics_series",
        "metrics_namespace",
        "metrics_storage_resolution",
        "host_metrics_categories",
        "metrics_environment_name",
    ]
    assert ListenerSettings().problems() == []
