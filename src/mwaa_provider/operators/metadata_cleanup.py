"""MetadataCleanupOperator: remove old rows from the metadata database, in short transactions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from mwaa_provider.airflow_compat import BaseOperator
from mwaa_provider.operators import rendered
from mwaa_provider.operators.aws_clients import AwsClients

if TYPE_CHECKING:
    from datetime import datetime

    from mwaa_provider.airflow_compat import Context
    from mwaa_provider.metadata.cleanup.pace import Stop


class MetadataCleanupOperator(AwsClients, BaseOperator):
    """Remove old rows from the metadata database: old runs with everything that hangs on them, and old rows of other history.

    Active runs, the newest run of each DAG that is not manual, and what something kept refers to stay, whatever their age. Every batch is a
    short transaction of its own; what another transaction has locked is passed over, tried again and listed. Ended early, by
    ``max_duration`` or by a kill, the next run goes on: there is no state outside of the database.

    The result (XCom) has ``rows`` (table to how many went), ``complete``, ``stopped`` (why it ended early), ``left`` (what was locked),
    ``kept_runs``, ``batches``, ``longest_batch``, ``seconds``, ``sizes`` and ``archive`` (the manifest's address); of a dry run ``rows``,
    ``bytes``, ``oldest``, ``newest``, ``stays`` and ``estimated_seconds``.

    Where this process has a way to the database, no IAM action is needed. Where it has none, as in tasks on Airflow 3, or for another
    environment, the environment's own web server cleans, if its metadata API may; else ``airflow db clean`` does through the CLI endpoint,
    by its own rules (docs/clean-up.md). ``airflow:GetEnvironment`` on the environment and ``airflow:CreateWebLoginToken`` on
    ``arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/Admin``; for the CLI endpoint ``airflow:CreateCliToken`` too. For an archive
    ``s3:PutObject``, ``s3:GetObject`` and ``s3:DeleteObject`` on ``arn:aws:s3:::BUCKET/*``, ``s3:ListBucket`` on ``arn:aws:s3:::BUCKET``.
    https://docs.aws.amazon.com/mwaa/latest/userguide/samples-database-cleanup.html

    :param max_age_in_days: How many days back from now rows stay (default 30). (templated)
    :param before: The cut-off instead, as a datetime with time zone or ISO 8601 text: older rows go. (templated)
    :param min_age_in_days: Rows younger than so many days are refused (default 1). (templated)
    :param tables: Names of tables; a table brings those that hang on it (default: all run history). ``dag`` and ``dag_version`` only if
        named. (templated)
    :param dag_ids: Only rows of these DAGs; tables whose rows belong to no DAG are left out (default: all). (templated)
    :param exclude_dag_ids: No rows of these DAGs, instead (default: none). (templated)
    :param route: The road to the rows: ``auto`` (default: the first that leads there), ``database``, ``metadata_api`` or ``cli``.
        (templated)
    :param environment_name: The environment whose metadata it is (default: this one). (templated)
    :param metadata_conn_id: An Airflow connection of type ``postgres`` to the metadata database (default: this process's own way).
        (templated)
    :param dry_run: Whether to count what would go, and write nothing (default false). (templated)
    :param batch_size: The most rows that one transaction takes (default: as many as it can in half a second). (templated)
    :param parallel: How many connections work side by side, 8 at most (default 1). (templated)
    :param max_duration: Seconds after which no further batch begins (default: no limit). (templated)
    :param statement_timeout: Seconds that one statement may take (default 10). (templated)
    :param lock_timeout: Seconds to wait for a lock (default 0.5). (templated)
    :param pause_between_batches: Seconds to leave to others after each batch (default 0). (templated)
    :param analyze: Whether to run ``ANALYZE`` on what lost rows (default true).
    :param vacuum: Whether to run ``VACUUM`` on it too, which may take long (default false: PostgreSQL does so by itself in time). By
        the database only.
    :param drop_leftovers: Whether to drop the archive tables ``_airflow_deleted__*`` that ``airflow db clean`` has left (default false).
        Not by the CLI endpoint.
    :param archive_to: ``s3://BUCKET/PREFIX`` where each batch's rows are written, and read back, before they go; by the database or
        the metadata API (default: nowhere). (templated)
    :param aws_conn_id: The Airflow connection to AWS, for a web server and the archive (default ``aws_default``); ``None`` for the worker's
        own role. (templated)
    :param region_name: AWS region of the environment and the bucket (default: the connection's). (templated)
    :param verify: The CA bundle's path, or ``False`` to trust any certificate (default: the connection's). (templated)
    :param botocore_config: Settings of botocore as a dict (default: the connection's).
    :raises InvalidInputError: naming every problem at once; nothing was removed.
    :raises CleanupError: if no road leads to the database, or it failed half-way.
    """

    template_fields: Sequence[str] = (
        "max_age_in_days",
        "before",
        "min_age_in_days",
        "tables",
        "dag_ids",
        "exclude_dag_ids",
        "route",
        "environment_name",
        "metadata_conn_id",
        "is_dry_run",
        "batch_size",
        "parallel",
        "max_duration",
        "statement_timeout",
        "lock_timeout",
        "pause_between_batches",
        "archive_to",
        "aws_conn_id",
        "region_name",
        "verify",
    )
    ui_color = "#e4d9f2"

    def __init__(
        self,
        *,
        max_age_in_days: float | str | None = None,
        before: datetime | str | None = None,
        min_age_in_days: float | str = 1,
        tables: Sequence[str] | str | None = None,
        dag_ids: Sequence[str] | str | None = None,
        exclude_dag_ids: Sequence[str] | str | None = None,
        route: Literal["auto", "database", "metadata_api", "cli"] = "auto",
        environment_name: str | None = None,
        metadata_conn_id: str | None = None,
        dry_run: bool | str = False,
        batch_size: int | str | None = None,
        parallel: int | str = 1,
        max_duration: float | str | None = None,
        statement_timeout: float | str = 10.0,
        lock_timeout: float | str = 0.5,
        pause_between_batches: float | str = 0.0,
        analyze: bool = True,
        vacuum: bool = False,
        drop_leftovers: bool = False,
        archive_to: str | None = None,
        aws_conn_id: str | None = "aws_default",
        region_name: str | None = None,
        verify: bool | str | None = None,
        botocore_config: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_age_in_days = max_age_in_days
        self.before = before
        self.min_age_in_days = min_age_in_days
        self.tables = tables
        self.dag_ids = dag_ids
        self.exclude_dag_ids = exclude_dag_ids
        self.route = route
        self.environment_name = environment_name
        self.metadata_conn_id = metadata_conn_id
        self.is_dry_run = dry_run  # Airflow has a method dry_run
        self.batch_size = batch_size
        self.parallel = parallel
        self.max_duration = max_duration
        self.statement_timeout = statement_timeout
        self.lock_timeout = lock_timeout
        self.pause_between_batches = pause_between_batches
        self.analyze = analyze
        self.vacuum = vacuum
        self.drop_leftovers = drop_leftovers
        self.archive_to = archive_to
        self.aws_conn_id = aws_conn_id
        self.region_name = region_name
        self.verify = verify
        self.botocore_config = botocore_config

    def execute(self, context: Context) -> dict[str, Any]:
        """Clean, and tell what was done; of a dry run, what would be."""
        from mwaa_provider.metadata.cleanup.asking import run_cleanup

        return run_cleanup(self._arguments(), self._mwaa_client, self._s3_client, stop=self._stop).xcom()

    def on_kill(self) -> None:
        """Have no further batch begin; the one that is under way ends, or is rolled back with the process."""
        self._stop.ask("the task was killed")

    @cached_property
    def _stop(self) -> Stop:
        from mwaa_provider.metadata.cleanup.pace import Stop

        return Stop()

    def _arguments(self) -> dict[str, Any]:
        return {
            "max_age_in_days": rendered.number(self.max_age_in_days),
            "before": rendered.none_if_empty(self.before),
            "min_age_in_days": rendered.number(self.min_age_in_days),
            "tables": rendered.none_if_empty(rendered.listed(self.tables)),
            "dag_ids": rendered.none_if_empty(rendered.listed(self.dag_ids)),
            "exclude_dag_ids": rendered.none_if_empty(rendered.listed(self.exclude_dag_ids)),
            "route": self.route,
            "environment_name": rendered.none_if_empty(self.environment_name),
            "metadata_conn_id": rendered.none_if_empty(self.metadata_conn_id),
            "dry_run": rendered.none_if_empty(self.is_dry_run) in (True, "True", "true"),
            "batch_size": _whole(rendered.number(self.batch_size)),
            "parallel": _whole(rendered.number(self.parallel)),
            "max_duration": rendered.number(self.max_duration),
            "statement_timeout": rendered.number(self.statement_timeout),
            "lock_timeout": rendered.number(self.lock_timeout),
            "pause_between_batches": rendered.number(self.pause_between_batches),
            "analyze": self.analyze,
            "vacuum": self.vacuum,
            "drop_leftovers": self.drop_leftovers,
            "archive_to": rendered.none_if_empty(self.archive_to),
        }


def _whole(value: Any) -> Any:
    """Return a rendered number as the whole number it is; anything else as it is, for the checks to name."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
