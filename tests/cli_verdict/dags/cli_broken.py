# An airflow DAG file that cannot be imported.
raise ImportError("this DAG file does not parse")
