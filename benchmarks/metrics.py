"""What metrics cost: API calls of an emission, time that the listener adds to a task, and fifty environments at once or one by one."""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from _cloudwatch import Counting
from _service import Service
from _table import show

_REGION = "eu-west-1"


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=1000, help="tasks that the listener is told of (default: 1000)")
    parser.add_argument("--environments", type=int, default=50, help="environments that are looked at (default: 50)")
    parser.add_argument("--side", choices=("ours", "sample"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(_emit(options.side)))
        return
    with Counting() as cloudwatch, tempfile.TemporaryDirectory() as folder:
        os.environ.update(_variables(cloudwatch.endpoint_url, folder))
        for measure in (
            lambda: _emissions(cloudwatch),
            lambda: _listener(options.tasks, cloudwatch),
            lambda: _fleet(options.environments, cloudwatch),
        ):
            measure()
            sys.stdout.flush()


def _variables(endpoint_url: str, folder: str) -> dict[str, str]:
    connection = {"conn_type": "aws", "login": "benchmark", "password": "benchmark"}
    extra = {"region_name": _REGION, "service_config": {"cloudwatch": {"endpoint_url": endpoint_url}}}
    return {
        "AIRFLOW_HOME": folder,
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "AIRFLOW_CONN_CLOUD": json.dumps({**connection, "extra": extra}),
        "AIRFLOW_ENV_NAME": "benchmark",
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_REGION": _REGION,
        "AWS_DEFAULT_REGION": _REGION,
        "AWS_ENDPOINT_URL_CLOUDWATCH": endpoint_url,
        "TMPDIR": folder,
        "NO_PROXY": "*",
    }


def _emissions(cloudwatch: Counting) -> None:
    """Publish once in the manner of the guide's sample and once by the operator, each in a process of its own."""
    rows = []
    for side in ("sample", "ours"):
        cloudwatch.forget()
        command = [sys.executable, str(Path(__file__).resolve()), "--side", side]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        told = json.loads(done.stdout.strip().splitlines()[-1])
        rows.append((side, told["metrics"], cloudwatch.calls, f"{told['cpu']:.1f}"))
    print("One emission of a host's figures\n")
    show(("side", "metrics", "API calls", "CPU user+system+idle, %"), rows)


def _emit(side: str) -> dict[str, Any]:
    metrics, cpu = (_as_the_guide_does if side == "sample" else _as_we_do)()
    return {"metrics": metrics, "cpu": cpu}


def _as_the_guide_does() -> tuple[int, float]:
    """Make a call for each of the guide's ten metrics, and ask for the processors without an interval, as its sample is described to."""
    import boto3
    import psutil

    client = boto3.client("cloudwatch")
    memory, cpu = psutil.virtual_memory(), psutil.cpu_times_percent(interval=0)
    found = {
        **{
            ("virtual_memory", name): ("Bytes", getattr(memory, name))
            for name in ("total", "available", "used", "free", "active", "inactive")
        },
        ("virtual_memory", "percent"): ("Percent", memory.percent),
        **{("cpu_times_percent", name): ("Percent", getattr(cpu, name)) for name in ("user", "system", "idle")},
    }
    for (category, name), (unit, value) in found.items():
        dimensions = {"Environment": "benchmark", "Category": category, "Host": socket.gethostname()}
        client.put_metric_data(
            Namespace="MWAACustom",
            MetricData=[
                {
                    "MetricName": f"{category}_{name}",
                    "Dimensions": [{"Name": key, "Value": text} for key, text in dimensions.items()],
                    "Timestamp": datetime.now(),
                    "Value": float(value),
                    "Unit": unit,
                }
            ],
        )
    return len(found), cpu.user + cpu.system + cpu.idle


def _as_we_do() -> tuple[int, float]:
    from mwaa_provider.operators.cloudwatch_metrics import HostMetricsOperator

    told = HostMetricsOperator(task_id="publish", aws_conn_id="cloud").execute({})["metrics"]
    return len(told), sum(told[f"cpu_times_percent_{name}"] for name in ("user", "system", "idle"))


def _listener(tasks: int, cloudwatch: Counting) -> None:
    """Tell the listener of tasks that do nothing, as Airflow does, and measure how long it takes to say that they begin and end."""
    from mwaa_provider.metrics.listening import ListenerSettings
    from mwaa_provider.plugins.host_metrics import HostMetricsListener

    class TaskInstance:
        dag_id, task_id, run_id, map_index = "load", "extract", "r1", -1

    rows = []
    for title, metrics in (
        ("host_metrics", {"host_metrics": True}),
        ("and task_metrics", {"host_metrics": True, "task_metrics": True}),
    ):
        listener = HostMetricsListener(ListenerSettings(interval=3600.0, **metrics))
        added: list[float] = []
        cloudwatch.forget()
        for _ in range(tasks):
            began = time.perf_counter()
            listener.on_task_instance_running(previous_state=None, task_instance=TaskInstance())
            middle = time.perf_counter()
            time.sleep(0.002)  # the task
            again = time.perf_counter()
            listener.on_task_instance_success(previous_state=None, task_instance=TaskInstance())
            added.append(1000 * (middle - began + time.perf_counter() - again))
        quiet = sorted(added[1:])
        rows.append(
            (
                title,
                tasks,
                cloudwatch.calls,
                f"{statistics.median(quiet):.2f}",
                f"{quiet[int(0.95 * len(quiet))]:.2f}",
                f"{quiet[-1]:.1f}",
                f"{added[0]:.0f}",
            )
        )
    print("\nTime that the listener adds to a task, in milliseconds\n")
    show(("switched on", "tasks", "API calls", "median", "95 of 100", "longest", "of the first"), rows)
    print(
        "\nof the first: the one that publishes; it loads boto3 and measures, and ends at once, so that it waits for all of that."
    )


def _fleet(environments: int, cloudwatch: Counting) -> None:
    """Look at many environments by one operator, and by one operator after the other."""
    from mwaa_provider.client import shared
    from mwaa_provider.operators.cloudwatch_metrics import EnvironmentMetricsOperator

    names = [f"environment_{number}" for number in range(environments)]
    common = {"aws_conn_id": "mwaa", "cloudwatch_conn_id": "cloud"}
    rows = []
    with Service() as service:
        os.environ["AIRFLOW_CONN_MWAA"] = json.dumps(service.connection["connection"])
        for number, name in enumerate(names):
            service.ask("environment", name=name, airflow=("2.10.3", "3.3.1")[number % 2])
        for title, groups in (("one operator", [names]), ("one by one", [[name] for name in names])):
            service.ask("begin")
            cloudwatch.forget()
            shared.forget_all()  # nothing learned by the case before
            began = time.monotonic()
            told = [
                EnvironmentMetricsOperator(task_id="look", environments=group, **common).execute({}) for group in groups
            ]
            seconds = time.monotonic() - began
            looked = [one for answer in told for one in answer["environments"]]
            rows.append(
                (
                    title,
                    len(looked),
                    sum(one["is_well"] for one in looked),
                    sum(answer["metrics"] for answer in told),
                    cloudwatch.calls,
                    f"{seconds:.1f}",
                    service.ask("busiest_second_by_iam"),
                )
            )
    print("\nEnvironments, each with its rule of 10 InvokeRestApi calls a second\n")
    show(("by", "environments", "well", "metrics", "API calls", "seconds", "busiest second"), rows)
    print(
        "\nAPI calls: of CloudWatch. busiest second: the most InvokeRestApi calls that one environment had in any second."
    )


if __name__ == "__main__":
    main()
