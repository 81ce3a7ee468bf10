"""Why a run is still queued: said after a while, anew now and then, and never in place of what is waited for."""

from __future__ import annotations

from mwaa_provider.client.looks import Look
from mwaa_provider.client.models import DagRun, Pool
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.client.queueing import LONG_SECONDS, QueueReasons, of_pools
from mwaa_provider.local import Fault, LocalMwaa, ScriptedAirflow

QUEUED = Look("wait", "Run r is queued", runs=(DagRun("load", "r", "queued"),))
RUNNING = Look("wait", "Run r is running", runs=(DagRun("load", "r", "running"),))
ENDED = Look("failed", "Run r is queued", runs=QUEUED.runs)


def test_a_short_wait_or_another_state_needs_no_reason(make_client, airflow: ScriptedAirflow, clock) -> None:
    client: MwaaClient = make_client()
    reasons = QueueReasons("target", clock)
    assert reasons.explain(QUEUED, client, LONG_SECONDS - 1) is QUEUED
    assert reasons.explain(RUNNING, client, LONG_SECONDS) is RUNNING
    assert reasons.explain(ENDED, client, LONG_SECONDS) is ENDED


def test_what_the_pools_and_the_scheduler_look_like(
    make_client, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, clock
) -> None:
    client: MwaaClient = make_client()
    client.set_pool("target", "etl", 2)
    reasons = QueueReasons("target", clock)
    told = reasons.explain(QUEUED, client, LONG_SECONDS)
    assert (told.verdict, told.runs) == (QUEUED.verdict, QUEUED.runs)
    assert told.news == (
        "Run r is queued, for 5 minutes and more. Its pools: etl 0 of 2 slots taken, 0 tasks waiting; default_pool 0 of 128 slots taken, "
        "0 tasks waiting. The DAG may have as many active runs as its max_active_runs allows."
    )
    calls = local_mwaa.journal.count(is_rest=True)
    assert reasons.explain(QUEUED, client, LONG_SECONDS + 1).news == told.news
    assert local_mwaa.journal.count(is_rest=True) == calls
    clock.sleep(LONG_SECONDS)
    reasons.explain(QUEUED, client, 2 * LONG_SECONDS)
    assert local_mwaa.journal.count(is_rest=True) == calls + 2


def test_the_wait_goes_on_where_they_cannot_be_read(
    make_client, airflow: ScriptedAirflow, local_mwaa: LocalMwaa, clock
) -> None:
    local_mwaa.faults.add(Fault.deny("rest", path="/pools*"))
    told = QueueReasons("target", clock).explain(QUEUED, make_client(), LONG_SECONDS)
    assert told.news.startswith("Run r is queued, for 5 minutes and more. What its pools look like could not be read: ")


def test_the_fullest_pools_come_first() -> None:
    pools = [Pool(f"p{number}", 10, occupied_slots=number, open_slots=10 - number) for number in range(7)]
    told = of_pools([*pools, Pool("endless", -1, open_slots=-1)])
    assert told.startswith("p6 6 of 10 slots taken, 0 tasks waiting; p5 5 of 10")
    assert told.endswith("; and 3 more")
    assert of_pools([Pool("endless", -1, scheduled_slots=3)]) == "endless 0 of unlimited slots taken, 3 tasks waiting"
