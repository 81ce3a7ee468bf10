"""Look at all MWAA environments of the account and region, side by side, and fail if one of them is not well.

What it needs:

- requirements.txt: ``airflow-provider-mwaa``
- connection: the one named by the param ``aws_conn_id``; ``aws_default`` (on MWAA: the execution role) will do
- IAM, for the role of that connection::

    {"Effect": "Allow", "Action": "airflow:ListEnvironments", "Resource": "*"},
    {"Effect": "Allow", "Action": "airflow:GetEnvironment", "Resource": "arn:aws:airflow:REGION:ACCOUNT:environment/*"},
    {"Effect": "Allow", "Action": "airflow:InvokeRestApi", "Resource": "arn:aws:airflow:REGION:ACCOUNT:role/*/Viewer"}

The guide has no sample of this. The same on the command line: ``mwaa status``; as metrics: ``example_environment_metrics``.
"""

from datetime import datetime, timezone

from airflow import DAG

try:
    from airflow.sdk import task
except ImportError:  # Airflow 2
    from airflow.decorators import task

with DAG(
    dag_id="example_fleet_status",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={"environments": [], "aws_conn_id": "aws_default"},
    tags=["mwaa"],
):
    # [START howto_fleet_status]
    @task
    def look(params=None):
        from mwaa_provider.hooks.mwaa import MwaaHook
        from mwaa_provider.metrics.environment import look_at
        from mwaa_provider.metrics.fleet import side_by_side

        client = MwaaHook(aws_conn_id=params["aws_conn_id"]).client
        found = side_by_side(lambda name: look_at(client, name), params["environments"] or client.list_environments())
        for health in found:
            print(
                health.environment_name, health.airflow_version, health.status, "well" if health.is_well else "NOT WELL"
            )
        return {health.environment_name: health.is_well for health in found}

    # [END howto_fleet_status]

    @task
    def fail_if_one_is_not_well(fleet):
        not_well = [name for name, is_well in fleet.items() if not is_well]
        if not_well:
            raise RuntimeError(f"not well: {', '.join(not_well)}")
        return len(fleet)

    fail_if_one_is_not_well(look())
