"""MwaaImportVariablesOperator: bring the variables of a file into another MWAA environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import InvalidInputError, MwaaError
from mwaa_provider.operators import rendered
from mwaa_provider.operators.base import MwaaBaseOperator

if TYPE_CHECKING:
    from mwaa_provider.airflow_compat import Context
    from mwaa_provider.client.importing import Change


class MwaaImportVariablesOperator(MwaaBaseOperator):
    """Make the variables of another MWAA environment what a file says.

    What is there is read first, and only what differs is written, through Airflow's REST API. A text is kept as it is, anything else as
    JSON; an object of exactly ``value`` and ``description`` is a value with a description, as ``airflow variables export`` writes it. A
    variable that fails does not stop the others; the task then fails naming those that failed, and a retry does the rest. Airflow 3 does
    not show values of keys that sound like secrets: those are written each time. No value goes into logs, errors or XComs.

    The result (XCom) is how many there were of each: ``{"create": 2, "update": 1, "overwrite": 0, "keep": 7, "delete": 0, "failed": 0,
    "not_tried": 0}``; the log names them.

    IAM actions: ``airflow:GetEnvironment`` on the environment; ``airflow:InvokeRestApi`` or ``airflow:CreateWebLoginToken`` on
    ``arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/Op``; ``s3:GetObject`` on a file in S3.
    https://docs.aws.amazon.com/mwaa/latest/userguide/samples-variables-import.html

    :param environment_name: The other environment's name. (templated)
    :param file: A file of JSON, or of YAML if its name ends in ``.yaml`` or ``.yml``: a path on the worker, or ``s3://bucket/key``.
        (templated)
    :param prune_prefix: Delete the variables over there that begin so and are not in the file (default: none is deleted). (templated)
    :param dry_run: Whether to tell only what would be done (default false).
    :param s3_conn_id: The Airflow connection to AWS that reads the file in S3 (default ``aws_default``); ``None`` for the worker's own
        role. (templated)
    :param aws_conn_id: The Airflow connection to AWS (default ``aws_default``); ``None`` for the worker's own role. (templated)
    :param region_name: AWS region of the other environment (default: the connection's). (templated)
    :param verify: The CA bundle's path, or ``False`` to trust any certificate (default: the connection's). (templated)
    :param botocore_config: Settings of botocore as a dict (default: the connection's).
    :param transport: The way to the REST API: ``auto`` (default), ``iam`` (InvokeRestApi) or ``session`` (a web session).
    :raises InvalidInputError: naming every problem of the arguments or of the file. Nothing was written.
    :raises SettingsNotImportedError: naming the variables that failed, and why.
    """

    template_fields: Sequence[str] = (
        *MwaaBaseOperator.template_fields,
        "file",
        "prune_prefix",
        "s3_conn_id",
    )

    def __init__(
        self,
        *,
        environment_name: str,
        file: str,
        prune_prefix: str | None = None,
        dry_run: bool = False,
        s3_conn_id: str | None = "aws_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(environment_name=environment_name, **kwargs)
        self.file = file
        self.prune_prefix = prune_prefix
        # Airflow's own operators have a method dry_run().
        self.only_tell = dry_run
        self.s3_conn_id = s3_conn_id

    def execute(self, context: Context) -> dict[str, int]:
        """Bring the variables there, and give back how many were created, updated and so on."""
        from mwaa_provider.client.settings_file import check_location, read_settings_file

        prune_prefix = rendered.none_if_empty(self.prune_prefix)
        if problems := [*input_checks.check_environment_name(self.environment_name), *check_location(self.file)]:
            raise InvalidInputError(problems)
        report = self.hook.client.import_variables(
            self.environment_name,
            read_settings_file(self.file, self._s3_client),
            prune_prefix=prune_prefix,
            dry_run=self.only_tell,
            on_change=self._tell,
        )
        report.raise_for_errors()
        return report.counts()

    def _tell(self, change: Change, error: MwaaError | None) -> None:
        if error is not None:
            self.log.error("Variable %s: %s failed: %s", change.name, change.action, error)
        elif change.action != "keep":
            verb = "would " if self.only_tell else ""
            self.log.info("Variable %s: %s%s %s", change.name, verb, change.action, change.detail)

    def _s3_client(self) -> Any:
        from mwaa_provider.hooks.s3 import s3_client

        return s3_client(aws_conn_id=self.s3_conn_id, verify=self.verify)
