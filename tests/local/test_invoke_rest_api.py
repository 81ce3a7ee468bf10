from __future__ import annotations

import json
import threading

import pytest
from botocore.exceptions import ClientError

from mwaa_provider.local import (
    BackendAnswer,
    Fault,
    Identity,
    LocalMwaa,
    ManualClock,
    ScriptedAirflow,
    ServiceRules,
)
from tests.local.callers import Signed


class Recording(ScriptedAirflow):
    """A back end that keeps what it was asked and gives one answer."""

    def __init__(self, answer: BackendAnswer) -> None:
        super().__init__("3.3.1")
        self.asked = []
        self._answer = answer

    def rest(self, request):
        self.asked.append(request)
        return self._answer


def test_trigger_and_follow(signed, env, clock, run_body):
    created = signed.rest("POST", "/dags/report/dagRuns", run_body("mine"))
    states = [signed.rest("GET", "/dags/report/dagRuns/mine").json()["RestApiResponse"]["state"]]
    clock.advance(10)
    states.append(signed.rest("GET", "/dags/report/dagRuns/mine").json()["RestApiResponse"]["state"])

    assert created.status_code == 200
    assert created.json()["RestApiStatusCode"] == 200
    assert created.json()["RestApiResponse"]["state"] == "queued"
    assert states == ["running", "success"]


def test_boto3_reads_both_answers_and_errors(client, env):
    if not hasattr(client, "invoke_rest_api"):
        pytest.skip("this release's boto3 has no invoke_rest_api; the signed requests of the other tests stand in")
    found = client.invoke_rest_api(Name="target", Path="/dags", Method="GET", QueryParameters={"paused": False})
    with pytest.raises(client.exceptions.RestApiClientException) as caught:
        client.invoke_rest_api(Name="target", Path="/dags/nope", Method="GET")

    assert (found["RestApiStatusCode"], found["RestApiResponse"]["total_entries"]) == (200, 1)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["RestApiStatusCode"] == 404
    assert "nope" in response["RestApiResponse"]["detail"]


def test_boto3_sees_throttling_by_its_code(client, env, mwaa):
    if not hasattr(client, "invoke_rest_api"):
        pytest.skip("this release's boto3 has no invoke_rest_api; the signed requests of the other tests stand in")
    mwaa.faults.add(Fault.throttle())
    with pytest.raises(ClientError) as caught:
        client.invoke_rest_api(Name="target", Path="/dags", Method="GET")

    assert caught.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429


def test_client_and_server_errors_of_airflow(mwaa, signed):
    mwaa.create_environment("target", Recording(BackendAnswer(418, b'{"detail": "short and stout"}')))
    mwaa.create_environment("broken", Recording(BackendAnswer(503, b"<html>no</html>", "text/html")))

    client_error, server_error = signed.rest("GET", "/dags"), signed.rest("GET", "/dags", environment="broken")

    assert (client_error.status_code, client_error.headers["x-amzn-ErrorType"], client_error.json()) == (
        400,
        "RestApiClientException",
        {"RestApiStatusCode": 418, "RestApiResponse": {"detail": "short and stout"}},
    )
    assert (server_error.status_code, server_error.headers["x-amzn-ErrorType"], server_error.json()) == (
        400,
        "RestApiServerException",
        {"RestApiStatusCode": 503, "RestApiResponse": "<html>no</html>"},
    )


def test_what_reaches_the_back_end(mwaa, signed):
    backend = Recording(BackendAnswer(204))
    mwaa.create_environment("target", backend)

    answer = signed.rest(
        "PATCH", "/dags/über einer/x%2Fy", {"a": 1}, {"state": ["queued", "running"], "paused": False, "limit": 3}
    )

    (asked,) = backend.asked
    assert asked.method == "PATCH"
    assert asked.path == "/dags/%C3%BCber%20einer/x%2Fy"
    assert asked.query == "state=queued&state=running&paused=false&limit=3"
    assert json.loads(asked.body) == {"a": 1}
    assert asked.content_type == "application/json"
    assert asked.airflow_role == "Admin"
    assert answer.json() == {"RestApiStatusCode": 204}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            {"Path": "dags", "Method": "GET"},
            "Path must begin with '/', such as /dags, without /api/v1 or /api/v2.",
        ),
        ({"Path": "/dags", "Method": "HEAD"}, "Method must be one of DELETE, GET, PATCH, POST, PUT."),
        ({"Path": "/dags", "Method": "GET", "QueryParameters": 3}, "QueryParameters must be a JSON object."),
    ],
)
def test_calls_that_cannot_be(signed, env, call, message):
    answer = signed("POST", "/restapi/target", json.dumps(call).encode())

    assert (answer.status_code, answer.json()) == (400, {"message": message})


def test_path_with_the_api_in_it_finds_nothing(signed, env, line):
    answer = signed.rest("GET", f"/api/v{line - 1}/dags")

    assert (answer.headers["x-amzn-ErrorType"], answer.json()["RestApiStatusCode"]) == ("RestApiClientException", 404)


def test_path_length_may_be_enforced(clock):
    with LocalMwaa(clock=clock, rules=ServiceRules(rest_path_max_length=64)) as mwaa:
        mwaa.create_environment("target", ScriptedAirflow("3.3.1"))
        short, long = (Signed(mwaa).rest("GET", "/dags/" + "x" * length) for length in (58, 59))

    assert short.json()["RestApiStatusCode"] == 404
    assert long.json() == {"message": "Path must have at most 64 characters."}


def test_ten_calls_in_any_second(signed, mwaa, env, clock):
    for _ in range(5):
        assert signed.rest("GET", "/version").status_code == 200
    clock.advance(0.6)
    for _ in range(5):
        assert signed.rest("GET", "/version").status_code == 200
    refused = signed.rest("GET", "/version")
    clock.advance(0.4)
    after = [signed.rest("GET", "/version").status_code for _ in range(6)]

    assert (refused.status_code, refused.headers["x-amzn-ErrorType"]) == (429, "ThrottlingException")
    assert refused.json() == {"message": "Rate exceeded"}
    assert after == [200, 200, 200, 200, 200, 429]
    assert mwaa.journal.count(error_code="ThrottlingException", backend_call=False) == 2


def test_the_rate_is_per_environment_and_may_be_lifted(clock):
    with LocalMwaa(clock=clock, rules=ServiceRules(rest_calls_per_second=1)) as mwaa:
        mwaa.create_environment("target", ScriptedAirflow("3.3.1"))
        mwaa.create_environment("other", ScriptedAirflow("3.3.1"))
        call = Signed(mwaa).rest
        statuses = [call("GET", "/version", environment=name).status_code for name in ("target", "target", "other")]
    with LocalMwaa(clock=clock, rules=ServiceRules(rest_calls_per_second=None)) as mwaa:
        mwaa.create_environment("target", ScriptedAirflow("3.3.1"))
        unlimited = {Signed(mwaa).rest("GET", "/version").status_code for _ in range(15)}

    assert statuses == [200, 429, 200]
    assert unlimited == {200}


def test_ten_seconds_by_the_clock(signed, mwaa, env):
    mwaa.faults.add(Fault.delay(10), Fault.delay(10.5))

    in_time, late = signed.rest("GET", "/version"), signed.rest("GET", "/version")

    assert in_time.status_code == 200
    assert (late.status_code, late.headers["x-amzn-ErrorType"]) == (400, "RestApiServerException")
    assert late.json() == {
        "RestApiStatusCode": 504,
        "RestApiResponse": {"detail": "The Airflow REST API did not answer within 10 seconds."},
    }


def test_ten_seconds_in_real_time_for_a_back_end_that_hangs():
    goes_on = threading.Event()

    class Hanging(ScriptedAirflow):
        def rest(self, request):
            goes_on.wait(30)
            return super().rest(request)

        def stop(self):
            goes_on.set()

    with LocalMwaa(rules=ServiceRules(rest_seconds=0.05), clock=ManualClock()) as mwaa:
        mwaa.create_environment("target", Hanging("3.3.1"))
        answer = Signed(mwaa).rest("GET", "/version")
        entry = mwaa.journal.entries()[-1]

    assert answer.json()["RestApiStatusCode"] == 504
    assert (entry.status, entry.backend_call, entry.error_code) == (504, True, "RestApiServerException")


def test_six_megabytes(clock):
    with LocalMwaa(clock=clock) as mwaa:
        limit = mwaa.rules.rest_payload_bytes
        assert limit == 6_291_456
        mwaa.create_environment("fits", Recording(BackendAnswer(200, b'"' + b"x" * (limit - 2) + b'"')))
        mwaa.create_environment("not", Recording(BackendAnswer(200, b'"' + b"x" * (limit - 1) + b'"')))
        fits, not_ = (Signed(mwaa).rest("GET", "/x", environment=name) for name in ("fits", "not"))

    assert (fits.status_code, len(fits.json()["RestApiResponse"])) == (200, limit - 2)
    assert not_.headers["x-amzn-ErrorType"] == "RestApiClientException"
    assert not_.json()["RestApiStatusCode"] == 413


def test_environment_that_predates_the_feature(mwaa, client, signed):
    mwaa.create_environment("target", ScriptedAirflow("2.10.3"), rest_api_enabled=False)

    before = signed.rest("GET", "/version")
    client.update_environment(Name="target")
    after = signed.rest("GET", "/version")

    assert (before.status_code, before.json()) == (400, {"message": "Update your environment to use InvokeRestApi"})
    assert after.status_code == 200


def test_denied_by_iam_and_by_role(mwaa, env, run_body):
    viewer = Signed(mwaa, Identity("VIEWER", airflow_role="Viewer"))
    denied = Signed(mwaa, Identity("NOBODY", airflow_role="Public", denied_actions=frozenset({"InvokeRestApi"})))

    by_role = viewer.rest("POST", "/dags/report/dagRuns", run_body("r"))
    by_iam = denied.rest("GET", "/dags")

    assert viewer.rest("GET", "/dags").status_code == 200
    assert by_role.json()["RestApiStatusCode"] == 403
    assert (by_iam.status_code, by_iam.headers["x-amzn-ErrorType"]) == (403, "AccessDeniedException")
    assert "role/target/Public" in by_iam.json()["Message"]
    assert env.backend.runs("report") == ()
