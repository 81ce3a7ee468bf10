"""The environment variables that MWAA sets itself, and sets again when somebody else sets them.

https://docs.aws.amazon.com/mwaa/latest/userguide/using-startup-script.html#startup-script-env-vars
"""

from __future__ import annotations

#: By name. ``MWAA_AIRFLOW_COMPONENT`` is the name in all of AWS's scripts; its list writes it with two underscores more.
RESERVED_VARIABLES = frozenset(
    [
        "MWAA_AIRFLOW_COMPONENT",
        "MWAA__AIRFLOW__COMPONENT",
        "AIRFLOW__WEBSERVER__SECRET_KEY",
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW_HOME",
        "AIRFLOW__CELERY__BROKER_URL",
        "AIRFLOW__CELERY__RESULT_BACKEND",
        "AIRFLOW__CORE__EXECUTOR",
        "AIRFLOW__CORE__LOAD_EXAMPLES",
        "AIRFLOW__METRICS__METRICS_BLOCK_LIST",
        "SQL_ALCHEMY_CONN",
        "AIRFLOW__CORE__SQL_ALCHEMY_CONN",
        "AIRFLOW__CELERY__DEFAULT_QUEUE",
        "AIRFLOW__OPERATORS__DEFAULT_QUEUE",
        "AIRFLOW_VERSION",
        "AIRFLOW_CONN_AWS_DEFAULT",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "PYTHONUNBUFFERED",
        "AIRFLOW__METRICS__STATSD_ALLOW_LIST",
        "AIRFLOW__METRICS__STATSD_ON",
        "AIRFLOW__METRICS__STATSD_HOST",
        "AIRFLOW__METRICS__STATSD_PORT",
        "AIRFLOW__METRICS__STATSD_PREFIX",
        "AIRFLOW__CELERY__WORKER_AUTOSCALE",
        "AIRFLOW__CORE__DAG_CONCURRENCY",
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG",
        "AIRFLOW__CORE__PARALLELISM",
        "AIRFLOW__SCHEDULER__PARSING_PROCESSES",
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT",
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__REGION",
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__PREDEFINED_QUEUES",
        "AIRFLOW__SCHEDULER__ALLOWED_RUN_ID_PATTERN",
        "AIRFLOW__WEBSERVER__BASE_URL",
    ]
)

_PYTHONPATH_SINCE = (2, 9)


def is_reserved(name: str, airflow_version: str | None = None) -> bool:
    """Tell whether MWAA sets an environment variable itself.

    :param name: The variable.
    :param airflow_version: The environment's release: ``PYTHONPATH`` is reserved from 2.9 on. Default: a release of today.
    """
    if name == "PYTHONPATH":
        return airflow_version is None or tuple(map(int, airflow_version.split(".")[:2])) >= _PYTHONPATH_SINCE
    return name in RESERVED_VARIABLES


def what_to_do_instead(name: str) -> str:
    """Say how to reach what somebody wants who sets a reserved variable.

    :param name: The variable.
    """
    section, _, option = name.removeprefix("AIRFLOW__").partition("__")
    if name == "PYTHONPATH":
        return "Put modules into the DAG folder, plugins.zip or a package in requirements.txt."
    if name == "AIRFLOW_CONN_AWS_DEFAULT":
        return "MWAA uses aws_default for its own work; give your connection another name."
    if name.startswith("AIRFLOW__") and option:
        return f"Set {section.lower()}.{option.lower()} as a configuration option of the environment, as far as MWAA takes it."
    return "Give your variable a name of its own."
