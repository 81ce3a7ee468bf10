"""What Airflow reads to learn what this provider brings."""

from __future__ import annotations

from typing import Any

from mwaa_provider import __version__


def get_provider_info() -> dict[str, Any]:
    """Describe the provider in the form of Airflow's ``provider_info.schema.json``.

    No ``connection-types`` are listed: ``MwaaHook`` uses the connection type ``aws``, which belongs to the amazon provider, and naming
    it here would replace that provider's connection form.
    """
    return {
        "package-name": "airflow-provider-mwaa",
        "name": "Amazon MWAA",
        "description": "Start and follow DAG runs in other Amazon MWAA environments.",
        "versions": [__version__],
        "integrations": [
            {
                "integration-name": "Amazon Managed Workflows for Apache Airflow (MWAA)",
                "external-doc-url": "https://docs.aws.amazon.com/mwaa/latest/userguide/what-is-mwaa.html",
                "tags": ["aws"],
            }
        ],
        "operators": [
            {
                "integration-name": "Amazon Managed Workflows for Apache Airflow (MWAA)",
                "python-modules": [
                    "mwaa_provider.operators.cli",
                    "mwaa_provider.operators.dag_run",
                    "mwaa_provider.operators.rest_api",
                ],
            }
        ],
        "sensors": [
            {
                "integration-name": "Amazon Managed Workflows for Apache Airflow (MWAA)",
                "python-modules": [
                    "mwaa_provider.sensors.dag_run",
                    "mwaa_provider.sensors.environment",
                    "mwaa_provider.sensors.task",
                ],
            }
        ],
        "triggers": [
            {
                "integration-name": "Amazon Managed Workflows for Apache Airflow (MWAA)",
                "python-modules": [
                    "mwaa_provider.triggers.dag_run",
                    "mwaa_provider.triggers.environment",
                    "mwaa_provider.triggers.task",
                ],
            }
        ],
        "transfers": [
            {
                "source-integration-name": "Amazon Managed Workflows for Apache Airflow (MWAA)",
                "target-integration-name": "Amazon Simple Storage Service (S3)",
                "python-module": "mwaa_provider.transfers.metadata_to_s3",
            }
        ],
        "extra-links": ["mwaa_provider.links.MwaaDagRunLink"],
        "hooks": [
            {
                "integration-name": "Amazon Managed Workflows for Apache Airflow (MWAA)",
                "python-modules": ["mwaa_provider.hooks.mwaa", "mwaa_provider.hooks.s3"],
            }
        ],
    }
