"""Run a sensor to its end in each of its modes, and tell what came of it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from mwaa_provider.airflow_compat import AIRFLOW_3
from mwaa_provider.exceptions import MwaaError
from mwaa_provider.sensors.base import MwaaBaseSensor
from tests.support.tasks import LocalTaskInstance, context_of, event_of

Mode = Literal["poke", "reschedule", "deferred"]
MODES: tuple[Mode, ...] = ("poke", "reschedule", "deferred")
_LOOKS = 50


@dataclass(frozen=True)
class Outcome:
    """What came of a sensor.

    :param result: What it returned.
    :param error: The name of the class of what it raised.
    :param message: What that says.
    :param facts: What one of our own errors knows.
    """

    result: Any = None
    error: str | None = None
    message: str = ""
    facts: dict[str, Any] = field(default_factory=dict)


def exceptions_of_airflow() -> Any:
    """The module that has Airflow's exceptions for tasks."""
    home = importlib.import_module("airflow.sdk.exceptions" if AIRFLOW_3 else "airflow.exceptions")
    return home if hasattr(home, "AirflowSensorTimeout") else importlib.import_module("airflow.exceptions")


class RescheduledTaskInstance(LocalTaskInstance):
    """A task instance as far as Airflow 3's sensors look at it."""

    def get_first_reschedule_date(self, context: Any) -> None:
        return None


class Driver:
    """Runs sensors in one of the modes.

    :param mode: The mode.
    :param patch: To be told when a sensor has looked in vain.
    """

    def __init__(self, mode: Mode, patch: pytest.MonkeyPatch) -> None:
        self.mode = mode
        self._patch = patch

    def __call__(
        self,
        make: Callable[..., MwaaBaseSensor],
        change: Callable[[], None] = lambda: None,
        context: dict[str, Any] | None = None,
    ) -> Outcome:
        """Run a sensor.

        :param make: Makes the sensor, as each process of Airflow does.
        :param change: What happens over there after the first look.
        :param context: What the context has beside the task instance.
        """
        self._change = [change]

        def has_looked(*_: Any) -> float:
            self._go_on()
            return 0.0

        self._patch.setattr(MwaaBaseSensor, "_get_next_poke_interval", has_looked)
        raised = exceptions_of_airflow()
        try:
            return Outcome(result=self._run(make, context or {}, raised))
        except MwaaError as error:
            return Outcome(error=type(error).__name__, message=str(error), facts=error.facts)
        except (raised.AirflowException, raised.AirflowTaskTimeout) as error:
            return Outcome(error=type(error).__name__, message=str(error))

    def _go_on(self) -> None:
        if self._change:
            self._change.pop()()

    def _run(self, make: Callable[..., MwaaBaseSensor], more: dict[str, Any], raised: Any) -> Any:
        for _ in range(_LOOKS):
            sensor = self._made(make)
            try:
                return sensor.execute(self._context(sensor, more))
            except raised.AirflowRescheduleException:
                assert self.mode == "reschedule"
            except raised.TaskDeferred as deferred:
                assert self.mode == "deferred"
                return self._resumed(make, more, deferred, raised)
        raise AssertionError("it looked again and again")

    def _resumed(self, make: Callable[..., MwaaBaseSensor], more: dict[str, Any], deferred: Any, raised: Any) -> Any:
        for _ in range(_LOOKS):
            self._go_on()
            event = event_of(deferred.trigger)
            sensor = self._made(make)
            arguments = {**(deferred.kwargs or {}), "event": event}
            try:
                return sensor.resume_execution(deferred.method_name, arguments, self._context(sensor, more))
            except raised.TaskDeferred as again:
                deferred = again
        raise AssertionError("it was deferred again and again")

    def _made(self, make: Callable[..., MwaaBaseSensor]) -> MwaaBaseSensor:
        return make(deferrable=self.mode == "deferred", mode="reschedule" if self.mode == "reschedule" else "poke")

    @staticmethod
    def _context(sensor: MwaaBaseSensor, more: dict[str, Any]) -> dict[str, Any]:
        context = context_of(sensor)
        return {**context, "ti": RescheduledTaskInstance(**vars(context["ti"])), **more}
