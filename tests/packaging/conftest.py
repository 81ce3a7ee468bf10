"""An environment as MWAA's containers have it, made once for the tests that install into it."""

from __future__ import annotations

import pytest

from tests.packaging.environments import Environment, make_pinned_environment


@pytest.fixture(scope="session")
def pinned(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """This release's pinned versions, without this project. A test that installs something takes it out again."""
    return make_pinned_environment(tmp_path_factory.mktemp("pinned"))
