"""Variables are set and extended as a file says; what cannot be right is told by name, and the rest is done."""

from __future__ import annotations

import json
import os
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwaa_provider.airflow_compat import airflow_version
from mwaa_provider.plugins.environment_variables import MwaaEnvironmentVariablesPlugin
from mwaa_provider.plugins.report import reports
from mwaa_provider.plugins.variables_file import Wishes
from mwaa_provider.plugins.variables_plan import plan

needs_toml = pytest.mark.skipif(sys.version_info < (3, 11), reason="reading TOML takes Python 3.11")

HIVE = """
[set]
JAVA_HOME = "/usr"
HADOOP_HOME = "{plugins}/hadoop-3.3.0"
HADOOP_CONF_DIR = "{HADOOP_HOME}/etc/hadoop"
HIVE_HOME = "{plugins}/apache-hive-3.1.2-bin"
DPI_DEBUG_LEVEL = 64

[prepend]
PATH = ["{HIVE_HOME}/bin", "{HADOOP_HOME}/bin"]

[append]
CLASSPATH = "{HIVE_HOME}/lib/*"

[component.worker.set]
STAGE = "on the worker"

[component.webserver.set]
STAGE = "on the web server"
"""


@pytest.fixture
def plugins(tmp_path, monkeypatch):
    """The plugins folder, with Hive and Hadoop in it."""
    for folder in (
        "hadoop-3.3.0/bin",
        "hadoop-3.3.0/etc/hadoop",
        "apache-hive-3.1.2-bin/bin",
        "apache-hive-3.1.2-bin/lib",
    ):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.setattr("airflow.settings.PLUGINS_FOLDER", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    for name in ("CLASSPATH", "LD_LIBRARY_PATH", "HIVE_HOME", "HADOOP_HOME", "HADOOP_CONF_DIR", "STAGE", "TZ"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def load(plugins, content, name="environment_variables.json"):
    (plugins / name).write_text(content if isinstance(content, str) else json.dumps(content))
    MwaaEnvironmentVariablesPlugin.on_load()
    return reports["mwaa_provider_environment_variables"]


@needs_toml
def test_the_guides_hive_plugin_as_data(plugins, monkeypatch):
    monkeypatch.setenv("MWAA_AIRFLOW_COMPONENT", "worker")
    report = load(plugins, HIVE, "environment_variables.toml")
    hive, hadoop = plugins / "apache-hive-3.1.2-bin", plugins / "hadoop-3.3.0"
    wanted = {
        "JAVA_HOME": "/usr",
        "HADOOP_HOME": str(hadoop),
        "HADOOP_CONF_DIR": f"{hadoop}/etc/hadoop",
        "HIVE_HOME": str(hive),
        "DPI_DEBUG_LEVEL": "64",
        "PATH": f"{hive}/bin:{hadoop}/bin:/usr/bin:/bin",
        "CLASSPATH": f"{hive}/lib/*",
        "STAGE": "on the worker",
    }
    assert {name: os.environ.get(name) for name in wanted} == wanted
    assert report.problems == []
    assert report.changed == [f"{', '.join(sorted(wanted))} set from {plugins}/environment_variables.toml"]


def test_a_process_that_inherited_the_variables_makes_them_no_longer(plugins):
    content = {"prepend": {"PATH": "{plugins}"}, "append": {"CLASSPATH": ["{plugins}"]}, "set": {"A": "{plugins}"}}
    load(plugins, content)
    once = dict(os.environ)
    reports.clear()
    assert load(plugins, content).left_alone == ["A, CLASSPATH, PATH, which had that value already"]
    assert dict(os.environ) == once


def test_without_a_file_nothing_is_done(plugins):
    before = dict(os.environ)
    MwaaEnvironmentVariablesPlugin.on_load()
    assert not reports["mwaa_provider_environment_variables"].configured
    assert dict(os.environ) == before


def test_what_belongs_to_mwaa_is_refused_by_name(plugins):
    names = [
        "AWS_REGION",
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW_CONN_AWS_DEFAULT",
        "SQL_ALCHEMY_CONN",
        "MWAA_AIRFLOW_COMPONENT",
    ]
    before = dict(os.environ)
    report = load(
        plugins, {"set": dict.fromkeys(names, "mine"), "component": {"worker": {"append": {"AWS_REGION": "/x"}}}}
    )
    assert report.problems == [f"{name} belongs to MWAA: it is not set" for name in sorted(names)]
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("release", "refused"), [("2.7.2", False), ("2.8.1", False), ("2.9.2", True), ("2.10.3", True), ("3.3.1", True)]
)
def test_pythonpath_is_reserved_from_2_9_on(release, refused):
    wishes = Wishes(append={"PYTHONPATH": ["/"]})
    planned = plan(wishes, plugins="/p", environment={"PYTHONPATH": "/old"}, component=None, airflow_version=release)
    if refused:
        assert (planned.variables, planned.problems) == (
            {},
            ["PYTHONPATH belongs to MWAA, from Airflow 2.9 on: it is not set"],
        )
    else:
        assert (planned.variables, planned.problems) == ({"PYTHONPATH": "/old:/"}, [])


def test_pythonpath_goes_by_the_release_that_runs(plugins):
    report = load(plugins, {"append": {"PYTHONPATH": "{plugins}"}})
    assert bool(report.problems) is not airflow_version().startswith(("2.7", "2.8"))


def test_everything_that_is_wrong_is_told_and_the_rest_done(plugins):
    report = load(
        plugins,
        {
            "set": {
                "ROUND": "{TRIP}",
                "TRIP": "{ROUND}",
                "PATH": "/mine:{PATH}",
                "LOST": "{NOWHERE}/x",
                "HOME_OF_X": "{plugins}/x",
                "HERE": "./x",
                "not a name": "x",
                "YES": True,
                "FINE": "{{{plugins}}}",
            },
            "prepend": {"LD_LIBRARY_PATH": ["lib", "{plugins}/nothing", "{LOST_TOO}", "{plugins}"]},
            "component": {"workers": {"set": {"A": "b"}}, "worker": "fast"},
            "unset": {"A": "b"},
            "append": ["x"],
        },
    )
    assert report.problems == [
        "set: 'not a name' cannot be the name of a variable",
        "set.YES is not a text",
        "[component.workers] is no component of MWAA; they are scheduler, worker, webserver. Did you mean worker?",
        "component.worker is not a table",
        "[unset] means nothing here; tables are [set], [prepend], [append]",
        "append is not a table",
        "ROUND is not set: it refers to itself (ROUND -> TRIP -> ROUND)",
        "TRIP is not set: it refers to itself (TRIP -> ROUND -> TRIP)",
        "PATH is not set: it refers to itself (PATH -> PATH); extend it by [prepend] or [append]",
        "LOST is not set: {NOWHERE} is neither in the file nor in the environment",
        f"HOME_OF_X is set to '{{plugins}}/x', but there is no {plugins}/x",
        "HERE is set to './x', a relative path, which means another place in each process",
        "LD_LIBRARY_PATH is not extended by 'lib': it is a relative path, which would mean another place in each process. "
        "Write {plugins}/... for what lies in plugins.zip",
        f"LD_LIBRARY_PATH is extended by '{{plugins}}/nothing', but there is no {plugins}/nothing",
        "LD_LIBRARY_PATH is not extended by '{LOST_TOO}': {LOST_TOO} is neither in the file nor in the environment",
    ]
    assert os.environ["FINE"] == f"{{{plugins}}}"
    assert os.environ["LD_LIBRARY_PATH"] == f"{plugins}/nothing:{plugins}"
    assert os.environ["PATH"] == "/usr/bin:/bin"
    assert report.left_alone == [
        "LD_LIBRARY_PATH of this process itself, which the system read when it began: programs that it starts see the new one"
    ]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        (
            "x.json",
            "{",
            "x.json is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        ("x.json", "[]", "x.json holds a list, not tables of variables"),
        ("x.yaml", "", "x.yaml is neither a .toml nor a .json file"),
        pytest.param(
            "x.toml",
            "[set",
            "x.toml is not TOML: Expected ']' at the end of a table declaration (at end of document)",
            marks=needs_toml,
        ),
    ],
)
def test_a_file_that_cannot_be_read(plugins, options, name, content, problem):
    options(environment_variables_file=name)
    assert load(plugins, content, name).problems == [f"{plugins}/{problem}"]


def test_a_file_that_is_not_there(plugins, options):
    options(environment_variables_file="x.json")
    MwaaEnvironmentVariablesPlugin.on_load()
    (problem,) = reports["mwaa_provider_environment_variables"].problems
    assert problem == f"{plugins}/x.json cannot be read: [Errno 2] No such file or directory: '{plugins}/x.json'"


def test_a_file_anywhere(plugins, options, tmp_path_factory):
    file = tmp_path_factory.mktemp("elsewhere") / "x.json"
    file.write_text('{"set": {"STAGE": "night"}}')
    options(environment_variables_file=str(file))
    MwaaEnvironmentVariablesPlugin.on_load()
    assert os.environ["STAGE"] == "night"


def test_values_are_not_logged(plugins, caplog):
    report = load(plugins, {"set": {"TOKEN": "hunter2", "ALSO": "{NOWHERE}hunter2"}})
    assert "hunter2" not in caplog.text + report.sentence()


def test_a_time_zone_is_for_this_process_too(plugins):
    load(plugins, {"set": {"TZ": "Asia/Kathmandu"}})
    assert time.strftime("%z") == "+0545"


@given(
    st.lists(st.text("abc/", min_size=1).map(lambda text: f"/{text}"), unique=True, max_size=4),
    st.lists(st.text("abc/", min_size=1).map(lambda text: f"/{text}"), unique=True, max_size=4),
    st.text("abc:/", max_size=12),
)
def test_extending_twice_is_extending_once(before, after, present):
    wishes = Wishes(prepend={"X": before}, append={"X": after})

    def extended(value):
        return plan(wishes, plugins="/p", environment={"X": value}, component=None, airflow_version="3.3.1").variables[
            "X"
        ]

    once = extended(present)
    assert extended(once) == once
    assert once.split(":")[: len(before)] == before or not before
    assert {*before, *after} <= {*once.split(":")}
