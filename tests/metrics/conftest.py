from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cloudwatch import CloudWatch, cloudwatch


@pytest.fixture(scope="session")
def started_cloudwatch() -> Iterator[CloudWatch]:
    with cloudwatch() as started:
        yield started


@pytest.fixture
def cloud(started_cloudwatch: CloudWatch) -> CloudWatch:
    """CloudWatch, with nothing in it, in a good mood."""
    started_cloudwatch.forget()
    return started_cloudwatch
