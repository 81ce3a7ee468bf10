"""The listener's plugin: off by default, on by configuration, found however it was installed; it never breaks a start."""

from __future__ import annotations

import inspect
import os
import shutil
from pathlib import Path

import pytest

import mwaa_provider
from mwaa_provider.get_provider_info import METRICS_OPTIONS
from mwaa_provider.metrics.listening import ListenerSettings
from mwaa_provider.plugins.host_metrics import HostMetricsListener, read_settings, wanted_listeners
from tests.support.processes import ROOT, in_fresh_interpreter

LISTENERS = """
import logging
from airflow.listeners.listener import get_listener_manager

try:
    from airflow.sdk.listener import get_listener_manager as of_tasks
except ImportError:
    of_tasks = get_listener_manager
names = lambda manager: [type(one).__name__ for one in manager.pm.get_plugins() if type(one).__module__.startswith("mwaa_provider")]
answer = {"listeners": names(get_listener_manager()), "of_tasks": names(of_tasks())}
import sys
answer["loaded"] = sorted(name for name in sys.modules if name.startswith("mwaa_provider.metrics"))
"""


def test_it_is_off_by_default_and_then_loads_nothing(tmp_path: Path) -> None:
    assert in_fresh_interpreter(LISTENERS, None, tmp_path) == {"listeners": [], "of_tasks": [], "loaded": []}


def test_configuration_switches_it_on_once(tmp_path: Path) -> None:
    """Installed by pip, and in plugins.zip as well: one listener."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    shutil.copy(ROOT / "plugins/mwaa_provider_host_metrics.py", folder)
    home = {"AIRFLOW__CORE__PLUGINS_FOLDER": str(folder)}
    environment = {**os.environ, **home, "AIRFLOW__MWAA_PROVIDER__HOST_METRICS": "True"}
    answer = in_fresh_interpreter(LISTENERS, None, tmp_path, environment=environment)
    assert (answer["listeners"], answer["of_tasks"]) == (["HostMetricsListener"], ["HostMetricsListener"])


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"host_metrics": "perhaps"}, "perhaps"),
        ({"host_metrics": "True", "metrics_interval": "soon"}, "soon"),
        ({"host_metrics": "True", "metrics_interval": "0"}, "[mwaa_provider] metrics_interval: 0.0 is not a duration"),
    ],
)
def test_what_cannot_be_read_leaves_airflow_as_it_was(
    options: dict[str, str], problem: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in options.items():
        monkeypatch.setenv(f"AIRFLOW__MWAA_PROVIDER__{name.upper()}", value)
    assert wanted_listeners() == []
    assert problem in caplog.text


def test_the_options_that_airflow_shows_are_those_that_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {name: option["default"] for name, option in METRICS_OPTIONS.items()}
    default = ListenerSettings()
    assert shown == {
        "host_metrics": str(default.host_metrics),
        "task_metrics": str(default.task_metrics),
        "metrics_interval": f"{default.interval:g}",
        "metrics_timeout": f"{default.timeout:g}",
        "task_metrics_series": str(default.task_series),
        "host_metrics_categories": "",
        "metrics_namespace": default.namespace,
        "metrics_storage_resolution": str(default.storage_resolution),
        "metrics_environment_name": default.environment_name,
        "metrics_region": default.region_name,
    }
    assert read_settings() == default
    said = {
        "host_metrics": "True",
        "task_metrics": "True",
        "metrics_interval": "30",
        "metrics_timeout": "1.5",
        "task_metrics_series": "7",
        "host_metrics_categories": "container, tmp",
        "metrics_namespace": "Mine",
        "metrics_storage_resolution": "1",
        "metrics_environment_name": "prod",
        "metrics_region": "eu-west-2",
    }
    assert set(said) == set(shown)
    for name, value in said.items():
        monkeypatch.setenv(f"AIRFLOW__MWAA_PROVIDER__{name.upper()}", value)
    assert read_settings() == ListenerSettings(
        True, True, 30.0, 1.5, 7, "Mine", 1, "prod", "eu-west-2", ("container", "tmp")
    )


def test_its_hooks_take_what_all_releases_share() -> None:
    hooks = [name for name in vars(HostMetricsListener) if name.startswith("on_")]
    assert [list(inspect.signature(getattr(HostMetricsListener, name)).parameters)[1:] for name in hooks] == [
        ["previous_state", "task_instance"]
    ] * 4


def test_tasks_that_ran_elsewhere_are_not_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The scheduler tells of tasks whose worker is gone, the API server of those that a person has marked."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    listener = HostMetricsListener(ListenerSettings(task_metrics=True, environment_name="prod"))

    class TaskInstance:
        dag_id, task_id, run_id, map_index = "load", "extract", "r1", -1

    listener.on_task_instance_failed(previous_state=None, task_instance=TaskInstance())
    listener.on_task_instance_success(previous_state=None, task_instance=TaskInstance())
    assert list(tmp_path.iterdir()) == []


def test_a_task_instance_of_an_unknown_kind_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    listener = HostMetricsListener(ListenerSettings(host_metrics=True, environment_name="prod"))
    listener.on_task_instance_running(previous_state=None, task_instance=object())
    assert "the host's figures are not published: AttributeError" in caplog.text


def test_the_thin_file_is_all_that_plugins_zip_needs() -> None:
    text = (ROOT / "plugins/mwaa_provider_host_metrics.py").read_text()
    assert "from mwaa_provider.plugins.host_metrics import MwaaHostMetricsPlugin" in text
    assert Path(mwaa_provider.__file__).with_name("plugins").joinpath("host_metrics.py").exists()
