"""For plugins.zip: put this file beside the folder ``mwaa_provider``, and ``environment_variables.toml`` here is read."""

from mwaa_provider.plugins.registration import is_registered_by_pip

if not is_registered_by_pip("environment_variables"):  # Airflow 3.3 lists a plugin that comes twice as an import error
    from mwaa_provider.plugins.environment_variables import (
        MwaaEnvironmentVariablesPlugin as MwaaEnvironmentVariablesPlugin,
    )
