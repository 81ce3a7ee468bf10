"""The demo's story, a list of steps; runs inside the virtual environment that scripts/demo has prepared.

To tell more of the story, write a function that takes the :class:`Stage` and add it to :data:`STEPS`.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from _demo_cleanup import SETTINGS as SETTINGS_OF_CLEANUPS
from _demo_cleanup import clean_both
from _demo_export import SETTINGS as SETTINGS_OF_EXPORTS
from _demo_export import export_both
from _demo_metrics import publish_environments, started_aws
from _demo_metrics import settings as settings_of_metrics
from botocore.config import Config

from mwaa_provider.client.models import DagRun
from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.exceptions import MwaaError
from mwaa_provider.local import Identity, JournalEntry, LocalMwaa
from mwaa_provider.local.real import PostgresServer, RealAirflow
from mwaa_provider.metadata.export.manifest import Manifest

EXAMPLE_DAGS = Path(__file__).resolve().parent.parent / "example_dags"
#: The examples of this story; others need providers that are not installed here.
PARSED = ("target", "trigger_other_environment", "trigger_deferred", "environment_metrics")
CALLING_DAG, TARGET_DAG = "example_trigger_other_environment", "example_target"
DEFERRING_DAG = "example_trigger_deferred"

#: Where a machine is busy otherwise, a task reads its DAG file for longer than the 30 s after which Airflow fails it.
PATIENCE = {"AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "300"}

#: Whoever looks on (this script), and the execution role of the environment that calls: told apart in the journal.
VISITOR, SOURCE_ROLE = Identity("DEMOVISITOR"), Identity("SOURCEEXECUTIONROLE", airflow_role="User")


class DemoFailedError(Exception):
    """Something did not happen that should have."""


@dataclass
class Stage:
    """What the steps share."""

    mwaa: LocalMwaa
    postgres: PostgresServer
    pythons: dict[str, str]
    keep: bool
    aws: str = ""
    published: int = 0
    dags_folder: Path = EXAMPLE_DAGS
    exported: dict[str, Manifest] = field(default_factory=dict)
    rows_before: dict[str, dict[str, int]] = field(default_factory=dict)
    rows_after: dict[str, dict[str, int]] = field(default_factory=dict)
    archived: dict[str, dict[str, int]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    airflows: dict[str, RealAirflow] = field(default_factory=dict)
    runs: dict[str, DagRun] = field(default_factory=dict)

    def say(self, text: str) -> None:
        """Print a line with the seconds since the start."""
        with _saying:
            print(f"[{time.monotonic() - self.began:6.1f} s] {text}", flush=True)

    @property
    def client(self) -> MwaaClient:
        """The visitor's client."""
        return MwaaClient(
            session=self.mwaa.boto3_session(VISITOR),
            endpoint_url=self.mwaa.endpoint_url,
            verify=str(self.mwaa.ca_file),
            botocore_config=Config(inject_host_prefix=False),
        )


_saying = threading.Lock()


def start_two_environments(stage: Stage) -> None:
    """Start an Airflow for 'source' and one for 'target', side by side."""
    connection = json.dumps(stage.mwaa.airflow_connection(SOURCE_ROLE))
    start_environments(
        stage,
        {
            "source": {
                "AIRFLOW_CONN_MWAA_DEMO": connection,
                **settings_of_metrics(stage.aws),
                **SETTINGS_OF_EXPORTS,
                **SETTINGS_OF_CLEANUPS,
                **PATIENCE,
            },
            "target": {**SETTINGS_OF_EXPORTS, **SETTINGS_OF_CLEANUPS, **PATIENCE},
        },
    )


def start_environments(stage: Stage, settings: dict[str, dict[str, str]]) -> None:
    """Start an Airflow for each environment, side by side.

    :param stage: The stage; its ``pythons`` names the environments.
    :param settings: Further environment variables of each.
    """
    for name, python in stage.pythons.items():
        stage.airflows[name] = RealAirflow(
            python=python,
            dags_folder=stage.dags_folder,
            postgres=stage.postgres,
            environment=settings[name],
            on_progress=stage.say,
        )
    with ThreadPoolExecutor() as pool:
        made = [pool.submit(stage.mwaa.create_environment, name, airflow) for name, airflow in stage.airflows.items()]
        try:
            wait(made, return_when=FIRST_EXCEPTION)
        finally:
            if not all(future.done() for future in made):  # one failed, or Ctrl-C: the other need not come up any more
                for airflow in stage.airflows.values():
                    airflow.stop()
    for environment in (future.result() for future in made):
        airflow_version = stage.client.get_environment(environment.name).airflow_version
        stage.say(f"{environment.name}: Airflow {airflow_version}, AVAILABLE, user interface {environment.base_url}")


def parse_example_dags(stage: Stage) -> None:
    """Wait until both have parsed their DAG, and unpause it."""
    for name, dag_id in (("source", CALLING_DAG), ("source", DEFERRING_DAG), ("target", TARGET_DAG)):
        stage.airflows[name].wait_for_dag(dag_id, timeout=120)
        stage.client.invoke_rest_api(name, "PATCH", f"/dags/{dag_id}", body={"is_paused": False})
        stage.say(f"{name}: DAG {dag_id} is there and unpaused")


def trigger_across(stage: Stage) -> None:
    """Start the calling DAG and follow both runs."""
    client = stage.client
    conf = {"environment_name": "target", "aws_conn_id": "mwaa_demo"}
    run = client.trigger_dag_run("source", CALLING_DAG, conf=conf)
    stage.say(f"source: run {run.run_id} of {CALLING_DAG} started")
    states: dict[str, str] = {}
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        run = client.get_dag_run("source", CALLING_DAG, run.run_id)
        for entry in calls_of_source(stage, method="POST", path=f"/dags/{TARGET_DAG}/dagRuns")[:1]:
            over_there = client.get_dag_run("target", TARGET_DAG, entry.body["dag_run_id"])
            stage.runs["target"] = over_there
            tell_change(stage, states, "target", over_there)
        tell_change(stage, states, "source", run)
        if not run.is_active:
            stage.runs["source"] = run
            return
        time.sleep(1)
    raise DemoFailedError(
        f"{CALLING_DAG} is still {run.state} after 3 minutes; its logs: {stage.airflows['source'].logs_folder}"
    )


def tell_change(stage: Stage, states: dict[str, str], name: str, run: DagRun) -> None:
    """Say a run's state if it has changed."""
    if states.get(name) != run.state:
        states[name] = run.state
        stage.say(f"{name}: {run.dag_id} is {run.state}")


def look_into_the_database(stage: Stage) -> None:
    """Look the run up where nobody can make it up."""
    if "target" not in stage.runs:
        raise DemoFailedError("the journal shows no run started in 'target'")
    connection = stage.airflows["target"].connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT state, count(*) OVER () FROM dag_run WHERE dag_id = %s AND run_id = %s",
                (TARGET_DAG, stage.runs["target"].run_id),
            )
            found = cursor.fetchall()
    finally:
        connection.close()
    if found != [("success", 1)]:
        raise DemoFailedError(f"in the target's database the run is {found or 'missing'}")
    stage.say("target: one row in dag_run, state success")


def show_what_travelled(stage: Stage) -> None:
    """Print the journal of what the calling environment asked."""
    entries = calls_of_source(stage)
    print(f"\n    {'what':<22}{'request':<86}{'answer':<8}way")
    for line, same in groupby(entries, key=journal_line):
        times = len(list(same))
        print(f"    {line}{f'   x {times}' if times > 1 else ''}")
    print(flush=True)
    seen = [(entry.operation, entry.method) for entry in entries]
    for operation, method, meaning in (
        ("GetEnvironment", "GET", "GetEnvironment"),
        ("rest", "POST", "the trigger"),
        ("rest", "GET", "the polling"),
    ):
        if not any(
            (entry.operation == operation or (operation == "rest" and entry.transport)) and entry.method == method
            for entry in entries
        ):
            raise DemoFailedError(f"the journal does not show {meaning}: {seen}")


def journal_line(entry: JournalEntry) -> str:
    """One line of the table."""
    run_id = (
        f"  {entry.body['dag_run_id']}"
        if entry.method == "POST" and isinstance(entry.body, dict) and "dag_run_id" in entry.body
        else ""
    )
    what = "REST" if entry.transport else entry.operation
    return f"{what:<22}{f'{entry.method} {entry.path}{run_id}':<86}{entry.status!s:<8}{entry.transport or ''}"


def calls_of_source(stage: Stage, **wanted: Any) -> tuple[JournalEntry, ...]:
    """Return what the calling environment's execution role asked."""
    return stage.mwaa.journal.entries(identity=SOURCE_ROLE.access_key_id, **wanted)


def sum_up(stage: Stage) -> None:
    """Print both runs; fail unless both succeeded."""
    for name, run in stage.runs.items():
        took = (run.end_date - run.start_date).total_seconds() if run.start_date and run.end_date else 0.0
        print(f"    {name:<20}{run.dag_id:<36}{run.state:<10}{took:5.1f} s   {run.run_id}")
    if not stage.published:
        raise DemoFailedError("nothing was published to CloudWatch")
    if stage.wrong:
        raise DemoFailedError("; ".join(stage.wrong))
    failed = [name for name, run in stage.runs.items() if run.state != "success"]
    if failed:
        raise DemoFailedError(f"the run in {' and '.join(failed)} did not succeed")
    print(flush=True)
    if stage.keep:
        stay(stage)


def stay(stage: Stage) -> None:
    """Leave everything running until Ctrl-C, giving a login link whenever it is asked for."""
    for environment in stage.mwaa.environments:
        print(f"    user interface of {environment.name}: {environment.base_url}")
    print(f"    its certificate authority: {stage.mwaa.ca_file}")
    print("    Enter: a login link for each, good for 60 seconds and one use. Ctrl-C: the end.", flush=True)
    while True:
        if not sys.stdin.readline():  # no terminal: only a signal ends it
            threading.Event().wait()
        for environment in stage.mwaa.environments:
            token = stage.client.create_web_login_token(environment.name)
            print(f"    {environment.base_url}/aws_mwaa/aws-console-sso?login=true#{token.value}", flush=True)


def defer_across(stage: Stage) -> None:
    """Start the deferring DAG: a task, then three at once, wait for their runs without a worker."""
    client = stage.client
    conf = {"environment_name": "target", "aws_conn_id": "mwaa_demo"}
    run_id = client.trigger_dag_run("source", DEFERRING_DAG, conf=conf).run_id
    stage.say(f"source: run {run_id} of {DEFERRING_DAG} started")
    states: dict[str, str | None] = {}
    deferred: set[str] = set()
    looks_before = len(looks_of_source(stage))
    deadline = time.monotonic() + 180
    while (run := client.get_dag_run("source", DEFERRING_DAG, run_id)).is_active and time.monotonic() < deadline:
        for task in client.list_task_instances("source", DEFERRING_DAG, run_id):
            name = task.task_id if task.map_index < 0 else f"{task.task_id} [{task.map_index}]"
            if task.state in ("deferred", "success") and states.get(name) != task.state:
                stage.say(
                    f"source: task {name} is {task.state}{', no worker waits' if task.state == 'deferred' else ''}"
                )
            states[name] = task.state
            deferred |= {name} if task.state == "deferred" else set()
        time.sleep(0.5)
    stage.runs["source, deferring"] = run
    if not deferred:
        raise DemoFailedError(f"no task of {DEFERRING_DAG} was deferred: {states}")
    looks = len(looks_of_source(stage)) - looks_before
    stage.say(f"source: the triggerer looked {looks} times for the runs of {len(deferred)} tasks")


def looks_of_source(stage: Stage) -> list[JournalEntry]:
    """Return how the calling environment looked for runs: by lists, and one by one."""
    return [
        entry
        for entry in calls_of_source(stage)
        if "/dagRuns/" in entry.path and not (entry.method == "POST" and entry.path.endswith("/dagRuns"))
    ]


STEPS: tuple[tuple[str, Callable[[Stage], None]], ...] = (
    ("Two Airflow environments come up", start_two_environments),
    ("They parse the DAGs of this story, out of example_dags/", parse_example_dags),
    ("A DAG in 'source' starts a DAG in 'target' and waits for it", trigger_across),
    ("The target's own PostgreSQL says how it ended", look_into_the_database),
    ("What travelled between them", show_what_travelled),
    ("Tasks in 'source' wait for runs in 'target' without a worker", defer_across),
    ("How both are: on the terminal, and in CloudWatch (played by moto)", publish_environments),
    ("The metadata of both goes to S3 (played by moto)", export_both),
    ("A year of history is cleaned, all but 90 days, and archived in S3", clean_both),
    ("What happened", sum_up),
)


def tell(target_python: str, keep: bool) -> None:
    """Go through the steps; whatever happens, nothing that was started stays."""
    with ExitStack() as stack:
        postgres = PostgresServer()
        stack.callback(postgres.stop)
        mwaa = stack.enter_context(LocalMwaa())
        aws = stack.enter_context(started_aws())
        stage = Stage(mwaa, postgres, {"source": sys.executable, "target": target_python}, keep, aws)
        stage.dags_folder = Path(stack.enter_context(TemporaryDirectory(prefix="mwaa-demo-dags-")))
        for name in PARSED:
            shutil.copy(EXAMPLE_DAGS / f"example_{name}.py", stage.dags_folder)
        stack.callback(stage.say, "stopping everything that was started")
        for number, (title, step) in enumerate(STEPS, 1):
            print(f"\n{number}. {title}", flush=True)
            step(stage)
    print(f"Done in {time.monotonic() - stage.began:.0f} s. Everything that was started is gone again.", flush=True)


def main() -> int:
    """Tell the story; 0 only if the target's run succeeded."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--target-python", required=True)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    # SIGTERM cleans up as Ctrl-C does; SIGINT is set too, since a shell starts a background job with it ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        tell(arguments.target_python, arguments.keep)
    except KeyboardInterrupt:
        print("Interrupted. Everything that was started is gone again.", flush=True)
        return 130
    except (DemoFailedError, MwaaError, TimeoutError) as error:
        print(f"The demo failed: {error}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
