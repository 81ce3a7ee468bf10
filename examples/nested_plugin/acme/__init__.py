"""What Acme shares between its DAGs: imported by name from the plugins folder, no AirflowPlugin needed."""
