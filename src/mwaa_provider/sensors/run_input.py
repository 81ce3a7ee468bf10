"""Which runs and tasks a sensor waits for, and in which states: converted from what templates rendered, and checked as a whole."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from mwaa_provider.client import input_checks
from mwaa_provider.operators import rendered

if TYPE_CHECKING:
    from mwaa_provider.sensors.runs import MwaaRunsSensor
    from mwaa_provider.sensors.task import MwaaTaskSensor

#: The ways to say which runs are meant.
WAYS = ("external_run_id", "logical_date", "execution_delta", "execution_date_fn", "window", "latest")
_DEFAULT = "the run for the local run's logical date"
_OTHER_WAYS = "external_run_id, logical_date, window or latest=True"

#: What was read, and what was wrong with it.
Read = tuple[dict[str, Any], list[str]]


def ways_given(sensor: MwaaRunsSensor) -> tuple[str, ...]:
    """Return by which ways it was said which runs are meant: what is given, whatever a template renders it to.

    :param sensor: The sensor, as it was made.
    """
    return tuple(name for name in WAYS if (value := getattr(sensor, name)) is not None and value is not False)


def read_runs(sensor: MwaaRunsSensor, given: tuple[str, ...], context: Any) -> Read:
    """Read which runs are meant, as a trigger takes it.

    :param sensor: The sensor, its templates rendered.
    :param given: By which ways that was said.
    :param context: The context of the local task instance.
    """
    if len(given) > 1:
        return {}, [f"{', '.join(given)}: give one of them, not {len(given)}; each says which runs to wait for"]
    way = given[0] if given else "the run for the same logical date"
    value: Any = getattr(sensor, way, None)
    if way == "latest":
        return {}, input_checks.check_one_of("latest", value, (True,))
    if given and (value is None or rendered.none_if_empty(value) is None):
        return {}, [f"{way}: {value!r} is what it was rendered to; give a value, or leave {way} out for {_DEFAULT}"]
    if way == "external_run_id":
        ids, problems = input_checks.check_ids(way, rendered.listed(value), input_checks.check_existing_run_id)
        return {"run_ids": ids}, problems
    if way == "window":
        return _read_window(rendered.listed(value))
    if way == "logical_date":
        return _read_dates(way, rendered.listed(value))
    local = context.get("logical_date")
    if local is None:
        return {}, [f"{way}: this run has no logical date to go by; say which run to wait for by {_OTHER_WAYS}"]
    if way == "execution_delta":
        return _read_delta(value, local)
    return _read_dates(way, value(local, **_wanted(value, context)) if way == "execution_date_fn" else local)


def _wanted(function: Callable[..., Any], context: Any) -> dict[str, Any]:
    """Return what of the context a function takes beside the date, which comes first."""
    parameters = list(inspect.signature(function).parameters.values())
    named = {parameter.name for parameter in parameters[1:]}
    takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    # by items(): Airflow 2 warns of some of its names when they are read one by one
    there = {**dict(context.items()), "context": context}
    first = {parameter.name for parameter in parameters[:1]} | {"execution_date", "logical_date"}
    return {name: value for name, value in there.items() if name in named or (takes_all and name not in first)}


def _read_delta(value: Any, local: datetime) -> Read:
    seconds = value.total_seconds() if isinstance(value, timedelta) else rendered.number(value)
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        return {}, [f"execution_delta: {value!r} is not a duration; give a timedelta, or a number of seconds"]
    return _read_dates("execution_delta", local - timedelta(seconds=seconds))


def _read_dates(field: str, value: Any) -> Read:
    several = list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]
    if not several:
        return {}, [f"{field}: it is empty, which asks for nothing; give a date, or several"]
    read = [input_checks.read_moment(field, one) for one in several]
    problems = [problem for _, of_one in read for problem in of_one]
    problems += [f"{field}: {one!r} is not a moment" for one, (date, _) in zip(several, read, strict=True) if not date]
    if problems:
        return {}, problems
    return {"logical_dates": list(dict.fromkeys(_as_text(date) for date, _ in read))}, []


def _read_window(value: Any) -> Read:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return {}, [f"window: {value!r} is not a pair; give the first logical date, and the one before which it ends"]
    (start, wrong_start), (end, wrong_end) = (input_checks.read_moment("window", one) for one in value)
    problems = [*wrong_start, *wrong_end]
    if start is None or end is None:
        problems.append(f"window: {value!r} has an open end; give two dates")
    elif not problems and start >= end:
        problems.append(f"window: {start.isoformat()} is not before {end.isoformat()}; give the earlier one first")
    return ({}, problems) if problems else ({"window": [_as_text(start), _as_text(end)]}, [])


def _as_text(date: datetime | None) -> str:
    return "" if date is None else date.isoformat()


def read_states(sensor: MwaaRunsSensor) -> Read:
    """Read which states end the wait, and how. A default gives way to what is said of the same state elsewhere.

    :param sensor: The sensor, its templates rendered.
    """
    fields = tuple(sensor.default_states)
    asked = {field: rendered.none_if_empty(rendered.listed(getattr(sensor, field))) for field in fields}
    problems = [
        problem
        for field, value in asked.items()
        if value is not None
        for problem in input_checks.check_states(
            field,
            value,
            may_be_empty=field != "allowed_states",
            known=sensor.known_states,
            noun=sensor.noun,
        )
    ]
    if problems:
        return {}, problems
    said = [state for value in asked.values() for state in dict.fromkeys(value or ())]
    if twice := sorted({state for state in said if said.count(state) > 1}):
        return {}, [f"{', '.join(fields)}: {', '.join(twice)} stands in more than one; let it mean one thing"]
    states = {
        field: [state for state in default if state not in said] if asked[field] is None else list(asked[field])
        for field, default in sensor.default_states.items()
    }
    return states, input_checks.check_states(
        "allowed_states", states["allowed_states"], known=sensor.known_states, noun=sensor.noun
    )


def read_tasks(sensor: MwaaTaskSensor) -> Read:
    """Read which tasks are meant, as a trigger takes it.

    :param sensor: The sensor, its templates rendered.
    """
    one, several = rendered.none_if_empty(sensor.external_task_id), rendered.listed(sensor.external_task_ids)
    group, map_index = rendered.none_if_empty(sensor.external_task_group_id), rendered.number(sensor.map_index)
    if isinstance(map_index, float) and map_index.is_integer():
        map_index = int(map_index)
    given = {
        "external_task_id": one,
        "external_task_ids": rendered.none_if_empty(several),
        "external_task_group_id": group,
    }
    named = [name for name, value in given.items() if value is not None]
    problems = input_checks.check_map_index("map_index", map_index, optional=True)
    if len(named) != 1:
        problems.append(f"{', '.join(named or given)}: give exactly one of {', '.join(given)}")
    elif map_index is not None and one is None and not problems:
        problems.append("map_index: it goes with external_task_id only, which says whose mapped instance is meant")
    ids: list[str] | None = None
    if one is not None:
        ids, wrong = [one], input_checks.check_task_id("external_task_id", one)
    elif group is not None:
        wrong = input_checks.check_task_id("external_task_group_id", group)
    else:
        ids, wrong = input_checks.check_ids("external_task_ids", given["external_task_ids"], input_checks.check_task_id)
    return {"task_ids": ids or [], "task_group_id": group, "map_index": map_index}, [*problems, *wrong]
