from __future__ import annotations

from mwaa_provider.exceptions import MwaaError


class StartFailedError(MwaaError):
    """Something that the local MWAA runs did not come up, or died; what had been started was ended again.

    Facts: ``component`` (``postgres``, ``web server``, ``scheduler`` ...), ``log`` (its last lines, secrets masked; may
    be empty).
    """
