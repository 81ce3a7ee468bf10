"""MwaaCliOperator: run an airflow command in another MWAA environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mwaa_provider.airflow_compat import without_retry
from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import InvalidInputError, ResultTooLargeError, UnknownOutcomeError
from mwaa_provider.operators.base import MwaaBaseOperator
from mwaa_provider.operators.xcom_size import MAX_RESULT_BYTES, check_max_result_bytes, check_size

if TYPE_CHECKING:
    from mwaa_provider.airflow_compat import Context
    from mwaa_provider.client.cli_answer import CliResult
    from mwaa_provider.client.cli_line import CliLine

#: So much of standard error is logged, from its end, in characters.
_LOGGED = 10_000


class MwaaCliOperator(MwaaBaseOperator):
    """Run an ``airflow`` command in another MWAA environment.

    The result (XCom) is what the command printed to standard output, or the parsed JSON if the command asks for ``-o json``. The task fails
    if the command failed over there. If nobody knows whether a command that must not be run twice was run (``dags trigger``, say), the task
    fails without a retry.

    IAM actions: ``airflow:CreateCliToken`` and ``airflow:GetEnvironment`` on the environment.
    https://docs.aws.amazon.com/mwaa/latest/userguide/airflow-cli-command-reference.html

    :param environment_name: The other environment's name. (templated)
    :param command: The command without ``airflow``: a list of arguments, which arrive as they are, or one line of text, quoted as for a
        shell. (templated)
    :param is_idempotent: Whether the command may be run twice (default: by the command).
    :param timeout: Seconds to wait for the command's end (default 300).
    :param max_result_bytes: How large the result may be, in bytes of its JSON (default 49152). A larger one fails the task, without a
        retry; with ``do_xcom_push=False`` there is no bound.
    :param aws_conn_id: The Airflow connection to AWS (default ``aws_default``); ``None`` for the worker's own role. (templated)
    :param region_name: AWS region of the other environment (default: the connection's). (templated)
    :param verify: The CA bundle's path, or ``False`` to trust any certificate (default: the connection's). (templated)
    :param botocore_config: Settings of botocore as a dict (default: the connection's).
    :raises InvalidInputError: if the command cannot be right, or MWAA does not take it with that Airflow release. Nothing was sent.
    :raises CliCommandError: if the command failed over there.
    :raises ThrottledError: if the CLI endpoint stayed busy; the command was not run.
    """

    template_fields: Sequence[str] = (
        *MwaaBaseOperator.template_fields,
        "command",
    )

    def __init__(
        self,
        *,
        environment_name: str,
        command: list[str] | str,
        is_idempotent: bool | None = None,
        timeout: float = 300.0,
        max_result_bytes: int = MAX_RESULT_BYTES,
        **kwargs: Any,
    ) -> None:
        super().__init__(environment_name=environment_name, **kwargs)
        self.command = command
        self.is_idempotent = is_idempotent
        self.timeout = timeout
        self.max_result_bytes = max_result_bytes

    def execute(self, context: Context) -> Any:
        """Run the command, and give back what it printed."""
        line = self._checked_line()
        try:
            result = self.hook.client.run_cli(
                self.environment_name, self.command, is_idempotent=self.is_idempotent, timeout=self.timeout
            )
        except UnknownOutcomeError as error:
            if self.is_idempotent or (self.is_idempotent is None and line.known.effect != "create"):
                raise
            raise without_retry(error) from error
        self._tell(result)
        printed = result.json if line.wants_json else result.stdout
        if self.do_xcom_push:
            try:
                check_size(
                    printed, self.max_result_bytes, ask_for_less="Ask for less (--limit, --columns, a narrower command)"
                )
            except ResultTooLargeError as error:
                raise without_retry(error) from error
        return printed

    def _checked_line(self) -> CliLine:
        # Imported where it is used: a DAG file need not pay for the table of all commands.
        from mwaa_provider.client.cli_line import read_line

        line, problems = read_line(self.command)
        problems = [
            *input_checks.check_environment_name(self.environment_name),
            *problems,
            *input_checks.check_seconds("timeout", self.timeout),
            *check_max_result_bytes(self.max_result_bytes),
        ]
        if problems or line is None:
            raise InvalidInputError(problems)
        return line

    def _tell(self, result: CliResult) -> None:
        spelled = " ".join(result.command)
        self.log.info("Ran `airflow %s` in environment %s", spelled, self.environment_name)
        if result.stderr.strip():
            self.log.warning("It said on standard error:\n%s", result.stderr[-_LOGGED:])
