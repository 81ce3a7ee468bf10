"""Heartbeats of tasks on a real web server: those of real tasks watched, and further ones sent to take their time."""

from __future__ import annotations

import statistics
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import jwt
import requests

from mwaa_provider.local.real import RealAirflow


class Probe:
    """Sends heartbeats as the supervisor of a running task does, and takes their time.

    :param airflow: The Airflow.
    :param secret: What it signs its tokens with.
    """

    def __init__(self, airflow: RealAirflow, secret: str) -> None:
        connection = airflow.connect()
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT id::text, hostname, pid FROM task_instance WHERE state = 'running' LIMIT 1")
            self._id, hostname, pid = cursor.fetchone()
        connection.close()
        now = int(time.time())
        claims = {
            "sub": self._id,
            "aud": "urn:airflow.apache.org:task",
            "jti": uuid.uuid4().hex,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
        }
        token = jwt.encode(claims, secret, algorithm="HS512", headers={"kid": "not-used"})
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._url = f"{airflow.inner_url}/execution/task-instances/{self._id}/heartbeat"
        self._body = {"hostname": hostname, "pid": pid}

    def seconds(self, count: int, every: float = 0.02) -> list[float]:
        """Send heartbeats, and return how long each took.

        :param count: How many.
        :param every: Seconds between two of them.
        """
        times = []
        for _ in range(count):
            began = time.perf_counter()
            answer = self._session.put(self._url, json=self._body, timeout=60)
            times.append(time.perf_counter() - began)
            assert answer.status_code == 204, answer.text
            time.sleep(every)
        return times


def p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[98]


class Watch(threading.Thread):
    """Looks at the heartbeats of all running tasks, and notes the longest time that one of them lay back.

    :param airflow: The Airflow.
    """

    def __init__(self, airflow: RealAirflow) -> None:
        super().__init__(daemon=True)
        self._connection = airflow.connect()
        self._connection.autocommit = True
        self._over = threading.Event()
        self.longest = 0.0
        self.seen: set[str] = set()

    def run(self) -> None:
        with self._connection.cursor() as cursor:
            while not self._over.wait(0.2):
                cursor.execute(
                    "SELECT id::text, extract(epoch FROM clock_timestamp() - last_heartbeat_at)::float FROM task_instance "
                    "WHERE state = 'running' AND last_heartbeat_at IS NOT NULL"
                )
                for task, age in cursor.fetchall():
                    self.seen.add(task)
                    self.longest = max(self.longest, age)

    def stop(self) -> None:
        self._over.set()
        self.join()
        self._connection.close()


def until(condition: Callable[[], Any], tell: Callable[[], Any], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, tell()
        time.sleep(0.2)
