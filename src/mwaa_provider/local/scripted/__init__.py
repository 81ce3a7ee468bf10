"""An Airflow played in memory: DAGs, runs with a scripted life, task instances, XComs, variables and pools, through REST v1, v2 and CLI."""
