"""The metadata API as a source: ranges of a table, pulled in parallel, given on in their order."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType

from mwaa_provider.client.clock import Clock
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.exceptions import MetadataApiError
from mwaa_provider.metadata.api.client import MetadataApi, Part, TooLargeError
from mwaa_provider.metadata.api.plans import Plan, PlannedTable, Range
from mwaa_provider.metadata.catalog import Column
from mwaa_provider.metadata.export.source import Asked, SourceFacts, TableSelection

log = logging.getLogger(__name__)

#: Ranges asked for at a time: as many as one process of a web server works at.
PARALLEL = 2

_NOT_ONE_SNAPSHOT = (
    "one snapshot: each range is read at its own moment, after the plan; a row that was changed since is as it was then, one that was "
    "deleted since is missing"
)


class ApiSource:
    """The rows of an environment's metadata database by its metadata API. Use it in a ``with`` statement.

    :param client: The client.
    :param environment_name: The environment's name.
    :param parallel: How many ranges to ask for at a time (default 2; a web server of MWAA works at two per process).
    :param clock: The clock to pause by.
    :raises MetadataApiOffError: if the web server has no metadata API.
    :raises MwaaError: if it does not answer, or does not admit the caller.
    """

    road = "metadata_api"

    def __init__(
        self, client: MwaaClient, environment_name: str, *, parallel: int = PARALLEL, clock: Clock | None = None
    ) -> None:
        self._api = MetadataApi(client, environment_name, clock=clock)
        self._parallel = parallel
        self._facts = _facts_of(Plan.of(self._api.facts()), environment_name)
        self._revision = ""
        self._planned: dict[str, PlannedTable] = {}
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    def __enter__(self) -> ApiSource:
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
        """Find out which tables and columns are meant, and how they are to be read.

        :param asked: Which rows are wanted.
        :raises InvalidInputError: if there are no such tables or columns, or they are never served.
        """
        plan = self._api.plan(asked)
        self._revision = plan.schema_revision
        self._facts = _facts_of(plan, self._api.environment_name, asked)
        self._planned = {one.table: one for one in plan.tables}
        log.info(
            "The metadata API of environment %s serves %s",
            self._api.environment_name,
            ", ".join(
                f"{one.table} in {len(one.ranges)} ranges (about {one.estimated_rows} rows)" for one in plan.tables
            ),
        )
        return tuple(
            TableSelection(one.table, one.columns, one.age_column, one.since, one.until, left_out=one.left_out)
            for one in plan.tables
        )

    @contextmanager
    def open(self, selection: TableSelection) -> Iterator[ApiRows]:
        """Read the rows of one table.

        :param selection: One of :meth:`selections`.
        """
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._parallel, thread_name_prefix="metadata-api")
        rows = ApiRows(self._api, self._planned[selection.table], self._revision, self._pool, self._parallel + 1)
        try:
            yield rows
        finally:
            rows.close()

    def close(self) -> None:
        """Stop asking."""
        self._api.stop()
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=True, cancel_futures=True)


class ApiRows:
    """The rows of one table, on their way.

    :param api: The metadata API.
    :param table: The table, as it was planned.
    :param revision: The revision of the database that was planned for.
    :param pool: Asks in parallel.
    :param ahead: How many ranges may be asked for, or wait, at a time.
    """

    def __init__(
        self, api: MetadataApi, table: PlannedTable, revision: str, pool: ThreadPoolExecutor, ahead: int
    ) -> None:
        self._api = api
        self._table = table
        self._revision = revision
        self._pool = pool
        self._ahead = ahead
        self._pending: deque[Future[list[Part]]] = deque()
        self._read = 0
        self.columns: tuple[Column, ...] = table.columns
        self.row_count = 0
        self.first_age: str | None = None
        self.last_age: str | None = None

    @property
    def fraction(self) -> float | None:
        """About how much has come: ranges hold about equally many rows each."""
        return self._read / max(len(self._table.ranges), 1)

    def chunks(self) -> Iterator[bytes]:
        """Give the rows as CSV, range by range; a range's come when it is whole."""
        ranges = deque(self._table.ranges)
        while ranges or self._pending:
            while ranges and len(self._pending) < self._ahead:
                self._pending.append(self._pool.submit(self._parts, ranges.popleft()))
            for part in self._pending[0].result():
                yield from part.chunks()
                self._count(part)
            self._pending.popleft()
            self._read += 1

    def close(self) -> None:
        """Forget what has come and was not taken."""
        for pending in self._pending:
            pending.cancel()
            pending.add_done_callback(_forget)
        self._pending.clear()

    def _parts(self, part: Range) -> list[Part]:
        try:
            return [self._api.rows(self._table, part, self._revision)]
        except TooLargeError as error:
            smaller = self._api.cuts(self._table, part, self._revision)
            if len(smaller) < 2:
                raise MetadataApiError(
                    f"A range of {self._table.table} cannot be read within the web server's time, and cannot be cut: {error} Export this "
                    "table by another road.",
                    environment_name=self._api.environment_name,
                ) from error
            log.info("A range of %s is too large for one answer; it is read in %d", self._table.table, len(smaller))
            return [whole for one in smaller for whole in self._parts(one)]

    def _count(self, part: Part) -> None:
        said = part.said
        self.row_count += said.rows
        if said.first_age is not None and said.last_age is not None:
            self.first_age = min(self.first_age or said.first_age, said.first_age)
            self.last_age = max(self.last_age or said.last_age, said.last_age)


def _forget(done: Future[list[Part]]) -> None:
    if not done.cancelled() and done.exception() is None:
        for part in done.result():
            part.close()


def _facts_of(plan: Plan, environment_name: str, asked: Asked | None = None) -> SourceFacts:
    notes = []
    if asked is not None and (asked.until is None or asked.until > plan.cut):
        notes.append(
            f"rows of the age of {plan.cut.isoformat()} and younger are left to the next export: a transaction that was still open may add "
            "others"
        )
    return SourceFacts(
        environment=plan.environment or environment_name,
        airflow_version=plan.airflow_version,
        schema_revision=plan.schema_revision,
        snapshot_time=plan.snapshot_time,
        missing=(_NOT_ONE_SNAPSHOT,),
        notes=tuple(notes),
    )
