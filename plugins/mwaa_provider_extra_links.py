"""For plugins.zip: put this file beside the folder ``mwaa_provider``, and the link "Remote DAG run" shows on its tasks."""

from mwaa_provider.plugins.extra_links import MwaaExtraLinksPlugin as MwaaExtraLinksPlugin
