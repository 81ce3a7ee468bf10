"""MwaaEnvironmentSensor: wait until an MWAA environment is available."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from mwaa_provider.client import input_checks
from mwaa_provider.client.looks import Look
from mwaa_provider.client.models import Environment
from mwaa_provider.exceptions import EnvironmentFailedError, InvalidInputError
from mwaa_provider.sensors.base import MwaaBaseSensor

if TYPE_CHECKING:
    from mwaa_provider.airflow_compat import Context
    from mwaa_provider.triggers.environment import MwaaEnvironmentTrigger


class MwaaEnvironmentSensor(MwaaBaseSensor):
    """Wait until an MWAA environment is AVAILABLE.

    CREATING, CREATING_SNAPSHOT, UPDATING, PENDING (up to 72 hours), ROLLING_BACK and MAINTENANCE are on the way there. Any other status
    (UPDATE_FAILED, CREATE_FAILED, UNAVAILABLE, DELETING, DELETED) fails the task with AWS's reason.

    The result (XCom) is a plain dict: ``environment_name``, ``status``, ``airflow_version``, ``arn``, ``url``.

    IAM action: ``airflow:GetEnvironment`` on the environment. https://docs.aws.amazon.com/mwaa/latest/API/API_Environment.html

    :param environment_name: The environment's name. (templated)
    :param kwargs: ``deferrable``, ``poke_interval``, ``timeout``, ``mode`` and all else that
        :class:`mwaa_provider.sensors.base.MwaaBaseSensor` takes.
    :raises InvalidInputError: naming every problem of the arguments, before anything is asked.
    :raises EnvironmentNotFoundError: if there is no such environment.
    :raises EnvironmentFailedError: if it will not become available by itself.
    """

    def new_trigger(self, context: Context, **common: Any) -> MwaaEnvironmentTrigger:
        """Return the trigger that would wait."""
        from mwaa_provider.triggers.environment import MwaaEnvironmentTrigger

        problems = [
            *input_checks.check_environment_name(self.environment_name),
            *input_checks.check_seconds("poke_interval", self.poke_interval),
        ]
        if problems:
            raise InvalidInputError(problems)
        return MwaaEnvironmentTrigger(**common)

    def result(self, look: Look) -> dict[str, Any]:
        """Return what the environment is.

        :param look: The last look.
        """
        environment = cast("Environment", look.environment)
        return {
            "environment_name": environment.name,
            "status": environment.status,
            "airflow_version": environment.airflow_version,
            "arn": environment.arn,
            "url": f"https://{environment.web_server_host}",
        }

    def failure(self, look: Look, watch: Any) -> EnvironmentFailedError:
        """Return the error that tells AWS's reason.

        :param look: The last look.
        :param watch: What was looked at.
        """
        environment = cast("Environment", look.environment)
        told = f"AWS says: {environment.last_update_error}" if environment.last_update_error else "AWS gives no reason."
        return EnvironmentFailedError(
            f"Environment {environment.name!r} is {environment.status} and will not become AVAILABLE by itself. {told}",
            environment_name=environment.name,
            status=environment.status,
            reason=environment.last_update_error,
        )
