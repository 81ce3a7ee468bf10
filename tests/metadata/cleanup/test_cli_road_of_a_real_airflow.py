"""`airflow db clean` of a real Airflow behind the CLI endpoint: its tables, its options, and what it prints, on each release."""

from __future__ import annotations

import importlib.metadata
from datetime import timedelta

import pytest
from botocore.config import Config

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.local import LocalMwaa
from mwaa_provider.metadata.cleanup import db_clean
from mwaa_provider.metadata.cleanup.asking import run_cleanup
from mwaa_provider.metadata.cleanup.plan import Wanted
from mwaa_provider.metadata.cleanup.schema import Schema
from tests.metadata.cleanup.history import CUT, History
from tests.support.metadata import Rows

RELEASE = importlib.metadata.version("apache-airflow")


def test_every_table_that_db_clean_of_this_release_cleans_is_known(airflow_database):
    from airflow.utils import db_cleanup

    known = {table.name for table in db_clean.tables_of(Wanted(CUT, tuple(db_cleanup.config_dict)), RELEASE)[0]}
    # It names a table that Airflow 3 has no more; `session` is there if sessions are kept in the database.
    assert set(db_cleanup.config_dict) - known <= {"sla_miss"}
    assert set(db_cleanup.config_dict) | {"session"} >= {
        table.name for table in db_clean.TABLES if table.since <= db_clean.release_of(RELEASE) < table.until
    }


@pytest.mark.slow
@pytest.mark.real_airflow
def test_a_real_airflow_is_cleaned_through_its_cli():
    import sqlalchemy

    from mwaa_provider.local.real import RealAirflow

    airflow = RealAirflow()
    with LocalMwaa() as mwaa:
        mwaa.create_environment("there", airflow)
        engine = sqlalchemy.create_engine("postgresql+psycopg2://", creator=airflow.connect)
        with engine.connect() as connection:
            schema = Schema.read(connection)
        engine.dispose()
        connection = airflow.connect()
        connection.autocommit = True
        history = History(Rows(connection), schema)
        history.rows.execute("SET session_replication_role = replica")
        for number in range(5):
            history.run(f"old_{number}", 60 + number)
        history.run("newest", 1)
        history.rows.execute(
            "INSERT INTO log (dttm, event) SELECT %s::timestamptz - n * interval '1 minute', 'x' FROM generate_series(1, 60000) n",
            (CUT + timedelta(days=1),),
        )

        def client() -> MwaaClient:
            return MwaaClient(
                session=mwaa.boto3_session(),
                endpoint_url=mwaa.endpoint_url,
                botocore_config=Config(inject_host_prefix=False),
                verify=str(mwaa.ca_file),
            )

        tables = ["xcom", "task_instance", "dag_run", "log"]
        given = {"before": CUT, "environment_name": "there", "route": "cli", "tables": tables}
        looked = run_cleanup({**given, "dry_run": True}, client).xcom()
        # Of the newest run of each DAG `db clean` keeps the run alone.
        expected = {"xcom": 10, "task_instance": 10, "dag_run": 5, "log": 60_000 - 1440}
        assert {table: looked["rows"][table] for table in tables} == expected
        told = run_cleanup(given, client).xcom()
        assert {table: told["rows"][table] for table in tables} == expected
        assert (told["complete"], told["left"]) == (True, [])
        assert history.run_ids() == ["newest"]
        assert history.run_ids("task_instance") == ["newest"]
        assert history.rows.execute("SELECT count(*) FROM log WHERE dttm < %s", (CUT,)) == [(0,)]
        assert (
            history.rows.execute("SELECT tablename FROM pg_tables WHERE starts_with(tablename, '_airflow_deleted')")
            == []
        )
        again = run_cleanup(given, client).xcom()
        assert (again["rows"], again["complete"]) == ({}, True)
        connection.close()
