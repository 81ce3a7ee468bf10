"""Nothing below imports upwards, the client knows no Airflow, and the edge is imported by nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

import mwaa_provider
from tests.rules.arrows import PACKAGE, RULES, foreign_at_module_level, wrong_arrows

SOURCE = Path(mwaa_provider.__file__).parent


def test_no_arrow_is_wrong():
    assert wrong_arrows(SOURCE) == []


def test_the_client_loads_only_the_standard_library():
    found = [
        problem
        for file in sorted((SOURCE / "client").rglob("*.py"))
        for problem in foreign_at_module_level(file, f"{PACKAGE}.client.{file.stem}")
    ]
    assert found == []


def test_every_rule_names_parts_that_have_rules():
    assert {part for rule in RULES.values() for part in rule.parts} <= set(RULES)


@pytest.mark.parametrize(
    ("file", "line", "complaint"),
    [
        ("client/rest.py", "from airflow.models import DAG", "client may not import airflow.models.DAG"),
        ("client/rest.py", "import mwaa_provider.hooks.mwaa", "client may not import mwaa_provider.hooks.mwaa"),
        ("client/rest.py", "from mwaa_provider import hooks", "client may not import mwaa_provider.hooks"),
        ("client/rest.py", "from mwaa_provider import MwaaHook", "client may not import mwaa_provider.MwaaHook"),
        ("client/rest.py", "from ..hooks import mwaa", "client may not import mwaa_provider.hooks.mwaa"),
        (
            "client/rest.py",
            "def f():\n    from mwaa_provider.local import service",
            "client may not import mwaa_provider.local.service",
        ),
        (
            "hooks/mwaa.py",
            "from mwaa_provider.operators.dag_run import X",
            "hooks may not import mwaa_provider.operators.dag_run.X",
        ),
        (
            "operators/cli.py",
            "from mwaa_provider.sensors import dag_run",
            "operators may not import mwaa_provider.sensors.dag_run",
        ),
        ("metadata/catalog.py", "import airflow", "metadata may not import airflow"),
        ("local/service.py", "from mwaa_provider.cli import main", "local may not import mwaa_provider.cli.main"),
        (
            "exceptions.py",
            "from mwaa_provider.client import rest",
            "exceptions may not import mwaa_provider.client.rest",
        ),
    ],
)
def test_a_wrong_arrow_is_found(tmp_path, file, line, complaint):
    package = _package(tmp_path, file, line)
    (problem,) = wrong_arrows(package)
    assert problem.startswith(f"{PACKAGE}/{file}:")
    assert complaint in problem


@pytest.mark.parametrize(
    ("file", "line"),
    [
        (
            "client/rest.py",
            "import json\nfrom mwaa_provider.client import retry\nfrom mwaa_provider.exceptions import MwaaError",
        ),
        ("client/rest.py", "from . import retry\nfrom mwaa_provider import __version__"),
        (
            "hooks/mwaa.py",
            "from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook\nimport mwaa_provider.client.mwaa",
        ),
        ("cli/main.py", "from mwaa_provider.local import service"),
    ],
)
def test_a_right_arrow_is_left_alone(tmp_path, file, line):
    assert wrong_arrows(_package(tmp_path, file, line)) == []


def test_a_part_without_a_rule_is_found(tmp_path):
    (problem,) = wrong_arrows(_package(tmp_path, "helpers/strings.py", "import json"))
    assert (
        problem
        == "mwaa_provider/helpers/strings.py: 'helpers' is in no rule; say in tests/rules/arrows.py what it may import"
    )


def test_what_is_loaded_at_import_is_told_from_what_is_loaded_later(tmp_path):
    file = tmp_path / "sample.py"
    file.write_text(
        "import json, requests\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import sqlalchemy\n"
        "try:\n    import botocore\nexcept ImportError:\n    import rich\n"
        "class A:\n    import boto3\n    def f(self):\n        import pyarrow\n"
    )
    expected = ["sample.py:1: requests", "sample.py:6: botocore", "sample.py:8: rich", "sample.py:10: boto3"]
    assert foreign_at_module_level(file, "sample") == expected


def _package(tmp_path: Path, file: str, text: str) -> Path:
    target = tmp_path / PACKAGE / file
    target.parent.mkdir(parents=True)
    target.write_text(text)
    return tmp_path / PACKAGE
