"""An archive by the metadata API: a batch's rows are asked for and written to S3 before it is asked to be removed as it was given."""

from __future__ import annotations

import base64
import csv
import gzip
import io
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from mwaa_provider.metadata.api.client import ChangedBatchError, MetadataApi
from mwaa_provider.metadata.catalog import Column, Table
from mwaa_provider.metadata.cleanup.archive_files import ArchiveFiles, Origin, Rows
from mwaa_provider.metadata.cleanup.archive_settling import settle_by
from mwaa_provider.metadata.cleanup.archive_target import Target
from mwaa_provider.metadata.cleanup.report import Left
from mwaa_provider.metadata.export.manifest import Manifest

#: How often a batch that somebody changes in between is taken.
_TIMES = 5
#: By so many of its rows a batch is looked for, and one would do.
_KEYS = 20


class ApiArchive(ArchiveFiles):
    """The archive of one clean-up by the metadata API.

    :param target: Where it lies.
    :param before: What is older goes.
    :param api: The metadata API.
    :param facts: What it said of itself.
    """

    def __init__(self, target: Target, before: datetime, api: MetadataApi, facts: Mapping[str, Any]) -> None:
        origin = Origin("metadata_api", api.environment_name, str(facts["airflow_version"]), facts["schema_revision"])
        super().__init__(target, before, origin)
        self._api = api

    def settle(self) -> None:
        """Finish the archives of clean-ups that were killed, by looking whether their rows are there."""
        self.notes += settle_by(self.target, self._status)

    def next(self, question: dict[str, Any]) -> dict[str, Any]:
        """Archive and remove the next batch; return what the web server says of it.

        :param question: Which rows, and where to begin.
        :raises ExportError: S3 failed; nothing of the batch was removed.
        :raises VerificationError: What was read back is not what was written; nothing of the batch was removed.
        """
        for _ in range(_TIMES):
            told = self._api.ask("/cleanup/take", question)
            if "taken" not in told:
                return told
            number = self.number()
            taken = [_rows(one) for one in told["taken"]]
            look = {**_look(taken), "until": told["until"]}
            try:
                files = self.write(number, taken, {"look": look})
            finally:
                for rows in taken:
                    rows.close()
            in_doubt = self._api.times_in_doubt
            digests = {one["table"]: one["digest"] for one in told["taken"]}
            try:
                done = self._api.ask("/cleanup/remove", {**question, "digests": digests, "until": told["until"]})
            except ChangedBatchError:
                # If no answer was lost, nothing was removed; else it is looked for.
                if self._api.times_in_doubt == in_doubt or not self._api.ask("/cleanup/gone", look)["gone"]:
                    self.discard(files, self.pending(number))
                    continue
                done = _told(question, {one["table"]: one["row_count"] for one in told["taken"]})
            self.gone(files, self.pending(number))
            return done
        why = f"changed by others while it was archived, {_TIMES} times"
        left = Left(question["work"], ", ".join(question["after"] or ()) or "its beginning", why)
        return {**_told(question, {}), "batches": 0, "left": [asdict(left)], "is_end": True}

    def _status(self, manifest: Manifest) -> str | None:
        look = manifest.exported_by.get("look")
        if not isinstance(look, dict):
            return None
        return "committed" if self._api.ask("/cleanup/gone", look)["gone"] else "aborted"


def _rows(told: Mapping[str, Any]) -> Rows:
    columns = tuple(Column(**one) for one in told["columns"])
    rows = Rows(Table("", told["table"], columns, tuple(told["left_out"]), tuple(told["primary_key"])))
    rows.take(gzip.decompress(base64.b64decode(told["rows"])))
    rows.row_count = told["row_count"]
    return rows


def _look(taken: list[Rows]) -> dict[str, Any]:
    """Say by which rows a batch is looked for: of what is removed last, for that hangs on nothing else."""
    last = [rows for rows in taken if rows.table.primary_key][-1]
    names = [column.name for column in last.columns]
    at = [names.index(name) for name in last.table.primary_key]
    text = io.TextIOWrapper(io.BytesIO(b"".join(last.chunks())), "utf-8", newline="")
    keys = [[row[place] for place in at] for row, _ in zip(csv.reader(text), range(_KEYS), strict=False)]
    return {"table": last.table.name, "keys": keys}


def _told(question: Mapping[str, Any], rows: Mapping[str, int]) -> dict[str, Any]:
    """Say of a batch whose answer was lost what the web server would have said."""
    place = {name: question[name] for name in ("after", "rows", "per_run")}
    return {
        "rows": rows,
        "left": [],
        "kept_runs": 0,
        "batches": 1,
        "longest_batch": 0.0,
        "place": place,
        "is_end": False,
        "reached": question["work"],
    }
