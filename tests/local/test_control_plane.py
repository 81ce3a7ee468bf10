from __future__ import annotations

import pytest
import requests
from botocore.exceptions import ClientError

from mwaa_provider.local import Identity, LocalMwaa, ScriptedAirflow, ServiceRules
from tests.local.callers import Signed, boto3_client


def failure(call, **arguments):
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


def known_members(client, shape):
    """What this release's botocore reads of an answer: the oldest knows fewer fields than the service sends."""
    return client.meta.service_model.shape_for(shape).members


def test_get_environment_has_botocores_shape(client, env, line, clock):
    found = client.get_environment(Name="target")["Environment"]

    assert found.pop("CreatedAt").timestamp() == pytest.approx(clock.now().timestamp())
    sent = {
        "AirflowConfigurationOptions": {},
        "AirflowVersion": {2: "2.10.3", 3: "3.3.1"}[line],
        "Arn": "arn:aws:airflow:us-east-1:123456789012:environment/target",
        "DagS3Path": "dags",
        "EnvironmentClass": "mw1.small",
        "MaxWebservers": 2,
        "MaxWorkers": 10,
        "MinWebservers": 2,
        "MinWorkers": 1,
        "Name": "target",
        "Schedulers": 2,
        "SourceBucketArn": "arn:aws:s3:::local-mwaa-target",
        "Status": "AVAILABLE",
        "WebserverAccessMode": "PUBLIC_ONLY",
        "WebserverUrl": env.host,
        "WeeklyMaintenanceWindowStart": "SUN:03:30",
    }
    assert found == {name: value for name, value in sent.items() if name in known_members(client, "Environment")}


def test_list_environments_pages(client, mwaa):
    for name in ("gamma", "alpha", "beta"):
        mwaa.create_environment(name, ScriptedAirflow("3.3.1"))

    first = client.list_environments(MaxResults=2)
    second = client.list_environments(MaxResults=2, NextToken=first["NextToken"])

    assert (first["Environments"], second["Environments"]) == (["alpha", "beta"], ["gamma"])
    assert "NextToken" not in second
    assert failure(client.list_environments, NextToken="?") == (
        400,
        "ValidationException",
        "NextToken is not one of this operation.",
    )


def test_list_environments_refuses_a_wrong_page_size(signed):
    answer = signed("GET", "/environments?MaxResults=26")

    assert answer.status_code == 400
    assert answer.headers["x-amzn-ErrorType"] == "ValidationException"
    assert answer.json() == {"message": "MaxResults must be a number from 1 to 25, not '26'."}


def test_unknown_environment(client):
    expected = (404, "ResourceNotFoundException", "Environment nope not found")
    assert failure(client.get_environment, Name="nope") == expected
    assert failure(client.create_cli_token, Name="nope") == expected
    assert failure(client.create_web_login_token, Name="nope") == expected
    assert failure(client.update_environment, Name="nope") == expected


@pytest.mark.parametrize("name", ["1starts-with-a-digit", "a" * 81, "with.dot"])
def test_name_that_breaks_the_pattern(client, name):
    status, code, message = failure(client.get_environment, Name=name)

    assert (status, code) == (400, "ValidationException")
    assert f"Value '{name}' at 'name' failed to satisfy constraint" in message


def test_unsigned_request(mwaa):
    answer = requests.get(mwaa.endpoint_url + "/environments", timeout=30)

    assert answer.status_code == 403
    assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
    assert answer.json() == {"message": "Missing Authentication Token"}


def test_authorization_that_is_no_signature(mwaa):
    answer = requests.get(mwaa.endpoint_url + "/environments", headers={"Authorization": "Bearer x"}, timeout=30)

    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (403, "IncompleteSignatureException")


def test_signature_for_another_service_or_region(mwaa, signed):
    other_service = Signed(mwaa, service="s3")("GET", "/environments")
    other_region = signed("GET", "/environments", region="eu-west-1")

    assert (other_service.status_code, other_service.json()) == (
        403,
        {"message": "Credential should be scoped to correct service: 'airflow'."},
    )
    assert (other_region.status_code, other_region.json()) == (
        403,
        {
            "message": "Credential should be scoped to a valid region, not 'eu-west-1' "
            "(this local MWAA is in us-east-1)."
        },
    )


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        ("delete_environment", {"Name": "target"}),
        ("list_tags_for_resource", {"ResourceArn": "arn:aws:airflow:us-east-1:123456789012:environment/target"}),
    ],
)
def test_unsupported_operations_say_so(client, env, call, arguments):
    status, code, message = failure(getattr(client, call), **arguments)

    assert (status, code) == (501, "UnsupportedByLocalMwaa")
    assert message.startswith("This local MWAA does not do ")
    assert client.get_environment(Name="target")["Environment"]["Status"] == "AVAILABLE"


def test_unknown_path(signed):
    answer = signed("GET", "/nothing")

    assert (answer.status_code, answer.json()) == (404, {"message": "No operation of MWAA has GET /nothing."})


def test_body_that_is_no_object(signed, env):
    answer = signed("POST", "/restapi/target", b"[]")

    assert (answer.status_code, answer.json()) == (400, {"message": "The body must be a JSON object."})


def test_update_environment_is_updating_for_a_while(clock):
    with LocalMwaa(clock=clock, rules=ServiceRules(update_seconds=1500)) as mwaa:
        mwaa.create_environment("target", ScriptedAirflow("3.3.1"))
        client = boto3_client(mwaa)

        # Signed by hand: boto3 of the older releases does not know WorkerReplacementStrategy.
        changes = b'{"MaxWorkers": 5, "AirflowConfigurationOptions": {"core.parallelism": "7"}, '
        changes += b'"WorkerReplacementStrategy": "GRACEFUL"}'
        arn = Signed(mwaa)("PATCH", "/environments/target", changes).json()["Arn"]
        during = client.get_environment(Name="target")["Environment"]
        again = failure(client.update_environment, Name="target", MaxWorkers=6)
        clock.advance(1499)
        nearly = client.get_environment(Name="target")["Environment"]["Status"]
        clock.advance(1)
        after = client.get_environment(Name="target")["Environment"]
        raw = Signed(mwaa)("GET", "/environments/target").json()["Environment"]

    assert arn == "arn:aws:airflow:us-east-1:123456789012:environment/target"
    assert (during["Status"], during["LastUpdate"]["Status"]) == ("UPDATING", "PENDING")
    assert again == (400, "ValidationException", "Environment target cannot be updated while UPDATING.")
    assert nearly == "UPDATING"
    assert (after["Status"], after["LastUpdate"]["Status"]) == ("AVAILABLE", "SUCCESS")
    assert (after["MaxWorkers"], after["AirflowConfigurationOptions"]) == (5, {"core.parallelism": "7"})
    assert raw["LastUpdate"] == {
        "CreatedAt": raw["LastUpdate"]["CreatedAt"],
        "Source": "LocalMwaa",
        "Status": "SUCCESS",
        "WorkerReplacementStrategy": "GRACEFUL",
    }


def test_update_environment_refuses_what_it_cannot_do(client, env, signed):
    status, code, message = failure(client.update_environment, Name="target", AirflowVersion="3.9.9")
    unknown = signed("PATCH", "/environments/target", b'{"Colour": "red"}')

    assert (status, code) == (400, "ValidationException")
    assert message.startswith("This local MWAA cannot change an environment's Airflow from ")
    assert unknown.json() == {"message": "UpdateEnvironment does not take Colour."}


def test_environment_that_is_not_usable(client, env, signed):
    env.set_status("UNAVAILABLE")

    expected = (400, "ValidationException", "Environment target is UNAVAILABLE")
    assert failure(client.create_cli_token, Name="target") == expected
    assert failure(client.create_web_login_token, Name="target") == expected
    assert signed.rest("GET", "/dags").json() == {"message": "Environment target is UNAVAILABLE"}
    assert client.get_environment(Name="target")["Environment"]["Status"] == "UNAVAILABLE"


def test_tokens_name_host_and_identity(client, env):
    web, cli = client.create_web_login_token(Name="target"), client.create_cli_token(Name="target")

    assert web["WebServerHostname"] == cli["WebServerHostname"] == env.host
    if "IamIdentity" in known_members(client, "CreateWebLoginTokenResponse"):
        assert web["IamIdentity"] == "user/LOCALMWAAADMIN"
    assert web["WebToken"] != client.create_web_login_token(Name="target")["WebToken"]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("GetEnvironment", "environment/target"),
        ("CreateCliToken", "environment/target"),
        ("CreateWebLoginToken", "role/target/Viewer"),
    ],
)
def test_denied_actions_name_action_and_resource(mwaa, env, action, resource):
    identity = Identity("VIEWER", airflow_role="Viewer", denied_actions=frozenset({f"airflow:{action}"}))
    client = boto3_client(mwaa, identity)
    call = {
        "GetEnvironment": client.get_environment,
        "CreateCliToken": client.create_cli_token,
        "CreateWebLoginToken": client.create_web_login_token,
    }[action]

    assert failure(call, Name="target") == (
        403,
        "AccessDeniedException",
        f"User: arn:aws:iam::123456789012:user/VIEWER is not authorized to perform: airflow:{action} on resource: "
        f"arn:aws:airflow:us-east-1:123456789012:{resource} because no identity-based policy allows the "
        f"airflow:{action} action",
    )
    mwaa.identities.allow(action)
    assert call(Name="target")["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_denials_at_run_time_may_be_narrow(mwaa, env):
    mwaa.create_environment("other", ScriptedAirflow("3.3.1"))
    admin, viewer = boto3_client(mwaa), boto3_client(mwaa, Identity("VIEWER", airflow_role="Viewer"))

    mwaa.identities.deny("CreateWebLoginToken", environment="target", airflow_role="Viewer")

    assert failure(viewer.create_web_login_token, Name="target")[1] == "AccessDeniedException"
    assert viewer.create_web_login_token(Name="other")["WebToken"]
    assert admin.create_web_login_token(Name="target")["WebToken"]
    mwaa.identities.deny("ListEnvironments", access_key_id="VIEWER")
    assert failure(viewer.list_environments)[1] == "AccessDeniedException"
    assert admin.list_environments()["Environments"] == ["other", "target"]
