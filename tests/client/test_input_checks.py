"""What cannot be right is named by field and value; what Airflow admits is admitted."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local import LocalMwaa, ScriptedAirflow

#: Airflow's own: [scheduler] allowed_run_id_pattern, and airflow.utils.helpers.KEY_REGEX.
AIRFLOW_RUN_ID, AIRFLOW_KEY = r"^[A-Za-z0-9_.~:+-]+$", r"^[\w.-]+$"


@given(st.text(max_size=260) | st.from_regex(AIRFLOW_RUN_ID))
def test_run_ids_are_those_of_airflow(run_id: str) -> None:
    ok = re.fullmatch(AIRFLOW_RUN_ID[1:-1], run_id) is not None and len(run_id) <= 250 and "__" not in run_id[:25]
    if ok and run_id not in (".", "..", "~"):
        assert input_checks.check_run_id("run_id", run_id) == []
    elif "__" not in run_id[:25]:
        assert repr(run_id) in input_checks.check_run_id("run_id", run_id)[0]


@given(st.text(max_size=260) | st.from_regex(AIRFLOW_KEY))
def test_dag_ids_are_those_of_airflow(dag_id: str) -> None:
    ok = re.fullmatch(AIRFLOW_KEY[1:-1], dag_id) is not None and len(dag_id) <= 250 and dag_id not in (".", "..")
    assert (input_checks.check_dag_id("dag_id", dag_id) == []) is ok


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), json_values))
def test_every_json_object_is_a_conf_as_dict_and_as_text(conf: dict[str, object]) -> None:
    assert input_checks.read_conf("conf", conf) == (conf, [])
    assert input_checks.read_conf("conf", json.dumps(conf)) == (conf, [])


@pytest.mark.parametrize("value", ["[]", "3", "{", {1: 2}, {"x": {1, 2}}, {"x": float("inf")}, [("a", 1)], b"{}"])
def test_what_is_no_json_object_is_no_conf(value: object) -> None:
    assert len(input_checks.read_conf("conf", value)[1]) == 1


@pytest.mark.parametrize(
    "value", ["2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00", datetime(2026, 1, 31, 12, tzinfo=timezone.utc)]
)
def test_a_moment_is_read(value: object) -> None:
    assert input_checks.read_moment("logical_date", value) == (datetime(2026, 1, 31, 12, tzinfo=timezone.utc), [])


@pytest.mark.parametrize("value", ["", "now", "2026-01-31", "2026-01-31T12:00:00", 1700000000])
def test_what_is_no_moment_is_named(value: object) -> None:
    assert (
        repr(value)[:10] in input_checks.read_moment("logical_date", value)[1][0]
        or "datetime" in input_checks.read_moment("logical_date", value)[1][0]
    )


def test_ids_that_would_be_another_path_never_leave(make_client) -> None:
    client = make_client()
    for call in (client.get_dag_run, client.clear_dag_run):
        with pytest.raises(InvalidInputError) as caught:
            call("target", "a/b", "x/clear")
        assert [problem.split(":")[0] for problem in caught.value.problems] == ["dag_id", "run_id"]
    with pytest.raises(InvalidInputError, match="path: '/api/v1/dags' is not a path below"):
        client.invoke_rest_api("target", "GET", "/api/v1/dags")
    with pytest.raises(InvalidInputError, match="method: 'get' is not allowed"):
        client.invoke_rest_api("target", "get", "/dags")


def test_paths_that_would_be_others_never_leave(local_mwaa: LocalMwaa, make_client) -> None:
    """requests drops what follows a '#': DELETE /variables/a#b would delete the variable a."""
    client = make_client()
    for path, told in (
        ("/dags?limit=5", "'?' begins the query"),
        ("/variables/a#b", "'#' ends it"),
        ("/dags/../variables/a", "'..' leads elsewhere"),
        ("/dags/./load", "'.' leads elsewhere"),
        ("/variables/\ud800", "half a surrogate pair"),
        ("/dags/", "'/' at the end"),
    ):
        for call, method in ((client.invoke_rest_api, "DELETE"), (client.invoke_rest_api_pages, "GET")):
            with pytest.raises(InvalidInputError) as caught:
                call("target", method, path)
            assert [told in problem for problem in caught.value.problems] == [True], path
    assert local_mwaa.journal.count() == 0


def test_what_json_cannot_hold_never_leaves(local_mwaa: LocalMwaa, make_client) -> None:
    client = make_client()
    for wrong in ({"x": float("nan")}, {"x": datetime(2026, 1, 31)}, {1: 2}, [1], "limit=5"):
        for call in (client.invoke_rest_api, client.invoke_rest_api_pages):
            with pytest.raises(InvalidInputError) as caught:
                call("target", "GET", "/dags", params=wrong, body=wrong)
            assert [problem.split(":")[0] for problem in caught.value.problems] == ["params", "body"]
    assert local_mwaa.journal.count() == 0


@pytest.mark.parametrize("airflow", ["3.3.1"], indirect=True)
def test_other_arguments_that_cannot_be_sent_are_named_before_any_call(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client
) -> None:
    with pytest.raises(InvalidInputError, match="note: 5 is not a text"):
        make_client().trigger_dag_run("target", "load", note=5)
    with pytest.raises(InvalidInputError, match=r"'a.ud800' cannot stand in a path"):
        make_client().get_variable("target", "a\ud800")
    assert local_mwaa.journal.count(is_rest=True) == 0


@pytest.mark.parametrize("wrong", ["", ".", "..", "a/../b", "/a", "a/", "a//b", "x" * 513, None, 1])
def test_keys_that_would_be_another_path_are_named(wrong: object) -> None:
    assert len(input_checks.check_key("key", wrong)) == 1


@pytest.mark.parametrize("right", ["a", "with space", "a/b", "ü?#%", "...", "x" * 512])
def test_other_keys_are_let_through(right: str) -> None:
    assert input_checks.check_key("key", right) == []


@pytest.mark.parametrize("wrong", ["", ".", "..", "~", "a/b", "x" * 251, None])
def test_runs_that_cannot_be_there_are_named(wrong: object) -> None:
    assert len(input_checks.check_existing_run_id("run_id", wrong)) == 1


def test_filters_take_one_or_several() -> None:
    def check(value: object) -> tuple[list[str] | None, list[str]]:
        return input_checks.check_ids("dag_ids", value, input_checks.check_dag_id)

    assert check(None) == (None, [])
    assert check("a") == (["a"], [])
    assert check(["b", "a", "b"]) == (["b", "a"], [])
    assert check(["a", "", "/"])[1] == [
        *input_checks.check_dag_id("dag_ids", ""),
        *input_checks.check_dag_id("dag_ids", "/"),
    ]
    for wrong in ([], {}, {"a": 1}, 1, b"a"):
        assert len(check(wrong)[1]) == 1
