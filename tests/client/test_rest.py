"""Paths and dates on the wire."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from urllib.parse import unquote

import boto3
import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from mwaa_provider.client.models import Environment
from mwaa_provider.client.rest import AirflowRestApi
from mwaa_provider.client.rest.endpoints import GET_DAG_RUN
from mwaa_provider.client.transport import IamTransport, RestRequest, RestResponse
from mwaa_provider.exceptions import InvalidInputError, UnexpectedAnswerError
from tests.client.conftest import SteppingClock, needs_invoke_rest_api

DAY = datetime(2026, 1, 31, tzinfo=timezone.utc)
# A path with . or .. as a step means another one; such an id is refused.
text = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1).filter(lambda one: one not in (".", ".."))


@given(dag_id=text, run_id=text)
def test_ids_survive_the_path(dag_id: str, run_id: str) -> None:
    path = GET_DAG_RUN.at(dag_id=dag_id, run_id=run_id)
    assert path.isascii()
    assert [unquote(step) for step in path.split("/")] == ["", "dags", dag_id, "dagRuns", run_id]
    assert "?" not in path
    assert "#" not in path


@pytest.mark.parametrize("step", [".", ".."])
def test_a_step_that_means_another_path_is_refused(step: str) -> None:
    with pytest.raises(InvalidInputError, match="cannot stand in a path"):
        GET_DAG_RUN.at(dag_id="d", run_id=step)


def sent_by_trigger(airflow_version: str, **arguments: object) -> dict[str, object]:
    sent: list[RestRequest] = []

    def send(environment: Environment, request: RestRequest) -> RestResponse:
        sent.append(request)
        run = {
            "dag_id": "d",
            "dag_run_id": "r",
            "state": "queued",
            "logical_date": None,
            "start_date": None,
            "end_date": None,
        }
        return RestResponse(200, run, "iam")

    environment = Environment("e", airflow_version, "host", "AVAILABLE", "arn")
    AirflowRestApi(environment, send).trigger_dag_run("d", run_id="r", **arguments)  # type: ignore[arg-type]
    assert sent[0].body is not None
    return dict(sent[0].body)


@given(st.datetimes(timezones=st.timezones() | st.just(timezone(timedelta(hours=5, minutes=30)))))
def test_dates_are_sent_as_the_same_moment_in_utc(moment: datetime) -> None:
    sent = sent_by_trigger("3.3.1", logical_date=moment)["logical_date"]
    assert isinstance(sent, str)
    assert sent.endswith("+00:00")
    assert datetime.fromisoformat(sent) == moment.astimezone(timezone.utc)


def test_only_airflow_3_is_sent_a_null_date() -> None:
    assert sent_by_trigger("3.0.6") == {"dag_run_id": "r", "conf": {}, "logical_date": None}
    assert sent_by_trigger("2.11.0") == {"dag_run_id": "r", "conf": {}}


INTERVAL = {"data_interval_start": DAY, "data_interval_end": DAY + timedelta(days=1)}


def test_each_release_is_sent_what_it_takes() -> None:
    sent = sent_by_trigger("2.9.2", **INTERVAL)
    assert sent == {
        "dag_run_id": "r",
        "conf": {},
        "data_interval_start": "2026-01-31T00:00:00+00:00",
        "data_interval_end": "2026-02-01T00:00:00+00:00",
    }
    sent = sent_by_trigger("3.0.6", **INTERVAL, logical_date=DAY, run_after=DAY, note="a note")
    assert sent == {
        "dag_run_id": "r",
        "conf": {},
        "logical_date": "2026-01-31T00:00:00+00:00",
        "data_interval_start": "2026-01-31T00:00:00+00:00",
        "data_interval_end": "2026-02-01T00:00:00+00:00",
        "run_after": "2026-01-31T00:00:00+00:00",
        "note": "a note",
    }
    sent = sent_by_trigger("3.2.1", run_after=DAY, partition_key="eu")
    assert sent == {
        "dag_run_id": "r",
        "conf": {},
        "logical_date": None,
        "run_after": "2026-01-31T00:00:00+00:00",
        "partition_key": "eu",
    }


@pytest.mark.parametrize(
    ("release", "asked", "problems"),
    [
        ("2.8.1", {**INTERVAL, "run_after": DAY, "partition_key": "eu"}, ["2.9.2 and", "3.0.6 and", "3.2.1 and"]),
        ("2.11.2", {"run_after": DAY, "partition_key": "eu"}, ["3.0.6 and", "3.2.1 and"]),
        ("3.0.6", {"partition_key": "eu"}, ["3.2.1 and"]),
        ("3.3.1", INTERVAL, ["give logical_date too"]),
        ("3.0.6", {"run_after": DAY, "logical_date": DAY}, ["whatever run_after says"]),
    ],
)
def test_what_a_release_does_not_do_is_told_at_once(
    release: str, asked: dict[str, object], problems: list[str]
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        sent_by_trigger(release, **asked)
    assert len(caught.value.problems) == len(problems)
    assert all(words in told for words, told in zip(problems, caught.value.problems, strict=True))


@pytest.mark.parametrize(
    "body", [None, [], "text", {}, {"dag_id": "d"}, {"dag_id": "d", "is_paused": False, "dag_run_id": 1}]
)
def test_an_answer_that_is_no_run_is_told(body: object) -> None:
    environment = Environment("e", "3.9.0", "host", "AVAILABLE", "arn")
    api = AirflowRestApi(environment, lambda *_: RestResponse(200, body, "iam"))
    with pytest.raises(UnexpectedAnswerError, match=r"Is its Airflow \(3.9.0\) newer than this package knows"):
        api.get_dag_run("d", "r")


@needs_invoke_rest_api
def test_the_size_of_an_answer_is_known_without_a_header_too(clock: SteppingClock) -> None:
    """By it pages shrink; an answer that comes in chunks has no Content-Length."""
    environment = Environment("e", "3.3.1", "host", "AVAILABLE", "arn")
    boto_client = boto3.client("mwaa", region_name="us-east-1")
    body = {"dags": ["x" * 1000] * 1000, "total_entries": 1000}
    with Stubber(boto_client) as stubber:
        stubber.add_response("invoke_rest_api", {"RestApiStatusCode": 200, "RestApiResponse": body})
        answer = IamTransport(boto_client, clock).send(environment, RestRequest("GET", "/dags"))
        stubber.assert_no_pending_responses()
    assert 1_000_000 < answer.size < 1_010_000
