"""What both REST APIs and the CLI hold about run ids, and the version they tell."""

from __future__ import annotations

#: Of every release; a released Airflow has the commit it was built from here.
GIT_VERSION = ".release:scripted"
#: The default of ``[scheduler] allowed_run_id_pattern``.
RUN_ID_PATTERN = r"^[A-Za-z0-9_.~:+-]+$"


def reserved_for(run_id: str, *further: str) -> str | None:
    """Return the kind of runs that an id is reserved for, or None for one that a manual run may have.

    :param run_id: The run id.
    :param further: Kinds beside ``scheduled`` and ``backfill`` that the release knows.
    """
    for kind in ("scheduled", "backfill", *further):
        if run_id.startswith(f"{kind}__"):
            return kind
    return None
