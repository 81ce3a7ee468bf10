"""The REST API of one environment, all of it that the client uses."""

from __future__ import annotations

from mwaa_provider.client.rest.assets import AssetEndpoints
from mwaa_provider.client.rest.connections import ConnectionEndpoints
from mwaa_provider.client.rest.history import HistoryEndpoints
from mwaa_provider.client.rest.monitoring import MonitoringEndpoints
from mwaa_provider.client.rest.runs import RunEndpoints
from mwaa_provider.client.rest.settings import SettingEndpoints
from mwaa_provider.client.rest.tasks import TaskEndpoints


class AirflowRestApi(
    RunEndpoints,
    TaskEndpoints,
    SettingEndpoints,
    ConnectionEndpoints,
    MonitoringEndpoints,
    HistoryEndpoints,
    AssetEndpoints,
):
    """The REST API of one environment.

    Each call is sent once; its errors are those of :mod:`mwaa_provider.exceptions`. Lists are told how to be read, and not read yet
    (:func:`mwaa_provider.client.rest.paging.rows_of`).
    """
