"""What the control plane and the web servers of one local MWAA share."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mwaa_provider.local.answers import html_response, json_response
from mwaa_provider.local.faults import Fault, FaultKind, Faults
from mwaa_provider.local.http_server import CutConnection, HttpResponse
from mwaa_provider.local.identity import Identity, IdentityRegistry
from mwaa_provider.local.journal import Journal, JournalEntry, Surface, Transport
from mwaa_provider.local.tokens import TokenStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mwaa_provider.local.backend import AirflowRole
    from mwaa_provider.local.clock import Clock
    from mwaa_provider.local.environment import LocalEnvironment
    from mwaa_provider.local.rules import ServiceRules

#: A delay is slept in steps of this length, in seconds, so that stopping need not wait for its end.
DELAY_STEP_SECONDS = 0.1


@dataclass
class Visit:
    """A request while it is being answered; what becomes of it is noted here and ends in the journal."""

    at: datetime
    environment: str | None
    surface: Surface
    operation: str
    method: str
    path: str
    query: dict[str, str | list[str]] = field(default_factory=dict)
    body: Any = field(default=None, repr=False)
    status: int | None = None
    error_code: str | None = None
    identity: str | None = None
    airflow_role: AirflowRole | None = None
    transport: Transport | None = None
    backend_call: bool = False
    fault: str | None = None

    def is_by(self, identity: Identity) -> None:
        """Note who asks.

        :param identity: Who asks.
        """
        self.identity, self.airflow_role = identity.access_key_id, identity.airflow_role


@dataclass
class Service:
    """The state of one local MWAA."""

    clock: Clock
    rules: ServiceRules
    region_name: str
    account_id: str
    journal: Journal = field(default_factory=Journal)
    faults: Faults = field(default_factory=Faults)
    identities: IdentityRegistry = field(default_factory=IdentityRegistry)
    environments: dict[str, LocalEnvironment] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    overdue: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tokens = TokenStore(self.clock, self.rules)

    @contextmanager
    def journaled(self, visit: Visit) -> Iterator[None]:
        """Write a visit into the journal when it is over, before its answer is sent.

        :param visit: The visit.
        """
        try:
            yield
        except CutConnection:
            visit.status = None
            raise
        except Exception:
            # What the server answers when something broke behind it.
            visit.status = 500
            raise
        finally:
            seconds = (self.clock.now() - visit.at).total_seconds()
            self.journal.record(JournalEntry(**{**vars(visit), "seconds": seconds}))

    def struck(
        self,
        visit: Visit,
        operation: str,
        act: Callable[[], HttpResponse],
        *,
        fault_answer: Callable[[Fault], HttpResponse],
    ) -> HttpResponse:
        """Carry a request out, unless and until a fault strikes.

        :param visit: The request.
        :param operation: The operation as faults name it.
        :param act: Carries the request out.
        :param fault_answer: What this place answers for a fault of the kinds ``throttle``, ``deny`` and ``hide_dag``.
        :raises CutConnection: When the fault cuts the connection.
        """
        # By web session, the faults that end sessions were looked at before the session was: each request counts once.
        looked_at: FaultKind | None = "expire_sessions" if visit.transport == "session" and visit.identity else None
        fault = self.faults.take(visit.environment, operation, visit.method, visit.path, but=looked_at)
        if fault is None:
            return act()
        visit.fault = fault.kind
        if fault.kind == "refuse":
            raise CutConnection
        if fault.kind == "lose_answer":
            act()
            raise CutConnection
        if fault.kind == "cut_answer":
            return replace(act(), cut_after=fault.after_bytes)
        if fault.kind == "answer":
            if fault.after_acting:
                act()
            visit.status, visit.error_code = fault.status, None
            return faked_answer(fault)
        if fault.kind == "delay":
            if not fault.after_acting:
                self._pass_time(fault.seconds)
                return act()
            response = act()
            self._pass_time(fault.seconds)
            return response
        if fault.kind == "expire_sessions":
            self.tokens.expire_sessions(visit.environment or "")
            return act()
        return fault_answer(fault)

    def within(self, seconds: float, call: Callable[[], HttpResponse]) -> HttpResponse | None:
        """Call in a thread of its own and wait so long in real time; return None when that was not enough.

        :param seconds: How long to wait, in seconds.
        :param call: What to call; it goes on when the time is over.
        """
        answers: list[HttpResponse] = []
        failures: list[BaseException] = []

        def run() -> None:
            try:
                answers.append(call())
            except BaseException as error:  # raised again in the caller's thread
                failures.append(error)

        thread = threading.Thread(target=run, name="local-mwaa-invoke-rest-api", daemon=True)
        thread.start()
        thread.join(seconds)
        if thread.is_alive():
            self.overdue.append(thread)
        if failures:
            raise failures[0]
        return answers[0] if answers else None

    def _pass_time(self, seconds: float) -> None:
        end = self.clock.now() + timedelta(seconds=seconds)
        while (left := (end - self.clock.now()).total_seconds()) > 0 and not self.stopping.is_set():
            self.clock.sleep(min(left, DELAY_STEP_SECONDS))


def faked_answer(fault: Fault) -> HttpResponse:
    """Return the answer that a fault gives in place of the true one.

    :param fault: The fault.
    """
    if isinstance(fault.body, str):
        return html_response(fault.status, fault.body)
    return json_response(fault.status, fault.body)
