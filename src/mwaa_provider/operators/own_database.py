"""The metadata database of the environment that a task runs in, for EnvironmentMetricsOperator: read where it can be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mwaa_provider.exceptions import MetadataDatabaseError, MwaaError

if TYPE_CHECKING:
    from mwaa_provider.metrics.database import DatabaseFigures

#: Seconds that one statement may take; they are short.
_STATEMENT_SECONDS = 30.0


def is_own(environment_name: str) -> bool:
    """Tell whether an environment is the one that this process belongs to.

    :param environment_name: Its name.
    """
    from mwaa_provider.metrics.naming import ENVIRONMENT_NAME_VARIABLES

    return environment_name in [os.environ.get(name) for name in ENVIRONMENT_NAME_VARIABLES]


def read_own_database() -> DatabaseFigures:
    """Read it by the first way that leads there.

    :raises MetadataDatabaseError: if none does; on Airflow 3 on MWAA that is usual.
    """
    from mwaa_provider.metadata.database import TimeLimits, ways
    from mwaa_provider.metrics.database import read_database

    failures = []
    for way in ways():
        try:
            with way.snapshot(TimeLimits(statement=_STATEMENT_SECONDS)) as connection:
                return read_database(connection, way.schema)
        except MwaaError as error:
            failures.append(str(error))
        except Exception as error:  # what a driver says may hold the address
            failures.append(f"{way.origin}: {type(error).__name__}")
    raise MetadataDatabaseError(
        " ".join(failures) or "Nothing here tells a task the metadata database's address (as usual on Airflow 3).",
        origin="this process",
    )
