"""What MwaaTriggerDagRunOperator was asked for: converted from what templates rendered, and checked as a whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.operators import rendered

if TYPE_CHECKING:
    from mwaa_provider.operators.dag_run import MwaaTriggerDagRunOperator

WHEN_RUN_EXISTS = ("adopt", "clear", "skip", "fail")
#: Airflow keeps so many characters of a note; what we write into it ourselves takes part of that.
_NOTE_LENGTH = 1000


@dataclass(frozen=True)
class TriggerInput:
    """What was asked for; see :class:`mwaa_provider.operators.dag_run.MwaaTriggerDagRunOperator` for each.

    :param run_id: ``trigger_run_id``; ``None`` for one of our own making.
    :param conf: The run's configuration.
    :param logical_date: The date the run is for.
    :param data_interval_start: The start of its data interval.
    :param data_interval_end: The end of its data interval.
    :param run_after: When it may begin at the earliest.
    :param partition_key: Its partition key.
    :param note: A note on it.
    :param allowed_states: States that end the wait well.
    :param failed_states: States that end it with an error.
    :param poke_interval: Seconds between two looks.
    :param timeout: Seconds to wait at most.
    :param when_run_exists: What to do about somebody else's run.
    :param return_xcoms: Task id to the keys to bring home.
    """

    run_id: str | None
    conf: dict[str, Any] | None
    logical_date: datetime | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    run_after: datetime | None
    partition_key: str | None
    note: str | None
    allowed_states: tuple[str, ...]
    failed_states: tuple[str, ...]
    poke_interval: float
    timeout: float | None
    when_run_exists: str
    return_xcoms: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, operator: MwaaTriggerDagRunOperator) -> TriggerInput:
        """Read the operator's arguments.

        :param operator: The operator, its templates rendered.
        :raises InvalidInputError: naming every problem at once.
        """
        conf, problems_of_conf = input_checks.read_conf("conf", operator.conf)
        dates: dict[str, datetime | None] = {}
        problems_of_dates: list[str] = []
        for name in ("logical_date", "data_interval_start", "data_interval_end", "run_after"):
            dates[name], problems = input_checks.read_moment(name, rendered.none_if_empty(getattr(operator, name)))
            problems_of_dates += problems
        poke_interval, timeout = rendered.number(operator.poke_interval), rendered.number(operator.timeout)
        allowed, failed = rendered.listed(operator.allowed_states), rendered.listed(operator.failed_states)
        xcoms, problems_of_xcoms = _read_xcoms(operator.return_xcoms)
        run_id, note = rendered.none_if_empty(operator.trigger_run_id), rendered.none_if_empty(operator.note)
        problems = [
            *input_checks.check_environment_name(operator.environment_name),
            *input_checks.check_dag_id("trigger_dag_id", operator.trigger_dag_id),
            *input_checks.check_run_id("trigger_run_id", run_id),
            *problems_of_conf,
            *problems_of_dates,
            *_check_text("partition_key", operator.partition_key, 250),
            *_check_text("note", note, _NOTE_LENGTH),
            *input_checks.check_wait(
                poke_interval=poke_interval, timeout=timeout, allowed_states=allowed, failed_states=failed
            ),
            *input_checks.check_one_of("when_run_exists", operator.when_run_exists, WHEN_RUN_EXISTS),
            *problems_of_xcoms,
            *(
                ["return_xcoms: nothing comes home from a run that is not waited for; set wait_for_completion=True"]
                if operator.return_xcoms and not operator.wait_for_completion
                else []
            ),
        ]
        if problems:
            raise InvalidInputError(problems)
        return cls(
            run_id=run_id,
            conf=conf,
            partition_key=rendered.none_if_empty(operator.partition_key),
            note=note,
            allowed_states=tuple(allowed),
            failed_states=tuple(failed),
            poke_interval=float(poke_interval),
            timeout=None if timeout is None else float(timeout),
            when_run_exists=operator.when_run_exists,
            return_xcoms=xcoms,
            **dates,
        )


def _check_text(field: str, value: Any, length: int) -> list[str]:
    if value is None or (isinstance(value, str) and len(value) <= length):
        return []
    return [f"{field}: {value!r} cannot be one; give a text of {length} characters at most"]


def _read_xcoms(value: Any) -> tuple[dict[str, tuple[str, ...]], list[str]]:
    """Read which XComs to bring home: task ids, or task ids with a key or keys."""
    if value is None:
        return {}, []
    if isinstance(value, str):
        value = [value]
    if isinstance(value, Mapping):
        asked = {task_id: [keys] if isinstance(keys, str) else keys for task_id, keys in value.items()}
    elif isinstance(value, Collection):
        asked = dict.fromkeys(value, ("return_value",))
    else:
        return {}, [
            f"return_xcoms: {value!r} is not understood; give task ids, or a dict of task id to XCom key or keys"
        ]
    problems = [
        problem
        for task_id, keys in asked.items()
        for problem in (
            *input_checks.check_task_id("return_xcoms", task_id),
            *(
                [p for key in keys for p in input_checks.check_key("return_xcoms", key)]
                if isinstance(keys, Collection)
                else [f"return_xcoms: {keys!r} is neither a key nor a list of keys (of task {task_id!r})"]
            ),
        )
    ]
    return ({} if problems else {task_id: tuple(keys) for task_id, keys in asked.items()}), problems
