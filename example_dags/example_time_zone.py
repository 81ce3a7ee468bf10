"""A DAG that runs at noon in Los Angeles, in winter and in summer.

The time zone of a schedule is a matter of the DAG, that of log lines one of the environment: the configuration option
``mwaa_provider.log_time_zone : America/Los_Angeles`` (docs/plugins.md) changes the stamps of logs and no schedule.

AWS's sample writes ``datetime(..., tzinfo=...)``, which gives zones of some libraries an offset of the year 1883. ``pendulum.datetime``
does not.
"""

import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task


# [START howto_time_zone]
@dag(
    start_date=pendulum.datetime(2024, 1, 1, tz="America/Los_Angeles"),
    schedule="0 12 * * *",
    catchup=False,
    tags=["mwaa"],
)
def example_time_zone():
    """Say what time it is, there and in UTC."""

    @task
    def say_the_time() -> str:
        now = pendulum.now("America/Los_Angeles")
        print(f"{now.isoformat()} is {now.in_timezone('UTC').isoformat()}")
        return now.isoformat()

    say_the_time()


example_time_zone()
# [END howto_time_zone]
