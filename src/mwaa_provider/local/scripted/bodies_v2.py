"""Checks of bodies and parameters as Airflow 3 makes them: pydantic's errors, an entry for each thing wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mwaa_provider.local.answers import airflow_detail
from mwaa_provider.local.backend import BackendAnswer
from mwaa_provider.local.scripted import moments
from mwaa_provider.local.scripted.routing import Call, Refusal
from mwaa_provider.local.scripted.selecting import COMPARISONS

if TYPE_CHECKING:
    from datetime import datetime

    from mwaa_provider.local.scripted.records import ScriptedDag
    from mwaa_provider.local.scripted.store import Store

RUN_STATES = ("queued", "running", "success", "failed")
#: The attributes of runs and task instances that lists can be narrowed by.
RANGES = ("run_after", "logical_date", "start_date", "end_date")

#: What is wrong with a value: pydantic's type, message and context; None when nothing is.
Complaint = tuple[str, str, dict[str, Any] | None] | None
Check = Callable[[Any], Complaint]


def refusal(status: int, detail: Any) -> Refusal:
    """Return an error to raise.

    :param status: The HTTP status.
    :param detail: The detail.
    """
    response = airflow_detail(status, detail)
    return Refusal(BackendAnswer(response.status, response.body, response.content_type))


def conflict() -> Refusal:
    """Return the error for a row that exists; Airflow 3 does not say which."""
    return refusal(
        409,
        {
            "reason": "Unique constraint violation",
            "statement": "hidden",
            "orig_error": "hidden",
            "message": "Serious error when handling your request. Check logs for more details - "
            "you will find it in api server when you look for ID scripted",
        },
    )


def no_json(error: ValueError) -> Refusal:
    """Return the error for a body that is no JSON.

    :param error: What the parser said.
    """
    if not isinstance(error, json.JSONDecodeError):
        return refusal(400, "There was an error parsing the body")
    wrong = {"type": "json_invalid", "loc": ["body", error.pos], "msg": "JSON decode error", "input": {}}
    return refusal(422, [{**wrong, "ctx": {"error": error.msg}}])


def text(value: Any) -> Complaint:
    """Check for a text.

    :param value: The value.
    """
    return None if isinstance(value, str) else ("string_type", "Input should be a valid string", None)


def mapping(value: Any) -> Complaint:
    """Check for an object.

    :param value: The value.
    """
    return None if isinstance(value, dict) else ("dict_type", "Input should be a valid dictionary", None)


def boolean(value: Any) -> Complaint:
    """Check for true or false; pydantic takes a few texts too.

    :param value: The value.
    """
    if isinstance(value, bool) or str(value).lower() in ("true", "false", "1", "0", "yes", "no", "on", "off", "t", "f"):
        return None
    return "bool_parsing", "Input should be a valid boolean, unable to interpret input", None


def anything(value: Any) -> Complaint:
    """Accept any value.

    :param value: The value.
    """
    return None


def at_least(least: int) -> Check:
    """Return a check for a whole number.

    :param least: The least.
    """

    def check(value: Any) -> Complaint:
        try:
            number = int(value)
        except (TypeError, ValueError):
            return "int_parsing", "Input should be a valid integer, unable to parse string as an integer", None
        if number < least:
            return "greater_than_equal", f"Input should be greater than or equal to {least}", {"ge": least}
        return None

    return check


def texts(value: Any) -> Complaint:
    """Check for a list.

    :param value: The value.
    """
    return None if isinstance(value, list) else ("list_type", "Input should be a valid list", None)


def moment(value: Any) -> Complaint:
    """Check for a point in time with a zone.

    :param value: The value.
    """
    if moments.parse(value) is None:
        said = "input is too short"
        return "datetime_from_date_parsing", f"Input should be a valid datetime or date, {said}", {"error": said}
    if moments.parse_aware(value) is None:
        return "timezone_aware", "Input should have timezone info", None
    return None


def one_of(*allowed: str) -> Check:
    """Return a check for one of some texts.

    :param allowed: The texts.
    """
    quoted = [f"'{one}'" for one in allowed]
    said = f"{', '.join(quoted[:-1])} or {quoted[-1]}"

    def check(value: Any) -> Complaint:
        return None if value in allowed else ("enum", f"Input should be {said}", {"expected": said})

    return check


def nullable(check: Check) -> Check:
    """Return a check that lets null pass.

    :param check: The check for everything else.
    """
    return lambda value: None if value is None else check(value)


#: The fields of every list that is asked for by POST.
PAGE: dict[str, Check] = {
    "order_by": nullable(text),
    "page_offset": at_least(0),
    "page_limit": at_least(0),
}


def checked(call: Call, fields: Mapping[str, Check], required: Sequence[str] = ()) -> dict[str, Any]:
    """Return a copy of the body, an object that has only known fields with the right values.

    :param call: The request.
    :param fields: The check for each field.
    :param required: The fields that must be there.
    :raises Refusal: When it is something else, with everything that is wrong.
    """
    body = call.body
    if not call.has_body or body is None:
        raise refusal(422, [_wrong(["body"], ("missing", "Field required", None), None)])
    if not isinstance(body, dict):
        said = "Input should be a valid dictionary or object to extract fields from"
        raise refusal(422, [_wrong(["body"], ("model_attributes_type", said, None), body)])
    wrong = []
    for name, check in fields.items():
        if name not in body:
            if name in required:
                wrong.append(_wrong(["body", name], ("missing", "Field required", None), body))
        elif complaint := check(body[name]):
            wrong.append(_wrong(["body", name], complaint, body[name]))
    wrong += [
        _wrong(["body", name], ("extra_forbidden", "Extra inputs are not permitted", None), value)
        for name, value in body.items()
        if name not in fields
    ]
    if wrong:
        raise refusal(422, wrong)
    return dict(body)


def said_of_body(message: str, body: Any) -> Refusal:
    """Return the error for a body that is wrong as a whole.

    :param message: What is wrong.
    :param body: The body.
    """
    return refusal(422, [_wrong(["body"], ("value_error", f"Value error, {message}", {"error": {}}), body)])


def parameter(call: Call, name: str, check: Check) -> str | None:
    """Return a query parameter; None when it was not given.

    :param call: The request.
    :param name: The parameter.
    :param check: The check for its value.
    :raises Refusal: When its value is wrong.
    """
    if name not in call.query:
        return None
    value = call.first(name)
    if complaint := check(value):
        raise refusal(422, [_wrong(["query", name], complaint, value)])
    return value


def page(call: Call, *, clamp: bool) -> tuple[int, int]:
    """Return offset and limit of a page.

    :param call: The request.
    :param clamp: Whether the limit is held to ``[api] maximum_page_limit`` (100), as from 3.2.1 on.
    :raises Refusal: When one is no number.
    """
    limit = int(parameter(call, "limit", at_least(0)) or 50)
    if call.first("limit") == "0":
        limit = 0
    return int(parameter(call, "offset", at_least(0)) or 0), min(limit, 100) if clamp else limit


def ranges(call: Call, names: Iterable[str]) -> dict[str, datetime]:
    """Return the query's range filters.

    :param call: The request.
    :param names: Their names.
    :raises Refusal: When one is no point in time.
    """
    found = {}
    for name in names:
        # A plus sign in a query is a space; pydantic takes both as the start of a zone.
        value = parameter(call, name, lambda given: moment(given.replace(" ", "+")))
        limit = moments.parse_aware(value.replace(" ", "+")) if value else None
        if limit is not None:
            found[name] = limit
    return found


def range_names(attributes: Iterable[str], release: tuple[int, ...]) -> list[str]:
    """Return the names of range filters: those that exclude their limit came with 3.1.

    :param attributes: The attributes that can be filtered.
    :param release: The release.
    """
    suffixes = COMPARISONS if release >= (3, 1) else ("gte", "lte")
    return [f"{attribute}_{suffix}" for attribute in attributes for suffix in suffixes]


def order(asked: Sequence[str], allowed: Mapping[str, str], default: str) -> list[tuple[str, bool]]:
    """Return the order asked for, with the row's number as the last resort.

    :param asked: Columns, with ``-`` before them for descending.
    :param allowed: Attributes by the names that may be asked for.
    :param default: The attribute to sort by when nothing was asked.
    :raises Refusal: When it is another column.
    """
    keys = []
    for one in asked:
        name = one.lstrip("-")
        if name not in allowed:
            said = f"Ordering with '{name}' is disallowed or the attribute does not exist on the model"
            raise refusal(400, said)
        keys.append((allowed[name], one.startswith("-")))
    return [*keys, (default, bool(asked) and asked[0].startswith("-"))]


def only(call: Call, *known: str) -> None:
    """Check that the query has no other parameters.

    :param call: The request.
    :param known: The parameters that are scripted.
    :raises Refusal: When it has; Airflow would ignore one that it does not have either.
    """
    if unknown := sorted(set(call.query) - set(known)):
        raise refusal(
            501,
            f"The scripted back end does not know the query parameter(s) {', '.join(unknown)}; a real Airflow may.",
        )


def known_dag(store: Store, release: tuple[int, ...], dag_id: str, detail: str | None = None) -> ScriptedDag:
    """Return a DAG.

    :param store: The memory.
    :param release: The release.
    :param dag_id: The DAG.
    :param detail: What the error says; by default what most calls say.
    :raises Refusal: When there is none.
    """
    dag = store.dags.get(dag_id)
    if dag is None:
        new = f"The Dag with ID: `{dag_id}` was not found"
        raise refusal(404, detail or (new if release >= (3, 1) else f"Dag with id {dag_id} was not found"))
    return dag


def check_states(body: Mapping[str, Any], name: str, allowed: Sequence[str]) -> None:
    """Check a body's list of states.

    :param body: The body.
    :param name: The field.
    :param allowed: The states there are.
    :raises Refusal: When there is another in it, or several.
    """
    check = nullable(one_of(*allowed))
    wrong = []
    for at, state in enumerate(body.get(name) or []):
        if complaint := check(state):
            kind, message, context = complaint
            wrong.append({"type": kind, "loc": ["body", name, at], "msg": message, "input": state, "ctx": context})
    if wrong:
        raise refusal(422, wrong)


def ranges_of_body(body: Mapping[str, Any]) -> dict[str, datetime]:
    """Return the range filters of a checked body.

    :param body: The body.
    """
    suffixes = tuple(f"_{suffix}" for suffix in COMPARISONS)
    named = {name: moments.parse_aware(value) for name, value in body.items() if name.endswith(suffixes)}
    return {name: limit for name, limit in named.items() if limit is not None}


def _wrong(where: list[str], complaint: tuple[str, str, dict[str, Any] | None], value: Any) -> dict[str, Any]:
    kind, message, context = complaint
    entry = {"type": kind, "loc": where, "msg": message, "input": value}
    return entry if context is None else {**entry, "ctx": context}
