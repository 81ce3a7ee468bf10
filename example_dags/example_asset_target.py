"""The DAG that an event of ``example_asset_event``, from elsewhere, starts. It needs nothing."""

from datetime import datetime, timezone

from airflow import DAG

try:
    from airflow.sdk import Asset, task
except ImportError:  # Airflow 2
    from airflow.datasets import Dataset as Asset
    from airflow.decorators import task

# [START howto_asset_target]
with DAG(
    dag_id="example_asset_target",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=[Asset("s3://my-bucket/orders")],
    catchup=False,
    tags=["mwaa"],
):

    @task
    def load_orders(triggering_asset_events=None, triggering_dataset_events=None):
        # Airflow 3 knows them by the first name, Airflow 2 by the second.
        events = triggering_asset_events or triggering_dataset_events or {}
        told = [event.extra for of_one in events.values() for event in of_one]
        print(f"Orders came: {told}")
        return [extra.get("loaded_by") for extra in told]

    load_orders()
    # [END howto_asset_target]
