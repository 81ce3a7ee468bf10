"""Run a dbt project: its virtual environment comes from the startup script, its files from the DAG folder.

What it needs:

- startup script: ``examples/startup_dbt.sh``, which makes the virtual environment on workers
- the project under ``dags/dbt/``, with its ``profiles.yml`` (which reads passwords by ``env_var``, not from the file)
- a way from the workers to the database and, for the startup script, to a package index

AWS's own sample is written for Airflow 2.2.2, opens the project to everybody (``chmod 777``), and prints a log file that may not be
there, so that the task fails or succeeds by ``cat`` and not by dbt. Here the project is copied to a folder of the task's own, which
is removed after it, and the task ends as dbt does.
"""

from datetime import datetime, timezone

from airflow import DAG

try:
    from airflow.providers.standard.operators.bash import BashOperator
except ImportError:  # Airflow 2
    from airflow.operators.bash import BashOperator

with DAG(
    dag_id="example_dbt",
    start_date=datetime(2024, 1, 1, tzinfo=timezone.utc),
    schedule=None,
    catchup=False,
    params={
        "project": "/usr/local/airflow/dags/dbt",
        "dbt": "/usr/local/airflow/dbt_venv/bin/dbt",
        "command": "build",
    },
    tags=["mwaa"],
):
    # [START howto_dbt]
    BashOperator(
        task_id="dbt",
        # The operator's own folder is the current one, and is removed when the task ends. The DAG folder cannot be written to.
        bash_command="""
            set -euo pipefail
            cp -R "$PROJECT/." .
            "$DBT" "$COMMAND" --project-dir . --profiles-dir .
        """,
        # By environment variables: what stands in a param is no part of the shell's text.
        env={
            "PROJECT": "{{ params.project }}",
            "DBT": "{{ params.dbt }}",
            "COMMAND": "{{ params.command }}",
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        append_env=True,
    )
    # [END howto_dbt]
