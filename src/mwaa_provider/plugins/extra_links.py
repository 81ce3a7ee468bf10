"""Registers the extra link where this package lies in ``plugins.zip``; installed by pip, the provider's own entry registers it."""

from __future__ import annotations

from airflow.plugins_manager import AirflowPlugin

from mwaa_provider.links import MwaaDagRunLink


class MwaaExtraLinksPlugin(AirflowPlugin):
    """Lets Airflow show the link "Remote DAG run": it drops links that nobody has registered."""

    name = "mwaa_provider_extra_links"
    operator_extra_links = [MwaaDagRunLink()]
