"""The IAM statements that MWAA calls need, with the right form of ARN for each action.

CreateCliToken and GetEnvironment are about the environment; CreateWebLoginToken and InvokeRestApi are about an Airflow role in it, and a
statement that names the environment's ARN for them allows nothing. ListEnvironments is about no environment and takes ``*`` only.
https://docs.aws.amazon.com/mwaa/latest/userguide/access-policies.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonmanagedworkflowsforapacheairflow.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

#: Airflow roles that an IAM policy can name.
AIRFLOW_ROLES = ("Admin", "Op", "User", "Viewer", "Public")

#: Where each partition's regions begin; the rest are of ``aws``. From botocore's partitions.json.
_PARTITION_BY_REGION = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}
#: The partitions of AWS.
PARTITIONS = ("aws", *_PARTITION_BY_REGION.values())

#: What somebody wants to do, and the actions it takes. This client reads an environment's Airflow version before it speaks to its Airflow;
#: without GetEnvironment it asks over there, with calls that are denied each time, and without the web server's address for links.
ACTIONS_FOR: dict[str, tuple[str, ...]] = {
    "environments": ("ListEnvironments", "GetEnvironment"),
    "url": ("CreateWebLoginToken",),
    "rest": ("GetEnvironment", "InvokeRestApi"),
    "session": ("GetEnvironment", "CreateWebLoginToken"),
    "cli": ("GetEnvironment", "CreateCliToken"),
    "metrics": ("PublishMetrics",),
}

_ABOUT_A_ROLE = frozenset({"CreateWebLoginToken", "InvokeRestApi"})


def partition_of(region_name: str) -> str:
    """Return the partition a region lies in.

    :param region_name: The region, such as ``eu-west-1`` or ``cn-north-1``.
    """
    return next((name for start, name in _PARTITION_BY_REGION.items() if region_name.startswith(start)), "aws")


@dataclass(frozen=True)
class EnvironmentArn:
    """The parts of an environment's ARN; what is not known stands as a word in capitals.

    :param environment_name: The environment's name.
    :param partition: ``aws``, ``aws-cn`` or another of ``PARTITIONS``.
    :param region_name: The region.
    :param account_id: The account.
    """

    environment_name: str
    partition: str = "aws"
    region_name: str = "REGION"
    account_id: str = "ACCOUNT"

    @classmethod
    def parse(cls, arn: str, environment_name: str) -> EnvironmentArn:
        """Read an environment's ARN; one that cannot be read gives what is known without it.

        :param arn: The ARN, or an empty text.
        :param environment_name: The environment's name.
        """
        parts = arn.split(":")
        if len(parts) < 6 or parts[0] != "arn":
            return cls(environment_name)
        return cls(environment_name, parts[1], parts[3], parts[4])

    def resource(self, action: str, airflow_role: str) -> str:
        """Return the resource that an action is about.

        :param action: The action's name, without ``airflow:``.
        :param airflow_role: The Airflow role, for actions that are about one.
        """
        if action == "ListEnvironments":
            return "*"  # it is about no single environment
        start = f"arn:{self.partition}:airflow:{self.region_name}:{self.account_id}"
        if action in _ABOUT_A_ROLE:
            return f"{start}:role/{self.environment_name}/{airflow_role}"
        return f"{start}:environment/{self.environment_name}"


def is_about_a_role(action: str) -> bool:
    """Tell whether an action is about an Airflow role, so that the policy says which.

    :param action: The action's name, without ``airflow:``.
    """
    return action in _ABOUT_A_ROLE


def document(environment: EnvironmentArn, *actions: str, airflow_role: str = "ROLE") -> dict[str, Any]:
    """Return the least policy document that allows some actions, as IAM takes it.

    :param environment: The environment.
    :param actions: Names of actions, without ``airflow:``.
    :param airflow_role: The Airflow role to act in.
    """
    return {"Version": "2012-10-17", "Statement": statements(environment, *actions, airflow_role=airflow_role)}


def statements(environment: EnvironmentArn, *actions: str, airflow_role: str = "ROLE") -> list[dict[str, Any]]:
    """Return the least statements that allow some actions: one for each resource, each action once.

    :param environment: The environment.
    :param actions: Names of actions, without ``airflow:``.
    :param airflow_role: The Airflow role to act in.
    """
    by_resource: dict[str, list[str]] = {}
    for action in dict.fromkeys(actions):
        by_resource.setdefault(environment.resource(action, airflow_role), []).append(f"airflow:{action}")
    return [
        {"Effect": "Allow", "Action": named if len(named) > 1 else named[0], "Resource": resource}
        for resource, named in by_resource.items()
    ]
