"""For plugins.zip: put this file beside the folder ``mwaa_provider``, and virtual environments are repaired."""

from mwaa_provider.plugins.registration import is_registered_by_pip

if not is_registered_by_pip("virtualenv"):  # Airflow 3.3 lists a plugin that comes twice as an import error
    from mwaa_provider.plugins.virtualenv import MwaaVirtualenvPlugin as MwaaVirtualenvPlugin
