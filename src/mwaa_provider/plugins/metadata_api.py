"""Lets Airflow 3's web server answer questions about the metadata database, where ``[mwaa_provider] metadata_api`` is switched on."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from mwaa_provider.metadata.api.mounting import applications


class MwaaMetadataApiPlugin(AirflowPlugin):
    """Mounts the metadata API under ``/mwaa_provider``; on Airflow 2, and where it is off, it does nothing."""

    name = "mwaa_provider_metadata_api"
    fastapi_apps = applications()
