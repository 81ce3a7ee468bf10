"""Run a task in a virtual environment of its own, on MWAA.

What it needs:

- requirements.txt: ``airflow-provider-mwaa``
- configuration option: ``mwaa_provider.virtualenv : True`` (docs/plugins.md); on Airflow 2 ``core.lazy_load_plugins : False`` too
- a way to a package index, or wheels in ``plugins.zip`` and two more options:
  ``mwaa_provider.virtualenv_find_links : {plugins}/wheels`` and ``mwaa_provider.virtualenv_no_index : True``

AWS's sample patches a path of Python 3.7 that no environment has, and does not load on Airflow 3. This DAG is the same on both.
"""

import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task


@dag(start_date=pendulum.datetime(2024, 1, 1), schedule=None, catchup=False, tags=["mwaa"])
def example_virtualenv():
    """Show which version of a package a task sees."""

    # [START howto_virtualenv]
    @task.virtualenv(requirements=["colorama==0.4.6"], system_site_packages=False)
    def version_in_the_virtualenv() -> str:
        import colorama

        return colorama.__version__

    # [END howto_virtualenv]

    @task
    def tell(version: str) -> None:
        print(f"colorama {version}")

    tell(version_in_the_virtualenv())


example_virtualenv()
