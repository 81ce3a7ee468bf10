"""The numbers the service holds its callers to, each with its source, each adjustable."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ServiceRules:
    """The limits and life times of MWAA. The default of each is what AWS documents, or says here that AWS does not.

    :param web_token_seconds: How long a web login token opens the login, in seconds (user guide, "Create an Apache Airflow web login
        token": 60). Whether one token may be used twice is not published: here it may.
    :param cli_token_seconds: How long a CLI token is taken, in seconds (user guide, "Create an Apache Airflow CLI token": 60).
    :param session_seconds: How long a web session lives, in seconds (user guide, "Using the Apache Airflow REST API": 12 hours).
    :param rest_calls_per_second: How many InvokeRestApi calls an environment takes in any second before it answers
        ThrottlingException (user guide: 10 transactions a second). None for no limit, useful with a clock that stands still.
    :param rest_seconds: After how many seconds InvokeRestApi gives up on the web server (user guide: 10). Measured on the clock and,
        so that a hanging back end is cut off too, in real time.
    :param rest_payload_bytes: The largest answer InvokeRestApi passes on, in bytes (user guide: 6 MB).
    :param rest_path_max_length: The longest path InvokeRestApi takes, in characters. The service model declares 64, botocore does not
        check it, paths of task instances are longer and known to work: None (no limit) by default.
    :param cli_commands_at_once: How many CLI commands run at once before the web server answers 503 (user guide, troubleshooting: 4).
    :param cli_failure_status: The HTTP status of the CLI endpoint when the Airflow command itself failed. Not published; 200 here.
    :param cli_unsupported_status: The HTTP status for a command that MWAA does not support. Not published; users report 500
        (https://github.com/aws/amazon-mwaa-docker-images/issues/148).
    :param update_seconds: How long an environment is UPDATING after UpdateEnvironment, in seconds. The real one takes 20 to 30 minutes;
        here 0, so that it is AVAILABLE again at the next look.
    """

    web_token_seconds: float = 60
    cli_token_seconds: float = 60
    session_seconds: float = 12 * 60 * 60
    rest_calls_per_second: int | None = 10
    rest_seconds: float = 10
    rest_payload_bytes: int = 6 * 1024 * 1024
    rest_path_max_length: int | None = None
    cli_commands_at_once: int = 4
    cli_failure_status: int = 200
    cli_unsupported_status: int = 500
    update_seconds: float = 0
