"""MetadataToS3Operator: write tables of the metadata database to S3, with a manifest."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from mwaa_provider.airflow_compat import BaseOperator, RunningTask
from mwaa_provider.operators import rendered
from mwaa_provider.operators.aws_clients import AwsClients

if TYPE_CHECKING:
    from mwaa_provider.airflow_compat import Context
    from mwaa_provider.client.routing import TransportChoice
    from mwaa_provider.metadata.export.stopping import Stop

#: Seconds for aborting uploads when the task is killed: Airflow 3 kills the process after five.
_ABORT_SECONDS = 4.0


class MetadataToS3Operator(AwsClients, BaseOperator):
    """Write tables of an environment's metadata database to S3: consistent, streamed, and with a manifest that is written last.

    The result (XCom) is ``{"manifest": "s3://...", "row_counts": {"dag_run": 12, ...}}``. An export without a manifest does not exist. A
    rerun of the same task instance replaces its own objects, and nobody else's.

    IAM actions: ``s3:PutObject``, ``s3:GetObject``, ``s3:DeleteObject`` and ``s3:AbortMultipartUpload`` on ``arn:aws:s3:::BUCKET/*`` (with
    the ``/*``), ``s3:ListBucket`` and ``s3:ListBucketMultipartUploads`` on ``arn:aws:s3:::BUCKET``; for the metadata API and the REST API
    those of :class:`mwaa_provider.client.mwaa.MwaaClient`.
    https://docs.aws.amazon.com/mwaa/latest/userguide/samples-dag-run-info-to-csv.html

    :param s3_bucket: The bucket. (templated)
    :param s3_key_template: The objects' keys: ``{environment}``, ``{table}``, ``{date}``, ``{run_id}``, ``{format}``, ``{part}``
        (default ``metadata/{environment}/{date}/{run_id}/{table}.{format}``). The manifest lies where a table ``manifest`` would lie.
        (templated)
    :param tables: Names of tables, or ``history`` for all run history (default: DAG runs, task instances and, on Airflow 2, task
        failures). ``connection``, ``variable`` and others that hold credentials only if named, and without their values. (templated)
    :param max_age_in_days: How many days back from ``until``, or from now, rows are taken (default 30). (templated)
    :param since: The first moment (inclusive) instead, as a datetime with time zone or ISO 8601 text. (templated)
    :param until: The moment after the last (exclusive; default: no bound). (templated)
    :param age_columns: Table to the column that its rows' age is read from (default: see docs/export.md).
    :param file_format: ``csv`` (default), ``jsonl`` or ``parquet`` (needs pyarrow). (templated)
    :param compression: ``gzip`` (default), ``zstd`` (needs pyarrow) or ``None``; for Parquet the one inside of the file. (templated)
    :param route: The road to the rows: ``auto`` (default), ``database``, ``metadata_api`` or ``rest``. (templated)
    :param environment_name: The environment whose metadata it is (default: this one). (templated)
    :param metadata_conn_id: An Airflow connection of type ``postgres`` to the metadata database (default: this process's own way).
        (templated)
    :param incremental_from: A prefix of keys: the last manifest under it says where to begin (default: not). (templated)
    :param part: Which part of a shared export this is, as ``plan_partitions`` says (default: it is not shared). (templated)
    :param extra_args: Further arguments for S3, such as ``{"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "..."}``, ``ACL``,
        ``StorageClass``, ``Tagging``. (templated)
    :param verify_files: Whether to read every object back and compare it before the manifest is written (default false).
    :param overwrite: Whether objects that lie there and are not this task instance's may be replaced (default false).
    :param at_once: How many tables to read at a time (default 2).
    :param aws_conn_id: The Airflow connection to AWS (default ``aws_default``); ``None`` for the worker's own role. (templated)
    :param region_name: AWS region of the bucket and the environment (default: the connection's). (templated)
    :param verify: The CA bundle's path, or ``False`` to trust any certificate (default: the connection's). (templated)
    :param botocore_config: Settings of botocore as a dict (default: the connection's).
    :param transport: The way to the REST API: ``auto`` (default), ``iam`` (InvokeRestApi) or ``session`` (a web session).
    :raises InvalidInputError: naming every problem at once; nothing was read or written.
    :raises ExportError: if no road leads to the metadata, or the export failed. Its uploads are aborted, and there is no manifest.
    :raises VerificationError: if what was read back is not what was written.
    """

    template_fields: Sequence[str] = (
        "s3_bucket",
        "s3_key_template",
        "tables",
        "max_age_in_days",
        "since",
        "until",
        "file_format",
        "compression",
        "route",
        "environment_name",
        "metadata_conn_id",
        "incremental_from",
        "part",
        "extra_args",
        "aws_conn_id",
        "region_name",
        "verify",
    )
    template_fields_renderers = {"extra_args": "json"}
    ui_color = "#e4d9f2"

    def __init__(
        self,
        *,
        s3_bucket: str,
        s3_key_template: str = "metadata/{environment}/{date}/{run_id}/{table}.{format}",
        tables: Sequence[str] | str | None = None,
        max_age_in_days: float | str | None = None,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        age_columns: Mapping[str, str] | None = None,
        file_format: Literal["csv", "jsonl", "parquet"] = "csv",
        compression: Literal["gzip", "zstd"] | None = "gzip",
        route: Literal["auto", "database", "metadata_api", "rest"] = "auto",
        environment_name: str | None = None,
        metadata_conn_id: str | None = None,
        incremental_from: str | None = None,
        part: str | None = None,
        extra_args: dict[str, Any] | None = None,
        verify_files: bool = False,
        overwrite: bool = False,
        at_once: int = 2,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
        transport: TransportChoice = "auto",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.s3_bucket = s3_bucket
        self.s3_key_template = s3_key_template
        self.tables = tables
        self.max_age_in_days = max_age_in_days
        self.since = since
        self.until = until
        self.age_columns = age_columns
        self.file_format = file_format
        self.compression = compression
        self.route = route
        self.environment_name = environment_name
        self.metadata_conn_id = metadata_conn_id
        self.incremental_from = incremental_from
        self.part = part
        self.extra_args = extra_args
        self.verify_files = verify_files
        self.overwrite = overwrite
        self.at_once = at_once
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config
        self.transport: TransportChoice = transport

    def execute(self, context: Context) -> dict[str, Any]:
        """Export, and give back the manifest's address and the row counts."""
        from mwaa_provider.metadata.export.asking import run_export

        return run_export(self._arguments(context), self.s3_client, self._mwaa_client, stop=self._stop).xcom()

    def on_kill(self) -> None:
        """Abort the uploads that are under way."""
        self._stop.within(_ABORT_SECONDS)

    @cached_property
    def s3_client(self) -> Any:
        """boto3's client for S3, by the Airflow connection."""
        return self._s3_client()

    @cached_property
    def _stop(self) -> Stop:
        from mwaa_provider.metadata.export.stopping import Stop

        return Stop()

    def _arguments(self, context: Context) -> dict[str, Any]:
        from mwaa_provider.metadata.export.bucket import owner_of

        task = RunningTask(context)
        identity = {
            "environment": os.environ.get("AIRFLOW_ENV_NAME", ""),
            "dag_id": task.dag_id,
            "run_id": task.run_id,
            "task_id": task.task_id,
            "map_index": task.map_index,
        }
        return {
            "s3_bucket": self.s3_bucket,
            "s3_key_template": self.s3_key_template,
            "tables": rendered.none_if_empty(rendered.listed(self.tables)),
            "max_age_in_days": rendered.number(self.max_age_in_days),
            "since": rendered.none_if_empty(self.since),
            "until": rendered.none_if_empty(self.until),
            "age_columns": self.age_columns,
            "file_format": self.file_format,
            "compression": rendered.none_if_empty(self.compression),
            "route": self.route,
            "environment_name": rendered.none_if_empty(self.environment_name),
            "metadata_conn_id": rendered.none_if_empty(self.metadata_conn_id),
            "incremental_from": self.incremental_from,
            "part": rendered.none_if_empty(self.part),
            "extra_args": self.extra_args,
            "verify": self.verify_files,
            "overwrite": self.overwrite,
            "at_once": self.at_once,
            "date": _day_of(context),
            "run_id": task.run_id,
            "owner": owner_of(identity),
            "exported_by": identity,
        }


def _day_of(context: Context) -> date:
    """Return the day of the run, the same for every try: of its logical date, else of when it was due."""
    values: Mapping[str, Any] = context
    moment = (
        values.get("logical_date") or getattr(values.get("dag_run"), "run_after", None) or datetime.now(timezone.utc)
    )
    day: date = moment.astimezone(timezone.utc).date()
    return day
