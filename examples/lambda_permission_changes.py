"""Tell who got another role in Airflow, out of the logs of MWAA environments, from an AWS Lambda function.

An EventBridge schedule calls it, say every hour. The roles that MWAA gives to users stand in the environments' logs, as messages with
``add-role``; it looks through those of the time since the last call and returns them, newest last, with their number for each log
group. What is to become of them (a message by SNS, a ticket) comes after it, as a destination of the function. Lambda's own boto3
is enough.

Environment variables of the function, all of them optional:

- ``ENVIRONMENTS``: names, with commas between them (default: all of the account and region)
- ``MINUTES``: how far to look back (default: 60). Give the schedule's interval; what comes into the logs late is found by a little more
- ``PATTERN``: what to look for, in CloudWatch Logs' syntax of filter patterns (default: ``"add-role"``, with the quotes)

IAM, for the function's role::

    {"Effect": "Allow", "Action": "airflow:ListEnvironments", "Resource": "*"},
    {"Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": "*"},
    {"Effect": "Allow", "Action": "logs:FilterLogEvents", "Resource": "arn:aws:logs:REGION:ACCOUNT:log-group:airflow-*"}

AWS's own sample names five log groups by hand, fails if one of them is not there, and counts the messages without saying what
they are.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from typing import Any

import boto3

# An answer of Lambda may have 6 MB; further messages are counted alone.
MOST_MESSAGES = 1000


# [START howto_lambda_permission_changes]
def handler(event: Any, context: Any) -> dict[str, Any]:
    """Return the messages, and how many there were in each log group."""
    logs = boto3.client("logs")
    end = int(time.time() * 1000)
    begin = end - int(os.environ.get("MINUTES", "60")) * 60_000
    counts: Counter[str] = Counter()
    messages: list[dict[str, Any]] = []
    for group in (group for name in environments() for group in log_groups(logs, name)):
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group,
            startTime=begin,
            endTime=end,
            filterPattern=os.environ.get("PATTERN", '"add-role"'),
        )
        for found in (found for page in pages for found in page["events"]):
            counts[group] += 1
            if len(messages) < MOST_MESSAGES:
                messages.append({"log_group": group, "timestamp": found["timestamp"], "message": found["message"]})
    messages.sort(key=lambda one: int(one["timestamp"]))
    return {"from": begin, "to": end, "counts": dict(counts), "messages": messages}
    # [END howto_lambda_permission_changes]


def environments() -> list[str]:
    """Return the names of the environments to look at."""
    named = [one.strip() for one in os.environ.get("ENVIRONMENTS", "").split(",") if one.strip()]
    if named:
        return named
    pages = boto3.client("mwaa").get_paginator("list_environments").paginate()
    return [name for page in pages for name in page["Environments"]]


def log_groups(logs: Any, environment_name: str) -> list[str]:
    """Return the log groups that an environment has: one for each component whose logs are switched on."""
    pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=f"airflow-{environment_name}-")
    names = (group["logGroupName"] for page in pages for group in page["logGroups"])
    # An environment's name may begin another's.
    components = ("DAGProcessing", "Scheduler", "Task", "WebServer", "Worker")
    return [name for name in names if name in {f"airflow-{environment_name}-{component}" for component in components}]
