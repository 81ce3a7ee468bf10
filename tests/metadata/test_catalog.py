"""The catalog is what the database says, and the policy holds on every release."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metadata import policy
from mwaa_provider.metadata.catalog import Catalog, Column
from mwaa_provider.metadata.export.source import Asked
from tests.support.processes import ROOT

SINCE = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def catalog(database):
    with database.snapshot() as connection:
        return Catalog.read(connection)


def test_the_guides_tables_are_the_default(catalog):
    selections = catalog.selections(Asked(since=SINCE))
    assert [one.table for one in selections] == [name for name in policy.GUIDE_TABLES if name in catalog.tables]
    assert {one.table for one in selections} >= {"dag_run", "task_instance"}
    assert [(one.age_column, one.since, one.until) for one in selections] == [("start_date", SINCE, None)] * len(
        selections
    )


def test_columns_types_and_keys_are_the_databases_own(catalog):
    run = catalog.tables["dag_run"]
    assert run.column("start_date") == Column("start_date", "timestamp with time zone")
    assert run.column("run_id") == Column("run_id", "character varying(250)")
    assert run.primary_key == ("id",)
    assert run.schema == "public"
    assert catalog.tables["task_instance"].column("executor_config") == Column(
        "executor_config", "bytea", is_base64=True
    )
    assert "dag_run" in catalog.tables["task_instance"].references
    assert catalog.revision


def test_history_is_what_the_release_has_of_it(catalog):
    names = [one.table for one in catalog.selections(Asked(("history",)))]
    assert names == [name for name in policy.HISTORY if name in catalog.tables]
    assert {"dag_run", "task_instance", "xcom", "log", "task_reschedule"} <= set(names)
    assert not any(policy.holds_credentials(name) for name in names)


def test_values_of_connections_and_variables_are_left_out_even_when_named(catalog):
    connection, variable = catalog.selections(Asked(("connection", "variable")))
    assert {"password", "extra", "login", "host", "schema", "port"} <= set(connection.left_out)
    assert variable.left_out == ("val",)
    assert {column.name for column in variable.columns} <= {"id", "key", "description", "is_encrypted", "team_name"}


def test_no_open_column_of_any_table_has_a_name_that_speaks_of_secrets(catalog):
    names = [(table.name, column.name) for table in catalog.tables.values() for column in table.columns]
    spoken = ("password", "secret", "credential", "signed_url", "private_key", "api_key")
    assert [
        pair for pair in names if any(word in pair[1] for word in spoken) or pair[1] in ("token", "session_id")
    ] == []


def test_what_a_plugin_or_an_archive_of_db_clean_keeps_secret_is_secret_too():
    assert policy.is_secret("my_plugin", "slack_token")
    assert policy.is_secret("_airflow_deleted__trigger__20260131", "kwargs")
    assert not policy.is_secret("my_plugin", "tokens_used")


def test_an_age_column_that_is_written_down_is_there_in_the_release(catalog):
    wrong = [name for name, table in catalog.tables.items() if policy.age_columns_of(name) and table.age_column is None]
    assert wrong == []


def test_everything_that_is_not_there_is_named_at_once_with_what_is_near(catalog):
    with pytest.raises(InvalidInputError) as raised:
        catalog.selections(
            Asked(("dagrun", "taskinstance", "qqqqqqqq"), age_columns={"dag_run": "state", "nope_nope": "x"})
        )
    problems = raised.value.problems
    assert problems[0].startswith("tables: there is no table 'dagrun' in this release; did you mean 'dag_run'")
    assert "'task_instance'" in problems[1]
    assert problems[2] == "tables: there is no table 'qqqqqqqq' in this release; `\\dt` in psql shows them all"
    assert problems[3].startswith("age_columns: 'state' is not a column of 'dag_run' with dates; give one of ")
    assert problems[4].startswith("age_columns: there is no table 'nope_nope'")
    assert len(problems) == 5


def test_another_age_column_can_be_asked_for(catalog):
    (selection,) = catalog.selections(Asked(("task_instance",), SINCE, age_columns={"task_instance": "updated_at"}))
    assert selection.age_column == "updated_at"


def test_the_page_lists_the_age_columns_and_the_secrets_as_they_are():
    page = (ROOT / "docs/export.md").read_text(encoding="utf-8")
    for table, columns in policy.AGE_COLUMNS.items():
        assert f"| `{table}` | {', else '.join(f'`{column}`' for column in columns)} |" in page
    for table, open_columns in policy.VISIBLE_COLUMNS.items():
        assert f"| `{table}` | {', '.join(f'`{column}`' for column in sorted(open_columns))} |" in page
    for table, secret in policy.SECRET_COLUMNS.items():
        assert f"of `{table}` {', '.join(f'`{column}`' for column in sorted(secret))}" in page
    for table in policy.HISTORY:
        assert f"`{table}`" in page
