"""boto3's client for S3, by an Airflow connection."""

from __future__ import annotations

from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook


def s3_client(
    *,
    aws_conn_id: str | None = "aws_default",
    region_name: str | None = None,
    verify: bool | str | None = None,
    botocore_config: dict[str, Any] | None = None,
) -> Any:
    """Return boto3's client for S3.

    :param aws_conn_id: The Airflow connection to AWS (default ``aws_default``); ``None`` for the process's own credentials.
    :param region_name: AWS region of the bucket (default: the connection's).
    :param verify: The CA bundle's path, or ``False`` to trust any certificate (default: the connection's).
    :param botocore_config: Settings of botocore as a dict of its arguments (default: the connection's).
    """
    from botocore.config import Config

    config = None if botocore_config is None else Config(**botocore_config)
    hook = S3Hook(aws_conn_id=aws_conn_id, region_name=region_name, verify=verify, config=config)
    return hook.get_client_type(region_name=region_name, config=hook.config)
