"""What the plugins repair, in tasks of a real Airflow."""

from datetime import datetime

try:
    from airflow.sdk import dag, task
except ImportError:
    from airflow.decorators import dag, task


@dag(start_date=datetime(2024, 1, 1), schedule=None)
def repaired():
    @task
    def talk():
        """Say a line every second, for longer than the zone keeps its offset."""
        import logging
        import time

        for number in range(16):
            logging.getLogger("airflow.task").info("line %s", number)
            time.sleep(1)

    @task
    def variables():
        import os
        import time

        return {
            "stage": os.environ.get("STAGE"),
            "path": os.environ["PATH"].split(":")[0],
            "zone": time.strftime("%z"),
        }

    @task.virtualenv(requirements=["probe==1.0"])
    def in_virtualenv():
        import sys

        import probe

        return [probe.__version__, *sys.version_info[:2]]

    talk() >> in_virtualenv()
    variables()


repaired()
