"""docs/plugins.md names every option that Airflow is told of, with its default, and its example file does what it says."""

from __future__ import annotations

import re
import sys

import pytest

from mwaa_provider.get_provider_info import get_provider_info
from mwaa_provider.plugins.variables_file import Wishes, read
from tests.support.processes import ROOT

PAGE = (ROOT / "docs/plugins.md").read_text(encoding="utf-8")


def test_the_table_has_every_option():
    options = get_provider_info()["config"]["mwaa_provider"]["options"]
    ours = {
        name: option["default"] or ""
        for name, option in options.items()
        if name.startswith(("virtualenv", "log_time", "environment_"))
    }
    shown = dict(re.findall(r"^\| `(\w+)` \| ?(.*?) ?\| ", PAGE, re.MULTILINE))
    assert shown.pop("environment_variables_file").startswith("`environment_variables.toml` or `.json`")
    ours.pop("environment_variables_file")
    assert {name: default.strip("`") for name, default in shown.items()} == ours


@pytest.mark.skipif(sys.version_info < (3, 11), reason="reading TOML takes Python 3.11")
def test_the_file_of_variables_is_one(tmp_path):
    file = tmp_path / "x.toml"
    file.write_text(re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)[1])
    wishes = read(file)
    assert wishes.problems == []
    assert wishes.append == {"CLASSPATH": ["{HIVE_HOME}/lib/*"]}
    assert wishes.components == {"worker": Wishes(set={"STAGE": "night"})}
