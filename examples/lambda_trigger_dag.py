"""Start a DAG run in an MWAA environment from an AWS Lambda function. See docs/lambda.md for packaging, IAM and time-outs.

Environment variables of the function:

- ``MWAA_ENVIRONMENT_NAME``: the environment
- ``MWAA_DAG_ID``: the DAG. It is not taken from the event: whoever may send events could start any DAG.

The run's id is derived from the event, so one event starts one run: Lambda repeats an asynchronous event that failed or timed out, with
the same request id, and EventBridge may deliver one twice, with the same event id. The run gets the event as ``conf["event"]``.

AWS's own sample of this sends a CLI command, ignores its errors and gives back bytes that Lambda cannot return.
"""

from __future__ import annotations

import functools
import os
from typing import Any

from botocore.config import Config

from mwaa_provider.client.mwaa import MwaaClient
from mwaa_provider.exceptions import ConflictError


# [START howto_lambda_trigger_dag]
@functools.cache
def client() -> MwaaClient:
    """Return the client, made at the first event and kept for those that follow: it holds connections and the web session."""
    return MwaaClient(botocore_config=Config(connect_timeout=5, read_timeout=20))


def handler(event: Any, context: Any) -> dict[str, str]:
    """Start a run for this event, or find the one that it started before."""
    environment_name, dag_id = os.environ["MWAA_ENVIRONMENT_NAME"], os.environ["MWAA_DAG_ID"]
    event_id = event.get("id") if isinstance(event, dict) else None
    run_id = f"lambda__{event_id or context.aws_request_id}"
    try:
        run = client().trigger_dag_run(environment_name, dag_id, run_id=run_id, conf={"event": event})
    except ConflictError:
        found = client().find_dag_run(environment_name, dag_id, run_id)
        if found is None:
            raise
        run = found
    return {"environment_name": environment_name, "dag_id": dag_id, "run_id": run.run_id, "state": run.state}
    # [END howto_lambda_trigger_dag]
