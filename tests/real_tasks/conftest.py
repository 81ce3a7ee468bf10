"""A real Airflow whose tasks call another environment, played in memory: what Airflow's own processes do to a waiting task."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.config import Config

from mwaa_provider.client.models import TaskInstance
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.exceptions import NotFoundError
from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from mwaa_provider.local.real import RealAirflow
from mwaa_provider.local.real.postgres import PostgresServer
from tests.support.cloudwatch import CloudWatch, cloudwatch
from tests.support.s3 import S3, started_s3

DAGS = Path(__file__).with_name("dags")
ROOT = Path(__file__).resolve().parents[2]
#: Seconds that real processes get for one step; the step is over as soon as it is done.
PATIENCE = 90.0
#: Seconds between two publications of the host's figures.
METRICS_INTERVAL = 2.0


class Source:
    """The calling environment: a real Airflow, and the run over there that its task started.

    :param mwaa: The local MWAA.
    :param airflow: The calling Airflow.
    :param target: The called one.
    :param cloud: The CloudWatch that its workers publish to.
    :param s3: The S3 that its tasks export to.
    :param variables: What another Airflow needs in its environment to be like the calling one.
    """

    def __init__(
        self,
        mwaa: LocalMwaa,
        airflow: RealAirflow,
        target: ScriptedAirflow,
        cloud: CloudWatch,
        s3: S3,
        variables: dict[str, str],
    ) -> None:
        self.mwaa = mwaa
        self.cloud = cloud
        self.s3 = s3
        self.variables = variables
        self.airflow = airflow
        self.target = target
        self.client = MwaaClient(
            session=mwaa.boto3_session(),
            endpoint_url=mwaa.endpoint_url,
            botocore_config=Config(inject_host_prefix=False),
            verify=str(mwaa.ca_file),
        )

    @property
    def is_airflow_3_0(self) -> bool:
        """Whether the calling Airflow is a 3.0, which has faults of its own where running tasks end otherwise than by themselves."""
        return self.airflow.airflow_version.startswith("3.0.")

    def logs(self, dag_id: str) -> str:
        """What the tasks of a DAG said, in all its runs, as Airflow wrote it."""
        files = sorted((self.airflow.logs_folder / "logs").rglob(f"dag_id={dag_id}/**/*.log*"))
        return "\n".join(f"== {file}\n{file.read_text(errors='replace')[-6000:]}" for file in files)

    def let_tasks_begin(self) -> None:
        self.client.set_pool("source", "calls", 8)

    def let_no_task_begin(self) -> None:
        """What is cleared is scheduled and waits for a slot; what runs, runs on."""
        self.client.set_pool("source", "calls", 0)

    def looks(self) -> int:
        """How often the runs over there were looked at while somebody waited."""
        return self.mwaa.journal.count(environment="target", path="/dags/load/dagRuns/*") + self.mwaa.journal.count(
            environment="target", path="/dags/~/dagRuns/list"
        )

    def clears(self) -> int:
        """How often runs over there were made to run again."""
        return self.mwaa.journal.count(environment="target", path="*/clear", status=200)

    def start(self, dag_id: str) -> Call:
        self.airflow.wait_for_dag(dag_id)
        self.client.set_dag_paused("source", dag_id, False)
        return Call(self, dag_id, self.client.trigger_dag_run("source", dag_id).run_id)


class Call:
    """One run of a calling DAG, with its one task."""

    def __init__(self, source: Source, dag_id: str, run_id: str) -> None:
        self.source = source
        self.dag_id = dag_id
        self.run_id = run_id
        self.map_index = 0 if dag_id.startswith("mapped") else -1

    def _task(self) -> TaskInstance:
        return self.source.client.get_task_instance(
            "source", self.dag_id, self.run_id, "call", map_index=self.map_index
        )

    @property
    def state(self) -> str | None:
        try:
            return self._task().state
        except NotFoundError:  # a mapped task is not there before the scheduler has looked at its run
            return None

    def until(self, *states: str | None) -> None:
        until(lambda: self.state in states, lambda: f"the task is {self.state}, not {states}\n{self.log()}")

    def until_its_run_ends(self) -> None:
        """Wait for the scheduler: a task that is cleared while it ends the run is forgotten by Airflow."""
        until(
            lambda: not self.source.client.get_dag_run("source", self.dag_id, self.run_id).is_active,
            lambda: f"the run goes on; the task is {self.state}",
        )

    def remote(self) -> tuple[str, str]:
        """The one run over there: its id and its state."""
        (run,) = [run for run in self.source.target.runs("load") if (run.conf or {}).get("caller") == self.run_id]
        return run.run_id, run.state

    def until_it_waits(self) -> str:
        """Wait until the run over there is looked at, by the worker or the triggerer, and return its id.

        The first two looks may be those of a try that takes it up.
        """
        self.until("deferred" if "defers" in self.dag_id else "running")
        run_id = self.until_remote("queued", "running")
        looks = self.source.looks()
        until(lambda: self.source.looks() > looks + 2, lambda: f"nobody looks at the run over there\n{self.log()}")
        return run_id

    def until_remote(self, *states: str) -> str:
        def is_there() -> bool:
            try:
                return self.remote()[1] in states
            except ValueError:
                return False

        until(is_there, lambda: f"the run over there is not {states}; the task is {self.state}\n{self.log()}")
        return self.remote()[0]

    def end_remote(self, state: str) -> None:
        self.source.target.set_run_state("load", self.remote()[0], state)

    def mark(self, state: str) -> None:
        path = f"/dags/{self.dag_id}/dagRuns/{self.run_id}/taskInstances/call"
        body: dict[str, Any] = {"new_state": state}
        if self.source.airflow.airflow_version.startswith("2."):
            body["dry_run"] = False
        self.source.client.invoke_rest_api("source", "PATCH", path, body=body)

    def clear(self) -> None:
        """Clear the task as the UI does."""
        if self.source.airflow.airflow_version.startswith("2."):
            # The REST API of Airflow 2 forgets a running task's new state: it is lost with a session that is not the request's.
            date = self.source.client.get_dag_run("source", self.dag_id, self.run_id).logical_date
            assert date is not None
            range_of_dates = ["-s", date.isoformat(), "-e", date.isoformat()]
            answer = self.source.airflow.cli(["tasks", "clear", self.dag_id, "-t", "^call$", *range_of_dates, "-y"])
            assert answer.exit_code == 0, answer.stderr
            return
        body = {"dry_run": False, "dag_run_id": self.run_id, "task_ids": ["call"], "only_failed": False}
        self.source.client.invoke_rest_api(
            "source", "POST", f"/dags/{self.dag_id}/clearTaskInstances", body={**body, "reset_dag_runs": True}
        )

    def clear_while_it_runs(self) -> None:
        """Clear the task as the UI does; Airflow 3.0 ends its process and leaves it ``restarting`` for ever, so it takes a second clear."""
        self.clear()
        if self.source.is_airflow_3_0 and "defers" not in self.dag_id:
            self.until("restarting")
            self.until_remote("failed")  # by the process that ends
            self.clear()

    def kill_its_process(self) -> None:
        """Kill the process, as a lack of memory does; Airflow 3.0 tries such a task no second time, so it takes a clear."""
        pid = self._column("pid")
        os.kill(int(pid), signal.SIGKILL)
        if self.source.is_airflow_3_0:
            self.until("failed")
            self.clear()

    def links(self) -> dict[str, str]:
        """The extra links of the task, as the UI shows them."""
        path = f"/dags/{self.dag_id}/dagRuns/{self.run_id}/taskInstances/call/links"
        body = self.source.client.invoke_rest_api("source", "GET", path).body
        links: dict[str, str] = body.get("extra_links", body)
        return links

    @property
    def try_number(self) -> int:
        return self._task().try_number

    @property
    def began(self) -> Any:
        """When its try began; up to Airflow 2.9 a task that was cleared while it was deferred has the same number again."""
        return self._column("start_date")

    def _column(self, name: str) -> Any:
        connection = self.source.airflow.connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT {name} FROM task_instance WHERE dag_id = %s AND run_id = %s", (self.dag_id, self.run_id)
                )
                return cursor.fetchone()[0]
        finally:
            connection.close()

    def log(self) -> str:
        """What the task said, of all tries, as Airflow wrote it."""
        logs = self.source.airflow.logs_folder / "logs"
        files = sorted(logs.rglob(f"dag_id={self.dag_id}/run_id={self.run_id}/**/*.log*"))
        return "\n".join(f"== {file.name}\n{file.read_text(errors='replace')[-6000:]}" for file in files)


def is_airflow_2(source: Source) -> bool:
    return source.airflow.airflow_version.startswith("2.")


def run_to_its_end(
    source: Source,
    environment_name: str,
    dag_id: str,
    airflow: RealAirflow | None = None,
    *,
    patience: float = PATIENCE,
) -> str:
    """Run a DAG once, expect that it succeeds, and return the run's id."""
    client = source.client
    (airflow or source.airflow).wait_for_dag(dag_id)
    client.set_dag_paused(environment_name, dag_id, False)
    run_id = client.trigger_dag_run(environment_name, dag_id).run_id

    def states() -> dict[str, str | None]:
        tasks = client.list_task_instances(environment_name, dag_id, run_id)
        return {task.task_id: task.state for task in tasks}

    until(
        lambda: not client.get_dag_run(environment_name, dag_id, run_id).is_active,
        lambda: f"{dag_id} goes on: {states()}",
        patience,
    )
    found = states()
    assert set(found.values()) == {"success"}, (found, source.logs(dag_id))
    return run_id


def until(condition: Any, tell: Any, patience: float = PATIENCE) -> None:
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(tell())
        time.sleep(0.1)


def database_variables(url: str) -> dict[str, str]:
    """What MWAA's containers say of the database, as far as they say it."""
    read = urlsplit(url)
    return {
        "MWAA__DB__POSTGRES_HOST": parse_qs(read.query)["host"][0],
        "MWAA__DB__POSTGRES_DB": read.path.lstrip("/"),
        "MWAA__DB__CREDENTIALS": json.dumps({"username": read.username, "password": read.password}),
    }


@pytest.fixture(scope="session")
def source() -> Iterator[Source]:
    target = ScriptedAirflow("3.3.1")
    target.add_dag("load", tasks=("extract",), run_takes=None)
    with LocalMwaa() as mwaa, cloudwatch() as cloud, started_s3() as s3, ExitStack() as stack:
        # Of its own, so that its address is known before Airflow starts.
        postgres = PostgresServer()
        postgres.start()
        stack.callback(postgres.stop)
        url = postgres.url(postgres.create_database("metadata"))
        home = mwaa.airflow_connection()
        del home["extra"]["endpoint_url"]
        variables = {
            "AIRFLOW_CONN_HOME": json.dumps(home),
            "AWS_ENDPOINT_URL_MWAA": mwaa.endpoint_url,
            "AWS_ENDPOINT_URL_S3": s3.endpoint_url,
            "AIRFLOW__MWAA_PROVIDER__METADATA_API": "True",
            "AIRFLOW__MWAA_PROVIDER__METADATA_API_CLEANUP": "True",
            # All of these tests run beside the listener.
            **cloud.variables,
            "AIRFLOW__MWAA_PROVIDER__HOST_METRICS": "True",
            "AIRFLOW__MWAA_PROVIDER__TASK_METRICS": "True",
            "AIRFLOW__MWAA_PROVIDER__METRICS_INTERVAL": str(METRICS_INTERVAL),
            # A task here takes a second, and the machine of the tests may be busy: boto3 alone can take longer to load.
            "AIRFLOW__MWAA_PROVIDER__METRICS_TIMEOUT": "12",
            "AIRFLOW_CONN_TO_TARGET": json.dumps(mwaa.airflow_connection()),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src")]),
            # As short as they go: what is tried is what happens, not when.
            "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "1",
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            "AIRFLOW__SCHEDULER__TRIGGER_TIMEOUT_CHECK_INTERVAL": "1",
        }
        airflow = RealAirflow(dags_folder=DAGS, environment={**variables, **database_variables(url)}, postgres=url)
        mwaa.create_environment("target", target)
        mwaa.create_environment("source", airflow)
        source = Source(mwaa, airflow, target, cloud, s3, variables)
        source.let_tasks_begin()
        yield source
