"""What MwaaTriggerDagRunOperator was asked for: converted from what templates rendered, and checked as a whole."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from mwaa_provider.client import input_checks
from mwaa_provider.exceptions import InvalidInputError
from mwaa_provider.operators import rendered
from mwaa_provider.operators.cleared import LINE_LENGTH, NOTE_LENGTH
from mwaa_provider.operators.run_identity import RunIdentity

if TYPE_CHECKING:
    from mwaa_provider.operators.dag_run import MwaaTriggerDagRunOperator

WHEN_RUN_EXISTS = ("adopt", "clear", "skip", "fail")


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
    :param note: The note on it: who started it, and below that the user's.
    :param allowed_states: States that end the wait well.
    :param failed_states: States that end it with an error.
    :param poke_interval: Seconds between two looks.
    :param timeout: Seconds to wait at most.
    :param when_run_exists: What to do about somebody else's run.
    :param return_xcoms: Task id to the keys to bring home.
    :param ends_when_killed: Whether the run ends when the task is killed, cleared or marked while it waits.
    """

    run_id: str | None
    conf: dict[str, Any] | None
    logical_date: datetime | None
    data_interval_start: datetime | None
    data_interval_end: datetime | None
    run_after: datetime | None
    partition_key: str | None
    note: str
    allowed_states: tuple[str, ...]
    failed_states: tuple[str, ...]
    poke_interval: float
    timeout: float | None
    when_run_exists: str
    return_xcoms: dict[str, tuple[str, ...]]
    ends_when_killed: bool

    @classmethod
    def of(cls, operator: MwaaTriggerDagRunOperator, identity: RunIdentity) -> TriggerInput:
        """Read the operator's arguments.

        :param operator: The operator, its templates rendered.
        :param identity: Who the task instance is over there.
        :raises InvalidInputError: naming every problem at once.
        """
        conf, problems_of_conf = input_checks.read_conf("conf", operator.conf)
        dates: dict[str, datetime | None] = {}
        problems_of_dates: list[str] = []
        for name in ("logical_date", "data_interval_start", "data_interval_end", "run_after"):
            dates[name], problems = input_checks.read_moment(name, rendered.none_if_empty(getattr(operator, name)))
            problems_of_dates += problems
        if not problems_of_dates:
            problems_of_dates = input_checks.check_data_interval(
                dates["data_interval_start"], dates["data_interval_end"]
            )
        poke_interval, timeout = rendered.number(operator.poke_interval), rendered.number(operator.timeout)
        allowed, failed = rendered.listed(operator.allowed_states), rendered.listed(operator.failed_states)
        xcoms, problems_of_xcoms = _read_xcoms(rendered.none_if_empty(rendered.listed(operator.return_xcoms)))
        run_id, note = rendered.none_if_empty(operator.trigger_run_id), rendered.none_if_empty(operator.note)
        partition_key = rendered.none_if_empty(operator.partition_key)
        problems = [
            *input_checks.check_environment_name(operator.environment_name),
            *input_checks.check_dag_id("trigger_dag_id", operator.trigger_dag_id),
            *input_checks.check_run_id("trigger_run_id", run_id),
            *problems_of_conf,
            *problems_of_dates,
            *input_checks.check_partition_key("partition_key", partition_key),
            *_check_note(note, NOTE_LENGTH - LINE_LENGTH - len(identity.note) - 2),
            *input_checks.check_wait(
                poke_interval=poke_interval, timeout=timeout, allowed_states=allowed, failed_states=failed
            ),
            *input_checks.check_one_of("when_run_exists", operator.when_run_exists, WHEN_RUN_EXISTS),
            *problems_of_xcoms,
            *(
                ["return_xcoms: nothing comes home from a run that is not waited for; set wait_for_completion=True"]
                if xcoms and not operator.wait_for_completion
                else []
            ),
        ]
        if problems:
            raise InvalidInputError(problems)
        return cls(
            run_id=run_id,
            conf=conf,
            partition_key=partition_key,
            note=identity.note if note is None else f"{identity.note}\n{note}",
            allowed_states=tuple(allowed),
            failed_states=tuple(failed),
            poke_interval=float(poke_interval),
            timeout=None if timeout is None else float(timeout),
            when_run_exists=operator.when_run_exists,
            return_xcoms=xcoms,
            ends_when_killed=operator.wait_for_completion and operator.cancel_on_kill,
            **dates,
        )


def _check_note(value: Any, length: int) -> list[str]:
    if value is None or (isinstance(value, str) and len(value) <= length):
        return []
    told = f"{len(value)} characters are too many" if isinstance(value, str) else f"{value!r} is not a text"
    return [f"note: {told}; give {length} characters at most, the rest says who started the run and why it runs again"]


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
