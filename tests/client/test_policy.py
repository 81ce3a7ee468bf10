from __future__ import annotations

from typing import Any

import pytest

from mwaa_provider.client.policy import ACTIONS_FOR, PARTITIONS, EnvironmentArn, document, partition_of, statements


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("eu-central-2", "aws"),
        ("cn-north-1", "aws-cn"),
        ("cn-northwest-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
        ("us-gov-east-1", "aws-us-gov"),
        ("us-iso-east-1", "aws-iso"),
        ("us-isob-west-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_each_form_of_arn_in_each_partition(region: str, partition: str) -> None:
    arn = f"arn:{partition}:airflow:{region}:123456789012:environment/production"
    environment = EnvironmentArn.parse(arn, "production")
    assert environment == EnvironmentArn("production", partition, region, "123456789012")
    assert partition_of(region) == partition
    assert partition in PARTITIONS

    everything = [action for actions in ACTIONS_FOR.values() for action in actions]
    assert document(environment, *everything, airflow_role="Viewer") == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "airflow:ListEnvironments", "Resource": "*"},
            {
                "Effect": "Allow",
                "Action": ["airflow:GetEnvironment", "airflow:CreateCliToken", "airflow:PublishMetrics"],
                "Resource": arn,
            },
            {
                "Effect": "Allow",
                "Action": ["airflow:CreateWebLoginToken", "airflow:InvokeRestApi"],
                "Resource": f"arn:{partition}:airflow:{region}:123456789012:role/production/Viewer",
            },
        ],
    }


@pytest.mark.parametrize("arn", ["", "arn:aws:s3", "something else"])
def test_an_arn_that_cannot_be_read_leaves_words_to_fill_in(arn: str) -> None:
    wanted: list[dict[str, Any]] = [
        {
            "Effect": "Allow",
            "Action": "airflow:InvokeRestApi",
            "Resource": "arn:aws:airflow:REGION:ACCOUNT:role/production/ROLE",
        }
    ]
    assert statements(EnvironmentArn.parse(arn, "production"), "InvokeRestApi") == wanted
