"""Tests of one's own against the local MWAA: time that passes at once, callers who may not, limits, and an Airflow of one's own.

pytest test_against_local_mwaa.py
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.exceptions import NoWayInError
from mwaa_provider.local import (
    BackendAnswer,
    BackendRequest,
    CliAnswer,
    Identity,
    JournalEntry,
    LocalMwaa,
    ManualClock,
    ScriptedAirflow,
    ServiceRules,
    SystemClock,
)
from mwaa_provider.local.real import PostgresServer, RealAirflow, StartFailedError


def client_of(mwaa: LocalMwaa, identity: Identity | None = None) -> MwaaClient:
    """Return a client for a local MWAA."""
    session = mwaa.boto3_session(identity) if identity else mwaa.boto3_session()
    return MwaaClient(session=session, endpoint_url=mwaa.endpoint_url, verify=str(mwaa.ca_file))


def test_a_run_takes_an_hour() -> None:
    """The clock stands still until it is told to go on."""
    clock = ManualClock()
    with LocalMwaa(clock=clock, rules=ServiceRules(rest_calls_per_second=2)) as mwaa:
        airflow = ScriptedAirflow("3.2.1")
        airflow.add_dag("load_orders", run_takes=3600)
        mwaa.create_environment("production", airflow)
        run = client_of(mwaa).trigger_dag_run("production", "load_orders")
        clock.advance(3599)
        assert client_of(mwaa).get_dag_run("production", "load_orders", run.run_id).state == "running"
        clock.advance(1)
        assert client_of(mwaa).get_dag_run("production", "load_orders", run.run_id).state == "success"


def test_who_may_not_is_told_so() -> None:
    """An identity without the right, and what the service wrote down about it."""
    with LocalMwaa(clock=SystemClock()) as mwaa:
        mwaa.create_environment("production", ScriptedAirflow("3.2.1"))
        nobody = Identity("NOBODY", denied_actions=frozenset({"InvokeRestApi", "CreateWebLoginToken"}))
        with pytest.raises(NoWayInError):
            client_of(mwaa, nobody).get_dag("production", "load_orders")
        entries: tuple[JournalEntry, ...] = mwaa.journal.entries(operation="CreateWebLoginToken")
        assert [entry.status for entry in entries] == [403]


class OneDag:
    """An Airflow of one's own behind the service: it has one DAG, and answers nothing else."""

    airflow_version = "3.2.1"

    def start(self, environment_name: str, base_url: str) -> None:
        """Be ready."""

    def stop(self) -> None:
        """End nothing."""

    def rest(self, request: BackendRequest) -> BackendAnswer:
        """Answer a call of the REST API."""
        if (request.method, request.path) == ("GET", "/dags/only"):
            return BackendAnswer(200, json.dumps({"dag_id": "only", "is_paused": False, "tags": []}).encode())
        return BackendAnswer(404, b'{"detail": "not here"}')

    page = plugin = rest

    def cli(self, arguments: list[str]) -> CliAnswer:
        """Answer a command."""
        return CliAnswer("", "no such command\n", 2)


def test_an_airflow_of_our_own() -> None:
    """The service is the same, whatever stands behind it."""
    with LocalMwaa() as mwaa:
        mwaa.create_environment("production", OneDag())
        assert client_of(mwaa).get_dag("production", "only").dag_id == "only"


def test_a_real_airflow(tmp_path: Path) -> None:
    """The Airflow that is installed, as processes of its own; two environments could share the server of PostgreSQL."""
    postgres = PostgresServer()
    try:
        with LocalMwaa() as mwaa:
            mwaa.create_environment("production", RealAirflow(dags_folder=tmp_path, postgres=postgres))
            assert client_of(mwaa).get_version("production")[0] in "23"
    except StartFailedError as error:  # it says which process ended, and the end of its log
        pytest.fail(str(error))
    finally:
        postgres.stop()
