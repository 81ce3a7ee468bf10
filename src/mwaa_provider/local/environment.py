"""One local environment: its web server, the Airflow behind it, and what GetEnvironment says of it."""

from __future__ import annotations

import re
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mwaa_provider.exceptions import InvalidInputError

if TYPE_CHECKING:
    from mwaa_provider.local.backend import AirflowBackend
    from mwaa_provider.local.clock import Clock
    from mwaa_provider.local.rules import ServiceRules

#: In these states an environment's web server is there to be asked (the API reference calls UPDATE_FAILED "ready to
#: use").
USABLE_STATUSES = frozenset({"AVAILABLE", "UPDATING", "CREATING_SNAPSHOT", "UPDATE_FAILED", "MAINTENANCE"})
#: The service model's EnvironmentStatus, and what LastUpdate says beside each: an update is under way, was done, has failed.
_LAST_UPDATE_OF = {
    "CREATING": None,
    "PENDING": None,
    "CREATE_FAILED": "FAILED",
    "AVAILABLE": "SUCCESS",
    "UPDATING": "PENDING",
    "CREATING_SNAPSHOT": "PENDING",
    "ROLLING_BACK": "PENDING",
    "UPDATE_FAILED": "FAILED",
    "UNAVAILABLE": "FAILED",
    "MAINTENANCE": "PENDING",
    "DELETING": None,
    "DELETED": None,
}
_NAME = re.compile(r"[a-zA-Z][0-9a-zA-Z\-_]{0,79}")


def is_environment_name(name: str) -> bool:
    """Tell whether MWAA takes a name (service model: pattern ``[a-zA-Z][0-9a-zA-Z-_]*``, 80 characters).

    :param name: The name.
    """
    return _NAME.fullmatch(name) is not None


@dataclass
class LocalEnvironment:
    """One local environment; made by ``LocalMwaa.create_environment``.

    :param name: Its name.
    :param arn: Its ARN.
    :param host: ``127.0.0.1:PORT``. The service's host names carry no port; this is the one difference clients see.
    :param backend: The Airflow behind it.
    :param rest_api_enabled: Whether InvokeRestApi works; environments that predate the feature do not have it.
    """

    name: str
    arn: str
    host: str
    backend: AirflowBackend
    clock: Clock = field(repr=False)
    rules: ServiceRules = field(repr=False)
    rest_api_enabled: bool = True
    _settings: dict[str, Any] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _status: str = field(default="CREATING", repr=False)
    _updated_until: datetime | None = field(default=None, repr=False)
    _last_update: dict[str, Any] | None = field(default=None, repr=False)
    _rest_calls: deque[datetime] = field(default_factory=deque, repr=False)

    def __post_init__(self) -> None:
        self.created_at = self.clock.now()
        self.cli_slots = threading.BoundedSemaphore(self.rules.cli_commands_at_once)
        self._settings = {
            "AirflowConfigurationOptions": {},
            "DagS3Path": "dags",
            "EnvironmentClass": "mw1.small",
            "MaxWebservers": 2,
            "MaxWorkers": 10,
            "MinWebservers": 2,
            "MinWorkers": 1,
            "Schedulers": 2,
            "SourceBucketArn": f"arn:aws:s3:::local-mwaa-{self.name.lower()}",
            "WebserverAccessMode": "PUBLIC_ONLY",
            "WeeklyMaintenanceWindowStart": "SUN:03:30",
        }

    @property
    def base_url(self) -> str:
        """Where the web server is: ``https://127.0.0.1:PORT``."""
        return f"https://{self.host}"

    @property
    def airflow_line(self) -> int:
        """2 or 3."""
        return int(self.backend.airflow_version.split(".")[0])

    @property
    def status(self) -> str:
        """The status that GetEnvironment gives; an update ends by the clock."""
        with self._lock:
            return self._current_status()

    def set_status(self, status: str, *, error: str | None = None, error_code: str = "INCORRECT_CONFIGURATION") -> None:
        """Be in a status until another is set, as after a creation or an update that went so far.

        :param status: ``CREATING``, ``PENDING``, ``CREATE_FAILED``, ``AVAILABLE``, ``UPDATING``, ``CREATING_SNAPSHOT``, ``ROLLING_BACK``,
            ``UPDATE_FAILED``, ``UNAVAILABLE``, ``MAINTENANCE``, ``DELETING`` or ``DELETED``.
        :param error: What went wrong, as GetEnvironment tells it in LastUpdate (default: nothing is told).
        :param error_code: AWS's code for it.
        :raises InvalidInputError: When MWAA has no such status.
        """
        if status not in _LAST_UPDATE_OF:
            raise InvalidInputError([f"status: {status!r} is none of MWAA's; give one of {', '.join(_LAST_UPDATE_OF)}"])
        with self._lock:
            self._status, self._updated_until = status, None
            outcome = "FAILED" if error is not None else _LAST_UPDATE_OF[status]
            if outcome is not None and (self._last_update is not None or outcome != "SUCCESS"):
                before = self._last_update or {"CreatedAt": self.clock.now().timestamp(), "Source": "LocalMwaa"}
                self._last_update = {**before, "Status": outcome}
                self._last_update.pop("Error", None)
                if error is not None:
                    self._last_update["Error"] = {"ErrorCode": error_code, "ErrorMessage": error}

    def _current_status(self) -> str:
        if self._updated_until is not None and self.clock.now() >= self._updated_until:
            self._status, self._updated_until = "AVAILABLE", None
            if self._last_update is not None:
                self._last_update["Status"] = "SUCCESS"
        return self._status

    @property
    def is_usable(self) -> bool:
        """Whether the web server is there to be asked."""
        return self.status in USABLE_STATUSES

    def update(self, changes: dict[str, Any], worker_replacement_strategy: str | None) -> None:
        """Take new settings and be UPDATING for ``update_seconds``.

        :param changes: Fields of GetEnvironment's answer and their new values.
        :param worker_replacement_strategy: FORCED or GRACEFUL.
        """
        now = self.clock.now()
        with self._lock:
            self._settings.update(changes)
            # "Any environment update" is AWS's cure for "Update your environment to use InvokeRestApi".
            self.rest_api_enabled = True
            self._status, self._updated_until = "UPDATING", now + timedelta(seconds=self.rules.update_seconds)
            self._last_update = {"CreatedAt": now.timestamp(), "Status": "PENDING", "Source": "LocalMwaa"}
            if worker_replacement_strategy is not None:
                self._last_update["WorkerReplacementStrategy"] = worker_replacement_strategy

    def description(self) -> dict[str, Any]:
        """Return what GetEnvironment answers."""
        with self._lock:
            status = self._current_status()
            described: dict[str, Any] = {
                "AirflowVersion": self.backend.airflow_version,
                "Arn": self.arn,
                "CreatedAt": self.created_at.timestamp(),
                "Name": self.name,
                "Status": status,
                "WebserverUrl": self.host,
                **self._settings,
            }
            if self._last_update is not None:
                described["LastUpdate"] = dict(self._last_update)
        return described

    def admit_rest_call(self) -> bool:
        """Tell whether InvokeRestApi may go on, and count it if so."""
        limit = self.rules.rest_calls_per_second
        if limit is None:
            return True
        now = self.clock.now()
        with self._lock:
            while self._rest_calls and now - self._rest_calls[0] >= timedelta(seconds=1):
                self._rest_calls.popleft()
            if len(self._rest_calls) >= limit:
                return False
            self._rest_calls.append(now)
            return True
