"""For plugins.zip: put this file beside the folder ``mwaa_provider``, and workers publish their figures where ``[mwaa_provider]`` says so."""

from mwaa_provider.plugins.host_metrics import MwaaHostMetricsPlugin as MwaaHostMetricsPlugin
