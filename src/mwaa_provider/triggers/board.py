"""What is known of the runs that are waited for in one environment, kept up to date with few calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, cast

from mwaa_provider.client.clock import Clock
from mwaa_provider.client.looks import Look
from mwaa_provider.client.models import ACTIVE_STATES, ENDED_STATES, DagRun
from mwaa_provider.client.queueing import QueueReasons
from mwaa_provider.client.retry import is_passing
from mwaa_provider.client.watching import RunWatch, TaskWatch, Watch
from mwaa_provider.exceptions import MwaaError
from mwaa_provider.triggers.seen_tasks import Key, SeenTasks, keys_of

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient

#: So many runs are looked up one by one; a list of the DAG's runs would cost about as much.
_FEW = 2
#: How far the clock of the environment may be behind ours, and how long a run that has ended may take to show up in a list.
_CLOCKS_DIFFER = timedelta(minutes=5)
_LATE_TO_SHOW = timedelta(seconds=10)
#: Seconds between two looks at everything, to notice a run that was deleted, or cleared after it had ended.
_CENSUS_SECONDS = 300.0
#: Seconds between two looks at what is active while a run is queued, to notice that it has begun.
_QUEUED_SECONDS = 60.0


class RunBoard:
    """The runs that are waited for by their ids, and their tasks.

    What was seen of a run is kept until nobody waits for it: what is active is taken to be so until it stands among those that have
    ended, and what has ended is looked at once more before a wait ends for it, since it may have been cleared.

    :param environment_name: The environment's name.
    :param clock: The clock.
    """

    def __init__(self, environment_name: str, clock: Clock) -> None:
        self._environment_name = environment_name
        self._clock = clock
        self._since_of: dict[Key, datetime] = {}
        self._runs: dict[Key, DagRun] = {}
        self._absent: set[Key] = set()
        self._seen_now: set[Key] = set()
        self._troubles: dict[Key, MwaaError] = {}
        self._ended_after: datetime | None = None
        self._next_census = 0.0
        self._next_look_at_active = 0.0
        self._queue_reasons = QueueReasons(environment_name, clock)

    @staticmethod
    def can_show(watch: Watch) -> bool:
        """Tell whether something is waited for that lists of runs can show: runs with known ids, and their tasks.

        :param watch: What is waited for.
        """
        return isinstance(watch, (RunWatch, TaskWatch)) and bool(watch.which.run_ids)

    def look(self, client: MwaaClient, wanted: Sequence[tuple[Watch, datetime]]) -> list[Look | MwaaError]:
        """Look at everything at once.

        :param client: The client.
        :param wanted: What is waited for, and since when.
        """
        watches = [cast("RunWatch | TaskWatch", watch) for watch, _ in wanted]
        self._forget_all_but(wanted)
        try:
            self._bring_up_to_date(client, wants_active=any(_wants_active(watch) for watch in watches))
            tasks = SeenTasks(self._environment_name, client)
            tasks.read([watch for watch in watches if isinstance(watch, TaskWatch)], set(self._runs))
            seen = [self._judge(watch, tasks) for watch in watches]
            if doubtful := self._doubtful(watches, seen):
                self._see(client, doubtful)
                seen = [self._judge(watch, tasks) for watch in watches]
        except MwaaError as error:
            return [error] * len(wanted)
        now = self._clock.time()
        return [
            self._queue_reasons.explain(look, client, now - since.timestamp()) if isinstance(look, Look) else look
            for look, (_, since) in zip(seen, wanted, strict=True)
        ]

    def _forget_all_but(self, wanted: Sequence[tuple[Watch, datetime]]) -> None:
        self._since_of = {}
        for watch, since in wanted:
            for key in keys_of(cast("RunWatch | TaskWatch", watch)):
                self._since_of[key] = min(since, self._since_of.get(key, since))
        self._runs = {key: run for key, run in self._runs.items() if key in self._since_of}
        self._absent &= set(self._since_of)
        self._seen_now.clear()
        self._troubles.clear()

    def _bring_up_to_date(self, client: MwaaClient, *, wants_active: bool) -> None:
        unknown = set(self._since_of) - set(self._runs)
        now = self._clock.monotonic()
        is_time = now >= self._next_census or (
            now >= self._next_look_at_active and any(run.state == "queued" for run in self._runs.values())
        )
        if len(unknown) > _FEW or (self._runs and (wants_active or is_time)):
            self._take_census(client, set(self._since_of))
            return
        if self._runs:
            self._note_ended(client, cast("datetime", self._ended_after))
        for key in unknown:
            self._look_up(client, key)

    def _doubtful(self, watches: Sequence[RunWatch | TaskWatch], seen: Sequence[Look | MwaaError]) -> set[Key]:
        """Return the runs for which a wait would end, though they were seen to have ended in an earlier look only."""
        return {
            key
            for watch, look in zip(watches, seen, strict=True)
            if isinstance(look, Look) and look.verdict != "wait"
            for key in keys_of(watch)
            if key not in self._seen_now and key in self._runs and not self._runs[key].is_active
        }

    def _see(self, client: MwaaClient, keys: set[Key]) -> None:
        """See how some runs stand at this moment."""
        if len(keys) > _FEW:
            self._take_census(client, keys, is_whole=True)
            return
        for key in keys:
            self._look_up(client, key)

    def _take_census(self, client: MwaaClient, keys: set[Key], *, is_whole: bool = False) -> None:
        """See which are active, then which have ended, then ask for those that are in neither list.

        Now and then, or if it is to be whole, of all; else not of those that are known to have ended, and not one by one of those that
        were not there when they were asked for.
        """
        now = self._clock.monotonic()
        began = datetime.fromtimestamp(self._clock.time(), timezone.utc) - _CLOCKS_DIFFER
        if now >= self._next_census:
            self._next_census, is_whole = now + _CENSUS_SECONDS, True
        self._next_look_at_active = now + _QUEUED_SECONDS
        for run in client.list_dag_runs(self._environment_name, self._dag_ids, states=sorted(ACTIVE_STATES)):
            self._note(run)
        missing = keys - self._seen_now
        if not is_whole:
            missing -= {key for key, run in self._runs.items() if not run.is_active}
        if len(missing) > _FEW:
            self._note_ended(client, min(self._may_have_ended_after(key, is_whole) for key in missing))
            missing -= self._seen_now if is_whole else self._seen_now | self._absent
        for key in missing:
            self._look_up(client, key)
        if self._ended_after is None:
            self._ended_after = began

    def _may_have_ended_after(self, key: Key, is_whole: bool) -> datetime:
        if self._ended_after is not None and not is_whole and (key in self._runs or key in self._absent):
            return self._ended_after
        return self._since_of[key] - _CLOCKS_DIFFER

    def _note_ended(self, client: MwaaClient, after: datetime) -> None:
        """Read the runs that ended after this moment; of all DAGs, so that all have been seen that ended before the newest of them."""
        newest: datetime | None = None
        for run in client.list_dag_runs(
            self._environment_name,
            self._dag_ids,
            states=sorted(ENDED_STATES),
            end_date_gte=after,
            order_by="end_date",
        ):
            self._note(run)
            if run.end_date is not None:
                newest = run.end_date if newest is None else max(newest, run.end_date)
        if newest is not None and self._ended_after is not None:
            self._ended_after = max(self._ended_after, newest - _LATE_TO_SHOW)

    def _look_up(self, client: MwaaClient, key: Key) -> None:
        if self._ended_after is None:
            self._ended_after = datetime.fromtimestamp(self._clock.time(), timezone.utc) - _CLOCKS_DIFFER
            self._next_census = self._clock.monotonic() + _CENSUS_SECONDS
        try:
            run = client.find_dag_run(self._environment_name, *key)
        except MwaaError as error:
            if is_passing(error):
                raise
            self._troubles[key] = error  # not to be seen by us, which is nothing to those who wait for other runs
            return
        if run is not None:
            self._note(run)
            return
        self._runs.pop(key, None)
        self._absent.add(key)

    def _note(self, run: DagRun) -> None:
        key = (run.dag_id, run.run_id)
        if key in self._since_of:
            self._runs[key] = run
            self._absent.discard(key)
            self._seen_now.add(key)

    @property
    def _dag_ids(self) -> list[str]:
        return sorted({dag_id for dag_id, _ in self._since_of})

    def _judge(self, watch: RunWatch | TaskWatch, tasks: SeenTasks) -> Look | MwaaError:
        keys = keys_of(watch)
        if trouble := next((self._troubles[key] for key in keys if key in self._troubles), None):
            return trouble
        runs = [self._runs[key] for key in keys if key in self._runs]
        try:
            if isinstance(watch, RunWatch):
                return watch.judge(runs, self._environment_name)
            return watch.judge(runs, tasks.of(watch, runs), self._environment_name)
        except MwaaError as error:
            return error


def _wants_active(watch: RunWatch | TaskWatch) -> bool:
    """Tell whether the wait may end while the run is still active, so that ended runs are not all there is to see."""
    states = watch.states
    return isinstance(watch, RunWatch) and bool(ACTIVE_STATES & {*states.allowed, *states.failed, *states.skipped})
