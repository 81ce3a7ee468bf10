"""What all triggers of this package share: the connection, the wait in the shared poller, the event."""

from __future__ import annotations

import asyncio
import json
from abc import abstractmethod
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from mwaa_provider.airflow_compat import BaseTrigger, TriggerEvent
from mwaa_provider.client.looks import Look
from mwaa_provider.client.watching import Watch
from mwaa_provider.exceptions import MwaaError
from mwaa_provider.triggers import events
from mwaa_provider.triggers.poller import Poller, Wait, shared_poller

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient
    from mwaa_provider.hooks.mwaa import MwaaHook


class MwaaBaseTrigger(BaseTrigger):
    """A wait for something in another MWAA environment.

    All triggers of one environment and connection in a triggerer share a poller (:mod:`mwaa_provider.triggers.poller`).

    :param environment_name: The other environment's name.
    :param poke_interval: Seconds between two looks.
    :param since: When the wait began, as ISO 8601 text with time zone (default: now).
    :param deadline: When the time is up, in seconds since 1970 (default: no limit).
    :param aws_conn_id: The Airflow connection to AWS; ``None`` for the triggerer's own role.
    :param region_name: AWS region (default: the connection's).
    :param verify: The CA bundle's path, or ``False`` (default: the connection's).
    :param botocore_config: Settings of botocore as a dict (default: the connection's).
    :param transport: The way to the REST API: ``auto`` (default), ``iam`` or ``session``.
    """

    def __init__(
        self,
        *,
        environment_name: str,
        poke_interval: float,
        since: str | None = None,
        deadline: float | None = None,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
        transport: str = "auto",
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.environment_name = environment_name
        self.poke_interval = poke_interval
        self.since = since or datetime.now(timezone.utc).isoformat()
        self.deadline = deadline
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config
        self.transport = transport
        self._poller: Poller | None = None

    @property
    @abstractmethod
    def watch(self) -> Watch:
        """What is waited for."""

    @abstractmethod
    def watched(self) -> dict[str, Any]:
        """Return the arguments that say what is waited for, as JSON can hold them."""

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class and all arguments, so that another triggerer can go on."""
        kind = type(self)
        return f"{kind.__module__}.{kind.__qualname__}", {
            **self.watched(),
            "environment_name": self.environment_name,
            "poke_interval": self.poke_interval,
            "since": self.since,
            "deadline": self.deadline,
            "aws_conn_id": self.aws_conn_id,
            "region_name": self.region_name,
            "verify": self.verify,
            "botocore_config": self.botocore_config,
            "transport": self.transport,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and tell how it ended."""
        try:
            event = await self._wait()
        except asyncio.CancelledError:
            await self.when_cancelled()
            raise
        except MwaaError as error:
            event = events.of_error(error)
        yield TriggerEvent(event)  # type: ignore[no-untyped-call]

    async def when_cancelled(self) -> None:
        """Do what has to be done when the triggerer takes the trigger away (by default nothing)."""

    async def _wait(self) -> dict[str, Any]:
        wait = Wait(self.watch, self.poke_interval, datetime.fromisoformat(self.since), self.deadline)
        self._poller = shared_poller(self._way(), self.environment_name, self._make_client)
        last: Look | None = None
        async for seen in self._poller.looks(wait):
            if isinstance(seen, MwaaError):
                self.log.warning("Could not look, and will again: %s", seen)
            else:
                self.log.info("%s", seen.news)
                last = seen
        return events.of_look(last) if last is not None else {}

    async def client(self) -> MwaaClient:
        """Return the client: the poller's, if there is one."""
        return await (self._make_client() if self._poller is None else self._poller.client())

    async def _make_client(self) -> MwaaClient:
        from asgiref.sync import sync_to_async

        # Airflow 3 answers what it is asked for, the connection here, in threads of this kind alone.
        return await sync_to_async(lambda: self.hook().client, thread_sensitive=False)()

    def hook(self) -> MwaaHook:
        """Return the way to MWAA."""
        from mwaa_provider.hooks.mwaa import MwaaHook

        return MwaaHook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            botocore_config=self.botocore_config,
            transport=self.transport,  # type: ignore[arg-type]
        )

    def _way(self) -> tuple[Any, ...]:
        config = json.dumps(self.botocore_config, sort_keys=True, default=repr)
        return (self.environment_name, self.aws_conn_id, self.region_name, self.verify, config, self.transport)
