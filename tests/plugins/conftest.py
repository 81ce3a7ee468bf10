"""A process in which no plugin of ours has been loaded, and options for them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator

import pytest

from mwaa_provider.plugins import patching

Options = Callable[..., None]


@pytest.fixture(autouse=True)
def as_if_never_loaded() -> Iterator[None]:
    """Put back what a test changes in Airflow and in the environment."""
    patching.undo_all()
    before = dict(os.environ)
    yield
    patching.undo_all()
    os.environ.clear()
    os.environ.update(before)
    time.tzset()


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> Options:
    """Set options of ``[mwaa_provider]``."""

    def options(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(f"AIRFLOW__MWAA_PROVIDER__{name.upper()}", value)

    return options
