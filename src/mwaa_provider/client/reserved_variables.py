"""Environment variables that belong to MWAA: it sets them itself, whatever a startup script or a plugin says.

https://docs.aws.amazon.com/mwaa/latest/userguide/using-startup-script.html
"""

from __future__ import annotations

import re

#: The service resets them when a startup script sets them, and works with what it knows if a plugin does.
_RESERVED = frozenset(
    {
        "AIRFLOW_CONN_AWS_DEFAULT",
        "AIRFLOW_HOME",
        "AIRFLOW_VERSION",
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__PREDEFINED_QUEUES",
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__REGION",
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT",
        "AIRFLOW__CELERY__BROKER_URL",
        "AIRFLOW__CELERY__DEFAULT_QUEUE",
        "AIRFLOW__CELERY__RESULT_BACKEND",
        "AIRFLOW__CELERY__WORKER_AUTOSCALE",
        "AIRFLOW__CORE__DAG_CONCURRENCY",
        "AIRFLOW__CORE__EXECUTOR",
        "AIRFLOW__CORE__FERNET_KEY",
        "AIRFLOW__CORE__LOAD_EXAMPLES",
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG",
        "AIRFLOW__CORE__PARALLELISM",
        "AIRFLOW__CORE__SQL_ALCHEMY_CONN",
        "AIRFLOW__METRICS__METRICS_BLOCK_LIST",
        "AIRFLOW__METRICS__STATSD_ALLOW_LIST",
        "AIRFLOW__METRICS__STATSD_HOST",
        "AIRFLOW__METRICS__STATSD_ON",
        "AIRFLOW__METRICS__STATSD_PORT",
        "AIRFLOW__METRICS__STATSD_PREFIX",
        "AIRFLOW__OPERATORS__DEFAULT_QUEUE",
        "AIRFLOW__SCHEDULER__ALLOWED_RUN_ID_PATTERN",
        "AIRFLOW__SCHEDULER__PARSING_PROCESSES",
        "AIRFLOW__WEBSERVER__BASE_URL",
        "AIRFLOW__WEBSERVER__SECRET_KEY",
        "AWS_DEFAULT_REGION",
        "AWS_REGION",
        "MWAA_AIRFLOW_COMPONENT",
        "PYTHONUNBUFFERED",
        "SQL_ALCHEMY_CONN",
    }
)


def is_reserved(name: str, airflow_version: str) -> bool:
    """Tell whether MWAA keeps an environment variable for itself.

    :param name: The variable.
    :param airflow_version: The environment's Airflow, such as ``2.8.1``: ``PYTHONPATH`` is reserved from 2.9 on.
    """
    if name == "PYTHONPATH":
        return tuple(int(number) for number in re.findall(r"\d+", airflow_version)[:2]) >= (2, 9)
    return name in _RESERVED
