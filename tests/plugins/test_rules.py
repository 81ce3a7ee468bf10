"""What holds for all plugins that repair: off until asked, once, undone, and never in the way of a component that starts."""

from __future__ import annotations

import logging
import types

import pytest

from mwaa_provider.airflow_compat import AIRFLOW_3
from mwaa_provider.plugins import environment_variables, log_time_zone, patching, virtualenv
from mwaa_provider.plugins.report import Report, reports
from tests.support.processes import ROOT, in_fresh_interpreter

PLUGINS = {
    virtualenv.MwaaVirtualenvPlugin: {"virtualenv": "True"},
    log_time_zone.MwaaLogTimeZonePlugin: {"log_time_zone": "Europe/Berlin"},
    environment_variables.MwaaEnvironmentVariablesPlugin: {"environment_variables_file": "/nowhere.json"},
}

#: Loads all plugins in a fresh process, and tells which attributes of Airflow's modules and classes are not what they were.
DIFFERENCE = """
import os, sys

def look():
    seen = {}
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] not in ("airflow", "structlog", "logging") or module is None:
            continue
        for attribute, value in list(vars(module).items()):
            if attribute.startswith("__"):
                continue
            seen[f"{name}.{attribute}"] = id(value)
            if isinstance(value, type) and value.__module__ == name:
                seen.update({f"{name}.{attribute}.{inner}": id(part) for inner, part in vars(value).items() if callable(part)})
    return seen

import importlib
import airflow.plugins_manager, airflow.utils.log.timezone_aware
for module in argument["modules"]:
    importlib.import_module(module)
before, variables = look(), dict(os.environ)
from mwaa_provider.airflow_compat import loaded_plugins
names, errors = loaded_plugins()
after = look()
answer = {
    "names": sorted(name for name in names if name.startswith("mwaa_provider")),
    "errors": errors,
    "changed": sorted(name for name in before.keys() & after.keys() if before[name] != after[name] and ".plugins_manager" not in name),
    "variables": sorted(name for name in os.environ.keys() | variables.keys() if os.environ.get(name) != variables.get(name)),
    "hooks": sorted(type(finder).__name__ for finder in sys.meta_path if "wrapt" in type(finder).__module__),
}
"""

MODULES = (
    ["airflow.providers.standard.operators.python", "airflow.sdk.log", "structlog.processors"]
    if AIRFLOW_3
    else ["airflow.operators.python", "airflow.utils.python_virtualenv"]
)
NAMES = [
    f"mwaa_provider_{name}"
    for name in ("environment_variables", "host_metrics", "log_time_zone", "metadata_api", "virtualenv")
]


def difference(tmp_path, **variables):
    import os

    environment = {**os.environ, "AIRFLOW__CORE__PLUGINS_FOLDER": str(tmp_path / "plugins"), **variables}
    return in_fresh_interpreter(DIFFERENCE, {"modules": MODULES}, tmp_path, environment=environment)


def test_nothing_is_changed_without_configuration(tmp_path):
    found = difference(tmp_path)
    assert found == {"names": NAMES, "errors": {}, "changed": [], "variables": [], "hooks": []}


def test_with_configuration_that_and_only_that_is_changed(tmp_path):
    """The control of the test above: the comparison sees changes."""
    (tmp_path / "plugins").mkdir()
    (tmp_path / "plugins" / "environment_variables.json").write_text('{"set": {"STAGE": "night"}}')
    found = difference(
        tmp_path, AIRFLOW__MWAA_PROVIDER__VIRTUALENV="True", AIRFLOW__MWAA_PROVIDER__LOG_TIME_ZONE="Europe/Berlin"
    )
    assert found["variables"] == ["STAGE"]
    assert found["errors"] == {}
    expected = {"airflow.utils.log.timezone_aware.TimezoneAware.formatTime"}
    if AIRFLOW_3:
        utils = "airflow.providers.standard.utils.python_virtualenv"
        expected |= {f"{utils}.{name}" for name in ("_generate_uv_cmd", "_generate_venv_cmd", "_use_uv")}
        expected |= {"structlog.processors.MaybeTimeStamper.__call__"}
        runs = {f"{utils}.execute_in_subprocess", f"{utils}._execute_in_subprocess"} & set(found["changed"])
        assert len(runs) == 1
        expected |= runs
    else:
        expected |= {"airflow.operators.python.is_venv_installed"}
        utils = "airflow.utils.python_virtualenv"
        expected |= {f"{utils}._generate_virtualenv_cmd", f"{utils}.execute_in_subprocess"}
    assert set(found["changed"]) == expected


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_loaded_again_it_does_nothing_more(options, caplog, plugin):
    options(**PLUGINS[plugin])
    plugin.on_load()
    changes = list(patching._changes)
    said = len(caplog.records)
    plugin.on_load()
    assert patching._changes == changes
    assert len(caplog.records) == said
    # A process that has our module twice: what is replaced already is known by its mark.
    reports.clear()
    patching._hooked.clear()
    plugin.on_load()
    assert patching._changes == changes


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)
def test_whatever_goes_wrong_stays_inside(options, caplog, monkeypatch, plugin):
    options(**PLUGINS[plugin])

    def fails(*args, **kwargs):
        raise RuntimeError("the configuration is on fire")

    monkeypatch.setattr("mwaa_provider.plugins.options.configured", fails)
    with caplog.at_level(logging.WARNING, "mwaa_provider.plugins"):
        plugin.on_load()
    assert reports[plugin.name].problems == ["RuntimeError: the configuration is on fire"]
    assert "could not be applied, Airflow goes on without it" in caplog.text


def test_a_release_that_is_unlike_all_we_know_is_left_alone(caplog, options):
    options(virtualenv="True", log_time_zone="Europe/Berlin")
    report = Report("x", "virtualenv")
    strange = types.ModuleType("airflow.utils.python_virtualenv")
    before = dict(vars(strange))
    with caplog.at_level(logging.WARNING, "mwaa_provider.plugins"):
        virtualenv._repair_making(strange, virtualenv.VenvSettings(), report)
    assert vars(strange) == before
    assert report.problems == [
        "airflow.utils.python_virtualenv is unlike what this plugin knows, and is left as it is where it is"
    ]


def test_what_is_replaced_is_put_back():
    module = types.ModuleType("some_module")
    module.speak = original = lambda: "moo"
    report = Report("x", "x")
    assert patching.replace(report, module, "speak", lambda old: lambda: old() + "!")
    assert patching.replace(report, module, "speak", lambda old: lambda: old() + "?")
    assert not patching.replace(report, module, "listen", lambda old: old)
    assert module.speak() == "moo!"
    assert report.patched == ["some_module.speak"]
    patching.undo_all()
    assert module.speak is original


def test_a_change_that_fails_does_not_fail_the_import(caplog):
    def fails(module):
        raise RuntimeError("no")

    with caplog.at_level(logging.WARNING, "mwaa_provider.plugins"):
        patching.when_imported(Report("x", "x"), "colorsys", fails)
        import colorsys

    assert colorsys.rgb_to_hsv(0, 0, 0) == (0.0, 0.0, 0)
    assert "could not change colorsys, it stays as it is" in caplog.text


@pytest.mark.parametrize("lazy", [True, False])
def test_the_line_at_load_tells_what_lazy_loading_spoils(options, caplog, monkeypatch, lazy):
    monkeypatch.setenv("AIRFLOW__CORE__LAZY_LOAD_PLUGINS", str(lazy))
    options(log_time_zone="Europe/Berlin")
    with caplog.at_level(logging.INFO, "mwaa_provider.plugins"):
        log_time_zone.MwaaLogTimeZonePlugin.on_load()
    (record,) = [record for record in caplog.records if record.name == "mwaa_provider.plugins"]
    message = record.getMessage()
    assert message.startswith(
        "mwaa_provider plugin mwaa_provider_log_time_zone: logs are stamped in Europe/Berlin. patched: "
    )
    spoiled = (
        "core.lazy_load_plugins is True: set it to False, or this comes too late for the lines that are logged before"
    )
    assert (spoiled in message) is lazy


def test_commands_that_print_for_a_program_are_not_disturbed(options, caplog, monkeypatch):
    options(log_time_zone="Europe/Berlin")
    with caplog.at_level(logging.INFO, "mwaa_provider.plugins"):
        for arguments, told in ((["airflow", "dags", "list", "-o", "json"], False), (["airflow", "scheduler"], True)):
            patching.undo_all()
            caplog.clear()
            monkeypatch.setattr("sys.argv", arguments)
            log_time_zone.MwaaLogTimeZonePlugin.on_load()
            assert bool(caplog.records) is told


@pytest.mark.parametrize("name", ["virtualenv", "log_time_zone", "environment_variables"])
def test_the_file_for_plugins_zip_registers_only_what_pip_does_not(monkeypatch, name):
    from importlib.metadata import PackageNotFoundError

    def exec_file():
        names = {}
        exec(compile((ROOT / f"plugins/mwaa_provider_{name}.py").read_text(), name, "exec"), names)
        return [value.name for value in names.values() if isinstance(value, type)]

    assert exec_file() == []

    def missing(distribution):
        raise PackageNotFoundError

    monkeypatch.setattr("mwaa_provider.plugins.registration.distribution", missing)
    assert exec_file() == [f"mwaa_provider_{name}"]
