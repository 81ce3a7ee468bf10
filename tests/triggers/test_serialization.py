"""A trigger that another triggerer makes anew, from what lies in the database, is the same trigger."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from mwaa_provider.triggers.base import MwaaBaseTrigger
from mwaa_provider.triggers.dag_run import MwaaDagRunTrigger
from mwaa_provider.triggers.environment import MwaaEnvironmentTrigger
from mwaa_provider.triggers.task import MwaaTaskTrigger
from tests.support.tasks import again

TRIGGERS: tuple[type[MwaaBaseTrigger], ...] = (MwaaDagRunTrigger, MwaaTaskTrigger, MwaaEnvironmentTrigger)

#: Of each argument a value that is not its default.
VALUES: dict[str, Any] = {
    "environment_name": "target",
    "poke_interval": 7.5,
    "since": "2026-01-31T00:00:00+00:00",
    "deadline": 1_800_000_000.5,
    "aws_conn_id": "other_account",
    "region_name": "eu-central-1",
    "verify": "/etc/ca.pem",
    "botocore_config": {"retries": {"mode": "standard"}, "read_timeout": 3},
    "transport": "session",
    "dag_id": "load",
    "run_ids": ["a", "b"],
    "logical_dates": ["2026-01-31T00:00:00+00:00"],
    "window": ["2026-01-31T00:00:00+00:00", "2026-02-01T00:00:00+00:00"],
    "allowed_states": ["running"],
    "failed_states": ["skipped"],
    "skipped_states": ["removed"],
    "check_existence": True,
    "cancel_on_kill": True,
    "task_ids": ["extract"],
    "task_group_id": "group",
    "map_index": 3,
}


def arguments_of(kind: type[MwaaBaseTrigger]) -> list[str]:
    """All that its constructor takes, the base class's included."""
    names = {**inspect.signature(kind).parameters, **inspect.signature(MwaaBaseTrigger).parameters}
    return [name for name in names if name != "kwargs"]


@pytest.mark.parametrize("kind", TRIGGERS)
def test_every_argument_survives(kind: type[MwaaBaseTrigger]) -> None:
    given = {name: VALUES[name] for name in arguments_of(kind)}
    defaults = {
        name: parameter.default
        for one in (kind, MwaaBaseTrigger)
        for name, parameter in inspect.signature(one).parameters.items()
    }
    assert [name for name in given if given[name] == defaults[name]] == []
    made_anew = again(kind(**given))
    assert type(made_anew) is kind
    assert made_anew.serialize()[1] == given
    assert {name: getattr(made_anew, name) for name in given} == given
    assert made_anew.watch == kind(**given).watch


@pytest.mark.parametrize("kind", TRIGGERS)
@pytest.mark.parametrize("verify", [None, False, True])
@pytest.mark.parametrize("aws_conn_id", [None, "aws_default"])
def test_none_is_not_taken_for_a_default(
    kind: type[MwaaBaseTrigger], verify: bool | None, aws_conn_id: str | None
) -> None:
    least = {"environment_name": "target", "poke_interval": 1.0, "since": VALUES["since"]}
    if kind is not MwaaEnvironmentTrigger:
        least["dag_id"] = "load"
    made_anew = again(kind(**least, verify=verify, aws_conn_id=aws_conn_id))
    assert (made_anew.verify, made_anew.aws_conn_id, made_anew.deadline) == (verify, aws_conn_id, None)
    assert made_anew.serialize() == again(made_anew).serialize()
