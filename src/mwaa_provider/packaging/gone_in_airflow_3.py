"""What plugins used to import and Airflow 3 no longer has: each was tried on 2.7.2, 2.11.2, 3.0.6, 3.2.1 and 3.3.1."""

from __future__ import annotations

_STANDARD = "airflow.providers.standard"

#: A module, or ``module:name``, to what to import instead (empty: nothing takes its place).
GONE = {
    "airflow.api.auth": "",
    "airflow.auth": "",
    "airflow.contrib": "the provider packages",
    "airflow.executors.celery_executor": "airflow.providers.celery.executors.celery_executor",
    "airflow.executors.kubernetes_executor": "airflow.providers.cncf.kubernetes.executors.kubernetes_executor",
    "airflow.hooks.S3_hook": "airflow.providers.amazon.aws.hooks.s3",
    "airflow.hooks.base_hook": "airflow.hooks.base",
    "airflow.hooks.dbapi": "airflow.providers.common.sql.hooks.sql",
    "airflow.hooks.dbapi_hook": "airflow.providers.common.sql.hooks.sql",
    "airflow.kubernetes": "airflow.providers.cncf.kubernetes",
    "airflow.models.taskfail": "",
    "airflow.models:SlaMiss": "",
    "airflow.models:TaskFail": "",
    "airflow.operators.bash_operator": f"{_STANDARD}.operators.bash (airflow.operators.bash on Airflow 2)",
    "airflow.operators.dummy": f"{_STANDARD}.operators.empty (airflow.operators.empty on Airflow 2)",
    "airflow.operators.dummy_operator": f"{_STANDARD}.operators.empty (airflow.operators.empty on Airflow 2)",
    "airflow.operators.python_operator": f"{_STANDARD}.operators.python (airflow.operators.python on Airflow 2)",
    "airflow.operators.subdag": "",
    "airflow.sensors.base_sensor_operator": "airflow.sensors.base",
    "airflow.task.task_runner": "",
    "airflow.utils.dates:days_ago": "",
    "airflow.utils.decorators:apply_defaults": "",
    "airflow.utils.file:TemporaryDirectory": "tempfile.TemporaryDirectory",
    "airflow.utils.helpers:chain": "airflow.sdk.chain (airflow.models.baseoperator.chain on Airflow 2)",
    "airflow.utils.python_virtualenv": f"{_STANDARD}.utils.python_virtualenv; our plugin `virtualenv` does this on every release",
    "airflow.utils.weekday": f"{_STANDARD}.utils.weekday",
    "airflow.www": "a FastAPI application (AirflowPlugin.fastapi_apps)",
}


def instead_of(module: str, name: str | None = None) -> str | None:
    """Return what to import instead of something that Airflow 3 does not have; ``None`` if it may well be there.

    :param module: The module that is imported.
    :param name: What is imported from it, if anything.
    """
    steps = module.split(".")
    candidates = [".".join(steps[:length]) for length in range(1, len(steps) + 1)]
    if name is not None:
        candidates += [f"{module}:{name}", f"{module}.{name}"]
    return next((GONE[one] for one in candidates if one in GONE), None)
