"""What all sensors share: one look and one judgement, whether a worker pokes, comes back, or a trigger waits."""

from __future__ import annotations

from abc import abstractmethod
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from mwaa_provider.airflow_compat import (
    BaseSensorOperator,
    PokeReturnValue,
    RunningTask,
    is_deferrable_by_default,
    sensor_timeout,
    skip_exception,
    task_timeout,
)
from mwaa_provider.client.clock import Clock, SystemClock
from mwaa_provider.client.looks import Look
from mwaa_provider.client.retry import is_passing
from mwaa_provider.client.watching import Watch
from mwaa_provider.exceptions import MwaaError
from mwaa_provider.operators.base import MwaaBaseOperator

if TYPE_CHECKING:
    from mwaa_provider.airflow_compat import Context
    from mwaa_provider.triggers.base import MwaaBaseTrigger


class MwaaBaseSensor(MwaaBaseOperator, BaseSensorOperator):
    """Wait for something in another MWAA environment.

    It pokes, is rescheduled, or is deferred, and comes to the same end. Errors that pass by themselves are put up with until ``timeout``.

    :param environment_name: The other environment's name. (templated)
    :param deferrable: Whether to wait in the triggerer and not in a worker (default: ``[operators] default_deferrable``).
    :param kwargs: ``aws_conn_id``, ``region_name``, ``verify``, ``botocore_config``, ``transport`` (see
        :class:`mwaa_provider.operators.base.MwaaBaseOperator`), what every sensor takes (``poke_interval``, ``timeout``, ``mode``,
        ``soft_fail``, ...), and what every operator takes.
    """

    clock: Clock = SystemClock()

    def __init__(self, *, environment_name: str, deferrable: bool | None = None, **kwargs: Any) -> None:
        super().__init__(environment_name=environment_name, **kwargs)
        self.deferrable = is_deferrable_by_default() if deferrable is None else deferrable
        self._wait: MwaaBaseTrigger | None = None
        self._deadline: float | None = None
        self._news = ""

    @abstractmethod
    def new_trigger(self, context: Context, **common: Any) -> MwaaBaseTrigger:
        """Return the trigger that would wait; a poke looks at what it watches.

        :param context: The context that Airflow gives to ``poke``.
        :param common: What all triggers take.
        :raises InvalidInputError: naming every problem of the arguments, before any call.
        """

    @abstractmethod
    def result(self, look: Look) -> dict[str, Any]:
        """Return what the task gives back.

        :param look: The last look.
        """

    @abstractmethod
    def failure(self, look: Look, watch: Any) -> MwaaError:
        """Return the error that tells what ended otherwise than wanted.

        :param look: The last look.
        :param watch: What was looked at.
        """

    def look(self, watch: Watch) -> Look:
        """Look once.

        :param watch: What to look at.
        """
        return watch.look(self.hook.client, self.environment_name)

    def explained(self, error: MwaaError) -> MwaaError:
        """Return the error of a look that cannot be had, with what can be found out about it (by default nothing).

        :param error: The error.
        """
        return error

    def poke(self, context: Context) -> PokeReturnValue | bool:
        """Look once; a deferrable sensor goes on in the triggerer."""
        watch = self._trigger(context).watch
        try:
            done = self._judged(self.look(watch), watch)
        except MwaaError as error:
            if not is_passing(error):
                raise self.explained(error) from error
            self.log.warning("Could not look, and will again: %s", error)
            done = None
        if done is None and self.deferrable:
            self._defer(context)
        return False if done is None else done

    def execute_complete(
        self, context: Context, event: dict[str, Any], deadline: float | None = None, try_number: int | None = None
    ) -> Any:
        """Go on where a deferred wait ended.

        ``dag.test()`` of Airflow 3 hands the event over and nothing else.

        :param deadline: When the time is up, in seconds since 1970.
        :param try_number: The try that was deferred.
        """
        from mwaa_provider.triggers import events

        if try_number is not None and RunningTask(context).try_number > try_number:
            return self.execute(context)  # Airflow 3.0 lets a retry begin where the try before it ended
        self._deadline = deadline
        is_late = deadline is not None and self.clock.time() >= deadline
        try:
            done = self._judged(events.read(event), self._trigger(context).watch)
        except MwaaError as error:
            if not (is_late and is_passing(error)):
                self._end_with(self.explained(error))
            done = None
        if done is not None:
            return done.xcom_value
        if is_late:
            raise self._time_is_up()
        self._defer(context)
        return None

    def _judged(self, look: Look, watch: Watch) -> PokeReturnValue | None:
        """Return what ends the wait well, or nothing if it goes on."""
        if look.news != self._news:
            self.log.info("%s", look.news)
            self._news = look.news
        if look.verdict == "wait":
            return None
        if look.verdict == "skipped":
            raise skip_exception(f"{look.news}, one of skipped_states.")
        short = look.shortened()
        if look.verdict == "failed":
            error = self.failure(short, watch)
            if self.soft_fail:
                raise skip_exception(f"Skipped, as soft_fail wants it: {error}") from error
            raise error
        return PokeReturnValue(is_done=True, xcom_value=self.result(short))

    def _end_with(self, error: MwaaError) -> None:
        """Do with an error what Airflow's base class does with one of a poke."""
        if self.silent_fail:
            self.log.error("The wait ended in an error, and silent_fail lets it go on", exc_info=error)
            self.clock.sleep(self.poke_interval)
            return
        # Before 2.10 soft_fail was what never_fail is since: it skips the task whatever the error.
        if getattr(self, "never_fail", self.soft_fail):
            raise skip_exception(f"Skipped, whatever failed: {error}") from error
        raise error

    def _trigger(self, context: Context) -> MwaaBaseTrigger:
        if self._wait is None:
            seconds = self._seconds()
            if self._deadline is None:
                self._deadline = self.clock.time() + seconds
            self._wait = self.new_trigger(
                context,
                **self.way,
                poke_interval=self.poke_interval,
                since=datetime.fromtimestamp(self.clock.time(), timezone.utc).isoformat(),
                deadline=self._deadline,
            )
        return self._wait

    def _defer(self, context: Context) -> None:
        self.warn_without_triggerer()
        self.defer(
            trigger=self._trigger(context),
            method_name="execute_complete",
            kwargs={"deadline": self._deadline, "try_number": RunningTask(context).try_number},
        )

    def _seconds(self) -> float:
        """Return how long to wait at most; Airflow 3 forgets a task's ``execution_timeout`` while it is deferred."""
        timeout: float = self.timeout
        if self.execution_timeout is None:
            return timeout
        return min(timeout, self.execution_timeout.total_seconds())

    def _time_is_up(self) -> BaseException:
        message = f"Time was up after {self._seconds():.0f} seconds. {self._news or 'Nothing could be seen'}."
        if self.soft_fail:
            return skip_exception(f"Skipped, as soft_fail wants it: {message}")
        return sensor_timeout(message) if self._seconds() >= self.timeout else task_timeout(message)
