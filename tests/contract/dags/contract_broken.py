"""A file that Airflow takes for a DAG file (it says airflow and DAG) and cannot parse: an import error to be asked for."""

raise ImportError("this DAG file does not parse, on purpose")
