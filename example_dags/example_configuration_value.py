"""Print what a configuration option of Airflow says where tasks run, and where it comes from.

What it needs:

- nothing but Airflow. The param ``option`` is a section and a key, such as ``core.parallelism``.

AWS's own sample lacks its imports and prints a text that stands in it, not the option. Here the option is read, and one that
Airflow holds for a secret (``core.fernet_key``, ``database.sql_alchemy_conn``) is refused: task logs are read by many.
"""

from datetime import datetime, timezone

from airflow import DAG

try:
    from airflow.sdk import task
except ImportError:  # Airflow 2
    from airflow.decorators import task

with DAG(
    dag_id="example_configuration_value",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={"option": "core.default_timezone"},
    tags=["mwaa"],
):
    # [START howto_configuration_value]
    @task
    def print_option(params=None):
        import os

        from airflow.configuration import conf

        section, _, key = params["option"].partition(".")
        secrets = {(one.lower(), other.lower()) for one, other in conf.sensitive_config_values}
        if (section.lower(), key.lower()) in secrets:
            raise ValueError(f"{section}.{key} is a secret, and this log is read by many")
        value = conf.get(section, key, fallback=None)
        # On MWAA, configuration options reach the containers as environment variables.
        variable = f"AIRFLOW__{section}__{key}".upper()
        source = variable if variable in os.environ else "airflow.cfg, or Airflow's default"
        print(f"{section}.{key} = {value!r} ({source})")
        return value

    print_option()
    # [END howto_configuration_value]
