"""Which road an export takes, and what is said of the others."""

from __future__ import annotations

import json

import pytest

from mwaa_provider.exceptions import ExportError
from mwaa_provider.metadata import database
from mwaa_provider.metadata.export import roads
from mwaa_provider.metadata.export.request import read_request

NOWHERE = "postgresql://nobody:planted-password@127.0.0.1:1/none"


def request(**given):
    return read_request(s3_bucket="exports", **given)


def test_airflows_own_settings_come_first(airflow_database):
    with roads.open_source(request()) as chosen:
        assert chosen.source.road == "database"
        assert chosen.reason == (
            "The rows come by Airflow's own settings ([database] sql_alchemy_conn) (road 'database'), the first that leads there."
        )


def test_the_variables_of_mwaas_container_are_the_way_where_airflow_3_keeps_its_settings(airflow_database, monkeypatch):
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "airflow-db-not-allowed:///")
    monkeypatch.setenv("MWAA__DB__POSTGRES_HOST", str(airflow_database.home.postgres_data))
    monkeypatch.setenv("MWAA__DB__POSTGRES_DB", "airflow")
    monkeypatch.setenv("MWAA__DB__CREDENTIALS", json.dumps({"username": "postgres", "password": "p@ss/wörd"}))
    with roads.open_source(request()) as chosen:
        assert "MWAA's variables MWAA__DB__*" in chosen.reason
    assert database.by_airflows_settings() is None


def test_a_connection_that_is_given_is_the_only_way(airflow_database, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_METADATA_DB", NOWHERE)
    with pytest.raises(ExportError) as raised, roads.open_source(request(metadata_conn_id="metadata_db")):
        pass
    assert "the connection 'metadata_db'" in str(raised.value)
    assert "metadata API" not in str(raised.value).split("Give metadata_conn_id")[0]
    assert "planted-password" not in str(raised.value)


def test_a_connection_leads_there(airflow_database, monkeypatch):
    connection = {
        "conn_type": "postgres",
        "host": str(airflow_database.home.postgres_data),
        "login": "postgres",
        "schema": "airflow",
    }
    monkeypatch.setenv("AIRFLOW_CONN_METADATA_DB", json.dumps(connection))
    with roads.open_source(request(metadata_conn_id="metadata_db", environment_name="other")) as chosen:
        assert chosen.source.facts.environment == "other"


def test_a_connection_of_another_type_is_refused(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_METADATA_DB", "mysql://127.0.0.1/x")
    way = roads.open_source(request(metadata_conn_id="metadata_db"))
    with pytest.raises(ExportError, match="is of type 'mysql'; make one of type 'postgres'"), way:
        pass


def test_no_road_tells_what_each_said_and_the_ways_out(monkeypatch):
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "airflow-db-not-allowed:///")
    with pytest.raises(ExportError) as raised, roads.open_source(request()):
        pass
    lines = str(raised.value).splitlines()
    assert lines[0] == "No road leads to the metadata (route='auto'):"
    assert lines[1] == (
        "  - this process's database: Airflow 3 keeps its settings from tasks, and no variables MWAA__DB__* are shown in this container."
    )
    assert lines[2:4] == [
        "  - the metadata API: no environment is named: give environment_name.",
        "  - the public REST API: no environment is named: give environment_name.",
    ]
    assert lines[4].startswith(
        "Give metadata_conn_id (an Airflow connection of type 'postgres' to the metadata database)"
    )


def test_an_impossible_route_fails_with_its_way_out(airflow_database):
    with pytest.raises(ExportError) as raised, roads.open_source(request(route="rest")):
        pass
    assert (
        str(raised.value).splitlines()[-1].startswith("Name the environment (environment_name), and allow the REST API")
    )


def test_this_database_is_not_taken_for_another_environments(airflow_database, monkeypatch):
    monkeypatch.setenv("AIRFLOW_ENV_NAME", "here")
    way = roads.open_source(request(environment_name="there", route="database"))
    with pytest.raises(ExportError, match="environment 'there' was asked for, and this is 'here'"), way:
        pass
    with roads.open_source(request(environment_name="here", route="database")) as chosen:
        assert chosen.source.facts.environment == "here"


def test_neither_password_nor_url_is_shown(monkeypatch):
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", NOWHERE)
    way = database.by_airflows_settings()
    with pytest.raises(Exception, match="cannot be reached") as raised, way.snapshot():
        pass
    shown = f"{way!r} {raised.value} {raised.value.__cause__!r} {raised.value.__context__!r}"
    assert "planted-password" not in shown
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "sqlite:////x")
    with pytest.raises(Exception, match="only PostgreSQL"):
        way.engine()
