"""An Airflow played in memory: REST v1, REST v2 and the most used CLI commands over DAGs with scripted lives."""
