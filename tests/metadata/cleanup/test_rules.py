"""Every table of every release is cleaned, or listed with the reason why not; ages are those of the release's own `airflow db clean`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metadata.cleanup.plan import Wanted, make_plan
from mwaa_provider.metadata.cleanup.rules import AGED, KEPT, RUNS, why_kept
from tests.metadata.cleanup.history import CUT

# `airflow db clean` takes both whenever no table is named; we take them when they are.
ONLY_WHEN_NAMED = {"dag", "dag_version"}


def test_every_table_is_cleaned_or_says_why_not(schema):
    plan = make_plan(schema, Wanted(CUT))
    assert set(plan.tables) | set(plan.not_cleaned) == set(schema.columns)
    assert [table for table, why in plan.not_cleaned.items() if why.startswith("nothing is known")] == []


def test_every_table_that_db_clean_cleans_is_cleaned(schema):
    from airflow.utils.db_cleanup import config_dict

    plan = make_plan(schema, Wanted(CUT))
    assert set(config_dict) & set(schema.columns) - set(plan.tables) - ONLY_WHEN_NAMED == set()
    assert set(make_plan(schema, Wanted(CUT, tuple(ONLY_WHEN_NAMED & set(schema.columns)))).tables) == (
        ONLY_WHEN_NAMED & set(schema.columns)
    )


def test_ages_are_those_of_db_clean(schema):
    from airflow.utils.db_cleanup import config_dict

    named = make_plan(schema, Wanted(CUT, tuple(table for table in AGED if table in schema.columns)))
    ours = {table.name: table.age for table in named.aged}
    theirs = {name: config.recency_column_name for name, config in config_dict.items() if name in ours}
    assert {name: ours[name] for name in theirs} == theirs
    assert config_dict[RUNS].recency_column_name == "start_date"


def test_no_table_has_two_rules():
    assert [table for table in AGED if why_kept(table)] == []
    assert [table for table in KEPT if table in AGED] == []


def test_children_come_before_their_parents(schema):
    names = [table.name for table in make_plan(schema, Wanted(CUT)).run_tables]
    assert names[-1] == RUNS
    for table in make_plan(schema, Wanted(CUT)).run_tables:
        assert [parent for parent in table.hangs_on if names.index(parent) < names.index(table.name)] == []


def test_a_named_table_brings_what_hangs_on_it(schema):
    assert make_plan(schema, Wanted(CUT, ("xcom",))).tables == ("xcom",)
    below = make_plan(schema, Wanted(CUT, ("task_instance",))).tables
    assert {"task_instance", "xcom", "rendered_task_instance_fields", "task_map"} <= set(below)
    assert "dag_run" not in below
    assert "dag_run_note" not in below


def test_everything_that_is_wrong_with_tables_is_named_at_once(schema):
    with pytest.raises(InvalidInputError) as raised:
        make_plan(schema, Wanted(CUT, ("dagrun", "connection", "import_error", "log"), dag_ids=("nightly",)))
    assert list(raised.value.problems) == [
        "tables: there is no table 'dagrun' in this release; did you mean 'dag_run' or 'dag_run_note' or 'dag'?",
        "tables: 'connection' is not cleaned: what users have set, no history",
        "tables: the rows of 'import_error' belong to no DAG; leave it out, or give neither dag_ids nor exclude_dag_ids",
    ]


def test_a_table_of_a_plugin_is_left_to_the_plugin(schema, rows):
    more = replace(schema, columns={**schema.columns, "my_plugin": {"id": "integer"}}, foreign_keys=())
    plan = make_plan(more, Wanted(CUT))
    assert plan.not_cleaned["my_plugin"] == "nothing is known of it; a plugin's own tables are left to the plugin"
