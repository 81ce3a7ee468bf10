"""For plugins.zip: put this file beside the folder ``mwaa_provider``, and logs are stamped in ``mwaa_provider.log_time_zone``."""

from mwaa_provider.plugins.registration import is_registered_by_pip

if not is_registered_by_pip("log_time_zone"):  # Airflow 3.3 lists a plugin that comes twice as an import error
    from mwaa_provider.plugins.log_time_zone import MwaaLogTimeZonePlugin as MwaaLogTimeZonePlugin
