"""What all tests share: no network, no AWS account, an Airflow home of their own, the release's real database."""

from __future__ import annotations

import gc
import shutil
import signal
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.support.environment import set_environment
from tests.support.network import block_network

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.dag_runs import RunDag
    from tests.support.database import AirflowDatabase

pytest_plugins = ["mwaa_provider.local.pytest_plugin"]

# Here and not in a fixture: test modules import Airflow while they are collected, and Airflow reads its configuration
# then.
block_network()
HOME = set_environment()

# How long an example takes says something of what else the machine does, and nothing of us.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_configure() -> None:
    """Let a polite end (``timeout``, a CI that stops) run the fixtures' endings: PostgreSQL would outlive us."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what stays to the end, Airflow above all: it took a third of the time."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    shutil.rmtree(HOME.folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def nothing_shared_with_the_last_test() -> None:
    """A web session of the last test, or its pace, would show in the counts of this one: a port may come again."""
    from mwaa_provider.client import shared

    shared.forget_all()


@pytest.fixture(scope="session", autouse=True)
def models_of_aws_are_read_once() -> Iterator[None]:
    """Each boto3 session reads botocore's models anew, a tenth of a second each time; those of one run of tests share them."""
    import botocore.session

    make, shared = botocore.session.create_loader, botocore.session.create_loader()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", lambda path=None: make(path) if path else shared)
        yield


@pytest.fixture(scope="session")
def airflow_database() -> Iterator[AirflowDatabase]:
    """The installed Airflow's real schema in an embedded PostgreSQL; Airflow in this process uses it too."""
    from tests.support.database import started_database

    with started_database(HOME) as database:
        yield database


@pytest.fixture(scope="session")
def run_dag(airflow_database: AirflowDatabase) -> RunDag:
    """A function that runs a DAG for real and tells what came of it; see :class:`tests.support.dag_runs.RunDag`."""
    from tests.support.dag_runs import RunDag

    return RunDag(airflow_database)


@pytest.fixture(scope="session")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | None]:
    """A folder with the providers that the examples ask for, to be put before all others; None where they are not to be had."""
    from tests.support.providers import install_providers, why_not

    if why_not():
        yield None
        return
    folder = install_providers(tmp_path_factory.mktemp("providers"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
