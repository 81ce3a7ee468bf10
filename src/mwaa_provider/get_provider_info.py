"""What Airflow reads to learn what this provider brings."""

from __future__ import annotations

from typing import Any, NamedTuple

from mwaa_provider import __version__


class _Option(NamedTuple):
    """An option of the section ``[mwaa_provider]``."""

    name: str
    type: str
    default: str
    about: str

    def described(self) -> dict[str, Any]:
        """Return it in the form of Airflow's schema."""
        return {
            "description": self.about,
            "version_added": "0.1.0",
            "type": self.type,
            "example": None,
            "default": self.default,
        }


# The defaults are once more where they are used: Airflow reads these only where the provider is installed, not out of plugins.zip.
_OPTIONS = (
    _Option("host_metrics", "boolean", "False", "Publish figures of every worker that runs tasks to CloudWatch."),
    _Option(
        "task_metrics",
        "boolean",
        "False",
        "Publish duration, peak of memory and processor time of every finished task.",
    ),
    _Option("metrics_interval", "float", "60", "Seconds between two publications of a host."),
    _Option("metrics_timeout", "float", "5", "Seconds that a task's end may wait for a publication that is under way."),
    _Option(
        "task_metrics_series", "integer", "100", "How many pairs of DAG and task of a host have series of their own."
    ),
    _Option(
        "host_metrics_categories", "string", "", "Only these categories of host figures, with commas between them."
    ),
    _Option("metrics_namespace", "string", "MWAACustom", "The metrics' namespace in CloudWatch."),
    _Option("metrics_storage_resolution", "integer", "60", "60, or 1 for values that CloudWatch keeps by the second."),
    _Option(
        "metrics_environment_name",
        "string",
        "",
        "The environment's name; empty for AIRFLOW_ENV_NAME and then MWAA_ENV_NAME of the process.",
    ),
    _Option("metrics_region", "string", "", "The AWS region of the metrics; empty for the environment's own."),
)


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
                    "mwaa_provider.operators.cloudwatch_metrics",
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
        "extra-links": ["mwaa_provider.links.MwaaDagRunLink"],
        "hooks": [
            {
                "integration-name": "Amazon Managed Workflows for Apache Airflow (MWAA)",
                "python-modules": ["mwaa_provider.hooks.mwaa"],
            }
        ],
        "config": {
            "mwaa_provider": {
                "description": "What airflow-provider-mwaa does beside the DAGs' own tasks; all of it is off by default.",
                "options": {option.name: option.described() for option in _OPTIONS},
            }
        },
    }
