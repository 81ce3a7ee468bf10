"""Print the least IAM policy for an environment, as ``mwaa policy`` does, and what an export of the metadata database holds back.

    python policies_from_python.py ENVIRONMENT REGION ACCOUNT

It asks nobody anything.
"""

from __future__ import annotations

import json
import sys

from mwaa_provider.client.policy import EnvironmentArn, document, is_about_a_role, partition_of, statements
from mwaa_provider.metadata.policy import age_columns_of, holds_credentials, is_secret


def main(environment_name: str, region_name: str, account_id: str) -> None:
    """Print both."""
    arn = EnvironmentArn(environment_name, partition_of(region_name), region_name, account_id)
    actions = ("GetEnvironment", "InvokeRestApi")
    print(json.dumps(document(arn, *actions, airflow_role="Op"), indent=2))
    # For a policy of one's own, the statements alone; these are about the environment and no role in it.
    print(json.dumps(statements(arn, *(one for one in actions if not is_about_a_role(one)))))

    print("dag_run is as old as", " or ".join(age_columns_of("dag_run")))
    for table, column in (("connection", "password"), ("task_instance", "state")):
        print(table, column, "never exported" if holds_credentials(table) or is_secret(table, column) else "exported")


if __name__ == "__main__":
    main(*sys.argv[1:])
