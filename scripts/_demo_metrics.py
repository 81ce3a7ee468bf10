"""The part of the demo's story about metrics: CloudWatch is played by moto, on this machine, and holds what is published."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import boto3

from mwaa_provider.cli.status import look_at_all, show
from mwaa_provider.metrics.cloudwatch import new_cloudwatch_client
from mwaa_provider.metrics.model import NAMESPACE

if TYPE_CHECKING:
    from _demo_story import Stage

METRICS_DAG = "example_environment_metrics"
REGION = "eu-west-1"
#: Seconds between two publications of the host's figures; on MWAA a minute would do.
_INTERVAL = "5"
#: What is printed of what was published.
_SHOWN = (
    *("environment_available", "heartbeat_age", "dag_runs_ended_last_hour", "task_instances", "import_errors"),
    *("container_memory_percent", "container_cpu_percent", "cpu_times_percent_user", "virtual_memory_percent"),
    *("tmp_percent", "load_average_1m", "open_file_descriptors", "task_processes"),
    *("task_duration", "task_peak_memory", "task_cpu_time"),
)


@contextmanager
def started_aws() -> Iterator[str]:
    """Start moto, which plays CloudWatch and S3, and give its address."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        yield f"http://127.0.0.1:{server._server.server_port}"
    finally:
        server.stop()


def settings(endpoint_url: str) -> dict[str, str]:
    """Return the environment variables with which an Airflow publishes there: its operators, and its workers by themselves.

    :param endpoint_url: CloudWatch's address.
    """
    keys = {"login": "demo", "password": "demo"}
    service = {"service_config": {"cloudwatch": {"endpoint_url": endpoint_url}}, "region_name": REGION}
    return {
        "AIRFLOW_CONN_CLOUDWATCH_DEMO": json.dumps({"conn_type": "aws", **keys, "extra": service}),
        # The example has a schedule, and parameters that lead to AWS itself: here it runs when it is asked to.
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        "AIRFLOW__MWAA_PROVIDER__HOST_METRICS": "True",
        "AIRFLOW__MWAA_PROVIDER__TASK_METRICS": "True",
        "AIRFLOW__MWAA_PROVIDER__METRICS_INTERVAL": _INTERVAL,
        "AWS_ENDPOINT_URL_CLOUDWATCH": endpoint_url,
        "AWS_ACCESS_KEY_ID": "demo",
        "AWS_SECRET_ACCESS_KEY": "demo",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_DISABLE_REQUEST_COMPRESSION": "true",  # old releases of moto know no gzip
    }


def publish_environments(stage: Stage) -> None:
    """Let a DAG in 'source' look at 'target', and show the same as a table, and what stands in CloudWatch."""
    client = stage.client
    conf = {"environment_name": "target", "aws_conn_id": "mwaa_demo", "cloudwatch_conn_id": "cloudwatch_demo"}
    stage.airflows["source"].wait_for_dag(METRICS_DAG, timeout=120)
    client.invoke_rest_api("source", "PATCH", f"/dags/{METRICS_DAG}", body={"is_paused": False})
    run_id = client.trigger_dag_run("source", METRICS_DAG, conf=conf).run_id
    stage.say(f"source: run {run_id} of {METRICS_DAG} started")
    deadline = time.monotonic() + 180
    while (run := client.get_dag_run("source", METRICS_DAG, run_id)).is_active and time.monotonic() < deadline:
        time.sleep(0.5)
    stage.runs["source, metrics"] = run
    stage.say(f"source: {METRICS_DAG} is {run.state}")
    client.invoke_rest_api("source", "PATCH", f"/dags/{METRICS_DAG}", body={"is_paused": True})
    print("\n    mwaa status\n", flush=True)
    show(look_at_all(client, ()), as_json=False)
    _show_published(stage)


def _show_published(stage: Stage) -> None:
    session = boto3.Session("demo", "demo", region_name=REGION)
    cloudwatch = new_cloudwatch_client(session, endpoint_url=stage.aws)
    found = [
        one
        for page in cloudwatch.get_paginator("list_metrics").paginate(Namespace=NAMESPACE)
        for one in page["Metrics"]
    ]
    series = {
        (one["MetricName"], tuple(sorted((pair["Name"], pair["Value"]) for pair in one["Dimensions"]))) for one in found
    }
    print(f"\n    {len(series)} series in CloudWatch's namespace {NAMESPACE}; some of them:\n")
    for name in _SHOWN:
        for _, dimensions in sorted(one for one in series if one[0] == name)[:3]:
            value = _latest(cloudwatch, name, dimensions)
            about = ", ".join(f"{key}={text}" for key, text in dimensions if key != "Category")
            print(f"    {name:<26}{value:>16,.1f}  {about}")
    print(flush=True)
    stage.published = len(series)


def _latest(cloudwatch: Any, name: str, dimensions: tuple[tuple[str, str], ...]) -> float:
    now = datetime.now(timezone.utc)
    points = cloudwatch.get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": text} for key, text in dimensions],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Average"],
    )["Datapoints"]
    latest: float = max(points, key=lambda point: point["Timestamp"])["Average"]
    return latest
