"""Key templates: what they make, and what is refused."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwaa_provider.metadata.export.keys import (
    DEFAULT_TEMPLATE,
    KeyValues,
    check_keys,
    check_template,
    key_of,
    manifest_key,
)

VALUES = KeyValues("production", date(2026, 1, 31), "scheduled__2026-01-31T00:00:00+00:00", "csv.gz")


def test_the_default_keeps_runs_apart():
    assert key_of(DEFAULT_TEMPLATE, "dag_run", VALUES) == (
        "metadata/production/2026-01-31/scheduled__2026-01-31T00:00:00+00:00/dag_run.csv.gz"
    )


@pytest.mark.parametrize(
    ("template", "manifest"),
    [
        (DEFAULT_TEMPLATE, "metadata/production/2026-01-31/scheduled__2026-01-31T00:00:00+00:00/manifest.json"),
        ("files/export/{table}.csv", "files/export/manifest.json"),
        ("files/{table}.csv.gz", "files/manifest.json"),
        ("{table}/{date}.{format}", "manifest/2026-01-31.json"),
        ("{table}", "manifest.json"),
        ("one.parquet", "one.parquet.manifest.json"),
    ],
)
def test_the_manifest_lies_where_a_table_of_that_name_would(template, manifest):
    assert manifest_key(template, VALUES) == manifest


@pytest.mark.parametrize(
    ("template", "part", "problem"),
    [
        (
            "export.csv",
            "",
            "s3_key_template: 'export.csv' maps 'dag_run' and 'task_instance' to one key; put {table} into it",
        ),
        (
            "{table}/{day}",
            "",
            "s3_key_template: {day} is unknown; there are {environment}, {table}, {date}, {run_id}, {format}, {part}",
        ),
        (
            "{table",
            "",
            "s3_key_template: '{table' cannot be read (expected '}' before end of string); write a brace that is meant as '{{' or '}}'",
        ),
        (
            "/{table}",
            "",
            "s3_key_template: '/{table}' begins with '/', which makes a folder without a name; leave it out",
        ),
        ("{table!r}", "", "s3_key_template: '{table!r}' formats a field; write the field alone, like {date}"),
        (None, "", f"s3_key_template: None is not a template; give for example {DEFAULT_TEMPLATE!r}"),
        (
            "{table}.csv",
            "001",
            "s3_key_template: '{table}.csv' maps all parts of a shared export to one key; put {part} into it",
        ),
    ],
)
def test_what_cannot_be_a_template_is_refused(template, part, problem):
    assert check_template(template, part=part) == [problem]


def test_one_table_needs_no_field_for_it():
    assert check_template("export.csv", tables=["dag_run"]) == []


def test_keys_that_meet_or_are_too_long_are_named():
    assert check_keys({"a": "x", "b": "x", "c": "y" * 1025}) == [
        "s3_key_template: it maps 'a' and 'b' to one key, 'x'; put {table} into it",
        "s3_key_template: the key of 'c' has 1025 bytes; S3 admits 1024",
    ]


@given(st.text(max_size=30), st.lists(st.sampled_from(["dag_run", "log", "xcom"]), min_size=1, unique=True))
def test_a_template_that_passes_makes_keys_and_keeps_tables_apart(text, tables):
    template = text + "{table}"
    if check_template(template, tables=tables) == []:
        keys = [key_of(template, table, VALUES) for table in tables]
        assert len(set(keys)) == len(tables)
        assert manifest_key(template, VALUES) not in keys
