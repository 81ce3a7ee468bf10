"""Whether Airflow finds our plugins by itself, because pip installed the package."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution


def is_registered_by_pip(module: str) -> bool:
    """Tell whether a plugin is an entry point of the installed package.

    Airflow would load it once more from a file in ``plugins.zip``. Airflow 3.3 lists the second one as an import error, and its
    loader in task processes drops all plugins that come after it.

    :param module: The plugin's module, such as ``virtualenv``.
    """
    try:
        points = distribution("airflow-provider-mwaa").entry_points
    except PackageNotFoundError:
        return False
    return any(
        point.group == "airflow.plugins" and point.value.startswith(f"mwaa_provider.plugins.{module}:")
        for point in points
    )
