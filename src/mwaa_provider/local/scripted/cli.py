"""The ``airflow`` commands that the scripted back end runs, with the output of the real ones."""

from __future__ import annotations

import argparse
import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from mwaa_provider.local.backend import CliAnswer
from mwaa_provider.local.scripted import moments
from mwaa_provider.local.scripted.runs import RUN_ID_PATTERN, reserved_for
from mwaa_provider.local.scripted.tables import as_json, as_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mwaa_provider.local.scripted.records import ScriptedDag, ScriptedRun
    from mwaa_provider.local.scripted.store import Store

Row = dict[str, Any]


class _Exit(Exception):  # noqa: N818 - what SystemExit is to the real command
    def __init__(self, stderr: str, code: int = 1, stdout: str = "") -> None:
        super().__init__(stderr)
        self.answer = CliAnswer(stdout, stderr, code)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _Exit(f"\n{self.prog} command error: {message}, see help above.\n", 2, self.format_help())


class ScriptedCli:
    """Runs commands.

    :param store: The memory.
    :param airflow_version: The release.
    """

    def __init__(self, store: Store, airflow_version: str) -> None:
        self._store = store
        self._version = airflow_version
        self._line = int(airflow_version.split(".")[0])
        self._scripted: dict[tuple[str, ...], CliAnswer] = {}
        self._commands: dict[tuple[str, ...], Callable[[list[str], _Parser], str]] = {
            ("version",): self._show_version,
            ("dags", "list"): self._list_dags,
            ("dags", "trigger"): self._trigger,
            ("dags", "pause"): self._pause,
            ("dags", "unpause"): self._unpause,
            ("dags", "list-runs"): self._list_runs,
            ("dags", "state"): self._state,
            ("variables", "get"): self._get_variable,
            ("variables", "set"): self._set_variable,
            ("variables", "list"): self._list_variables,
            ("variables", "delete"): self._delete_variable,
        }

    def script(self, words: tuple[str, ...], answer: CliAnswer) -> None:
        """Give a command an answer.

        :param words: What the command begins with.
        :param answer: Its answer.
        """
        self._scripted[words] = answer

    def __call__(self, arguments: list[str]) -> CliAnswer:
        """Run one command.

        :param arguments: Its arguments, without the leading ``airflow``.
        """
        for length in range(len(arguments), 0, -1):
            if tuple(arguments[:length]) in self._scripted:
                return self._scripted[tuple(arguments[:length])]
        for length in (2, 1):
            words = tuple(arguments[:length])
            if words in self._commands:
                parser = _Parser(prog=" ".join(["airflow", *words]), add_help=False)
                try:
                    with self._store.settled():
                        return CliAnswer(self._commands[words](arguments[length:], parser), "", 0)
                except _Exit as left:
                    return left.answer
        spelled = " ".join(arguments[:2])
        return CliAnswer("", f"The scripted back end does not run 'airflow {spelled}'; a real Airflow would.\n", 2)

    def _show_version(self, arguments: list[str], parser: _Parser) -> str:
        parser.parse_args(arguments)
        return f"{self._version}\n"

    # DAGs

    def _list_dags(self, arguments: list[str], parser: _Parser) -> str:
        given = _with_output(parser).parse_args(arguments)
        rows: list[Row] = []
        for dag in sorted(self._store.dags.values(), key=lambda dag: dag.dag_id):
            file = f"/usr/local/airflow/dags/{dag.dag_id}.py"
            if self._store.release < (2, 9):
                rows.append({"dag_id": dag.dag_id, "filepath": file, "owner": "airflow", "paused": str(dag.is_paused)})
                continue
            row: Row = {"dag_id": dag.dag_id, "fileloc": file, "owners": ["airflow"], "is_paused": str(dag.is_paused)}
            if self._line == 3:
                row |= {"bundle_name": "dags-folder", "bundle_version": None}
            rows.append(row)
        return _printed(rows, given.output, nothing="No data found\n")

    def _trigger(self, arguments: list[str], parser: _Parser) -> str:
        _with_output(parser).add_argument("dag_id")
        parser.add_argument("-c", "--conf")
        parser.add_argument("-r", "--run-id")
        parser.add_argument(*{2: ("-e", "--exec-date"), 3: ("-l", "--logical-date")}[self._line], dest="date")
        given = parser.parse_args(arguments)
        dag = self._store.dags.get(given.dag_id)
        if dag is None:
            raise _traceback(f"airflow.exceptions.DagNotFound: Dag id {given.dag_id} not found in DagModel")
        try:
            conf = json.loads(given.conf) if given.conf else {}
        except ValueError as error:
            raise _traceback(f"json.decoder.JSONDecodeError: {error}") from None
        run = self._queued(dag, given.run_id, self._date(given.date, parser), conf)
        # The real command logs to standard output before it prints.
        at = self._store.clock.now()
        said = f"[{at:%Y-%m-%dT%H:%M:%S}.000+0000] {{__init__.py:43}} INFO - Loaded API auth backend: session\n"
        if self._line == 3:
            said = f"{at:%Y-%m-%dT%H:%M:%S}.000000Z [info     ] creating dag run               run_id={run.run_id}\n"
        return said + _printed([self._triggered(run)], given.output)

    def _date(self, text: str | None, parser: _Parser) -> datetime | None:
        if text is None:
            # Down to the second, as the real command does.
            return self._store.moment().replace(microsecond=0) if self._line == 2 else None
        moment = moments.parse_aware(text if "T" in text else f"{text}T00:00:00Z") or moments.parse_aware(f"{text}Z")
        if moment is None:
            parser.error(f"argument: invalid parsedate value: '{text}'")
        return moment

    def _queued(self, dag: ScriptedDag, run_id: str | None, date: datetime | None, conf: Any) -> ScriptedRun:
        now = self._store.clock.now()
        run_id = run_id or f"manual__{(date or self._store.moment()).isoformat()}"
        if (dag.dag_id, run_id) in self._store.runs or self._store.run_at(dag.dag_id, date):
            at = f" at {date}" if self._line == 2 else ""
            raise _traceback(
                "airflow.exceptions.DagRunAlreadyExists: A DAG Run already exists for DAG "
                f"{dag.dag_id}{at} with run id {run_id}"
            )
        if not re.match(RUN_ID_PATTERN, run_id):
            raise _traceback(f"The run ID '{run_id}' is invalid. It does not match the pattern: '{RUN_ID_PATTERN}'")
        if kind := reserved_for(run_id):
            raise _traceback(
                f"ValueError: A manual DAG run cannot use ID {run_id!r} since it is reserved for {kind} runs"
            )
        return self._store.add_run(
            dag,
            run_id,
            logical_date=date,
            run_after=now,
            data_interval=(date, date) if date else None,
            conf=conf,
            note=None,
            triggered_by="cli",
        )

    def _triggered(self, run: ScriptedRun) -> Row:
        start, end = run.data_interval or (None, None)
        conf = {name: str(value) for name, value in run.conf.items()} if isinstance(run.conf, dict) else run.conf
        row: Row = {
            "conf": conf,
            "dag_id": run.dag_id,
            "dag_run_id": run.run_id,
            "data_interval_start": start and str(start),
            "data_interval_end": end and str(end),
            "end_date": None,
            "external_trigger": "True",
            "last_scheduling_decision": None,
            "logical_date": run.logical_date and str(run.logical_date),
            "run_type": "manual",
            "start_date": None,
            "state": run.state,
        }
        if self._line == 3:
            del row["external_trigger"]
            row["triggering_user_name"] = "airflow"
        return row

    def _pause(self, arguments: list[str], parser: _Parser) -> str:
        return self._set_paused(arguments, parser, paused=True)

    def _unpause(self, arguments: list[str], parser: _Parser) -> str:
        return self._set_paused(arguments, parser, paused=False)

    def _set_paused(self, arguments: list[str], parser: _Parser, *, paused: bool) -> str:
        _with_output(parser).add_argument("dag_id")
        parser.add_argument("-y", "--yes", action="store_true")
        given = parser.parse_args(arguments)
        dag = self._store.dags.get(given.dag_id)
        if self._store.release < (2, 9):
            self._known_dag(given.dag_id)
            self._store.pause(self._store.dags[given.dag_id], paused)
            return f"Dag: {given.dag_id}, paused: {paused}\n"
        if dag is None or dag.is_paused == paused:
            return f"No {'unpaused' if paused else 'paused'} DAGs were found\n"
        self._store.pause(dag, paused)
        # From 3.2 on the command prints what was, before it what is.
        printed = paused if self._store.release < (3, 2) else not paused
        return _printed([{"dag_id": dag.dag_id, "is_paused": str(printed)}], given.output)

    def _known_dag(self, dag_id: str) -> None:
        if dag_id not in self._store.dags:
            raise _Exit(f"DAG: {dag_id} does not exist in 'dag' table\n")

    def _list_runs(self, arguments: list[str], parser: _Parser) -> str:
        _with_output(parser)
        if self._line == 2:
            parser.add_argument("-d", "--dag-id", required=True)
        else:
            parser.add_argument("dag_id")
        parser.add_argument("--state")
        given = parser.parse_args(arguments)
        self._known_dag(given.dag_id)
        rows = [self._run_row(run) for run in self._store.runs.values() if run.dag_id == given.dag_id]
        rows = [row for row in reversed(rows) if given.state in (None, row["state"])]
        return _printed(rows, given.output, nothing="No data found\n")

    def _run_row(self, run: ScriptedRun) -> Row:
        row: Row = {"dag_id": run.dag_id, "run_id": run.run_id, "state": run.state}
        if self._line == 3:
            row |= {"run_after": _iso(run.run_after), "logical_date": _iso(run.logical_date)}
        else:
            row["execution_date"] = _iso(run.logical_date)
        return row | {"start_date": _iso(run.start_date), "end_date": _iso(run.end_date)}

    def _state(self, arguments: list[str], parser: _Parser) -> str:
        parser.add_argument("dag_id")
        parser.add_argument("date")
        given = parser.parse_args(arguments)
        self._known_dag(given.dag_id)
        run = self._store.runs.get((given.dag_id, given.date)) if self._line == 3 else None
        if run is None:
            run = self._store.run_at(given.dag_id, self._date(given.date, parser))
        if run is None:
            return "None\n"
        return run.state + (f", {json.dumps(run.conf)}" if run.conf else "") + "\n"

    # Variables

    def _get_variable(self, arguments: list[str], parser: _Parser) -> str:
        parser.add_argument("key")
        parser.add_argument("-d", "--default")
        parser.add_argument("-j", "--json", action="store_true")
        given = parser.parse_args(arguments)
        variable = self._store.variables.get(given.key)
        if variable is None and given.default is None:
            raise _Exit(f"Variable {given.key} does not exist{'.' if self._line == 3 else ''}\n")
        value = given.default if variable is None else variable.value
        return f"{json.loads(value) if given.json else value}\n"

    def _set_variable(self, arguments: list[str], parser: _Parser) -> str:
        parser.add_argument("key")
        parser.add_argument("value")
        parser.add_argument("--description")
        given = parser.parse_args(arguments)
        self._store.set_variable(given.key, given.value, given.description)
        return f"Variable {given.key} created\n"

    def _list_variables(self, arguments: list[str], parser: _Parser) -> str:
        given = _with_output(parser).parse_args(arguments)
        return _printed([{"key": key} for key in self._store.variables], given.output, nothing="No data found\n")

    def _delete_variable(self, arguments: list[str], parser: _Parser) -> str:
        parser.add_argument("key")
        given = parser.parse_args(arguments)
        self._store.variables.pop(given.key, None)
        # Airflow says so of a variable that was not there, too.
        return f"Variable {given.key} deleted\n"


def _with_output(parser: _Parser) -> _Parser:
    parser.add_argument("-o", "--output", choices=["table", "json"], default="table")
    return parser


def _printed(rows: list[Row], output: str, *, nothing: str = "") -> str:
    if output == "json":
        return as_json(rows)
    return as_table(rows) if rows else nothing


def _traceback(last_line: str) -> _Exit:
    return _Exit(f"Traceback (most recent call last):\n{last_line}\n")


def _iso(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat()
