"""What this release's plugin manager does with a plugins folder is what building and checking plugins.zip count on."""

from __future__ import annotations

import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import airflow
import pytest

from mwaa_provider.packaging.gone_in_airflow_3 import GONE
from mwaa_provider.packaging.ignore_file import GLOB, NAME, REGEXP, IgnoreFiles, line_for_folder, syntax_of
from mwaa_provider.packaging.plugins_build import Contents, available_plugins, build_plugins
from mwaa_provider.packaging.plugins_check import check_plugins
from mwaa_provider.packaging.releases import release_of
from tests.packaging.checks.files import PLUGIN, write_zip
from tests.support.processes import in_fresh_interpreter

AIRFLOW_3 = not airflow.__version__.startswith("2.")

# Lines of .airflowignore; each is tried on the same files, in both syntaxes.
IGNORE = [
    "",
    "lib/",
    "lib",
    "lib/*.py",
    "^lib/",
    "own.py",
    r"own\.py",
    "*.py",
    "# lib/\nhttp.py # the rest",
    "deep/lib/\n(((",
    *(line_for_folder(name) for name in ("lib", "a b", "c++", "x.y", "!not", "äö", "[z]", "hive-3.1+b")),
]
FILES = [
    "own.py",
    "own_py.py",
    "lib/http.py",
    "mylib/http.py",
    "deep/lib/http.py",
    *(f"{name}/http.py" for name in ("a b", "c++", "x.y", "xzy", "!not", "äö", "[z]", "hive-3.1+b")),
]

ASK = """
import importlib, os, pathlib
try:
    from airflow.utils.file import find_path_from_directory
except ImportError:
    from airflow._shared.module_loading import find_path_from_directory

def kept(folder, syntax):
    return sorted(str(pathlib.Path(path).relative_to(folder)) for path in find_path_from_directory(folder, ".airflowignore", syntax))

answer = {"kept": [[kept(folder, syntax) for syntax in ("regexp", "glob")] for folder in argument["folders"]]}

from airflow import plugins_manager
plugins_manager.ensure_plugins_loaded()
if isinstance(getattr(plugins_manager, "plugins", None), list):
    plugins, errors = plugins_manager.plugins, plugins_manager.import_errors
else:
    plugins, errors = plugins_manager._get_plugins()
answer["plugins"] = sorted(plugin.name for plugin in plugins)
answer["errors"] = {str(where): str(what) for where, what in errors.items()}
below = argument["plugins_folder"] + os.sep
answer["from_there"] = sorted(
    name for name, module in sys.modules.items() if str(getattr(module, "__file__", None)).startswith(below)
)

answer["there"] = []
for entry in argument["gone"]:
    module, _, name = entry.partition(":")
    try:
        loaded = importlib.import_module(module)
        if name:
            getattr(loaded, name)
        answer["there"].append(entry)
    except (ImportError, AttributeError):
        pass
"""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One Airflow process, asked everything: it takes seconds to start."""
    folder = tmp_path_factory.mktemp("plugins-folder")
    trees = []
    for number, lines in enumerate(IGNORE):
        tree = folder / f"tree{number}"
        for name in FILES:
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text("")
        (tree / NAME).write_text(lines)
        trees.append(str(tree))
    own = folder / "own"
    (own / "lib").mkdir(parents=True)
    (own / "own.py").write_bytes(PLUGIN)
    # Modules of Python that nobody misses.
    (own / "lib/colorsys.py").write_text("")
    include = folder / "binaries"
    include.mkdir()
    (include / "quopri.py").write_text("")
    contents = Contents(own, plugins=list(available_plugins()), package="folder", include=[include])
    built = build_plugins(folder / "plugins.zip", contents)
    plugins_folder = folder / "unpacked"
    with zipfile.ZipFile(built.path) as archive:
        archive.extractall(plugins_folder)
    environment = {**os.environ, "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins_folder)}
    argument = {"folders": trees, "plugins_folder": str(plugins_folder), "gone": list(GONE)}
    answer: dict[str, Any] = in_fresh_interpreter(ASK, argument, folder, environment=environment)
    return answer


def test_airflowignore_is_read_as_this_release_reads_it(asked: dict[str, Any]) -> None:
    for lines, in_both in zip(IGNORE, asked["kept"], strict=True):
        for syntax, kept in zip((REGEXP, GLOB), in_both, strict=True):
            expected = set(FILES) - IgnoreFiles({"": lines}).ignored(FILES, syntax)
            assert (lines, syntax, kept) == (lines, syntax, sorted(expected))


def test_the_default_syntax_is_the_releases() -> None:
    from airflow.configuration import conf

    assert conf.get("core", "dag_ignore_file_syntax") == syntax_of(airflow.__version__)


def test_what_was_built_is_loaded_without_an_error(asked: dict[str, Any]) -> None:
    assert asked["errors"] == {}
    assert {"own", "mwaa_provider_extra_links"} <= set(asked["plugins"])
    thin = {f"mwaa_provider_{name}" for name in available_plugins()}
    # What no line of .airflowignore names takes the place of a module of Python; what one names does not.
    assert set(asked["from_there"]) == {"own", "colorsys"} | thin


def test_what_is_gone_in_airflow_3_is_gone_there_and_only_there(asked: dict[str, Any]) -> None:
    assert asked["there"] == ([] if AIRFLOW_3 else list(GONE))


def test_the_check_imports_plugins_by_the_releases_airflow(tmp_path: Path) -> None:
    files = {
        # Without the credentials of whoever checks; the tests' own process has some.
        "own.py": PLUGIN + b"import os\nassert 'AWS_ACCESS_KEY_ID' not in os.environ\n",
        "needs.py": PLUGIN + b"import oracledb_or_so\n",
        "broken.py": PLUGIN + b"1 / 0\n",
        "old.py": PLUGIN + b"import airflow.no_such_module\n",
        "nameless.py": b"from airflow.plugins_manager import AirflowPlugin\nclass Nameless(AirflowPlugin):\n    pass\n",
        "hidden/broken.py": b"1 / 0\n",
        NAME: b"hidden/\n",
    }
    archive = write_zip(tmp_path / "plugins.zip", files)
    findings = check_plugins(archive, release_of(airflow.__version__), python=sys.executable)
    assert [(one.id, one.file) for one in findings] == [
        ("import-failed", "broken.py"),
        ("import-failed", "nameless.py"),
        ("module-missing", "needs.py"),
        ("import-failed", "old.py"),
    ]
    assert findings[0].message == f"Airflow {airflow.__version__} cannot import it: division by zero."
