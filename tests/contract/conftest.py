"""One environment, two kinds of Airflow behind it: every contract test runs against both, so the scripted one cannot drift.

The scripted back end plays the leg's own release and the default release of the other line; the real one is the leg's own Airflow.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mwaa_provider.local import LocalMwaa
from tests.contract.environments import LEG, NAME, OTHER_LINE, Contract, by, real, scripted


@pytest.fixture(
    scope="package",
    params=[
        pytest.param(("scripted", LEG), id=f"scripted-{LEG}"),
        pytest.param(("scripted", OTHER_LINE), id=f"scripted-{OTHER_LINE}"),
        pytest.param(("real", LEG), id=f"real-{LEG}", marks=pytest.mark.real_airflow),
    ],
)
def environment(request: pytest.FixtureRequest) -> Iterator[Contract]:
    kind, version = request.param
    with LocalMwaa() as mwaa:
        backend = scripted(version) if kind == "scripted" else real()
        mwaa.create_environment(NAME, backend)
        if kind == "real":
            for dag_id in ("quick", "odd", "fails", "slow", "paused", "groups"):
                backend.wait_for_dag(f"contract_{dag_id}", timeout=120)
        yield Contract(mwaa, version, kind == "real", poke_interval=1.0 if kind == "real" else 0.05)


@pytest.fixture(params=["iam", "session"])
def contract(environment: Contract, request: pytest.FixtureRequest) -> Contract:
    """The environment, by each way to its REST API."""
    return by(environment, request.param)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the Airflows that are played where a test is about a real one alone."""
    left_out = [
        item for item in items if _is_played(item) and getattr(getattr(item, "module", None), "ONLY_REAL", False)
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _is_played(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    return call is not None and call.params.get("environment", ("", ""))[0] == "scripted"
