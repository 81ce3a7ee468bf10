"""Which environments EnvironmentMetricsOperator looks at, and how each is reached: read and checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mwaa_provider.client import input_checks

if TYPE_CHECKING:
    from mwaa_provider.client.mwaa import MwaaClient

_OWN_FIELDS = ("environment_name", "aws_conn_id", "region_name")
_SHARED_FIELDS = ("verify", "botocore_config", "transport")


@dataclass(frozen=True)
class Way:
    """A connection and a region, by which one hook reaches all environments there.

    :param aws_conn_id: The Airflow connection.
    :param region_name: The AWS region.
    """

    aws_conn_id: str | None
    region_name: str | None


@dataclass(frozen=True)
class Place:
    """One environment, and the way to it.

    :param environment_name: Its name.
    :param way: Connection and region.
    :param shared: What else the hook is told, the same for all.
    """

    environment_name: str
    way: Way
    shared: Mapping[str, Any]


def clients_of(places: Sequence[Place]) -> dict[Way, MwaaClient | Exception]:
    """Return a client for each way, or why there is none.

    Made here and not when an environment is looked at: that is done in threads, and on Airflow 3 a task asks its supervisor for
    connections, one question after the other.

    :param places: The environments.
    """
    from mwaa_provider.hooks.mwaa import MwaaHook

    clients: dict[Way, MwaaClient | Exception] = {}
    for place in places:
        way = place.way
        if way not in clients:
            try:
                clients[way] = MwaaHook(way.aws_conn_id, way.region_name, **place.shared).client
            except Exception as error:  # no such connection, say: a matter of the environments behind it
                clients[way] = error
    return clients


def read_places(environment_name: str, environments: Any, way: Mapping[str, Any]) -> tuple[list[Place], list[str]]:
    """Read which environments are meant, and tell what is wrong.

    :param environment_name: One name; empty if ``environments`` has them.
    :param environments: Names, or dicts of name, connection and region; ``None`` if there is one only.
    :param way: What the operator says for all of them.
    """
    if environments is None:
        if not environment_name:
            return [], ["environment_name: it is missing; give it, or a list of environments"]
        environments = [environment_name]
    elif environment_name:
        return [], ["environment_name, environments: both are given; give one of them"]
    if isinstance(environments, (str, bytes, Mapping)) or not isinstance(environments, Sequence) or not environments:
        return [], [
            f"environments: {environments!r} is not a list of environments; give names, or dicts with environment_name"
        ]
    shared = {name: way[name] for name in _SHARED_FIELDS}
    places, problems = [], []
    for number, one in enumerate(environments):
        told = {"environment_name": one} if isinstance(one, str) else one
        wrong = _problems(told)
        problems += [f"environments[{number}]: {problem}" for problem in wrong]
        if not wrong:
            own = {**way, **told}
            places.append(Place(own["environment_name"], Way(own["aws_conn_id"], own["region_name"]), shared))
    return places, problems


def _problems(told: Any) -> list[str]:
    if not isinstance(told, Mapping):
        return [f"{told!r} is neither a name nor a dict"]
    unknown = [f"{name!r} is not one of {', '.join(_OWN_FIELDS)}" for name in told if name not in _OWN_FIELDS]
    return [*unknown, *input_checks.check_environment_name(told.get("environment_name"))]
