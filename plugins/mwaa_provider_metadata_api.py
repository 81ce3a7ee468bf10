"""For plugins.zip: put this file beside the folder ``mwaa_provider``, and the metadata API can be switched on."""

from mwaa_provider.plugins.metadata_api import MwaaMetadataApiPlugin as MwaaMetadataApiPlugin
