"""How CloudWatch is asked: the boto3 client for it, and its errors as ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mwaa_provider.client import error_mapping
from mwaa_provider.client.boto_client import botocore_config_that_never_resends, region_of_the_environment

if TYPE_CHECKING:
    from botocore.config import Config


def new_cloudwatch_client(
    session: Any = None,
    *,
    region_name: str | None = None,
    endpoint_url: str | None = None,
    verify: bool | str | None = None,
    config: Config | None = None,
) -> Any:
    """Return a boto3 ``cloudwatch`` client under which no call is sent twice behind our back.

    :param session: The boto3 session (default: a new one).
    :param region_name: AWS region (default: boto3's search, and then ``AWS_REGION``).
    :param endpoint_url: Another address of CloudWatch (default: boto3's search, ``AWS_ENDPOINT_URL_CLOUDWATCH`` say).
    :param verify: The CA bundle's path, or ``False`` to trust any certificate (default: boto3's search).
    :param config: Further settings of botocore.
    :raises InvalidInputError: if there is no region.
    """
    from botocore.exceptions import BotoCoreError

    if session is None:
        import boto3

        session = boto3.Session()
    if region_name is None and session.region_name is None:
        region_name = region_of_the_environment()
    try:
        return session.client(
            "cloudwatch",
            region_name=region_name,
            endpoint_url=endpoint_url,
            verify=verify,
            config=botocore_config_that_never_resends(config),
        )
    except BotoCoreError as error:
        raise error_mapping.from_botocore(error, environment_name="") from error


def ask_cloudwatch(boto_client: Any, operation: str, **arguments: Any) -> dict[str, Any]:
    """Make one call of CloudWatch, once.

    :param boto_client: The boto3 client.
    :param operation: The call's name, as boto3 has it.
    :raises MwaaError: if it failed.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        answer: dict[str, Any] = getattr(boto_client, operation)(**arguments)
    except ClientError as error:
        raise error_mapping.from_client_error(error, environment_name="") from error
    except BotoCoreError as error:
        raise error_mapping.from_botocore(error, environment_name="") from error
    return answer
