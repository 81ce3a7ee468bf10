"""The only file that knows Airflow 2 from 3."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

#: Whether this is Airflow 3: it brings the Task SDK, Airflow 2 does not.
AIRFLOW_3 = find_spec("airflow.sdk") is not None

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator as BaseOperator
    from airflow.sdk import Context as Context
elif AIRFLOW_3:
    from airflow.sdk import BaseOperator
else:
    from airflow.models.baseoperator import BaseOperator

__all__ = ["AIRFLOW_3", "BaseOperator", "RunningTask", "without_retry"]


def without_retry(error: Exception) -> Exception:
    """Return an error that fails the task at once, whatever its ``retries``: to try again by itself could do harm.

    :param error: What went wrong; raise the returned one from it.
    """
    home: Any = import_module("airflow.sdk.exceptions" if AIRFLOW_3 else "airflow.exceptions")
    if not hasattr(home, "AirflowFailException"):  # Airflow 3.0 has it at the old place still
        home = import_module("airflow.exceptions")
    failure: Exception = home.AirflowFailException(str(error))
    return failure


class RunningTask:
    """What the running task instance tells of itself.

    :param context: The context that Airflow gives to ``execute``.
    """

    def __init__(self, context: Any) -> None:
        task_instance = context["ti"]
        self.dag_id: str = task_instance.dag_id
        self.task_id: str = task_instance.task_id
        self.run_id: str = task_instance.run_id
        self.map_index: int = -1 if task_instance.map_index is None else task_instance.map_index
        self.try_number: int = task_instance.try_number
        # A clear by a person sets max_tries to try_number + retries, an automatic retry leaves it; so the difference tells
        # the first try of each life. (RuntimeTaskInstance of Airflow 3 has max_tries too.)
        self.is_first_try_since_clear: bool = self.try_number <= task_instance.max_tries - context["task"].retries + 1
