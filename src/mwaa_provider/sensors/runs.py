"""What the sensors of runs and of their tasks share: which runs, in which states, and what is told of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mwaa_provider.client import input_checks
from mwaa_provider.client.looks import Look
from mwaa_provider.client.models import DAG_RUN_STATES
from mwaa_provider.client.queueing import QueueReasons
from mwaa_provider.client.watching import Watch
from mwaa_provider.exceptions import DagNotFoundError, DagRunNotFoundError, InvalidInputError, MwaaError
from mwaa_provider.operators import story
from mwaa_provider.sensors import run_input
from mwaa_provider.sensors.base import MwaaBaseSensor

if TYPE_CHECKING:
    from mwaa_provider.airflow_compat import Context
    from mwaa_provider.triggers.base import MwaaBaseTrigger

Dates = datetime | str | Collection[datetime | str]


class MwaaRunsSensor(MwaaBaseSensor):
    """Wait for runs of a DAG in another MWAA environment, or for tasks of them.

    :param environment_name: The other environment's name. (templated)
    :param external_dag_id: The DAG's id over there. (templated)
    :param external_run_id: The run's id, or the ids of several. (templated)
    :param logical_date: The run's logical date, with time zone, or those of several. (templated)
    :param execution_delta: How much earlier than the local run's its logical date is: a timedelta, or seconds. (templated)
    :param execution_date_fn: Gives the logical date or dates. It is called with the local run's, and with what else of the context it
        has parameters for.
    :param window: The first logical date, and the one before which the window ends: all runs in it, and at least one. (templated)
    :param latest: Whether the run that was to begin last is meant, whichever that is at each look.
    :param allowed_states: States that end the wait well. (templated)
    :param failed_states: States that fail the task. (templated)
    :param skipped_states: States that skip the task. (templated)
    :param check_existence: Whether a DAG or run that is not there fails the task at once (default false: it is waited for).
    :param kwargs: As for :class:`mwaa_provider.sensors.base.MwaaBaseSensor`.
    """

    template_fields: Sequence[str] = (
        *MwaaBaseSensor.template_fields,
        "external_dag_id",
        "external_run_id",
        "logical_date",
        "execution_delta",
        "window",
        "allowed_states",
        "failed_states",
        "skipped_states",
    )

    #: What ends the wait, and how, if nothing else is said.
    default_states: dict[str, tuple[str, ...]] = {
        "allowed_states": ("success",),
        "failed_states": ("failed",),
        "skipped_states": (),
    }
    known_states: Collection[str] = DAG_RUN_STATES
    noun = "DAG run"

    def __init__(
        self,
        *,
        environment_name: str,
        external_dag_id: str,
        external_run_id: str | Collection[str] | None = None,
        logical_date: Dates | None = None,
        execution_delta: timedelta | float | str | None = None,
        execution_date_fn: Callable[..., Dates] | None = None,
        window: Sequence[datetime | str] | None = None,
        latest: bool = False,
        allowed_states: Collection[str] | None = None,
        failed_states: Collection[str] | None = None,
        skipped_states: Collection[str] | None = None,
        check_existence: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(environment_name=environment_name, **kwargs)
        self.external_dag_id = external_dag_id
        self.external_run_id = external_run_id
        self.logical_date = logical_date
        self.execution_delta = execution_delta
        self.execution_date_fn = execution_date_fn
        self.window = window
        self.latest = latest
        self.allowed_states = allowed_states
        self.failed_states = failed_states
        self.skipped_states = skipped_states
        self.check_existence = check_existence
        self._ways_given = run_input.ways_given(self)
        self._reasons: QueueReasons | None = None
        self._began = 0.0

    @abstractmethod
    def trigger_of_runs(self, **arguments: Any) -> MwaaBaseTrigger:
        """Return the trigger that would wait.

        :param arguments: Which runs, in which states, and what all triggers take.
        """

    def read_more(self) -> run_input.Read:
        """Read what else says what is waited for (by default nothing does)."""
        return {}, []

    def new_trigger(self, context: Context, **common: Any) -> MwaaBaseTrigger:
        """Return the trigger that would wait."""
        which, wrong_runs = run_input.read_runs(self, self._ways_given, context)
        more, wrong_more = self.read_more()
        states, wrong_states = run_input.read_states(self)
        problems = [
            *input_checks.check_environment_name(self.environment_name),
            *input_checks.check_dag_id("external_dag_id", self.external_dag_id),
            *wrong_runs,
            *wrong_more,
            *wrong_states,
            *input_checks.check_seconds("poke_interval", self.poke_interval),
        ]
        if problems:
            raise InvalidInputError(problems)
        return self.trigger_of_runs(
            dag_id=self.external_dag_id,
            check_existence=self.check_existence,
            **which,
            **more,
            **states,
            **common,
        )

    def look(self, watch: Watch) -> Look:
        """Look once; if a run is queued for long, say what may keep it there.

        :param watch: What to look at.
        """
        if self._reasons is None:
            self._reasons, self._began = QueueReasons(self.environment_name, self.clock), self.clock.monotonic()
        return self._reasons.explain(super().look(watch), self.hook.client, self.clock.monotonic() - self._began)

    def explained(self, error: MwaaError) -> MwaaError:
        """Return the error; if the DAG itself is missing, that, with the import errors over there.

        :param error: The error.
        """
        if not isinstance(error, DagRunNotFoundError):
            return error
        client = self.hook.client
        try:
            client.get_dag(self.environment_name, self.external_dag_id)
        except DagNotFoundError as missing:
            return story.of_missing_dag(missing, client, self.environment_name)
        except MwaaError:
            return error
        return error

    def result(self, look: Look) -> dict[str, Any]:
        """Return what was seen of the runs.

        :param look: The last look.
        """
        runs = [
            {
                "run_id": run.run_id,
                "state": run.state,
                **{
                    name: date.isoformat() if (date := getattr(run, name)) else None
                    for name in ("logical_date", "start_date", "end_date")
                },
            }
            for run in look.runs
        ]
        return {
            "environment_name": self.environment_name,
            "dag_id": self.external_dag_id,
            "runs": runs,
            "run_states": dict(look.run_states or {}),
            "url": self._url(look),
        }

    def _url(self, look: Look) -> str | None:
        if len(look.runs) != 1:
            return None
        try:
            return self.hook.client.dag_run_url(self.environment_name, self.external_dag_id, look.runs[0].run_id)
        except MwaaError as error:  # what was waited for is there
            self.log.warning("The run's address could not be found out: %s", error)
            return None
