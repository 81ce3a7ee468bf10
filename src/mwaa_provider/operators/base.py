"""What all operators and sensors share that reach another MWAA environment: its name, the connection, the hook."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mwaa_provider.airflow_compat import BaseOperator, has_triggerer

if TYPE_CHECKING:
    from mwaa_provider.client.routing import TransportChoice
    from mwaa_provider.hooks.mwaa import MwaaHook


class MwaaBaseOperator(BaseOperator):
    """A task that reaches another MWAA environment.

    It derives from Airflow's ``BaseOperator``, and is no plain mixin, so that ``default_args`` and ``.partial()`` know its parameters.

    :param environment_name: The other environment's name. (templated)
    :param aws_conn_id: The Airflow connection to AWS (default ``aws_default``); ``None`` for the worker's own role. (templated)
    :param region_name: AWS region of the other environment (default: the connection's). (templated)
    :param verify: The CA bundle's path, or ``False`` to trust any certificate (default: the connection's). (templated)
    :param botocore_config: Settings of botocore as a dict (default: the connection's).
    :param transport: The way to the REST API: ``auto`` (default), ``iam`` (InvokeRestApi) or ``session`` (a web session).
    """

    template_fields: Sequence[str] = ("environment_name", "aws_conn_id", "region_name", "verify")
    ui_color = "#e4d9f2"

    def __init__(
        self,
        *,
        environment_name: str,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
        transport: TransportChoice = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.environment_name = environment_name
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config
        self.transport: TransportChoice = transport

    @cached_property
    def hook(self) -> MwaaHook:
        """The way to MWAA."""
        from mwaa_provider.hooks.mwaa import MwaaHook

        return MwaaHook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            botocore_config=self.botocore_config,
            transport=self.transport,
        )

    @property
    def way(self) -> dict[str, Any]:
        """The way to MWAA, as a trigger takes it."""
        return {
            "environment_name": self.environment_name,
            "aws_conn_id": self.aws_conn_id,
            "region_name": self.region_name,
            "verify": self.verify,
            "botocore_config": self.botocore_config,
            "transport": self.transport,
        }

    def warn_without_triggerer(self) -> None:
        """Say what will happen, before the task is deferred, if this environment has no triggerer."""
        if not has_triggerer():
            self.log.warning(
                "mwaa.triggerer_enabled is False: this environment has no triggerer, and a deferred task waits for ever. Set "
                "deferrable=False, or enable the triggerer."
            )
