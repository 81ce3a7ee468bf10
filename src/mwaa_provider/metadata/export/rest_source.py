"""Airflow's public REST API as a source: DAG runs and task instances, as far as it shows them."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from types import TracebackType
from typing import Any, cast

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.client.rest.history import HistoryColumn, HistoryTable
from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.metadata.catalog import Column
from mwaa_provider.metadata.export.source import Asked, SourceFacts, TableSelection

log = logging.getLogger(__name__)

_TABLES: tuple[HistoryTable, ...] = ("dag_run", "task_instance")
_AGE = "start_date"
#: Rows younger than this, in seconds, are left to the next export, as by the metadata API.
_CUT_SECONDS = 60
#: Nothing of Airflow is older.
_BEGINNING = datetime(2014, 10, 1, tzinfo=timezone.utc)
_CHUNK_BYTES = 256 * 1024
_QUOTED = re.compile(r'[",\n\r]')

_NOT_ONE_SNAPSHOT = (
    "one snapshot: each page is read at its own moment; a row that was changed since is as it was then, one that was deleted is not "
    "there"
)
_OTHER_ROWS = (
    "runs and task instances that have not begun, and those of DAGs that the caller's Airflow role may not see"
)
_OTHER_TABLES = "tables other than dag_run and task_instance"


class RestSource:
    """DAG runs and task instances of an environment by its public REST API.

    :param client: The client.
    :param environment_name: The environment's name.
    :raises MwaaError: if the environment cannot be asked about.
    """

    road = "rest"

    def __init__(self, client: MwaaClient, environment_name: str) -> None:
        self._client = client
        self._environment_name = environment_name
        environment = client.get_environment(environment_name)
        self._columns = {table: client.history_columns(environment_name, table) for table in _TABLES}
        self._now = datetime.now(timezone.utc)
        self._facts = self._facts_of(environment.airflow_version, None)
        self._airflow_version = environment.airflow_version

    def __enter__(self) -> RestSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def facts(self) -> SourceFacts:
        """What it says of itself."""
        return self._facts

    def selections(self, asked: Asked) -> tuple[TableSelection, ...]:
        """Find out which tables and columns are meant.

        :param asked: Which rows are wanted.
        :raises InvalidInputError: naming every table and age column that the REST API does not have.
        """
        problems = [
            f"tables: the REST API does not show {name!r}; it shows {' and '.join(_TABLES)}. Another road does: a connection to the "
            "database (metadata_conn_id), or the metadata API (see docs/metadata-api.md)"
            for name in asked.tables or ()
            if name not in (*_TABLES, "history")
        ]
        problems += [
            f"age_columns: by the REST API the age of {table} is {_AGE}, not {column!r}"
            for table, column in asked.age_columns.items()
            if column != _AGE
        ]
        if problems:
            raise InvalidInputError(problems)
        self._now = datetime.now(timezone.utc)
        cut = self._now - timedelta(seconds=_CUT_SECONDS)
        until = cut if asked.until is None else min(cut, asked.until)
        self._facts = self._facts_of(self._airflow_version, asked)
        wanted = _TABLES if asked.tables is None or "history" in asked.tables else asked.tables
        return tuple(
            TableSelection(
                name,
                tuple(_column(one) for one in self._columns[cast("HistoryTable", name)]),
                _AGE,
                asked.since,
                until,
            )
            for name in dict.fromkeys(wanted)
        )

    @contextmanager
    def open(self, selection: TableSelection) -> Iterator[RestRows]:
        """Read the rows of one table.

        :param selection: One of :meth:`selections`.
        """
        table = cast("HistoryTable", selection.table)
        rows = self._client.list_history(
            self._environment_name,
            table,
            since=selection.since or _BEGINNING,
            until=selection.until or self._now,
        )
        yield RestRows(rows, self._columns[table], selection)

    def close(self) -> None:
        """Do nothing: nothing is held open."""

    def _facts_of(self, airflow_version: str, asked: Asked | None) -> SourceFacts:
        shown = [f"{table} ({', '.join(one.name for one in columns)})" for table, columns in self._columns.items()]
        missing = [_NOT_ONE_SNAPSHOT, _OTHER_ROWS, f"columns other than those of {'; '.join(shown)}"]
        if asked is None or asked.tables is None or "history" in asked.tables:
            missing.append(_OTHER_TABLES)
        notes: tuple[str, ...] = ()
        cut = self._now - timedelta(seconds=_CUT_SECONDS)
        if asked is not None and (asked.until is None or asked.until > cut):
            notes = (f"rows of the age of {cut.isoformat()} and younger are left to the next export",)
        return SourceFacts(
            environment=self._environment_name,
            airflow_version=airflow_version,
            schema_revision=None,
            snapshot_time=self._now,
            missing=tuple(missing),
            notes=notes,
        )


class RestRows:
    """The rows of one table, on their way.

    :param rows: The rows as the REST API gives them.
    :param fields: Which field is which column.
    :param selection: Which rows they are.
    """

    def __init__(
        self, rows: Iterator[Mapping[str, Any]], fields: tuple[HistoryColumn, ...], selection: TableSelection
    ) -> None:
        self._rows = rows
        self._fields = fields
        self._interval = (selection.since, selection.until)
        self._reached: datetime | None = None
        self.columns = selection.columns
        self.row_count = 0
        self.first_age: str | None = None
        self.last_age: str | None = None

    @property
    def fraction(self) -> float | None:
        """How much of the time that is asked for has been read: windows of time come one after the other."""
        since, until = self._interval
        if since is None or until is None or self._reached is None or since >= until:
            return None
        return (self._reached - since) / (until - since)

    def chunks(self) -> Iterator[bytes]:
        """Give the rows as CSV, as PostgreSQL would write them."""
        waiting: list[str] = []
        size = 0
        for row in self._rows:
            line = ",".join(as_csv(field.value(row), field.type) for field in self._fields) + "\n"
            waiting.append(line)
            size += len(line)
            self._count(row)
            if size >= _CHUNK_BYTES:
                yield "".join(waiting).encode()
                waiting, size = [], 0
        if waiting:
            yield "".join(waiting).encode()

    def _count(self, row: Mapping[str, Any]) -> None:
        self.row_count += 1
        moment = _moment(row[_AGE])
        self._reached = max(self._reached or moment, moment)
        age = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        self.first_age = min(self.first_age or age, age)
        self.last_age = max(self.last_age or age, age)


def as_csv(value: Any, kind: str) -> str:
    """Write a value of the REST API as ``COPY (FORMAT csv)`` writes that of its column.

    :param value: The value.
    :param kind: The column's type.
    """
    if value is None:
        return ""
    if kind.startswith("timestamp"):
        moment = _moment(value)
        fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
        return f"{moment.strftime('%Y-%m-%d %H:%M:%S')}{fraction}+00"
    if kind == "boolean":
        return "t" if value else "f"
    if kind == "double precision":
        return repr(float(value)).removesuffix(".0")
    text = _jsonb(value) if kind == "jsonb" else str(value)
    if text == "" or _QUOTED.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def _jsonb(value: Any) -> str:
    """Write JSON as PostgreSQL's ``jsonb`` comes out: keys by their length, then by their bytes; numbers without an exponent."""
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return "{" + ", ".join(f"{_jsonb(key)}: {_jsonb(value[key])}" for key in keys) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_jsonb(one) for one in value) + "]"
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    return json.dumps(value, ensure_ascii=False)


def _moment(text: Any) -> datetime:
    return datetime.fromisoformat(str(text).replace("Z", "+00:00")).astimezone(timezone.utc)


def _column(shown: HistoryColumn) -> Column:
    return Column(shown.name, shown.type)
