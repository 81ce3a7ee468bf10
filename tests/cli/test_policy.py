"""``mwaa policy``: what it prints, and that it is enough and the least."""

from __future__ import annotations

import json

import boto3
import pytest

from mwaa_provider.client.policy import ACTIONS_FOR
from mwaa_provider.local import Identity, LocalMwaa, ScriptedAirflow
from tests.cli.conftest import RunMwaa

ALL_ACTIONS = {"ListEnvironments", "GetEnvironment", "CreateWebLoginToken", "CreateCliToken", "InvokeRestApi"}
USER_NOTE = "For the Airflow role User; --role names another: Admin, Op, User, Viewer, Public.\n"


def test_from_the_environment_itself(run: RunMwaa, airflow: ScriptedAirflow) -> None:
    ended = run("policy", "production", "--action", "rest,cli")
    assert (ended.status, ended.stderr) == (0, USER_NOTE)
    assert ended.stdout == (
        "{\n"
        '  "Version": "2012-10-17",\n'
        '  "Statement": [\n'
        "    {\n"
        '      "Effect": "Allow",\n'
        '      "Action": [\n'
        '        "airflow:GetEnvironment",\n'
        '        "airflow:CreateCliToken"\n'
        "      ],\n"
        '      "Resource": "arn:aws:airflow:us-east-1:123456789012:environment/production"\n'
        "    },\n"
        "    {\n"
        '      "Effect": "Allow",\n'
        '      "Action": "airflow:InvokeRestApi",\n'
        '      "Resource": "arn:aws:airflow:us-east-1:123456789012:role/production/User"\n'
        "    }\n"
        "  ]\n"
        "}\n"
    )


@pytest.mark.parametrize(
    ("region", "more", "start"),
    [
        ("eu-west-1", (), "arn:aws:airflow:eu-west-1"),
        ("cn-north-1", (), "arn:aws-cn:airflow:cn-north-1"),
        ("us-gov-west-1", (), "arn:aws-us-gov:airflow:us-gov-west-1"),
        ("mars-1", ("--partition", "aws-cn"), "arn:aws-cn:airflow:mars-1"),
    ],
)
def test_by_hand_without_asking_aws(
    run: RunMwaa, local_mwaa: LocalMwaa, region: str, more: tuple[str, ...], start: str
) -> None:
    by_hand = ("--account", "210987654321", "--region", region, *more, "--role", "viewer")
    ended = run("policy", "production", "--action", "url", "--action", "metrics", *by_hand, AWS_CA_BUNDLE="/no/such")
    assert (ended.status, ended.stderr) == (0, "")
    assert json.loads(ended.stdout) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "airflow:CreateWebLoginToken",
                "Resource": f"{start}:210987654321:role/production/Viewer",
            },
            {
                "Effect": "Allow",
                "Action": "airflow:PublishMetrics",
                "Resource": f"{start}:210987654321:environment/production",
            },
        ],
    }
    assert local_mwaa.journal.count() == 0


COMMANDS = {
    "environments": ("environments",),
    "url": ("url", "production"),
    "rest": ("rest", "production", "GET", "/dags", "--transport", "iam"),
    "session": ("rest", "production", "GET", "/dags", "--transport", "session"),
    "cli": ("cli", "production", "--", "version"),
}


@pytest.mark.parametrize("purpose", sorted(set(ACTIONS_FOR) - {"metrics"}))
def test_what_it_allows_is_enough_and_the_least(
    run: RunMwaa, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, purpose: str
) -> None:
    if purpose == "rest" and not hasattr(boto3.client("mwaa"), "invoke_rest_api"):
        pytest.skip("boto3 has no invoke_rest_api")
    allowed = set(ACTIONS_FOR[purpose])
    enough = Identity("ENOUGH", denied_actions=frozenset(ALL_ACTIONS - allowed))
    local_mwaa.boto3_session(enough)  # makes it known
    ended = run(*COMMANDS[purpose], AWS_ACCESS_KEY_ID="ENOUGH")
    assert (ended.status, ended.stderr) == (0, "")
    for action in allowed:
        local_mwaa.boto3_session(Identity(f"WITHOUT{action}", denied_actions=enough.denied_actions | {action}))
        ended = run(*COMMANDS[purpose], AWS_ACCESS_KEY_ID=f"WITHOUT{action}")
        if action == "GetEnvironment" and purpose != "environments":
            assert (ended.status, ended.stderr) == (0, "")  # it would do, at the cost of asking over there
            continue
        assert ended.status == 1
        assert f"airflow:{action}" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("production", "--action", "rest,fly"),
            "--action: 'fly' is none of environments, url, rest, session, cli, metrics",
        ),
        (("production", "--action", "cli", "--account", "12"), "--account: '12' is no account; it has 12 digits"),
        (
            ("1st", "--action", "cli", "--account", "123456789012"),
            "Invalid input: ENVIRONMENT: '1st' is not the name",
        ),
    ],
)
def test_wrong_usage(run: RunMwaa, arguments: tuple[str, ...], message: str) -> None:
    ended = run("policy", *arguments)
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.error.startswith(f"Error: {message}")
