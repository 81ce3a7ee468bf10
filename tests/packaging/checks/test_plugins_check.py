"""Each kind of finding about a plugins.zip with an archive that has it and one that has not; the guide's own plugins."""

from __future__ import annotations

import stat
import sys
import zipfile
from pathlib import Path

import pytest

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.packaging.findings import Finding
from mwaa_provider.packaging.plugins_check import check_plugins
from mwaa_provider.packaging.releases import release_of
from mwaa_provider.packaging.rules import PLUGINS_RULES
from tests.packaging.checks.files import PLUGIN, wheel, write_zip

AIRFLOW_3, AIRFLOW_2 = release_of("3.2.1"), release_of("2.10.3")
# An interpreter without Airflow: what is imported by a real one is tested in tests/packaging/test_plugins_folder.py.
NO_AIRFLOW = "/no/such/python"
SCRIPT = b"#!/usr/bin/env python3\nprint('transformed')\n"
LINK = stat.S_IFLNK | 0o777
KEY = b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n"

Files = dict[str, bytes]
# Kind: files that have it, files that have not.
CASES: dict[str, tuple[Files, Files]] = {
    "escaping-entry": ({"../own.py": PLUGIN}, {"a/..own.py": PLUGIN, "b.py": b""}),
    "nested-top-folder": ({"plugins/own.py": PLUGIN, "plugins/lib/x": b""}, {"own.py": PLUGIN, "lib/x": b""}),
    "not-executable": ({"own.py": PLUGIN, "hive/bin/hive": b"#!/bin/bash\n"}, {"own.py": b"#!/bin/python\n" + PLUGIN}),
    "shadows-module": ({"own.py": PLUGIN, "lib/http.py": b""}, {"own.py": PLUGIN, "lib/https.py": b""}),
    "gone-in-airflow-3": (
        {"own.py": PLUGIN + b"from airflow.utils import python_virtualenv\n"},
        {"own.py": PLUGIN + b"try:\n    from airflow.utils import python_virtualenv\nexcept ImportError:\n    pass\n"},
    ),
    "syntax-error": (
        {"own.py": PLUGIN + b"x = (\n"},
        {"own.py": PLUGIN, ".airflowignore": b"old/\n", "old/x.py": b"print 1\n"},
    ),
    "reserved-variable": (
        {"own.py": PLUGIN + b"import os\nos.environ['AWS_REGION'] = 'x'\n"},
        {"own.py": PLUGIN + b"import os\nos.environ['LD_LIBRARY_PATH'] = os.environ['AWS_REGION']\n"},
    ),
    "private-key": ({"own.py": PLUGIN, "id.pem": KEY}, {"own.py": PLUGIN, "ca.pem": b"-----BEGIN CERTIFICATE-----\n"}),
    "aws-key": (
        {"own.py": PLUGIN + b"K = 'AKIAABCDEFGHIJKLMNOP'\n"},
        {"own.py": PLUGIN + b"K = 'AKIAIOSFODNN7EXAMPLE'\n"},
    ),
    "plugin-ignored": (
        {"own.py": PLUGIN, ".airflowignore": b"own\\.py\nown.py\n"},
        {"own.py": PLUGIN, ".airflowignore": b"lib/\n"},
    ),
    "wheel-for-other-target": (
        dict([("own.py", PLUGIN), wheel("a", "1", tag="cp37-cp37m-manylinux1_x86_64")]),
        dict([("own.py", PLUGIN), wheel("a", "1", tag="cp312-cp312-manylinux_2_28_x86_64")]),
    ),
    "dag-like-not-ignored": (
        {"own.py": PLUGIN, "load.py": b"from airflow import DAG\nwith DAG('x'):\n    pass\n"},
        {"own.py": PLUGIN + b"DAG = 1\n", "jobs/load.py": b"from airflow import DAG\n", ".airflowignore": b"jobs/\n"},
    ),
    "duplicate-entry": ({}, {"own.py": PLUGIN}),
    "wheel-not-at-root": (
        {"own.py": PLUGIN, "wheels/a-1-py3-none-any.whl": wheel("a", "1")[1]},
        dict([("own.py", PLUGIN), wheel("a", "1")]),
    ),
    "ignore-line-differs": (
        {"own.py": PLUGIN, ".airflowignore": b"*.txt\n"},
        {"own.py": PLUGIN, ".airflowignore": b"lib/ # x\n"},
    ),
    "registers-nothing": (
        {"own.py": PLUGIN + b"    operators = []\n"},
        {"own.py": PLUGIN + b"    operator_extra_links = []\n"},
    ),
    "import-not-tried": ({"own.py": PLUGIN}, {"data.json": b"{}"}),
    "name-not-importable": ({"own-plugin.py": PLUGIN}, {"own_plugin.py": PLUGIN}),
    "left-over": ({"own.py": PLUGIN, "__MACOSX/._own.py": b"x"}, {"own.py": PLUGIN, "macosx/own": b"x"}),
}
# These take a damaged archive, a gigabyte, an installed Airflow.
ELSEWHERE = {"not-a-zip", "too-large", "import-failed", "module-missing"}


def found(tmp_path: Path, files: Files, release=AIRFLOW_3, modes: dict[str, int] | None = None) -> list[Finding]:
    archive = write_zip(tmp_path / "plugins.zip", files, modes)
    return check_plugins(archive, release, python=NO_AIRFLOW)


def kinds(findings: list[Finding]) -> list[str]:
    return [finding.id for finding in findings if finding.id != "import-not-tried"]


def test_each_kind_has_a_bad_and_a_good_archive() -> None:
    assert set(CASES) | ELSEWHERE == set(PLUGINS_RULES)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("kind", CASES)
def test_a_bad_and_a_good_archive(tmp_path: Path, kind: str) -> None:
    bad, good = CASES[kind]
    release = AIRFLOW_2 if kind in ("plugin-ignored", "ignore-line-differs") else AIRFLOW_3
    if kind == "duplicate-entry":
        with zipfile.ZipFile(tmp_path / "plugins.zip", "w") as archive:
            archive.writestr("own.py", PLUGIN)
            archive.writestr("own.py", PLUGIN)
        assert kind in kinds(check_plugins(tmp_path / "plugins.zip", release, python=NO_AIRFLOW))
    else:
        assert kind in {finding.id for finding in found(tmp_path, bad, release)}
    assert kind not in {finding.id for finding in found(tmp_path, good, release)}


def test_a_right_archive_has_nothing(tmp_path: Path) -> None:
    files = {
        "own.py": PLUGIN,
        "hive/bin/hive": b"#!/bin/bash\n",
        "hive/lib.py": b"import hive\n",
        ".airflowignore": b"hive/\n",
    }
    assert kinds(found(tmp_path, files, modes={"hive/bin/hive": 0o755})) == []


@pytest.mark.parametrize(
    "name",
    ["../x", "a/../../x", "/etc/x", "a\\..\\x", "C:/x", "c:x", "..", "a/..", "\\\\host\\x"],
)
def test_no_entry_leaves_the_folder(tmp_path: Path, name: str) -> None:
    findings = found(tmp_path, {"own.py": PLUGIN, name: b""})
    assert "escaping-entry" in kinds(findings)
    # Nothing of such an archive is unpacked.
    assert "import-not-tried" not in {finding.id for finding in findings}


@pytest.mark.parametrize(
    ("name", "target", "leaves"),
    [
        ("l", "../x", True),
        ("l", "/etc", True),
        ("a/l", "../x", False),
        ("a/l", "../../x", True),
        ("a/l", "b/../../..", True),
        ("l", "x", False),
    ],
)
def test_links_that_leave_the_folder(tmp_path: Path, name: str, target: str, leaves: bool) -> None:
    findings = found(tmp_path, {"own.py": PLUGIN, name: target.encode()}, modes={name: LINK})
    assert ("escaping-entry" in kinds(findings)) is leaves


def test_exec_bits(tmp_path: Path) -> None:
    program = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00" + bytes(40) + b"/lib64/ld-linux-x86-64.so.2\0"
    library = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x03\x00" + bytes(40)
    files = {
        "own.py": b"#!/usr/bin/env python3\n" + PLUGIN,
        "transform.py": SCRIPT,
        "lib/__init__.py": b"",
        "lib/tool.py": SCRIPT,
        "client/program": program,
        "client/libclntsh.so": library,
        "client/right": program,
    }
    findings = found(tmp_path, files, modes={"client/right": 0o755})
    assert [one.file for one in findings if one.id == "not-executable"] == ["client/program", "transform.py"]


def test_as_windows_zips(tmp_path: Path) -> None:
    """No modes at all, and one folder at the top."""
    with zipfile.ZipFile(tmp_path / "plugins.zip", "w") as archive:
        for name, data in {"plugins/own.py": PLUGIN, "plugins/transform": SCRIPT}.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 0, 0x20
            archive.writestr(entry, data)
    findings = check_plugins(tmp_path / "plugins.zip", AIRFLOW_3, python=NO_AIRFLOW)
    assert kinds(findings) == ["nested-top-folder", "not-executable"]
    assert [one.cure for one in findings if one.id == "nested-top-folder"] == [
        "Build it from inside that folder: `mwaa plugins build plugins`."
    ]


def test_a_package_alone_is_no_nested_folder(tmp_path: Path) -> None:
    assert kinds(found(tmp_path, {"ours/__init__.py": b"", "ours/lib.py": b"X = 1\n"})) == []
    assert kinds(found(tmp_path, {"ours/__init__.py": b"", "ours/own.py": PLUGIN})) == ["nested-top-folder"]


def test_ways_to_set_a_variable(tmp_path: Path) -> None:
    code = (
        "import os\nfrom os import environ\n"
        "os.environ['AIRFLOW_HOME'] = 'x'\nenviron.setdefault('AWS_REGION', 'x')\nos.putenv('PYTHONUNBUFFERED', '1')\n"
        "os.environ.update({'SQL_ALCHEMY_CONN': 'x'}, AIRFLOW_VERSION='x')\nos.environ |= {'PYTHONPATH': 'x'}\n"
        "os.environ['PATH'] = os.environ['AIRFLOW_HOME']\nx = os.environ.get('AWS_REGION')\n"
    )
    for release, lines in ((AIRFLOW_3, [7, 8, 9, 10, 10, 11]), (release_of("2.7.2"), [7, 8, 9, 10, 10])):
        findings = found(tmp_path, {"own.py": PLUGIN + code.encode()}, release)
        assert [one.line for one in findings if one.id == "reserved-variable"] == lines


def test_a_file_of_the_plugin_environment_variables(tmp_path: Path) -> None:
    toml = b'[prepend]\nPATH = "{plugins}/bin"\n[component.worker.set]\nAWS_REGION = "x"\nPYTHONPATH = "y"\n'
    files = {
        "own.py": PLUGIN,
        "variables.toml": toml,
        "variables.json": b'{"set": {"AIRFLOW_HOME": "/x", "STAGE": "y"}}',
        "other.json": b'{"set": {"AIRFLOW_HOME": "/x"}, "more": 1}',
        "broken.json": b"{",
    }
    read_by_this_python = [("variables.toml", 4), ("variables.toml", 5)] if sys.version_info >= (3, 11) else []
    found_there = [(one.file, one.line) for one in found(tmp_path, files) if one.id == "reserved-variable"]
    assert found_there == [("variables.json", 1), *read_by_this_python]


def test_a_key_is_never_repeated(tmp_path: Path) -> None:
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYabcdefghij"
    text = f"aws_access_key_id = AKIAABCDEFGHIJKLMNOP\naws_secret_access_key = {secret}\n".encode()
    findings = found(tmp_path, {"own.py": PLUGIN, "credentials": text})
    assert [(one.id, one.file, one.line) for one in findings if one.id == "aws-key"] == [
        ("aws-key", "credentials", 1),
        ("aws-key", "credentials", 2),
    ]
    assert "ABCDEFGH" not in repr(findings)
    assert secret not in repr(findings)


@pytest.mark.parametrize(
    ("lines", "airflow_2", "airflow_3"),
    [
        ("lib/\n", [], []),
        ("^lib/.*\n", [], ["lib/http.py"]),
        ("lib\n", [], []),
        ("**/http.py\n", ["lib/http.py"], []),
        ("lib/ht.p\n", [], ["lib/http.py"]),
    ],
)
def test_airflowignore_in_both_syntaxes(tmp_path: Path, lines: str, airflow_2: list[str], airflow_3: list[str]) -> None:
    files = {"own.py": PLUGIN, "lib/http.py": b"", ".airflowignore": lines.encode()}
    for release, expected in ((AIRFLOW_2, airflow_2), (AIRFLOW_3, airflow_3)):
        assert [one.file for one in found(tmp_path, files, release) if one.id == "shadows-module"] == expected
    differs = "ignore-line-differs" in kinds(found(tmp_path, files, None))
    assert differs is (airflow_2 != airflow_3)


GUIDE: dict[str, tuple[Files, list[str], list[str]]] = {
    # name: files, findings on Airflow 3, findings on Airflow 2
    "S18 Oracle": (
        {
            "env_var_plugin_oracle.py": b"from airflow.plugins_manager import AirflowPlugin\nimport os\n"
            b"os.environ['LD_LIBRARY_PATH'] = '/usr/local/airflow/plugins/instantclient_18_5'\nos.environ['DPI_DEBUG_LEVEL'] = '64'\n"
            b"class EnvVarPlugin(AirflowPlugin):\n    name = 'env_var_plugin'\n",
            "instantclient_18_5/libclntsh.so.18.1": b"\x7fELF",
        },
        [],
        [],
    ),
    "S19 time zone": (
        {"dag-timezone-plugin.py": b"import time\nimport os\nos.environ['TZ'] = 'America/Los_Angeles'\ntime.tzset()\n"},
        [],
        [],
    ),
    "S22 virtualenv": (
        {
            "virtual_python_plugin.py": b"from airflow.plugins_manager import AirflowPlugin\nimport airflow.utils.python_virtualenv\n"
            b"def _generate_virtualenv_cmd(tmp_dir, python_bin, system_site_packages):\n    return ['python3', tmp_dir]\n"
            b"airflow.utils.python_virtualenv._generate_virtualenv_cmd = _generate_virtualenv_cmd\n"
            b"class VirtualPythonPlugin(AirflowPlugin):\n    name = 'virtual_python_plugin'\n"
        },
        ["gone-in-airflow-3"],
        [],
    ),
    "S34 nested": (
        {
            "__init__.py": b"",
            "my_airflow_plugin.py": b"from airflow.plugins_manager import AirflowPlugin\nfrom hooks.my_airflow_hook import *\n"
            b"class PluginName(AirflowPlugin):\n    name = 'my_airflow_plugin'\n    hooks = [MyHook]\n    operators = [MyOperator]\n",
            "hooks/__init__.py": b"",
            "hooks/my_airflow_hook.py": b"from airflow.hooks.base import BaseHook\nclass MyHook(BaseHook):\n    pass\n",
            "sensors/__init__.py": b"",
            "sensors/my_airflow_sensor.py": b"from airflow.sensors.base import BaseSensorOperator\n"
            b"from airflow.utils.decorators import apply_defaults\nclass MySensor(BaseSensorOperator):\n    pass\n",
        },
        ["registers-nothing", "registers-nothing", "gone-in-airflow-3"],
        ["registers-nothing", "registers-nothing"],
    ),
    "S32 script": ({"transform_test.py": SCRIPT}, ["not-executable"], ["not-executable"]),
}


@pytest.mark.parametrize("name", GUIDE)
def test_the_guides_plugins(tmp_path: Path, name: str) -> None:
    files, on_3, on_2 = GUIDE[name]
    assert kinds(found(tmp_path, files, AIRFLOW_3)) == on_3
    assert kinds(found(tmp_path, files, AIRFLOW_2)) == on_2


def test_not_a_zip(tmp_path: Path) -> None:
    good = write_zip(tmp_path / "good.zip", {"own.py": PLUGIN}).read_bytes()
    damaged = {"text": b"hello", "cut": good[:-30], "empty": b"", "flipped": good.replace(b"OwnPlugin", b"OwnPlugon")}
    for name, data in damaged.items():
        (tmp_path / name).write_bytes(data)
        assert kinds(check_plugins(tmp_path / name, AIRFLOW_3)) == ["not-a-zip"], name
    with pytest.raises(InvalidInputError, match="is not a file"):
        check_plugins(tmp_path / "missing", AIRFLOW_3)


def test_more_than_a_gigabyte(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "plugins.zip", {"own.py": PLUGIN, "data": b""})
    # The directory of the archive says so; a real gigabyte would take minutes. The entry is then damaged, too.
    data = bytearray(archive.read_bytes())
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = (1_100_000_000).to_bytes(4, "little")
    archive.write_bytes(data)
    from mwaa_provider.packaging.plugins_archive import Archive
    from mwaa_provider.packaging.plugins_check import _of_entries

    with zipfile.ZipFile(archive) as opened:
        entries = {entry.filename: entry for entry in opened.infolist()}
        findings = list(_of_entries(Archive(archive, entries, opened)))
    assert [(one.id, one.message[:18]) for one in findings] == [("too-large", "It takes 1.1 GB. E")]


def test_the_running_python_is_tried_by_default(tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "plugins.zip", {"own.py": PLUGIN})
    (finding,) = check_plugins(archive, release_of("2.0.0", "3.8"))
    assert finding.id == "import-not-tried"
    assert finding.message.startswith(
        f"The plugins were not imported: Airflow 2.0.0 is not installed beside {sys.executable}, but "
    )
