"""The pytest fixture ``local_mwaa``.

Load it with ``pytest_plugins = ["mwaa_provider.local.pytest_plugin"]`` in a ``conftest.py``. It is not registered as
an entry point: every pytest of every project in the environment would load this package, asked or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mwaa_provider.local.mwaa import LocalMwaa


@pytest.fixture
def local_mwaa() -> Iterator[LocalMwaa]:
    """Give a test a local MWAA of its own, with the service's rules; it is gone afterwards."""
    from mwaa_provider.local.mwaa import LocalMwaa

    with LocalMwaa() as mwaa:
        yield mwaa
