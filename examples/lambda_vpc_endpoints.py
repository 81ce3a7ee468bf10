"""Make the VPC endpoints that a PENDING environment with customer-managed endpoints waits for, from an AWS Lambda function.

An EventBridge rule with this pattern calls it::

    {"source": ["aws.airflow"], "detail-type": ["MWAA Environment Status Change"]}

Of the event only the environment's name is taken; all else is asked of GetEnvironment. It may be called as often as you like: what
is there is left alone, and a status other than PENDING makes nothing. Lambda's own boto3 is enough, if it is of 2023-11 or later.

Environment variables of the function, all of them optional:

- ``SECURITY_GROUP_IDS``: groups of the endpoints, with commas between them (default: those of the environment). They must admit the
  environment's group on ports 443 and 5432
- ``WITH_SQS``: ``true`` makes one for SQS too, which a VPC without a way to the internet needs (default: ``false``)

IAM, for the function's role::

    {"Effect": "Allow", "Action": "airflow:GetEnvironment", "Resource": "arn:aws:airflow:REGION:ACCOUNT:environment/*"},
    {"Effect": "Allow", "Action": ["ec2:DescribeSubnets", "ec2:DescribeVpcEndpoints"], "Resource": "*"},
    {"Effect": "Allow", "Action": ["ec2:CreateVpcEndpoint", "ec2:CreateTags"], "Resource": "*"}

The code of AWS's own sample is a download for Python 3.8, which Lambda no longer takes.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any

import boto3

_GONE = {"deleting", "deleted", "failed", "rejected", "expired"}


# [START howto_lambda_vpc_endpoints]
def handler(event: Any, context: Any) -> dict[str, Any]:
    """Make what is missing, and tell what was made and what was there."""
    mwaa, ec2 = boto3.client("mwaa"), boto3.client("ec2")
    environment = mwaa.get_environment(Name=environment_name(event))["Environment"]
    told: dict[str, Any] = {
        "environment_name": environment["Name"],
        "status": environment["Status"],
        "made": {},
        "there": {},
    }
    if environment["Status"] != "PENDING":
        return told
    network = environment["NetworkConfiguration"]
    (vpc_id,) = {one["VpcId"] for one in ec2.describe_subnets(SubnetIds=network["SubnetIds"])["Subnets"]}
    there = endpoints_of(ec2, vpc_id)
    groups = [one for one in os.environ.get("SECURITY_GROUP_IDS", "").split(",") if one] or network["SecurityGroupIds"]
    for purpose, service in services_of(environment, ec2.meta.region_name).items():
        if service in there:
            told["there"][purpose] = there[service]
            continue
        made = ec2.create_vpc_endpoint(
            VpcEndpointType="Interface",
            VpcId=vpc_id,
            ServiceName=service,
            SubnetIds=network["SubnetIds"],
            SecurityGroupIds=groups,
            PrivateDnsEnabled=purpose == "sqs",
            # EventBridge may deliver an event twice at once: with one token, EC2 makes one endpoint.
            ClientToken=hashlib.sha256(
                f"{environment['Arn']} {environment['CreatedAt']} {service}".encode()
            ).hexdigest(),
            TagSpecifications=[
                {
                    "ResourceType": "vpc-endpoint",
                    "Tags": [{"Key": "Name", "Value": f"mwaa {environment['Name']} {purpose}"}],
                }
            ],
        )
        told["made"][purpose] = made["VpcEndpoint"]["VpcEndpointId"]
    return told
    # [END howto_lambda_vpc_endpoints]


def environment_name(event: Any) -> str:
    """Return the name of the environment that an event is about."""
    detail = event.get("detail") or {}
    for arn in event.get("resources") or []:
        if ":environment/" in arn:
            return str(arn.rpartition(":environment/")[2])
    for key in ("name", "environmentName", "EnvironmentName", "Name"):
        if detail.get(key):
            return str(detail[key])
    raise ValueError(f"this event names no environment, neither in resources nor in detail, which has {sorted(detail)}")


def services_of(environment: dict[str, Any], region_name: str) -> dict[str, str]:
    """Return the services that endpoints are needed for; a public web server has none."""
    services = {
        "database": environment.get("DatabaseVpcEndpointService"),
        "web server": environment.get("WebserverVpcEndpointService"),
        "sqs": f"com.amazonaws.{region_name}.sqs" if os.environ.get("WITH_SQS", "").lower() == "true" else None,
    }
    return {purpose: service for purpose, service in services.items() if service}


def endpoints_of(ec2: Any, vpc_id: str) -> dict[str, str]:
    """Return the ids of the endpoints that a VPC has, by service."""
    pages = ec2.get_paginator("describe_vpc_endpoints").paginate(Filters=[{"Name": "vpc-id", "Values": [vpc_id]}])
    return {
        one["ServiceName"]: one["VpcEndpointId"]
        for page in pages
        for one in page["VpcEndpoints"]
        if one.get("State", "").lower() not in _GONE
    }
