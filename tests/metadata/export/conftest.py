"""An export as tests ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mwaa_provider.metadata.export.asking import run_export
from tests.support.s3 import BUCKET

if TYPE_CHECKING:
    from collections.abc import Callable

    from mwaa_provider.metadata.export.running import ExportResult
    from tests.support.s3 import S3

    Export = Callable[..., ExportResult]


@pytest.fixture
def export(s3: S3, airflow_database: object) -> Export:
    """Exports task instances without bounds, unless told otherwise."""

    def run(**given: Any) -> ExportResult:
        settled = {name: given.pop(name) for name in ("stop", "progress") if name in given}
        bounds = (
            {}
            if {"since", "until", "max_age_in_days", "incremental_from"} & set(given)
            else {"until": "2100-01-01T00:00:00Z"}
        )
        arguments = {
            "s3_bucket": BUCKET,
            "s3_key_template": "x/{table}.{format}",
            "tables": ["task_instance"],
            "owner": "me",
            "run_id": "run_1",
            **bounds,
            **given,
        }
        return run_export(arguments, given.pop("client", None) or s3.client, **settled)

    return run
