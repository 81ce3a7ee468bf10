"""The only file that knows Airflow 2 from 3."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

#: Whether this is Airflow 3: it brings the Task SDK, Airflow 2 does not.
AIRFLOW_3 = find_spec("airflow.sdk") is not None

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator as BaseOperator
    from airflow.sdk import BaseOperatorLink as BaseOperatorLink
    from airflow.sdk import BaseSensorOperator as BaseSensorOperator
    from airflow.sdk import Context as Context
    from airflow.sdk import PokeReturnValue as PokeReturnValue
    from airflow.triggers.base import BaseTrigger as BaseTrigger
    from airflow.triggers.base import TriggerEvent as TriggerEvent

__all__ = [
    "AIRFLOW_3",
    "BaseOperator",
    "BaseOperatorLink",
    "BaseSensorOperator",
    "BaseTrigger",
    "LocalTask",
    "PokeReturnValue",
    "RunningTask",
    "TaskNow",
    "TriggerEvent",
    "airflow_version",
    "are_all_admins",
    "configured",
    "connection",
    "has_on_kill",
    "has_triggerer",
    "is_deferrable_by_default",
    "is_metadata_api_cleanup_on",
    "is_metadata_api_on",
    "loaded_plugins",
    "mask_secret",
    "plugins_folder",
    "pulled_xcom",
    "sensor_timeout",
    "skip_exception",
    "task_timeout",
    "web_server_auth_manager",
    "without_retry",
]

# Each is imported when it is asked for: an operator has no use for the sensors' base class, and a DAG file pays for every import.
_HOME_OF = (
    {
        "BaseOperator": "airflow.sdk",
        "BaseOperatorLink": "airflow.sdk",
        "BaseSensorOperator": "airflow.sdk",
        "PokeReturnValue": "airflow.sdk",
        "BaseTrigger": "airflow.triggers.base",
        "TriggerEvent": "airflow.triggers.base",
    }
    if AIRFLOW_3
    else {
        "BaseOperator": "airflow.models.baseoperator",
        "BaseOperatorLink": (
            "airflow.models.baseoperatorlink"  # from 2.8 on
            if find_spec("airflow.models.baseoperatorlink")
            else "airflow.models.baseoperator"
        ),
        "BaseSensorOperator": "airflow.sensors.base",
        "PokeReturnValue": "airflow.sensors.base",
        "BaseTrigger": "airflow.triggers.base",
        "TriggerEvent": "airflow.triggers.base",
    }
)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def without_retry(error: Exception) -> Exception:
    """Return an error that fails the task at once, whatever its ``retries``: to try again by itself could do harm.

    :param error: What went wrong; raise the returned one from it.
    """
    failure: Exception = _airflow_exception("AirflowFailException", str(error))
    return failure


def skip_exception(reason: str) -> Exception:
    """Return what a task raises to be skipped.

    :param reason: Why.
    """
    skip: Exception = _airflow_exception("AirflowSkipException", reason)
    return skip


def sensor_timeout(message: str) -> Exception:
    """Return what ends a sensor whose ``timeout`` is over; Airflow does not try it again.

    :param message: What was waited for.
    """
    timeout: Exception = _airflow_exception("AirflowSensorTimeout", message)
    return timeout


def task_timeout(message: str) -> BaseException:
    """Return what ends a task whose ``execution_timeout`` is over.

    :param message: What was waited for.
    """
    timeout: BaseException = _airflow_exception("AirflowTaskTimeout", message)
    return timeout


def _airflow_exception(name: str, message: str) -> Any:
    home: Any = import_module("airflow.sdk.exceptions" if AIRFLOW_3 else "airflow.exceptions")
    if not hasattr(home, name):  # Airflow 3.0 has them at the old place still
        home = import_module("airflow.exceptions")
    return getattr(home, name)(message)


def is_deferrable_by_default() -> bool:
    """Tell whether ``[operators] default_deferrable`` says so."""
    return _configured("operators", "default_deferrable", default=False)


def has_triggerer() -> bool:
    """Tell whether MWAA's own option ``mwaa.triggerer_enabled`` leaves the environment its triggerer (default: it does).

    https://docs.aws.amazon.com/mwaa/latest/userguide/configuring-env-variables.html
    """
    return _configured("mwaa", "triggerer_enabled", default=True)


def is_metadata_api_on() -> bool:
    """Tell whether ``[mwaa_provider] metadata_api`` lets the web server answer questions about its database (default: it does not)."""
    return _configured("mwaa_provider", "metadata_api", default=False)


def is_metadata_api_cleanup_on() -> bool:
    """Tell whether ``[mwaa_provider] metadata_api_cleanup`` lets it remove old rows, too (default: it does not)."""
    return _configured("mwaa_provider", "metadata_api_cleanup", default=False)


def are_all_admins() -> bool:
    """Tell whether Airflow's simple auth manager takes everybody for an administrator, asking for no token."""
    return _configured("core", "simple_auth_manager_all_admins", default=False)


def web_server_auth_manager() -> Any:
    """Return the auth manager of this web server of Airflow 3."""
    # app.state is no way to it: that of a mounted application is its own.
    return import_module("airflow.api_fastapi.app").get_auth_manager()


def _configured(section: str, option: str, *, default: bool) -> bool:
    configuration: Any = import_module("airflow.configuration").conf
    value: bool = configuration.getboolean(section, option, fallback=default)
    return value


def airflow_version() -> str:
    """Return the release of the Airflow that is installed here, without loading it."""
    from importlib.metadata import version

    return version("apache-airflow")


def configured(section: str, option: str) -> str | None:
    """Return an option of Airflow's configuration, ``None`` if it is not set.

    :param section: The section.
    :param option: The option.
    """
    value: str | None = import_module("airflow.configuration").conf.get(section, option, fallback=None)
    return value


def connection(conn_id: str) -> Any:
    """Return an Airflow connection.

    :param conn_id: Its id.
    :raises Exception: Airflow's own, if there is none of that id.
    """
    home = "airflow.sdk.bases.hook" if AIRFLOW_3 and find_spec("airflow.sdk.bases.hook") else "airflow.hooks.base"
    return import_module(home).BaseHook.get_connection(conn_id)


def plugins_folder() -> Path:
    """Return the folder that Airflow loads plugins from, where MWAA unpacks ``plugins.zip``."""
    return Path(import_module("airflow.settings").PLUGINS_FOLDER or configured("core", "plugins_folder") or ".")


def loaded_plugins() -> tuple[dict[str, str], dict[str, str]]:
    """Load all plugins as Airflow does; return name to where each came from, and source to import error."""
    manager: Any = import_module("airflow.plugins_manager")
    manager.ensure_plugins_loaded()
    if hasattr(manager, "get_import_errors"):  # from 3.2 on
        plugins, errors = manager._get_plugins()[0], manager.get_import_errors()
    else:
        plugins, errors = manager.plugins, manager.import_errors
    return {str(plugin.name): str(plugin.source or "") for plugin in plugins or ()}, dict(errors)


def mask_secret(secret: str) -> None:
    """Have Airflow's logs show ``***`` in the place of a secret from now on, those of the task's supervisor too.

    :param secret: The secret.
    """
    if _masked_in_this_process(secret):
        return
    for module in ("airflow.sdk.log", "airflow.sdk.execution_time.secrets_masker", "airflow.utils.log.secrets_masker"):
        if AIRFLOW_3 or not module.startswith("airflow.sdk"):
            mask = getattr(
                import_module(module), "mask_secret", None
            )  # 3.0 names it in airflow.sdk.log, but has it not
            if mask is not None:
                mask(secret)
                return


def _masked_in_this_process(secret: str) -> bool:
    """Mask a secret where the supervisor is this very process; tell whether that was done.

    ``dag.test()`` of Airflow 3.0 prints what it tells such a supervisor, the secret among it.
    """
    runner = sys.modules.get("airflow.sdk.execution_time.task_runner")
    if type(getattr(runner, "SUPERVISOR_COMMS", None)).__name__ != "InProcessSupervisorComms":
        return False
    with suppress(ImportError, AttributeError):  # later releases have it elsewhere, and print nothing
        import_module("airflow.sdk.execution_time.secrets_masker")._secrets_masker().add_mask(secret, None)
        return True
    return False


def pulled_xcom(task_instance_key: Any, key: str) -> Any:
    """Return an XCom of a task instance, ``None`` if it has none.

    :param task_instance_key: What Airflow gives to ``get_link``: on Airflow 2 a key, on Airflow 3 the running task instance.
    :param key: The XCom's key.
    """
    if AIRFLOW_3:
        xcom: Any = import_module("airflow.sdk.execution_time.xcom").XCom
        return xcom.get_value(ti_key=task_instance_key, key=key)
    return import_module("airflow.models.xcom").XCom.get_value(ti_key=task_instance_key, key=key)


def has_on_kill() -> bool:
    """Tell whether the triggerer calls ``BaseTrigger.on_kill`` when a person takes the task away (3.3 does)."""
    return hasattr(import_module("airflow.triggers.base").BaseTrigger, "on_kill")


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
        # Up to Airflow 2.9 deferring takes the number of the try back, and a task that is cleared then has it once more.
        self.may_follow_another_try: bool = self.try_number > 1 or hasattr(task_instance, "_try_number")
        # A clear by a person sets max_tries to try_number + retries, an automatic retry leaves it; so the difference tells
        # the first try of each life. (RuntimeTaskInstance of Airflow 3 has max_tries too.)
        self.max_tries: int = task_instance.max_tries
        self.was_cleared: bool = self.max_tries > context["task"].retries
        self.is_first_try_since_clear: bool = self.try_number <= self.max_tries - context["task"].retries + 1

    @property
    def key(self) -> LocalTask:
        """What tells it from all others."""
        return LocalTask(self.dag_id, self.run_id, self.task_id, self.map_index)


#: No try is under way or will come by itself. A cleared task has no state for a moment, one that was deleted none for ever.
_ENDED = (None, "success", "failed", "skipped", "upstream_failed", "removed")


@dataclass(frozen=True)
class TaskNow:
    """How a task instance of this environment stands at this moment.

    :param state: Its state; ``None`` also if there is no such task instance any more.
    :param is_out_of_time: Whether it was taken from its trigger because its time was up.
    :param running_seconds: For how long its current try has been running; ``None`` if it does not run, or Airflow does not tell.
    """

    state: str | None
    is_out_of_time: bool = False
    running_seconds: float | None = None

    @property
    def was_killed(self) -> bool:
        """Whether somebody ended it, or wants it to begin anew, while it ran: then what it waits for is to end too.

        Still ``running``, its worker is being shut down, or its own time is up; ``up_for_retry`` and what follows, it is going to try again
        by itself, and will take up what it waited for.
        """
        return self.state in _ENDED or self.state == "restarting"

    def was_taken_from_its_trigger(self, held_back_seconds: float) -> bool:
        """Tell whether somebody ended it, or wants it to begin anew, while it was deferred.

        Still ``deferred``, the triggerer is being shut down or hands over; ``running``, a newer try has begun already and takes up what it
        finds.

        :param held_back_seconds: For how many of its first seconds a newer try certainly takes nothing up.
        """
        if self.state == "running":
            return self.running_seconds is not None and self.running_seconds < held_back_seconds
        return self.state in _ENDED or (self.state in ("scheduled", "queued") and not self.is_out_of_time)


@dataclass(frozen=True)
class LocalTask:
    """A task instance of this environment.

    :param dag_id: Its DAG's id.
    :param run_id: Its run's id.
    :param task_id: Its id.
    :param map_index: Its number among the mapped ones; -1 for one that is not mapped.
    """

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1

    @classmethod
    def of_trigger(cls, trigger: Any) -> LocalTask | None:
        """Return the task instance that a trigger in the triggerer works for, or ``None`` if it is not told.

        :param trigger: The trigger.
        """
        task_instance = getattr(trigger, "task_instance", None)
        if task_instance is None:
            return None
        with suppress(AttributeError):
            index = task_instance.map_index
            return cls(
                task_instance.dag_id, task_instance.run_id, task_instance.task_id, -1 if index is None else index
            )
        return None

    def now(self) -> TaskNow:
        """Ask Airflow how it stands: on Airflow 2 its database, on Airflow 3 the API for tasks. It blocks.

        :raises Exception: what Airflow raises if it cannot tell.
        """
        return self._asked_of_the_task_api() if AIRFLOW_3 else self._read_from_the_database()

    def _asked_of_the_task_api(self) -> TaskNow:
        runtime: Any = import_module("airflow.sdk.execution_time.task_runner").RuntimeTaskInstance
        states = runtime.get_task_states(
            dag_id=self.dag_id, task_ids=[self.task_id], run_ids=[self.run_id], map_index=self.map_index
        )
        name = self.task_id if self.map_index < 0 else f"{self.task_id}_{self.map_index}"
        return TaskNow(states.get(self.run_id, {}).get(name))

    def _read_from_the_database(self) -> TaskNow:
        task_instances: Any = import_module("airflow.models.taskinstance").TaskInstance
        create_session: Any = import_module("airflow.utils.session").create_session
        with create_session() as session:
            row = (
                session.query(task_instances.state, task_instances.next_method, task_instances.start_date)
                .filter_by(dag_id=self.dag_id, run_id=self.run_id, task_id=self.task_id, map_index=self.map_index)
                .one_or_none()
            )
        if row is None:
            return TaskNow(None)
        now = datetime.now(timezone.utc)
        running = None if row.state != "running" or row.start_date is None else (now - row.start_date).total_seconds()
        # The scheduler sends a deferred task whose time is up back to a worker, to fail there.
        return TaskNow(row.state, is_out_of_time=row.next_method == "__fail__", running_seconds=running)
