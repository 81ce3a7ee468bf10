"""MwaaDagRunSensor: wait for runs of a DAG in another MWAA environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mwaa_provider.client.looks import Look
from mwaa_provider.client.watching import RunWatch
from mwaa_provider.exceptions import DagRunFailedError, MwaaError
from mwaa_provider.operators import story
from mwaa_provider.sensors.runs import MwaaRunsSensor

if TYPE_CHECKING:
    from mwaa_provider.triggers.dag_run import MwaaDagRunTrigger


class MwaaDagRunSensor(MwaaRunsSensor):
    """Wait until a run of a DAG in another MWAA environment has succeeded; its end is nothing to this task's end.

    Which run is said by one of ``external_run_id``, ``logical_date``, ``execution_delta``, ``execution_date_fn``, ``window`` and
    ``latest=True``. Without any of them it is the run for the local run's logical date; where that has none (on Airflow 3), an error says
    so. A run that is not there yet is waited for.

    All of several runs have to reach ``allowed_states``. One that reaches ``failed_states``, or ends in a state that stands in none of
    the three lists, fails the task; else one that reaches ``skipped_states`` skips it.

    The result (XCom) is a plain dict: ``environment_name``, ``dag_id``, ``runs`` (of each ``run_id``, ``state``, ``logical_date``,
    ``start_date``, ``end_date`` in ISO 8601; of many, fifty), ``run_states`` (how many runs in which state) and ``url`` (of the one run;
    ``None`` for several).

    IAM actions: ``airflow:GetEnvironment`` on the environment; ``airflow:InvokeRestApi`` or ``airflow:CreateWebLoginToken`` on
    ``arn:aws:airflow:REGION:ACCOUNT:role/ENVIRONMENT/ROLE``.
    https://docs.aws.amazon.com/mwaa/latest/userguide/access-mwaa-apache-airflow-rest-api.html

    :param environment_name: The other environment's name. (templated)
    :param external_dag_id: The DAG's id over there. (templated)
    :param kwargs: ``external_run_id``, ``logical_date``, ``execution_delta``, ``execution_date_fn``, ``window``, ``latest``,
        ``allowed_states`` (default ``["success"]``), ``failed_states`` (default ``["failed"]``), ``skipped_states`` (default none),
        ``check_existence`` (see :class:`mwaa_provider.sensors.runs.MwaaRunsSensor`), ``deferrable``, and all else that
        :class:`mwaa_provider.sensors.base.MwaaBaseSensor` takes.
    :raises InvalidInputError: naming every problem of the arguments, before anything is asked.
    :raises DagRunFailedError: if a run failed; it tells which tasks, and the end of their logs.
    :raises DagRunNotFoundError: with ``check_existence``, if there is no such run.
    :raises DagNotFoundError: with ``check_existence``, if there is no such DAG; it tells the import errors.
    """

    def trigger_of_runs(self, **arguments: Any) -> MwaaDagRunTrigger:
        """Return the trigger that would wait."""
        from mwaa_provider.triggers.dag_run import MwaaDagRunTrigger

        return MwaaDagRunTrigger(**arguments)

    def failure(self, look: Look, watch: RunWatch) -> MwaaError:
        """Return the error that tells which tasks of the first run failed, and how.

        :param look: The last look.
        :param watch: What was looked at.
        """
        first = (watch.failed_of(look) or look.runs)[0]
        more = "" if len(look.runs) == 1 else f" {look.news}."
        ended = f"is {first.state!r}" if first.is_active else f"ended as {first.state!r}"
        error = DagRunFailedError(
            f"Run {first.run_id!r} of DAG {first.dag_id!r} in environment {self.environment_name!r} {ended} (wanted: "
            f"{', '.join(sorted(watch.states.allowed))}).{more}",
            environment_name=self.environment_name,
            dag_id=first.dag_id,
            run_id=first.run_id,
            state=first.state,
        )
        return story.of_failed_run(error, first, self.hook.client, self.environment_name)
