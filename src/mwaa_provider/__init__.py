"""The Apache Airflow provider for Amazon MWAA.

Public names are loaded when they are first used, so that ``import mwaa_provider`` costs nothing in a DAG file.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient as MwaaClient
    from mwaa_provider.hooks.mwaa import MwaaHook as MwaaHook
    from mwaa_provider.operators.asset_event import MwaaAssetEventOperator as MwaaAssetEventOperator
    from mwaa_provider.operators.cli import MwaaCliOperator as MwaaCliOperator
    from mwaa_provider.operators.cloudwatch_metrics import EnvironmentMetricsOperator as EnvironmentMetricsOperator
    from mwaa_provider.operators.cloudwatch_metrics import HostMetricsOperator as HostMetricsOperator
    from mwaa_provider.operators.dag_run import MwaaTriggerDagRunOperator as MwaaTriggerDagRunOperator
    from mwaa_provider.operators.metadata_cleanup import MetadataCleanupOperator as MetadataCleanupOperator
    from mwaa_provider.operators.rest_api import MwaaRestApiOperator as MwaaRestApiOperator
    from mwaa_provider.operators.variables import MwaaImportVariablesOperator as MwaaImportVariablesOperator
    from mwaa_provider.sensors.dag_run import MwaaDagRunSensor as MwaaDagRunSensor
    from mwaa_provider.sensors.environment import MwaaEnvironmentSensor as MwaaEnvironmentSensor
    from mwaa_provider.sensors.task import MwaaTaskSensor as MwaaTaskSensor
    from mwaa_provider.transfers.metadata_to_s3 import MetadataToS3Operator as MetadataToS3Operator

__version__ = "0.1.0"

_HOME_OF = {
    "EnvironmentMetricsOperator": "mwaa_provider.operators.cloudwatch_metrics",
    "HostMetricsOperator": "mwaa_provider.operators.cloudwatch_metrics",
    "MetadataCleanupOperator": "mwaa_provider.operators.metadata_cleanup",
    "MetadataToS3Operator": "mwaa_provider.transfers.metadata_to_s3",
    "MwaaAssetEventOperator": "mwaa_provider.operators.asset_event",
    "MwaaCliOperator": "mwaa_provider.operators.cli",
    "MwaaClient": "mwaa_provider.client.mwaa",
    "MwaaDagRunSensor": "mwaa_provider.sensors.dag_run",
    "MwaaEnvironmentSensor": "mwaa_provider.sensors.environment",
    "MwaaHook": "mwaa_provider.hooks.mwaa",
    "MwaaImportVariablesOperator": "mwaa_provider.operators.variables",
    "MwaaRestApiOperator": "mwaa_provider.operators.rest_api",
    "MwaaTaskSensor": "mwaa_provider.sensors.task",
    "MwaaTriggerDagRunOperator": "mwaa_provider.operators.dag_run",
}

__all__ = [
    "EnvironmentMetricsOperator",
    "HostMetricsOperator",
    "MetadataCleanupOperator",
    "MetadataToS3Operator",
    "MwaaAssetEventOperator",
    "MwaaCliOperator",
    "MwaaClient",
    "MwaaDagRunSensor",
    "MwaaEnvironmentSensor",
    "MwaaHook",
    "MwaaImportVariablesOperator",
    "MwaaRestApiOperator",
    "MwaaTaskSensor",
    "MwaaTriggerDagRunOperator",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
