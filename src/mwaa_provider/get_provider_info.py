"""What Airflow reads to learn what this provider brings."""

from __future__ import annotations

from typing import Any

from mwaa_provider import __version__


def _option(
    description: str, example: str | None, *, kind: str = "string", default: str | None = None
) -> dict[str, Any]:
    return {"description": description, "version_added": "0.1.0", "type": kind, "example": example, "default": default}


#: Of the plugins that repair; docs/plugins.md has the same table.
PLUGIN_OPTIONS = {
    "virtualenv": _option(
        "Whether to repair PythonVirtualenvOperator and @task.virtualenv.", "True", kind="boolean", default="False"
    ),
    "virtualenv_find_links": _option(
        "A folder or page with wheels for virtual environments; {plugins} stands for the plugins folder.",
        "{plugins}/wheels",
    ),
    "virtualenv_no_index": _option(
        "Whether virtual environments take packages from virtualenv_find_links alone.",
        "True",
        kind="boolean",
        default="False",
    ),
    "virtualenv_constraint": _option(
        "A constraint file or its address, for virtual environments; 'airflow' for the one of this Airflow release.",
        "airflow",
    ),
    "virtualenv_cache_folder": _option(
        "Where to keep virtual environments, on Airflow 2.7, whose operator has no venv_cache_path.",
        "/usr/local/airflow/virtualenvs",
    ),
    "log_time_zone": _option("The time zone that logs are stamped in.", "Europe/Berlin"),
    "environment_variables_file": _option(
        "A TOML or JSON file of environment variables to set or extend, relative to the plugins folder. "
        "If not given, environment_variables.toml or environment_variables.json there is taken, if it exists.",
        "hive/environment.toml",
    ),
}


#: Of figures of hosts and tasks; docs/metrics.md has the same table. The defaults are once more where they are used: Airflow reads these
#: only where the provider is installed, not out of plugins.zip.
METRICS_OPTIONS = {
    "host_metrics": _option(
        "Publish figures of every worker that runs tasks to CloudWatch.", None, kind="boolean", default="False"
    ),
    "task_metrics": _option(
        "Publish duration, peak of memory and processor time of every finished task.",
        None,
        kind="boolean",
        default="False",
    ),
    "metrics_interval": _option("Seconds between two publications of a host.", None, kind="float", default="60"),
    "metrics_timeout": _option(
        "Seconds that a task's end may wait for a publication that is under way.", None, kind="float", default="5"
    ),
    "task_metrics_series": _option(
        "How many pairs of DAG and task of a host have series of their own.", None, kind="integer", default="100"
    ),
    "host_metrics_categories": _option(
        "Only these categories of host figures, with commas between them.", None, default=""
    ),
    "metrics_namespace": _option("The metrics' namespace in CloudWatch.", None, default="MWAACustom"),
    "metrics_storage_resolution": _option(
        "60, or 1 for values that CloudWatch keeps by the second.", None, kind="integer", default="60"
    ),
    "metrics_environment_name": _option(
        "The environment's name; empty for AIRFLOW_ENV_NAME and then MWAA_ENV_NAME of the process.", None, default=""
    ),
    "metrics_region": _option("The AWS region of the metrics; empty for the environment's own.", None, default=""),
}

METADATA_API_OPTIONS = {
    "metadata_api": _option(
        "Whether the web server serves the metadata to administrators under /mwaa_provider (Airflow 3; docs/metadata-api.md).",
        "True",
        kind="boolean",
        default="False",
    ),
    "metadata_api_cleanup": _option(
        "Whether administrators may also have old rows removed there; only with metadata_api (docs/clean-up.md).",
        "True",
        kind="boolean",
        default="False",
    ),
}


def get_provider_info() -> dict[str, Any]:
    """Describe the provider in the form of Airflow's ``provider_info.schema.json``.

    No ``connection-types`` are listed: ``MwaaHook`` uses the connection type ``aws``, which belongs to the amazon provider, and naming
    it here would replace that provider's connection form.
    """
    return {
        "package-name": "airflow-provider-mwaa",
        "name": "Amazon MWAA",
        "description": "DAG runs in other Amazon MWAA environments, metadata to S3, CloudWatch metrics, plugins that repair.",
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
                    "mwaa_provider.operators.asset_event",
                    "mwaa_provider.operators.cli",
                    "mwaa_provider.operators.cloudwatch_metrics",
                    "mwaa_provider.operators.dag_run",
                    "mwaa_provider.operators.metadata_cleanup",
                    "mwaa_provider.operators.rest_api",
                    "mwaa_provider.operators.variables",
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
        "config": {
            "mwaa_provider": {
                "description": "Options of airflow-provider-mwaa; all of it is off by default. On MWAA: configuration options such as "
                "mwaa_provider.log_time_zone.",
                "options": {**PLUGIN_OPTIONS, **METRICS_OPTIONS, **METADATA_API_OPTIONS},
            }
        },
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
