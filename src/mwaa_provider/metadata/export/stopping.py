"""Ending an export from outside: a task that is killed, a table that failed while others are under way."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from mwaa_provider.exceptions import ExportError

if TYPE_CHECKING:
    from mwaa_provider.metadata.export.s3_upload import S3Upload

log = logging.getLogger(__name__)


class Stop:
    """Knows the uploads that are under way, and aborts them when told to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uploads: set[S3Upload] = set()
        self._is_set = False

    def watch(self, upload: S3Upload) -> None:
        """Take an upload under watch.

        :param upload: The upload.
        """
        with self._lock:
            self._uploads.add(upload)
            is_set = self._is_set
        if is_set:
            upload.abort()

    def forget(self, upload: S3Upload) -> None:
        """Leave an upload that has ended.

        :param upload: The upload.
        """
        with self._lock:
            self._uploads.discard(upload)

    def now(self) -> None:
        """End the export: abort every upload that is under way, and have no further one begin."""
        self._is_set = True
        with self._lock:
            uploads = list(self._uploads)
        for upload in uploads:
            try:
                upload.abort()
            except Exception as error:
                log.warning("An upload could not be aborted: %s", error)

    def within(self, seconds: float) -> None:
        """Do that from a signal handler, so in the middle of anything: in a thread, with a limit.

        :param seconds: How long to wait for it.
        """
        self._is_set = True
        thread = threading.Thread(target=self.now, name="abort-uploads", daemon=True)
        thread.start()
        thread.join(seconds)

    def check(self) -> None:
        """Go no further if the export is to end.

        :raises ExportError: It is.
        """
        if self._is_set:
            raise ExportError("The export was ended before its manifest was written.", bucket="", key="")
