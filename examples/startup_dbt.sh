#!/bin/bash
# Startup script of example_dags/example_dbt.py: a virtual environment for dbt, on workers alone. dbt's requirements are not those of
# Airflow, so it does not go into requirements.txt. See docs/samples.md.
DBT_VENV="${DBT_VENV:-/usr/local/airflow/dbt_venv}"

if [[ "${MWAA_AIRFLOW_COMPONENT}" == "worker" ]]; then
    if python3 -m venv "${DBT_VENV}" && "${DBT_VENV}/bin/pip" install --quiet "dbt-core==1.8.9" "dbt-redshift==1.8.1"; then
        echo "dbt is in ${DBT_VENV}"
    else
        # A script that ends otherwise than with 0 keeps the container from starting; the DAG says clearly enough that dbt is missing.
        echo "dbt could not be installed" >&2
    fi
fi
