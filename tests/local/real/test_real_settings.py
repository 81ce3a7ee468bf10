from __future__ import annotations

from pathlib import Path

import pytest

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local.real import RealAirflow
from mwaa_provider.local.real.database import plain_url
from mwaa_provider.local.real.line import sqlalchemy_url
from mwaa_provider.local.real.settings import Masker, Settings


@pytest.fixture
def settings(tmp_path):
    return Settings(
        environment_name="target",
        base_url="https://127.0.0.1:8443",
        airflow_version="2.10.3",
        python="/venv/bin/python",
        home=tmp_path,
        dags_folder=Path("/dags"),
        port=20001,
        paused_at_creation=True,
        extra={"AWS_REGION": "eu-west-1", "AIRFLOW_CONN_MINE": "http://me:hidden-too@host"},
    )


def test_what_mwaa_sets(settings):
    variables = settings.variables("postgresql://", "webserver")
    assert {
        name: variables[name] for name in variables if name.startswith(("AIRFLOW_ENV", "AWS_", "MWAA_", "CUSTOMER_"))
    } == {
        "AIRFLOW_ENV_ID": "target",
        "AIRFLOW_ENV_NAME": "target",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EXECUTION_ENV": "Amazon_MWAA_2103",
        "AWS_REGION": "eu-west-1",
        "CUSTOMER_ACCOUNT_ID": "123456789012",
        "MWAA_AIRFLOW_COMPONENT": "webserver",
        "MWAA_COMMAND": "webserver",
    }
    assert variables["AIRFLOW_CONN_AWS_DEFAULT"] == "aws://"
    assert variables["AIRFLOW_CONN_MINE"] == "http://me:hidden-too@host"


def test_what_is_not_inherited(settings, monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "the developer's own")
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", "somewhere else")
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    monkeypatch.setenv("NO_PROXY", "intranet")

    variables = settings.variables("postgresql://", "scheduler")

    assert {"AWS_SECRET_ACCESS_KEY", "AIRFLOW_CONN_OTHER", "PGHOST"} & set(variables) == set()
    assert variables["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert variables["HTTPS_PROXY"] == "http://proxy"
    assert variables["NO_PROXY"] == "intranet,127.0.0.1,localhost"


def test_secrets_stay_out_of_the_repr(settings):
    shown = repr(settings)
    assert "hidden-too" not in shown
    assert settings.fernet_key not in shown
    assert settings.session_key not in shown


def test_masking():
    mask = Masker()
    mask.add("token-of-somebody", "postgresql://me:pass%20word@host/db", "")
    mask.add_variables({"AIRFLOW_CONN_MINE": "http://me:another-one@host", "PLAIN": "kept-as-it-is"})

    assert (
        mask("token-of-somebody pass%20word, pass word: another-one, kept-as-it-is")
        == "*** ***, ***: ***, kept-as-it-is"
    )


def test_urls():
    assert sqlalchemy_url("postgres://u:p@h/d", "psycopg2") == "postgresql+psycopg2://u:p@h/d"
    assert plain_url("postgresql+psycopg2://u:p@h/d?sslmode=require") == "postgresql://u:p@h/d?sslmode=require"
    with pytest.raises(InvalidInputError) as raised:
        plain_url("mysql://u:secret@h/d")
    assert (
        str(raised.value)
        == "Invalid input: postgres: not the URL of a PostgreSQL database, which begins with postgresql://."
    )


def test_a_url_stays_out_of_the_repr():
    assert "secret" not in repr(RealAirflow(postgres="postgresql://u:secret@h/d"))


def test_no_dags_folder(tmp_path):
    with pytest.raises(InvalidInputError, match=r"dags_folder: .* is not a folder"):
        RealAirflow(dags_folder=tmp_path / "missing")


def test_nothing_answers_before_the_start():
    airflow = RealAirflow()
    for call in (airflow.health, airflow.connect, lambda: airflow.cli(["version"]), lambda: airflow.logs_folder):
        with pytest.raises(RuntimeError, match=r"is not running; call start\(\) first"):
            call()
