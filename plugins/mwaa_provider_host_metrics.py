"""For plugins.zip: put this file beside the folder ``mwaa_provider``; workers publish their figures if ``[mwaa_provider]`` says so."""

from mwaa_provider.plugins.host_metrics import MwaaHostMetricsPlugin as MwaaHostMetricsPlugin
