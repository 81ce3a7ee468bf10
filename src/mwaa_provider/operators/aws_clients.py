"""Clients of AWS for operators that need MWAA or S3 on some of their roads only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient
    from mwaa_provider.client.routing import TransportChoice


class AwsClients:
    """Makes the clients that an operator's arguments describe, when they are asked for."""

    aws_conn_id: str | None
    region_name: str | None
    verify: bool | str | None
    botocore_config: dict[str, Any] | None
    transport: TransportChoice = "auto"

    def _mwaa_client(self) -> MwaaClient:
        from mwaa_provider.hooks.mwaa import MwaaHook

        return MwaaHook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            botocore_config=self.botocore_config,
            transport=self.transport,
        ).client

    def _s3_client(self) -> Any:
        from mwaa_provider.hooks.s3 import s3_client

        return s3_client(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            botocore_config=self.botocore_config,
        )
