from __future__ import annotations

import json

from mwaa_provider.local import LocalMwaa, ScriptedAirflow
from mwaa_provider.metrics.alarms import alarms
from mwaa_provider.metrics.dashboard import dashboard
from tests.cli.conftest import RunMwaa
from tests.metrics.conftest import cloud as cloud
from tests.metrics.conftest import started_cloudwatch as started_cloudwatch
from tests.support.cloudwatch import CloudWatch


def test_it_prints_what_the_api_takes(run: RunMwaa, airflow: ScriptedAirflow, local_mwaa: LocalMwaa) -> None:
    shown = {"airflow_version": airflow.airflow_version, "namespace": "MWAACustom"}
    made = dashboard("production", region_name=local_mwaa.region_name, **shown)
    whole = run("dashboard", "production")
    assert (whole.status, whole.stderr) == (0, "")
    assert json.loads(whole.stdout) == {
        "dashboard_name": "mwaa-production",
        "dashboard_body": made.body,
        "alarms": alarms("production", **shown),
    }
    assert json.loads(run("dashboard", "production", "--part", "body").stdout) == made.body
    arn = "arn:aws:sns:eu-west-1:123456789012:on-call"
    only = run("dashboard", "production", "--part", "alarms", "--without-own", "--alarm-action", arn)
    assert json.loads(only.stdout) == alarms("production", with_own=False, alarm_actions=[arn], **shown)


def test_apply_puts_them(run: RunMwaa, airflow: ScriptedAirflow, cloud: CloudWatch, local_mwaa: LocalMwaa) -> None:
    ended = run("dashboard", "production", "--apply", "--name", "ours", AWS_ENDPOINT_URL_CLOUDWATCH=cloud.endpoint_url)
    made = alarms("production", airflow_version=airflow.airflow_version)
    assert ended.stdout.splitlines() == ["dashboard ours", *(f"alarm {one['AlarmName']}" for one in made)]
    assert (ended.status, ended.stderr) == (0, "")
    assert cloud.calls == 1 + len(made)
    client = cloud.client(region_name=local_mwaa.region_name)
    body = json.loads(client.get_dashboard(DashboardName="ours")["DashboardBody"])
    assert body["widgets"] == json.loads(run("dashboard", "production", "--part", "body").stdout)["widgets"]
    there = {one["AlarmName"]: one for one in client.describe_alarms()["MetricAlarms"]}
    assert set(there) == {one["AlarmName"] for one in made}
    for one in made:
        for key in (
            "Threshold",
            "ComparisonOperator",
            "EvaluationPeriods",
            "TreatMissingData",
            "MetricName",
            "Dimensions",
        ):
            assert key not in one or there[one["AlarmName"]][key] == one[key]


def test_cloudwatch_says_no(run: RunMwaa, airflow: ScriptedAirflow, cloud: CloudWatch) -> None:
    cloud.mood = "denied"
    ended = run("dashboard", "production", "--apply", AWS_ENDPOINT_URL_CLOUDWATCH=cloud.endpoint_url)
    assert (ended.status, ended.stdout) == (1, "")
    assert "Allow cloudwatch:PutDashboard" in ended.error


def test_an_environment_that_is_not_there(run: RunMwaa) -> None:
    ended = run("dashboard", "gone")
    assert (ended.status, ended.stdout) == (1, "")
    assert "There is no MWAA environment 'gone'" in ended.error
