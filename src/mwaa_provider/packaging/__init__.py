"""What goes into an MWAA environment beside the DAGs, made and checked: ``plugins.zip``, ``requirements.txt``, the startup script.

It runs on a build machine or a laptop: no Airflow is imported, and the network is used only where a function says so.
"""
