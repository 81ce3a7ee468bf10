"""The Lambda example that makes VPC endpoints, against moto's EC2: what is missing is made, once."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import boto3
import pytest
from botocore.session import Session
from botocore.stub import Stubber

from tests.support.processes import ROOT
from tests.support.s3 import S3, started_s3

ARN = "arn:aws:airflow:eu-west-1:123456789012:environment/new"
EVENT = {"source": "aws.airflow", "detail-type": "MWAA Environment Status Change", "resources": [ARN], "detail": {}}
DATABASE, WEB = "com.amazonaws.vpce.eu-west-1.vpce-svc-1", "com.amazonaws.vpce.eu-west-1.vpce-svc-2"

_shape = Session().get_service_model("mwaa").shape_for("Environment")
pytestmark = pytest.mark.skipif(
    "DatabaseVpcEndpointService" not in _shape.members,
    reason="this release's boto3 knows no customer-managed endpoints",
)


@pytest.fixture(scope="module")
def moto() -> Iterator[S3]:
    with started_s3() as server:
        yield server


class Account:
    """An account with a VPC, and an environment that waits."""

    def __init__(self, ec2: Any, stubber: Stubber) -> None:
        self.ec2, self.stubber = ec2, stubber
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [
            ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.0.{number}.0/24")["Subnet"]["SubnetId"]
            for number in (1, 2)
        ]
        self.groups = [
            ec2.create_security_group(VpcId=self.vpc, GroupName=name, Description=name)["GroupId"]
            for name in ("a", "b")
        ]

    def will_be_asked_for(self, **changes: Any) -> None:
        environment = {
            "Name": "new",
            "Arn": ARN,
            "Status": "PENDING",
            "CreatedAt": datetime(2026, 1, 31, tzinfo=timezone.utc),
            "DatabaseVpcEndpointService": DATABASE,
            "WebserverVpcEndpointService": WEB,
            "NetworkConfiguration": {"SubnetIds": self.subnets, "SecurityGroupIds": self.groups[:1]},
        }
        told = {name: value for name, value in {**environment, **changes}.items() if value is not None}
        self.stubber.add_response("get_environment", {"Environment": told}, {"Name": "new"})

    def endpoints(self) -> list[dict[str, Any]]:
        found = self.ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["VpcEndpoints"]
        return sorted(found, key=lambda one: str(one["ServiceName"]))


@pytest.fixture
def account(moto: S3, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    ec2 = boto3.client("ec2", endpoint_url=moto.endpoint_url, region_name="eu-west-1")
    mwaa = boto3.client("mwaa", region_name="eu-west-1")
    with Stubber(mwaa) as stubber:
        monkeypatch.setattr(boto3, "client", lambda name: {"ec2": ec2, "mwaa": mwaa}[name])
        yield Account(ec2, stubber)
        stubber.assert_no_pending_responses()


@pytest.fixture
def example() -> Any:
    specification = importlib.util.spec_from_file_location("vpc_endpoints", ROOT / "examples/lambda_vpc_endpoints.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_what_is_missing_is_made_once(account: Account, example: Any) -> None:
    account.will_be_asked_for()
    told = example.handler(EVENT, None)
    made = account.endpoints()
    assert told == {
        "environment_name": "new",
        "status": "PENDING",
        "made": {"database": made[0]["VpcEndpointId"], "web server": made[1]["VpcEndpointId"]},
        "there": {},
    }
    assert [one["ServiceName"] for one in made] == [DATABASE, WEB]
    for one in made:
        assert (one["VpcEndpointType"], one["VpcId"]) == ("Interface", account.vpc)
        assert (sorted(one["SubnetIds"]), one["PrivateDnsEnabled"]) == (sorted(account.subnets), False)
        assert [group["GroupId"] for group in one["Groups"]] == account.groups[:1]
    assert made[0]["Tags"] == [{"Key": "Name", "Value": "mwaa new database"}]
    account.will_be_asked_for()
    again = example.handler(EVENT, None)
    assert (again["made"], again["there"]) == ({}, told["made"])
    assert account.endpoints() == made


def test_only_the_one_that_is_gone_is_made_anew(account: Account, example: Any) -> None:
    account.will_be_asked_for()
    told = example.handler(EVENT, None)
    account.ec2.delete_vpc_endpoints(VpcEndpointIds=[told["made"]["web server"]])
    account.will_be_asked_for()
    assert list(example.handler(EVENT, None)["made"]) == ["web server"]


def test_groups_and_sqs_by_the_functions_variables(
    account: Account, example: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECURITY_GROUP_IDS", ",".join(account.groups))
    monkeypatch.setenv("WITH_SQS", "true")
    account.will_be_asked_for(WebserverVpcEndpointService=None)
    assert list(example.handler(EVENT, None)["made"]) == ["database", "sqs"]
    sqs, _ = account.endpoints()
    assert (sqs["ServiceName"], sqs["PrivateDnsEnabled"]) == ("com.amazonaws.eu-west-1.sqs", True)
    assert [group["GroupId"] for group in sqs["Groups"]] == account.groups


@pytest.mark.parametrize("status", ["CREATING", "AVAILABLE", "CREATE_FAILED", "DELETING"])
def test_another_status_makes_nothing(account: Account, example: Any, status: str) -> None:
    account.will_be_asked_for(Status=status)
    assert example.handler(EVENT, None) == {"environment_name": "new", "status": status, "made": {}, "there": {}}
    assert account.endpoints() == []


def test_the_name_in_an_event(example: Any) -> None:
    assert example.environment_name({"detail": {"name": "new"}}) == "new"
    with pytest.raises(ValueError, match=r"names no environment, .* which has \['status'\]"):
        example.environment_name({"detail": {"status": "PENDING"}})
