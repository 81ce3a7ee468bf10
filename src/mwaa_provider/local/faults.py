"""Misbehaviour on request: what a client must survive, made to happen at will."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal

from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.local.journal import path_matches

FaultKind = Literal[
    "lose_answer", "cut_answer", "refuse", "answer", "delay", "throttle", "expire_sessions", "deny", "hide_dag"
]


@dataclass(frozen=True)
class Fault:
    """One kind of misbehaviour and the requests it strikes; made by a constructor, given to ``mwaa.faults.add``.

    A fault strikes on one of two levels. ``operation="InvokeRestApi"`` (or another AWS operation) is the service in
    front of the web server: the connection that is cut there is boto3's. ``operation="rest"`` is the web server itself,
    which both transports reach: a client with a web session sees the cut connection, a caller of InvokeRestApi sees
    RestApiServerException with status 502.

    :param kind: What happens.
    :param operation: Which operation it strikes, a glob: an AWS operation, or ``login``, ``sso``, ``rest``, ``cli``,
        ``page``, ``plugin``.
    :param environment: Which environment, a glob.
    :param method: Which HTTP method; any by default.
    :param path: Which path, a glob (for REST calls the part below ``/api/vN``; decoded or as sent).
    :param times: How many requests it strikes; None for all until it is removed.
    :param every: Of the requests it is meant for it strikes each so-manieth: 10 leaves nine alone and strikes the tenth.
    :param status: For ``answer``: the HTTP status.
    :param body: For ``answer``: a dict or list is sent as JSON, text as an HTML page.
    :param after_acting: For ``answer`` and ``delay``: whether the request is carried out first.
    :param after_bytes: For ``cut_answer``: how much of the answer's body still comes.
    :param seconds: For ``delay``: how long, in seconds of the local MWAA's clock.
    :param dag_id: For ``hide_dag``: the DAG.
    """

    kind: FaultKind
    operation: str = "rest"
    environment: str = "*"
    method: str | None = None
    path: str = "*"
    times: int | None = 1
    every: int = 1
    status: int = 500
    body: Any = field(default=None, repr=False)
    after_acting: bool = False
    after_bytes: int = 0
    seconds: float = 0.0
    dag_id: str = ""

    def __post_init__(self) -> None:
        if self.every < 1:
            raise InvalidInputError([f"every: {self.every} is no count of requests; give 1 (each one) or more"])

    @classmethod
    def lose_answer(cls, **which: Any) -> Fault:
        """Carry the request out, then cut the connection without an answer.

        :param which: ``operation``, ``environment``, ``method``, ``path``, ``times``, ``every``.
        """
        return cls("lose_answer", **which)

    @classmethod
    def cut_answer(cls, after_bytes: int, **which: Any) -> Fault:
        """Carry the request out, then cut the connection in the middle of the answer.

        :param after_bytes: How many bytes of the answer's body still come.
        :param which: ``operation`` (one of the web server's but ``rest``), ``environment``, ``method``, ``path``, ``times``, ``every``.
        """
        return cls("cut_answer", after_bytes=after_bytes, **which)

    @classmethod
    def refuse(cls, **which: Any) -> Fault:
        """Cut the connection before anything is done.

        :param which: ``operation``, ``environment``, ``method``, ``path``, ``times``, ``every``.
        """
        return cls("refuse", **which)

    @classmethod
    def answer(cls, status: int, body: Any = None, *, after_acting: bool = False, **which: Any) -> Fault:
        """Answer with something else.

        :param status: The HTTP status.
        :param body: A dict or list is sent as JSON, text as an HTML page; by default an HTML error page as a load
            balancer sends it.
        :param after_acting: Whether the request is carried out first.
        :param which: ``operation``, ``environment``, ``method``, ``path``, ``times``, ``every``.
        """
        page = f"<html><head><title>{status}</title></head><body><center><h1>{status}</h1></center></body></html>"
        return cls("answer", status=status, body=page if body is None else body, after_acting=after_acting, **which)

    @classmethod
    def delay(cls, seconds: float, *, after_acting: bool = False, **which: Any) -> Fault:
        """Let time pass by the local MWAA's clock.

        :param seconds: How long, in seconds.
        :param after_acting: Whether the request is carried out first.
        :param which: ``operation``, ``environment``, ``method``, ``path``, ``times``, ``every``.
        """
        return cls("delay", seconds=seconds, after_acting=after_acting, **which)

    @classmethod
    def throttle(cls, operation: str = "InvokeRestApi", **which: Any) -> Fault:
        """Answer ThrottlingException (on the web server: 429) and do nothing.

        :param operation: Which operation.
        :param which: ``environment``, ``method``, ``path``, ``times``, ``every``. boto3 asks again by itself, up to four times.
        """
        return cls("throttle", operation=operation, **which)

    @classmethod
    def expire_sessions(cls, **which: Any) -> Fault:
        """End every web session of the environment, then treat the request as any other.

        :param which: ``operation``, ``environment``, ``method``, ``path``, ``times``, ``every``.
        """
        return cls("expire_sessions", **which)

    @classmethod
    def deny(cls, operation: str, **which: Any) -> Fault:
        """Answer AccessDeniedException (on the web server: 403) and do nothing.

        :param operation: Which operation.
        :param which: ``environment``, ``method``, ``path``, ``times``, ``every``.
        """
        return cls("deny", operation=operation, **which)

    @classmethod
    def hide_dag(cls, dag_id: str, **which: Any) -> Fault:
        """Answer 404 for a DAG that exists, as Airflow does for one that is not parsed yet.

        :param dag_id: The DAG.
        :param which: ``environment``, ``method``, ``times``, ``every``.
        """
        return cls("hide_dag", path=f"/dags/{dag_id}*", dag_id=dag_id, **which)

    def strikes(self, environment: str | None, operation: str, method: str, path: str) -> bool:
        """Tell whether this fault is meant for a request.

        :param environment: The environment's name.
        :param operation: The operation.
        :param method: The HTTP method.
        :param path: The path.
        """
        if not (
            fnmatchcase(environment or "", self.environment)
            and fnmatchcase(operation, self.operation)
            and self.method in (None, method)
        ):
            return False
        if self.kind == "hide_dag":
            return path_matches(path, f"/dags/{self.dag_id}") or path_matches(path, f"/dags/{self.dag_id}/*")
        return path_matches(path, self.path)


@dataclass
class _Pending:
    fault: Fault
    left: int | None
    spared: int = 0

    def is_due(self) -> bool:
        """Tell whether this request is the one to be struck, and count it."""
        self.spared = (self.spared + 1) % self.fault.every
        return self.spared == 0


class Faults:
    """The faults still to strike, in the order they were added; a request is struck by the first that matches and is due."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[_Pending] = []

    def add(self, *faults: Fault) -> None:
        """Add faults.

        :param faults: The faults, first to strike first.
        """
        with self._lock:
            self._pending.extend(_Pending(fault, fault.times) for fault in faults)

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._pending.clear()

    def pending(self) -> tuple[Fault, ...]:
        """Return the faults that have not struck as often as they should."""
        with self._lock:
            return tuple(pending.fault for pending in self._pending)

    def take(
        self,
        environment: str | None,
        operation: str,
        method: str,
        path: str,
        *,
        kind: FaultKind | None = None,
        but: FaultKind | None = None,
    ) -> Fault | None:
        """Return the fault that strikes this request, if any, and count it down.

        :param environment: The environment's name.
        :param operation: The operation.
        :param method: The HTTP method.
        :param path: The path.
        :param kind: Only a fault of this kind.
        :param but: No fault of this kind.
        """
        with self._lock:
            for at, pending in enumerate(self._pending):
                fault = pending.fault
                if fault.kind == but or kind not in (None, fault.kind):
                    continue
                if not fault.strikes(environment, operation, method, path) or not pending.is_due():
                    continue
                if pending.left is not None:
                    pending.left -= 1
                    if pending.left <= 0:
                        del self._pending[at]
                return fault
        return None
