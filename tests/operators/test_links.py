"""The link "Remote DAG run": it never raises, and Airflow knows it, however the package was installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mwaa_provider import links
from mwaa_provider.get_provider_info import get_provider_info
from mwaa_provider.links import MwaaDagRunLink
from mwaa_provider.operators.dag_run import MwaaTriggerDagRunOperator

THIN_FILE = Path(__file__).parents[2] / "plugins" / "mwaa_provider_extra_links.py"


def raises(*_: Any) -> Any:
    raise RuntimeError("the database has gone")


@pytest.mark.parametrize(
    ("pulled", "address"),
    [(raises, ""), (lambda *_: None, ""), (lambda *_: "https://there/dags/load", "https://there/dags/load")],
)
def test_it_never_raises(monkeypatch: pytest.MonkeyPatch, pulled: Any, address: str) -> None:
    monkeypatch.setattr(links, "pulled_xcom", pulled)
    assert MwaaDagRunLink().get_link(SimpleNamespace(), ti_key=SimpleNamespace()) == address


def test_nor_where_airflow_knows_no_such_task() -> None:
    assert MwaaDagRunLink().get_link(SimpleNamespace(), ti_key=None) == ""


def test_the_operator_the_provider_and_the_plugin_name_it() -> None:
    assert [type(link) for link in MwaaTriggerDagRunOperator.operator_extra_links] == [MwaaDagRunLink]
    assert get_provider_info()["extra-links"] == ["mwaa_provider.links.MwaaDagRunLink"]
    specification = importlib.util.spec_from_file_location("thin_file_of_plugins_zip", THIN_FILE)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    plugins = [value for value in vars(module).values() if hasattr(value, "operator_extra_links")]
    assert [[type(link) for link in plugin.operator_extra_links] for plugin in plugins] == [[MwaaDagRunLink]]
