"""Why a run is still queued: what the other environment's scheduler and pools look like."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from mwaa_provider.client.clock import Clock
from mwaa_provider.client.looks import Look
from mwaa_provider.client.models import Pool
from mwaa_provider.exceptions import MwaaError

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient

#: After so many seconds in the queue it is worth saying why; and again so often.
LONG_SECONDS = 300.0
_POOLS_SHOWN = 5


class QueueReasons:
    """Says, now and then, what may keep runs in the queue of an environment.

    :param environment_name: The environment's name.
    :param clock: The clock.
    """

    def __init__(self, environment_name: str, clock: Clock) -> None:
        self._environment_name = environment_name
        self._clock = clock
        self._asked_at: float | None = None
        self._reason = ""

    def explain(self, look: Look, client: MwaaClient, waited_seconds: float) -> Look:
        """Return the look with a word on the queue, if one of its runs is queued and has been waited for for long.

        :param look: The look.
        :param client: The client.
        :param waited_seconds: For how long it has been waited for.
        """
        if waited_seconds < LONG_SECONDS or look.verdict != "wait" or all(run.state != "queued" for run in look.runs):
            return look
        now = self._clock.monotonic()
        if self._asked_at is None or now - self._asked_at >= LONG_SECONDS:
            self._asked_at = now
            self._reason = self._ask(client)
        return replace(look, news=f"{look.news}, for {LONG_SECONDS / 60:.0f} minutes and more. {self._reason}")

    def _ask(self, client: MwaaClient) -> str:
        try:
            health = client.get_health(self._environment_name)
            pools = list(client.list_pools(self._environment_name))
        except MwaaError as error:
            return f"What its pools look like could not be read: {error}"
        scheduler = (
            "" if health.scheduler.is_healthy else f"Its scheduler is {health.scheduler.status or 'not heard of'}. "
        )
        return f"{scheduler}Its pools: {of_pools(pools)}. The DAG may have as many active runs as its max_active_runs allows."


def of_pools(pools: Iterable[Pool]) -> str:
    """Return how full pools are, the fullest first.

    :param pools: The pools.
    """
    by_room = sorted(pools, key=lambda pool: (pool.open_slots if pool.slots >= 0 else 1_000_000, pool.name))
    told = [
        f"{pool.name} {pool.occupied_slots} of {pool.slots if pool.slots >= 0 else 'unlimited'} slots taken, "
        f"{pool.scheduled_slots} tasks waiting"
        for pool in by_room[:_POOLS_SHOWN]
    ]
    more = len(by_room) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")
