"""An Airflow played in memory, for fast tests."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local.backend import BackendAnswer, BackendRequest, CliAnswer
from mwaa_provider.local.scripted.cli import ScriptedCli
from mwaa_provider.local.scripted.records import (
    ScriptedAsset,
    ScriptedDag,
    ScriptedImportError,
    ScriptedRun,
    groups_of,
)
from mwaa_provider.local.scripted.rest_v1 import RestV1
from mwaa_provider.local.scripted.rest_v2 import RestV2
from mwaa_provider.local.scripted.store import TASK_STATES, WAITING_TASK_STATES, Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mwaa_provider.local.clock import Clock


class ScriptedAirflow:
    """The back end of an environment without any Airflow: REST v1 or v2 and the most used CLI commands, in memory.

    What it does not know it says (HTTP 501, or a failing command), never a wrong success. Its shapes and errors are
    those of Airflow; the project's contract tests run against it and against real ones.

    :param airflow_version: The release to play, such as ``2.10.3`` or ``3.3.1``.
    :param clock: The clock its runs live by; by default that of the local MWAA it is put into, and the machine's
        before that.
    """

    def __init__(self, airflow_version: str, *, clock: Clock | None = None) -> None:
        self.airflow_version = airflow_version
        self._has_own_clock = clock is not None
        self._store = Store(clock, tuple(int(part) for part in airflow_version.split(".")[:3]))
        self._rest = (RestV1 if airflow_version.startswith("2.") else RestV2)(self._store, airflow_version)
        self._cli = ScriptedCli(self._store, airflow_version)

    # The seam to the local MWAA

    def use_clock(self, clock: Clock) -> None:
        """Live by this clock, unless one was given at construction.

        :param clock: The clock of the local MWAA.
        """
        if not self._has_own_clock:
            self._store.move_to(clock)

    def start(self, environment_name: str, base_url: str) -> None:
        """Do nothing: it is ready.

        :param environment_name: The environment's name.
        :param base_url: Where users see the web server.
        """

    def stop(self) -> None:
        """Do nothing: it holds nothing but memory."""

    def rest(self, request: BackendRequest) -> BackendAnswer:
        """Answer one call of the REST API.

        :param request: The call; its path is below ``/api/vN``.
        """
        return self._rest(request)

    def page(self, request: BackendRequest) -> BackendAnswer:
        """Answer what a browser asks: the health, and otherwise that there is no UI.

        :param request: The request.
        """
        if request.path == "/health" and self.airflow_version.startswith("2."):
            return self._rest(BackendRequest("GET", "/health", airflow_role="Public"))
        page = b"<html><body>The scripted back end has no UI; a real Airflow has.</body></html>"
        return BackendAnswer(501, page, "text/html; charset=utf-8")

    def plugin(self, request: BackendRequest) -> BackendAnswer:
        """Answer as an Airflow without plugins does.

        :param request: The request.
        """
        return BackendAnswer(404, b'{"error": "Not found"}')

    def cli(self, arguments: list[str]) -> CliAnswer:
        """Run one command.

        :param arguments: Its arguments, without the leading ``airflow``.
        """
        return self._cli(arguments)

    # What a test scripts

    def add_dag(
        self,
        dag_id: str,
        *,
        paused: bool = False,
        tasks: Sequence[str] = ("work",),
        run_takes: float | None = None,
        run_ends_in: str = "success",
        queued_for: float = 0.0,
        has_import_errors: bool = False,
        task_returns: Mapping[str, Any] | None = None,
        task_pushes: Mapping[str, Mapping[str, Any]] | None = None,
        mapped: Mapping[str, int] | None = None,
        tags: Sequence[str] = (),
        partitioned: bool = False,
        task_groups: Mapping[str, Sequence[str]] | None = None,
        operators: Mapping[str, str] | None = None,
        retries: int = 0,
    ) -> None:
        """Add a DAG and say how its runs live: queued, then running, then ended.

        :param dag_id: Its id.
        :param paused: Whether it is paused; runs of a paused DAG stay queued.
        :param tasks: Its tasks.
        :param run_takes: How long a run is running, in seconds; None until :meth:`set_run_state`.
        :param run_ends_in: ``success`` or ``failed`` (its last task failed).
        :param queued_for: How long a run is queued, in seconds. With 0 it runs when it is next looked at.
        :param has_import_errors: Whether its file no longer parses.
        :param task_returns: What tasks return when a run ends by itself (their XCom ``return_value``), by task id; of a
            mapped task a list, with a value for each of its instances.
        :param task_pushes: What else tasks push then: values by key, by task id.
        :param mapped: How many instances mapped tasks have, by task id.
        :param tags: Its tags.
        :param task_groups: The ids of the tasks of groups that do not begin their tasks' ids with their own, by group id. A task
            ``outer.inner.work`` is in the groups ``outer`` and ``outer.inner`` without being told.
        :param operators: The operator classes of tasks, by task id; the others are an ``EmptyOperator``.
        :param retries: How often each of its tasks may be tried again.
        :param partitioned: Whether its runs are for partitions: from 3.3 on, only then may they have a partition key.
        """
        with self._store.settled():
            now = self._store.clock.now()
            self._store.dags[dag_id] = ScriptedDag(
                dag_id,
                paused,
                tuple(tasks),
                run_takes,
                run_ends_in,
                queued_for,
                now,
                has_import_errors=has_import_errors,
                task_returns=dict(task_returns or {}),
                task_pushes={task_id: dict(pushed) for task_id, pushed in (task_pushes or {}).items()},
                mapped=dict(mapped or {}),
                tags=tuple(tags),
                is_partitioned=partitioned,
                groups=groups_of(tasks, task_groups or {}),
                operators=dict(operators or {}),
                retries=retries,
            )

    def add_run(
        self,
        dag_id: str,
        run_id: str | None = None,
        *,
        logical_date: datetime | None = None,
        conf: Mapping[str, Any] | None = None,
        run_type: str = "manual",
        state: str = "queued",
        run_after: datetime | None = None,
        note: str | None = None,
    ) -> str:
        """Add a run, as the scheduler or a person over there would.

        :param dag_id: Its DAG.
        :param run_id: Its run id; made up by default.
        :param logical_date: Its logical date, aware. By default the present on Airflow 2 and none on Airflow 3.
        :param conf: Its configuration.
        :param run_type: ``manual`` or ``scheduled``.
        :param state: Its state now.
        :param run_after: When it may begin at the earliest, aware; now by default.
        :param note: A note on it.
        :return: Its run id.
        :raises InvalidInputError: When there is no such DAG, or there is such a run.
        """
        with self._store.settled():
            dag = self._dag(dag_id)
            now = self._store.moment()
            if logical_date is None and self.airflow_version.startswith("2."):
                logical_date = now
            run_id = run_id or f"{run_type}__{(logical_date or now).isoformat()}"
            if (dag_id, run_id) in self._store.runs:
                raise InvalidInputError([f"run '{run_id}' of DAG '{dag_id}' exists already"])
            run = self._store.add_run(
                dag,
                run_id,
                logical_date=logical_date,
                run_after=run_after or now,
                data_interval=(logical_date, logical_date) if logical_date else None,
                conf=dict(conf or {}),
                note=note,
                run_type=run_type,
                triggered_by="timetable" if run_type == "scheduled" else "ui",
            )
            if state != "queued":
                self._store.end_run(run, state)
            return run_id

    def runs(self, dag_id: str) -> tuple[ScriptedRun, ...]:
        """Return copies of a DAG's runs as they are now, oldest first.

        :param dag_id: The DAG.
        """
        with self._store.settled():
            return tuple(copy.deepcopy(run) for run in self._store.runs.values() if run.dag_id == dag_id)

    def is_paused(self, dag_id: str) -> bool:
        """Tell whether a DAG is paused.

        :param dag_id: The DAG.
        """
        with self._store.settled():
            return self._dag(dag_id).is_paused

    def set_run_state(self, dag_id: str, run_id: str, state: str) -> None:
        """Set a run's state, with what Airflow then does to its tasks.

        :param dag_id: The DAG.
        :param run_id: The run.
        :param state: ``queued``, ``running``, ``success`` or ``failed``.
        """
        with self._store.settled():
            self._store.end_run(self._run(dag_id, run_id), state)

    def set_task_state(self, dag_id: str, run_id: str, task_id: str, state: str | None, *, map_index: int = -1) -> None:
        """Set a task instance's state; a map index that is not there yet is added.

        :param dag_id: The DAG.
        :param run_id: The run.
        :param task_id: The task.
        :param state: Any state of Airflow, such as ``running`` (another try begins), ``up_for_retry``, ``upstream_failed``, ``skipped`` or
            ``removed``; None for no status (it is cleared).
        :param map_index: The map index; -1 for a task that is not mapped.
        :raises InvalidInputError: When Airflow has no such state.
        """
        states = TASK_STATES if self._store.release >= (3, 3) else TASK_STATES[:-1]
        if state is not None and state not in states:
            raise InvalidInputError([f"state: {state!r} is none of this Airflow's; give one of {', '.join(states)}"])
        with self._store.settled():
            run = self._run(dag_id, run_id)
            known = [task for task in run.task_instances if task.task_id == task_id]
            task = next((one for one in known if one.map_index == map_index), None)
            if task is None:
                # A task is mapped or it is not: its unmapped instance gives way, as when Airflow expands it.
                run.task_instances = [one for one in run.task_instances if one not in known or one.map_index != -1]
                task = self._dag(dag_id).task_instance(run_id, task_id, map_index)
                run.task_instances.append(task)
            now = self._store.clock.now()
            if state == "running":
                task.begin(now)
            elif state is None:
                task.clear()
            elif state in WAITING_TASK_STATES:
                task.state = state
            else:
                task.end(state, now)

    def set_task_log(
        self, dag_id: str, run_id: str, task_id: str, text: str, *, try_number: int | None = None, map_index: int = -1
    ) -> None:
        """Say what a task said in one try, in place of a line or two that are made up.

        :param dag_id: The DAG.
        :param run_id: The run.
        :param task_id: The task.
        :param text: What it said.
        :param try_number: The try; its last by default.
        :param map_index: The map index; -1 for a task that is not mapped.
        """
        with self._store.settled():
            for task in self._run(dag_id, run_id).task_instances:
                if (task.task_id, task.map_index) == (task_id, map_index):
                    task.logs[task.try_number if try_number is None else try_number] = text
                    return
        raise InvalidInputError([f"task '{task_id}' with map index {map_index} is not in run '{run_id}'"])

    def set_xcom(self, dag_id: str, run_id: str, task_id: str, key: str, value: Any, *, map_index: int = -1) -> None:
        """Set an XCom.

        :param dag_id: The DAG.
        :param run_id: The run.
        :param task_id: The task.
        :param key: Its key, such as ``return_value``.
        :param value: Its value; anything JSON can hold.
        :param map_index: The map index; -1 for a task that is not mapped.
        """
        with self._store.settled():
            self._run(dag_id, run_id).set_xcom(key, value, task_id, map_index, self._store.clock.now())

    def set_variable(self, key: str, value: str, description: str | None = None) -> None:
        """Set a variable.

        :param key: Its key.
        :param value: Its value.
        :param description: Its description.
        """
        with self._store.settled():
            self._store.set_variable(key, value, description)

    def variables(self) -> dict[str, str]:
        """Return all variables."""
        with self._store.settled():
            return {key: variable.value for key, variable in self._store.variables.items()}

    def set_pool(
        self,
        name: str,
        slots: int,
        description: str | None = None,
        *,
        running: int = 0,
        queued: int = 0,
        scheduled: int = 0,
    ) -> None:
        """Set a pool, and how full it is: what the scripted tasks do does not change that.

        :param name: Its name.
        :param slots: Its slots.
        :param description: Its description.
        :param running: How many of them running tasks hold.
        :param queued: How many of them queued tasks hold.
        :param scheduled: How many tasks wait for one.
        """
        with self._store.settled():
            pool = self._store.set_pool(name, slots, description)
            pool.running, pool.queued, pool.scheduled = running, queued, scheduled

    def pools(self) -> dict[str, int]:
        """Return the slots of all pools."""
        with self._store.settled():
            return {name: pool.slots for name, pool in self._store.pools.items()}

    def set_connection(self, connection_id: str, conn_type: str = "generic", **fields: Any) -> None:
        """Set a connection.

        :param connection_id: Its id.
        :param conn_type: Its type.
        :param fields: ``description``, ``host``, ``login``, ``schema``, ``port``, ``password`` and ``extra``, the text of a JSON object.
        """
        with self._store.settled():
            self._store.set_connection(connection_id, conn_type, fields)

    def connections(self) -> dict[str, dict[str, Any]]:
        """Return all that is known of each connection, by id, its password too."""
        with self._store.settled():
            return {
                connection_id: {"conn_type": one.conn_type, **one.fields}
                for connection_id, one in self._store.connections.items()
            }

    def add_asset(self, uri: str, *, name: str | None = None, dag_ids: Sequence[str] = ()) -> None:
        """Add an asset; on Airflow 2, a dataset.

        :param uri: Its URI.
        :param name: Its name, on Airflow 3 (default: the URI).
        :param dag_ids: The DAGs that are scheduled by it alone.
        """
        for dag_id in dag_ids:
            self._dag(dag_id)
        with self._store.settled():
            asset = ScriptedAsset(self._store.number(), uri, name or uri, self._store.clock.now(), tuple(dag_ids))
            self._store.assets.append(asset)

    def asset_events(self, uri: str) -> list[dict[str, Any]]:
        """Return what went with the events of an asset, the first one first.

        :param uri: Its URI.
        """
        with self._store.settled():
            return [dict(event.extra) for asset in self._store.assets if asset.uri == uri for event in asset.events]

    def add_import_error(self, filename: str, stack_trace: str) -> None:
        """Add an import error.

        :param filename: The file that does not parse.
        :param stack_trace: Why.
        """
        with self._store.settled():
            number = self._store.number()
            self._store.import_errors.append(
                ScriptedImportError(number, self._store.clock.now(), filename, stack_trace)
            )

    def script_cli(self, words: Sequence[str], answer: CliAnswer) -> None:
        """Give a command an answer, in place of the built-in one if there is one.

        :param words: What the command begins with, such as ``["db", "clean"]``; of several, the longest counts.
        :param answer: Its answer.
        """
        self._cli.script(tuple(words), answer)

    def _dag(self, dag_id: str) -> ScriptedDag:
        if dag_id not in self._store.dags:
            raise InvalidInputError(
                [f"DAG '{dag_id}' is not there; there are {sorted(self._store.dags)}: add_dag first"]
            )
        return self._store.dags[dag_id]

    def _run(self, dag_id: str, run_id: str) -> ScriptedRun:
        self._dag(dag_id)
        if (dag_id, run_id) not in self._store.runs:
            known = [run for dag, run in self._store.runs if dag == dag_id]
            raise InvalidInputError([f"run '{run_id}' of DAG '{dag_id}' is not there; there are {known}"])
        return self._store.runs[dag_id, run_id]
