"""A client that a process had before it forked: the child opens connections of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from mwaa_provider.local.http_server import _Server

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@pytest.fixture
def callers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, int]]]:
    """The addresses of all connections that servers here have accepted."""
    accepted: list[tuple[str, int]] = []
    process = _Server.process_request

    def note(self: Any, request: Any, client_address: Any) -> None:
        accepted.append(client_address)
        process(self, request, client_address)

    monkeypatch.setattr(_Server, "process_request", note)
    return accepted


@needs_fork
@pytest.mark.parametrize("airflow", ["3.3.1"], indirect=True)
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("transport", ["iam", "session"])
def test_a_child_uses_no_connection_of_its_parent(
    airflow: ScriptedAirflow, local_mwaa: LocalMwaa, make_client, callers: list[tuple[str, int]], transport: str
) -> None:
    """Two processes on one connection would read each other's answers, and break its encryption."""
    client = make_client(transport=transport)

    def ask() -> bool:
        client.get_environment("target")
        return transport == "iam" or client.get_dag("target", "load").dag_id == "load"

    assert ask()
    before = len(callers)
    assert before == (1 if transport == "iam" else 2)
    child = os.fork()
    if child == 0:
        os._exit(0 if ask() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(callers) == 2 * before
    assert ask()
    assert len(callers) == 2 * before  # the parent goes on with its own
