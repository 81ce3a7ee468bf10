"""Use hooks, sensors and operators of your own that lie in a package in plugins.zip.

What it needs:

- plugins.zip: ``mwaa plugins build examples/nested_plugin``

AWS's own sample registers them in an ``AirflowPlugin``, which has had no effect since Airflow 2, forgets one, and imports what
Airflow 3 no longer has. A package in the plugins folder is imported by its name, and no plugin is needed.
"""

from datetime import datetime, timezone

from acme.operators.hello import HelloOperator
from acme.sensors.ready import ReadySensor
from airflow import DAG

with DAG(
    dag_id="example_nested_plugin",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={"name": "MWAA"},
    tags=["mwaa"],
):
    # [START howto_nested_plugin]
    ready = ReadySensor(task_id="ready", poke_interval=5, timeout=60)
    hello = HelloOperator(task_id="hello", name="{{ params.name }}")

    ready >> hello
    # [END howto_nested_plugin]
