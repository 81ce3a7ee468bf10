"""Run a command on a worker that whoever triggers the DAG chooses, out of those that the DAG offers.

What it needs:

- nothing but Airflow. The param ``command`` is one of the list; whoever may write DAG files may make that longer.

AWS's own sample runs whatever ``dag_run.conf`` says, so that everybody who may trigger the DAG has a shell on a worker, with the
environment's execution role. Here Airflow itself refuses a run whose param is not in the list, before a task of it starts.
"""

from datetime import datetime, timezone

from airflow import DAG

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import Param
except ImportError:  # Airflow 2
    from airflow.models.param import Param
    from airflow.operators.bash import BashOperator

COMMANDS = [
    "python3 --version",
    "python3 -m pip freeze",
    "df --human-readable",
    "env | cut --delimiter== --fields=1 | sort",  # names alone: values may be secrets
]

with DAG(
    dag_id="example_bash_command",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={"command": Param(COMMANDS[0], type="string", enum=COMMANDS)},
    tags=["mwaa"],
):
    # [START howto_bash_command]
    BashOperator(task_id="run", bash_command="{{ params.command }}")
    # [END howto_bash_command]
