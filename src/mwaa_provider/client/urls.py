"""The pages of another environment's user interface, for a person to open; whoever opens one must be logged in there."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from mwaa_provider.client.models import Environment


def dag_run_url(environment: Environment, dag_id: str, run_id: str) -> str:
    """Return the address of a run's page; an empty text if the web server's host is not known.

    :param environment: The environment.
    :param dag_id: The DAG's id.
    :param run_id: The run's id.
    """
    if not environment.web_server_host:
        return ""
    dag = f"https://{environment.web_server_host}/dags/{quote(dag_id, safe='')}"
    if environment.airflow_major >= 3:
        return f"{dag}/runs/{quote(run_id, safe='')}"
    return f"{dag}/grid?{urlencode({'dag_run_id': run_id})}"


def task_instance_url(environment: Environment, dag_id: str, run_id: str, task_id: str, *, map_index: int = -1) -> str:
    """Return the address of the page that shows a task instance and its log; an empty text if the web server's host is not known.

    :param environment: The environment.
    :param dag_id: The DAG's id.
    :param run_id: The run's id.
    :param task_id: The task's id.
    :param map_index: Its number among the mapped instances of the task (default -1: the task is not mapped).
    """
    of_run = dag_run_url(environment, dag_id, run_id)
    if not of_run:
        return ""
    if environment.airflow_major >= 3:
        mapped = f"/mapped/{map_index}" if map_index >= 0 else ""
        return f"{of_run}/tasks/{quote(task_id, safe='')}{mapped}"
    parameters = {"task_id": task_id, **({"map_index": map_index} if map_index >= 0 else {}), "tab": "logs"}
    return f"{of_run}&{urlencode(parameters)}"
