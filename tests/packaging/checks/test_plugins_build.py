"""plugins.zip is built: the same bytes from the same files, everything at its place, nothing from elsewhere."""

from __future__ import annotations

import ast
import hashlib
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.packaging.archive import Content
from mwaa_provider.packaging.ignore_file import GLOB, REGEXP, IgnoreFiles, line_for_folder
from mwaa_provider.packaging.package_wheel import package_folder
from mwaa_provider.packaging.plugins_build import Contents, available_plugins, build_plugins, plugin_named, thin_file
from mwaa_provider.packaging.plugins_check import check_plugins
from mwaa_provider.packaging.releases import release_of
from mwaa_provider.packaging.wheel_set import read_wheel
from tests.packaging.checks.files import PLUGIN
from tests.support.processes import ROOT

NAMES = st.text(alphabet="abcxyzäö_-. +[]!", min_size=1, max_size=8).filter(
    lambda name: name.strip(". ") == name and name
)
TREES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.tuples(st.binary(max_size=40), st.booleans()), max_size=8
)


def written(
    folder: Path, tree: dict[str, tuple[bytes, bool]], *, backwards: bool = False
) -> dict[str, tuple[bytes, bool]]:
    """Write a tree as far as a file system can hold it, and return what it holds."""
    held = {}
    for name, (data, executable) in sorted(tree.items(), reverse=backwards):
        path = folder / name
        if any(other.startswith(f"{name}/") or name.startswith(f"{other}/") for other in tree):
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        path.chmod(0o755 if executable else 0o600)
        os.utime(path, (1_000_000_000 + backwards, 1_000_000_000 + backwards))
        held[name] = (data, executable)
    return held


@given(TREES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_same_files_make_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, tuple[bytes, bool]]
) -> None:
    built = []
    for backwards in (False, True):
        base = tmp_path_factory.mktemp("tree")
        (base / "plugins").mkdir()
        held = written(base / "plugins", tree, backwards=backwards)
        built.append(build_plugins(base / "out.zip", Contents(base / "plugins")))
    assert built[0].sha256 == built[1].sha256
    with zipfile.ZipFile(built[0].path) as archive:
        inside = {
            entry.filename: (archive.read(entry), bool(entry.external_attr >> 16 & stat.S_IXUSR))
            for entry in archive.infolist()
        }
    assert inside.pop(".airflowignore", None) is not None
    assert {name: data for name, (data, _) in inside.items()} == {
        name: data for name, (data, _) in held.items() if name in inside
    }
    assert {name for name in held if name not in inside} <= {name for name in held if name.endswith((".pyc", ".pyo"))}
    assert all(inside[name][1] for name, (_, executable) in held.items() if executable and name in inside)
    for entry in zipfile.ZipFile(built[0].path).infolist():
        assert entry.external_attr >> 16 in (stat.S_IFREG | 0o644, stat.S_IFREG | 0o755)


@given(NAMES, NAMES)
@settings(max_examples=50, deadline=None)
def test_a_line_for_a_folder_means_the_same_in_both_syntaxes(name: str, other: str) -> None:
    ignore = IgnoreFiles({"": line_for_folder(name)})
    inside = [f"{name}/x.py", f"{name}/deep/x.py"]
    assert ignore.ignored(inside, REGEXP) == ignore.ignored(inside, GLOB) == set(inside)
    assert ignore.ignored([f"{other}.py", "x.py"], GLOB) == set()


def test_a_whole_archive(tmp_path: Path) -> None:
    written(
        tmp_path / "plugins",
        {
            "own.py": (PLUGIN, False),
            ".airflowignore": (b"# mine\nold/\n", False),
            "old/x.py": (b"print 1\n", False),
            "transform": (b"#!/bin/sh\n", False),
            "__pycache__/own.cpython-312.pyc": (b"x", False),
            ".git/config": (b"x", False),
        },
    )
    written(tmp_path / "hive+3.1", {"bin/hive": (b"x", True), "lib/json.py": (b"", False)})
    (tmp_path / "plugins/plugins.zip").write_bytes(b"the archive of yesterday")
    contents = Contents(
        tmp_path / "plugins",
        plugins=["extra_links"],
        package="folder",
        include=[tmp_path / "hive+3.1"],
        wheels={"a-1-py3-none-any.whl": Content(b"wheel")},
    )
    built = build_plugins(tmp_path / "plugins/plugins.zip", contents)
    with zipfile.ZipFile(built.path) as archive:
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in archive.infolist()}
        assert archive.read(".airflowignore") == b"# mine\nold/\nhive\\+3\\.1/\nmwaa_provider/\n"
    own = {name: mode for name, mode in modes.items() if not name.startswith("mwaa_provider/")}
    assert own == {
        ".airflowignore": 0o644,
        "a-1-py3-none-any.whl": 0o644,
        "hive+3.1/bin/hive": 0o755,
        "hive+3.1/lib/json.py": 0o644,
        "mwaa_provider_extra_links.py": 0o644,
        "old/x.py": 0o644,
        "own.py": 0o644,
        "transform": 0o755,
    }
    package = {name.removeprefix("mwaa_provider/") for name in modes if name.startswith("mwaa_provider/")}
    source = ROOT / "src/mwaa_provider"
    assert package == {
        str(file.relative_to(source)) for file in source.rglob("*") if file.is_file() and file.suffix != ".pyc"
    }
    assert built.sha256 == hashlib.sha256(built.path.read_bytes()).hexdigest()
    assert (built.files, built.size) == (len(modes), built.path.stat().st_size)


@pytest.mark.parametrize("airflow", ["2.10.3", "3.2.1"])
def test_the_check_finds_nothing_in_what_is_built(tmp_path: Path, airflow: str) -> None:
    written(tmp_path / "plugins", {"own.py": (PLUGIN, False), "ours/__init__.py": (b"", False)})
    for package in ("folder", "wheel"):
        contents = Contents(tmp_path / "plugins", plugins=list(available_plugins()), package=package)
        built = build_plugins(tmp_path / "plugins.zip", contents)
        findings = check_plugins(built.path, release_of(airflow), python="/no/such/python")
        assert [str(one) for one in findings if one.id != "import-not-tried"] == []


def passed_on(source: str) -> list[tuple[str | None, str]]:
    return [
        (node.module, alias.name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]


def test_every_plugin_has_its_thin_file_in_the_repository() -> None:
    plugins = available_plugins()
    assert "extra_links" in plugins
    for name in plugins:
        file, text = thin_file(name)
        committed = passed_on((ROOT / "plugins" / file).read_text())
        assert set(committed) >= {one for one in passed_on(text) if one[0] == f"mwaa_provider.plugins.{name}"} != set()


@pytest.mark.parametrize(
    ("name", "plugin"),
    [("extra_links", "extra_links"), ("ExtraLinks", "extra_links"), ("links", "extra_links"), ("", None), ("no", None)],
)
def test_enough_of_a_name(name: str, plugin: str | None) -> None:
    assert plugin_named(name) == plugin


def test_links_are_followed_inside_of_the_folder(tmp_path: Path) -> None:
    written(tmp_path / "plugins", {"lib/libclntsh.so.18.1": (b"library", False)})
    (tmp_path / "plugins/lib/libclntsh.so").symlink_to("libclntsh.so.18.1")
    (tmp_path / "plugins/also").symlink_to("lib")
    built = build_plugins(tmp_path / "plugins.zip", Contents(tmp_path / "plugins"))
    with zipfile.ZipFile(built.path) as archive:
        assert {name: archive.read(name) for name in archive.namelist() if "lib" in name} == {
            f"{folder}/{name}": b"library"
            for folder in ("lib", "also")
            for name in ("libclntsh.so", "libclntsh.so.18.1")
        }


def test_links_that_lead_elsewhere_are_refused_all_at_once(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "out").symlink_to("../secret")
    (folder / "nowhere").symlink_to("missing")
    (folder / "round").symlink_to(".")
    os.mkfifo(folder / "pipe")
    with pytest.raises(InvalidInputError) as raised:
        build_plugins(tmp_path / "plugins.zip", Contents(folder))
    assert [problem.split("plugins/")[1].partition(";")[0] for problem in raised.value.problems] == [
        "nowhere leads nowhere",
        f"out leads out of {folder}",
        "pipe is neither a file nor a folder",
        "round leads to a folder that it lies in",
    ]
    assert not (tmp_path / "plugins.zip").exists()


def test_what_cannot_be_built_is_refused_all_at_once(tmp_path: Path) -> None:
    (tmp_path / "a#b").mkdir()
    contents = Contents(
        tmp_path / "missing", plugins=["no_such"], package="both", include=[tmp_path / "a#b", tmp_path / "gone"]
    )
    with pytest.raises(InvalidInputError) as raised:
        build_plugins(tmp_path / "plugins.zip", contents)
    assert [problem.partition(":")[0] for problem in raised.value.problems] == [
        "plugins",
        "with_package",
        "folder",
        "include",
        "include",
    ]


def test_two_sources_of_one_file(tmp_path: Path) -> None:
    written(tmp_path / "plugins", {"mwaa_provider_extra_links.py": (PLUGIN, False)})
    with pytest.raises(
        InvalidInputError, match=r"plugins: extra_links: mwaa_provider_extra_links\.py is there already"
    ):
        build_plugins(tmp_path / "plugins.zip", Contents(tmp_path / "plugins", plugins=["extra_links"]))


def test_a_folder_whose_line_would_hide_a_plugin_from_airflow_2(tmp_path: Path) -> None:
    written(tmp_path / "plugins", {"my_hive/own.py": (PLUGIN, False)})
    written(tmp_path / "hive", {"x": (b"", False)})
    with pytest.raises(InvalidInputError, match=r"would also hide my_hive/own\.py from Airflow 2"):
        build_plugins(tmp_path / "plugins.zip", Contents(tmp_path / "plugins", include=[tmp_path / "hive"]))


def test_an_archive_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    written(tmp_path / "plugins", {"own.py": (PLUGIN, False)})
    target = tmp_path / "plugins.zip"
    target.write_bytes(b"old")
    broken = {"a-1-py3-none-any.whl": Content(tmp_path / "vanished.whl")}
    with pytest.raises(FileNotFoundError):
        build_plugins(target, Contents(tmp_path / "plugins", wheels=broken))
    assert target.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plugins", "plugins.zip"]


def test_the_package_as_a_wheel_is_what_pip_would_build(tmp_path: Path) -> None:
    built = build_plugins(tmp_path / "plugins.zip", Contents(package="wheel"))
    with zipfile.ZipFile(built.path) as archive:
        (name,) = (one for one in archive.namelist() if one.endswith(".whl"))
        (tmp_path / name).write_bytes(archive.read(name))
    wheel = read_wheel(name, (tmp_path / name).read_bytes())
    assert {"boto3", "requests", "apache-airflow"} <= {requirement.name for requirement in wheel.requires}
    with zipfile.ZipFile(tmp_path / name) as archive:
        held = set(archive.namelist())
        (record,) = (one for one in held if one.endswith("/RECORD"))
        assert {line.split(",")[0] for line in archive.read(record).decode().splitlines()} == held
        (points,) = (archive.read(one).decode() for one in held if one.endswith("/entry_points.txt"))
    assert set(package_folder()) <= held
    assert "mwaa_provider.get_provider_info:get_provider_info" in points


def test_another_process_builds_the_same(tmp_path: Path) -> None:
    """Whatever the seed of its hashes, its umask, its time zone."""
    digests = set()
    for seed, umask, zone in (("1", "022", "UTC"), ("2", "077", "Asia/Tokyo")):
        build = "plugins build --plugin extra_links --with-package -o out.zip"
        command = f'umask {umask}; exec "{sys.executable}" -m mwaa_provider.cli.main {build}'
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=tmp_path,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        digests.add(done.stdout)
    assert digests == {f"{hashlib.sha256((tmp_path / 'out.zip').read_bytes()).hexdigest()}\n"}
