"""A certificate authority of the local MWAA's own, so that clients verify TLS as they do against AWS."""

from __future__ import annotations

import shutil
import ssl
import tempfile
from pathlib import Path

import trustme


class Certificates:
    """A fresh authority and a certificate for 127.0.0.1 and localhost; only the authority's public PEM is written to disk."""

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="local-mwaa-"))
        try:
            authority = trustme.CA()
            self.ca_file = self._directory / "ca.pem"
            authority.cert_pem.write_to_path(str(self.ca_file))
            self.server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("127.0.0.1", "localhost").configure_cert(self.server_context)
        except BaseException:
            self.remove()
            raise

    def remove(self) -> None:
        """Delete the PEM and its directory."""
        shutil.rmtree(self._directory, ignore_errors=True)
