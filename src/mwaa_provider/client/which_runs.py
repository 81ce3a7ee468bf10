"""Which runs of a DAG are meant."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from mwaa_provider.client.models import DagRun

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient


@dataclass(frozen=True)
class WhichRuns:
    """Which runs of a DAG are meant; exactly one of the ways to say it is used.

    :param dag_id: The DAG's id.
    :param run_ids: By their ids.
    :param logical_dates: By their logical dates: a run for each.
    :param window: By a range of logical dates, the end not included: all in it, and at least one.
    :param latest: The one that was to begin last.
    """

    dag_id: str
    run_ids: tuple[str, ...] = ()
    logical_dates: tuple[datetime, ...] = ()
    window: tuple[datetime, datetime] | None = None
    latest: bool = False

    def __str__(self) -> str:
        if self.run_ids:
            return f"run {', '.join(map(repr, self.run_ids))} of DAG {self.dag_id!r}"
        if self.logical_dates:
            return f"run for {', '.join(date.isoformat() for date in self.logical_dates)} of DAG {self.dag_id!r}"
        if self.window is not None:
            start, end = self.window
            return f"run from {start.isoformat()} to before {end.isoformat()} of DAG {self.dag_id!r}"
        return f"run of DAG {self.dag_id!r}"

    def find(self, client: MwaaClient, environment_name: str) -> tuple[DagRun, ...]:
        """Return those that there are.

        :param client: The client.
        :param environment_name: The environment's name.
        """
        if self.run_ids:
            found = (client.find_dag_run(environment_name, self.dag_id, run_id) for run_id in self.run_ids)
            return tuple(run for run in found if run is not None)
        if self.logical_dates:
            ranges = [(date, date) for date in self.logical_dates]
        elif self.window is not None:
            start, end = self.window
            ranges = [(start, end - timedelta(microseconds=1))]
        else:
            newest = client.find_latest_dag_run(environment_name, self.dag_id)
            return () if newest is None else (newest,)
        return tuple(
            run
            for first, last in ranges
            for run in client.list_dag_runs(
                environment_name, self.dag_id, logical_date_gte=first, logical_date_lte=last
            )
        )

    def is_whole(self, runs: Collection[DagRun]) -> bool:
        """Tell whether all runs that are meant are there.

        :param runs: Those that are there.
        """
        if self.logical_dates:
            return set(self.logical_dates) <= {run.logical_date for run in runs}
        return len(runs) >= max(1, len(self.run_ids))
