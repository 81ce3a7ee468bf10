"""XComs of a run over there, brought home."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient


def bring_home(
    client: MwaaClient,
    environment_name: str,
    dag_id: str,
    run_id: str,
    wanted: Mapping[str, Sequence[str]],
    log: Any,
) -> dict[str, dict[str, Any]]:
    """Return XComs of a run: task id to key to ``{"value": ..., "is_text": ...}``, of a mapped task a list of them, by map index.

    ``is_text``: Airflow before 2.10 tells a value only as Python's text of it. It is never evaluated.

    :param client: The client.
    :param environment_name: The environment's name.
    :param dag_id: The DAG's id.
    :param run_id: The run's id.
    :param wanted: Task id to keys.
    :param log: The operator's logger, of logging or of structlog.
    """
    home: dict[str, dict[str, Any]] = {}
    for task_id, keys in wanted.items():
        entries = list(client.list_xcoms(environment_name, dag_id, run_id, task_id=task_id))
        home[task_id] = {}
        for key in keys:
            indexes = sorted(entry.map_index for entry in entries if entry.key == key and entry.task_id == task_id)
            if not indexes:
                log.warning("Task %s of run %s of DAG %s has pushed no XCom %s", task_id, run_id, dag_id, key)
                continue
            values = []
            for index in indexes:
                xcom = client.get_xcom(environment_name, dag_id, run_id, task_id, key, map_index=index)
                values.append({"value": xcom.value, "is_text": xcom.is_text})
            home[task_id][key] = values[0] if indexes == [-1] else values
    return home
