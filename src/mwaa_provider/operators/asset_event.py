"""MwaaAssetEventOperator: tell another MWAA environment that an asset was updated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mwaa_provider.airflow_compat import RunningTask
from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.operators import rendered
from mwaa_provider.operators.base import MwaaBaseOperator
from mwaa_provider.operators.run_identity import RunIdentity

if TYPE_CHECKING:
    from mwaa_provider.airflow_compat import Context


class MwaaAssetEventOperator(MwaaBaseOperator):
    """Tell another MWAA environment that an asset (a dataset, on Airflow 2.9 and later) was updated; DAGs there that wait for it run.

    The event has a key that is derived from the task instance, so that a retry, or an answer that was lost, makes no second one. A task
    that a person clears makes a new one. A DAG over there must name the asset already, as what it waits for or what it makes.

    The result (XCom) is ``{"event_id": 7, "asset_uri": "...", "asset_name": "...", "timestamp": "...", "event_key": "..."}``.

    IAM actions: ``airflow:GetEnvironment`` on the environment; ``airflow:InvokeRestApi`` or ``airflow:CreateWebLoginToken`` on
    ``arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/User``.
    https://airflow.apache.org/docs/apache-airflow/stable/authoring-and-scheduling/asset-scheduling.html

    :param environment_name: The other environment's name. (templated)
    :param asset_uri: The asset's URI, as Airflow shows it over there. (templated)
    :param asset_name: Its name, where several assets have that URI (Airflow 3; default: none). (templated)
    :param extra: What goes with the event: a dict, or text of a JSON object. (templated)
    :param event_key: What tells the event from all others (default: derived from the task instance). (templated)
    :param aws_conn_id: The Airflow connection to AWS (default ``aws_default``); ``None`` for the worker's own role. (templated)
    :param region_name: AWS region of the other environment (default: the connection's). (templated)
    :param verify: The CA bundle's path, or ``False`` to trust any certificate (default: the connection's). (templated)
    :param botocore_config: Settings of botocore as a dict (default: the connection's).
    :param transport: The way to the REST API: ``auto`` (default), ``iam`` (InvokeRestApi) or ``session`` (a web session).
    :raises InvalidInputError: naming every problem of the arguments, or that the release over there takes no events. Nothing was sent.
    :raises AssetNotFoundError: if the environment knows no such asset.
    """

    template_fields: Sequence[str] = (
        *MwaaBaseOperator.template_fields,
        "asset_uri",
        "asset_name",
        "extra",
        "event_key",
    )
    template_fields_renderers = {"extra": "json"}

    def __init__(
        self,
        *,
        environment_name: str,
        asset_uri: str,
        asset_name: str | None = None,
        extra: dict[str, Any] | str | None = None,
        event_key: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(environment_name=environment_name, **kwargs)
        self.asset_uri = asset_uri
        self.asset_name = asset_name
        self.extra = extra
        self.event_key = event_key

    def execute(self, context: Context) -> dict[str, Any]:
        """Send the event, or find the one that an earlier try has sent."""
        from mwaa_provider.client.assets import check_event

        extra, problems = input_checks.read_conf("extra", rendered.none_if_empty(self.extra))
        asset_name, key = rendered.none_if_empty(self.asset_name), rendered.none_if_empty(self.event_key)
        problems += check_event(self.environment_name, self.asset_uri, asset_name, None if problems else extra, key)
        if problems:
            raise InvalidInputError(problems)
        key = key or self._key(RunningTask(context))
        event = self.hook.client.send_asset_event(
            self.environment_name, self.asset_uri, asset_name=asset_name, extra=extra, event_key=key
        )
        self.log.info("Environment %s has event %s of asset %s", self.environment_name, event.event_id, event.asset.uri)
        return {
            "event_id": event.event_id,
            "asset_uri": event.asset.uri,
            "asset_name": event.asset.name,
            "timestamp": event.timestamp.isoformat() if event.timestamp else None,
            "event_key": key,
        }

    @staticmethod
    def _key(task: RunningTask) -> str:
        # Each clear by a person sets another max_tries; the tries until the next clear share their key.
        return f"{RunIdentity.of(task).run_id}__{task.max_tries}"
