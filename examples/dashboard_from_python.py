"""Put a dashboard and alarms with thresholds of one's own, and publish a figure of one's own beside those of this package.

    python dashboard_from_python.py ENVIRONMENT

What it needs, for whoever runs it:

- IAM: ``airflow:GetEnvironment``; ``cloudwatch:PutDashboard``, ``cloudwatch:PutMetricAlarm`` and ``cloudwatch:PutMetricData``
"""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone

import boto3

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.metrics.alarms import Thresholds, alarms
from mwaa_provider.metrics.dashboard import dashboard
from mwaa_provider.metrics.model import Measurement
from mwaa_provider.metrics.publishing import MetricPublisher


def main(environment_name: str) -> None:
    """Put a dashboard and its alarms, and publish how many rows a load had."""
    cloudwatch = boto3.client("cloudwatch")
    release = MwaaClient().get_environment(environment_name).airflow_version
    made = dashboard(environment_name, airflow_version=release, region_name=cloudwatch.meta.region_name)
    cloudwatch.put_dashboard(DashboardName=made.name, DashboardBody=json.dumps(made.body))
    thresholds = Thresholds(queue_seconds=300, database_percent=60)
    for alarm in alarms(environment_name, airflow_version=release, thresholds=thresholds):
        cloudwatch.put_metric_alarm(**alarm)

    rows = Measurement(
        "rows_loaded", 1200, "Count", datetime.now(timezone.utc), {"Environment": environment_name, "Table": "orders"}
    )
    print(MetricPublisher(cloudwatch).publish([rows]))


if __name__ == "__main__":
    main(*sys.argv[1:])
