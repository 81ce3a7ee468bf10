"""Both drivers of PostgreSQL give the same clean-up, and every setting of a batch is made."""

from __future__ import annotations

import importlib.util

import pytest

from mwaa_provider.metadata.cleanup.aftercare import analyze
from mwaa_provider.metadata.cleanup.cleaning import clean
from mwaa_provider.metadata.cleanup.pace import Settings
from mwaa_provider.metadata.cleanup.preview import preview
from mwaa_provider.metadata.cleanup.sessions import Limits, ask, batch


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_a_clean_up_by_either_driver(history, airflow_database, driver):
    import sqlalchemy

    if driver == "psycopg" and (not importlib.util.find_spec("psycopg") or sqlalchemy.__version__.startswith("1.")):
        pytest.skip("psycopg 3, or an SQLAlchemy that speaks it, is not installed")
    engine = sqlalchemy.create_engine(airflow_database.url.replace("psycopg2", driver))
    for number in range(5):
        history.run(f"old_{number}", 60)
        history.aged("log", 60)
    history.run("active", 300, state="running")
    history.run("newest", 1)
    with engine.connect() as connection:
        would = {name: one.rows for name, one in preview(connection, history.plan()).tables.items()}
    report = clean(engine, history.plan(), Settings(batch_size=4))
    engine.dispose()
    assert history.run_ids() == ["active", "newest"]
    assert report.rows["log"] == would["log"] == 5
    assert report.rows["task_instance"] == would["task_instance"] == 10
    assert analyze(engine, history.schema, ["log"]) == []


def test_every_setting_of_a_batch_is_made_and_ends_with_it(engine):
    names = ("statement_timeout", "lock_timeout", "enable_seqscan", "jit", "TimeZone", "DateStyle")

    def shown(connection):
        return [ask(connection, f"SHOW {name}").scalar() for name in names]

    with engine.connect() as connection:
        with batch(connection, Limits(7, 0.3), by_index=True):
            assert shown(connection) == ["7s", "300ms", "off", "off", "UTC", "ISO, YMD"]
        with connection.begin():
            assert shown(connection)[:4] == ["0", "0", "on", ask(connection, "SHOW jit").scalar()]
