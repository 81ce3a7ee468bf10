"""Who started a run over there: derived from the calling task instance, the same for every try of it."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass

from mwaa_provider.airflow_compat import RunningTask

_PREFIX = "mwaa__"
_HASH_LENGTH = 32


@dataclass(frozen=True)
class RunIdentity:
    """The identity of a run that a task instance starts.

    :param run_id: ASCII, 38 characters, the same for every try of the task instance.
    :param note: The task instance in full, for people who look at the run.
    """

    run_id: str
    note: str

    @classmethod
    def of(cls, task: RunningTask) -> RunIdentity:
        """Derive the identity from the running task instance and the environment it runs in.

        :param task: The running task instance.
        """
        # set in every MWAA container, see aws/amazon-mwaa-docker-images
        environment_name = os.environ.get("AIRFLOW_ENV_NAME", "")
        source = [environment_name, task.dag_id, task.run_id, task.task_id, task.map_index]
        digest = hashlib.sha256(json.dumps(source).encode()).hexdigest()
        mapped = f" [{task.map_index}]" if task.map_index >= 0 else ""
        return cls(
            run_id=_PREFIX + digest[:_HASH_LENGTH],
            note=f"Started by task {task.task_id}{mapped} of DAG {task.dag_id}, run {task.run_id}"
            + (f", in environment {environment_name}" if environment_name else ""),
        )
