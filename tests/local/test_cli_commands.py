from __future__ import annotations

import pytest

from mwaa_provider.client.cli_commands import nearest_command, split_command, supported_commands


def test_the_guides_counts():
    # The guide: 45 commands for line 2, 47 for line 3. Its "providers triggerer" is Airflow's "providers triggers".
    assert len(supported_commands("2.11.0")) == 45
    assert len(supported_commands("3.0.6")) == 47


def test_what_differs_between_releases():
    assert supported_commands("2.8.1") - supported_commands("2.7.2") == {("providers", "notifications")}
    assert supported_commands("2.8.1") == supported_commands("2.9.2") == supported_commands("2.11.2")
    assert supported_commands("2.11.0") - supported_commands("3.3.1") == {("dags", "backfill"), ("tasks", "run")}
    assert supported_commands("3.3.1") - supported_commands("2.11.0") == {
        ("assets", "details"),
        ("assets", "list"),
        ("assets", "materialize"),
        ("backfill", "create"),
    }


def test_newer_releases_are_like_the_newest_known():
    assert supported_commands("2.99.0") == supported_commands("2.11.2")
    assert supported_commands("3.99.1") == supported_commands("3.3.1")
    assert supported_commands("4.0.0") == supported_commands("3.3.1")
    assert supported_commands("3.3.1rc1") == supported_commands("3.3.1")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["dags", "trigger", "report", "-c", "{}"], (("dags", "trigger"), ["report", "-c", "{}"])),
        (["version"], (("version",), [])),
        (["version", "-v"], (("version",), ["-v"])),
        (["pools", "list"], ((), ["pools", "list"])),
        (["dags"], ((), ["dags"])),
        ([], ((), [])),
    ],
)
def test_split_command(arguments, expected):
    assert split_command(arguments) == expected


def test_split_command_among_given_ones():
    assert split_command(["tasks", "run", "x"], supported_commands("3.3.1")) == ((), ["tasks", "run", "x"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["dags", "triger", "x"], ("dags", "trigger")),
        (["variable", "set"], ("variables", "set")),
        (["frobnicate"], None),
        (["trigger_dag", "x"], None),
    ],
)
def test_nearest_command(arguments, expected):
    assert nearest_command(arguments, supported_commands("3.3.1")) == expected
