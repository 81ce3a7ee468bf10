"""Points in time as Airflow's two REST APIs read and write them."""

from __future__ import annotations

import re
from datetime import datetime, timezone

_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,6})\d*)?(?P<zone>[Zz]|[+-]\d{2}:?\d{2})?")


def parse(text: object) -> datetime | None:
    """Return the point in time a text names, naive if it names no zone; None when it is not one.

    :param text: The text.
    """
    found = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    day, clock, fraction, zone = found.groups()
    offset = "" if zone is None else "+00:00" if zone in "Zz" else zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{(fraction or '0').ljust(6, '0')}{offset}")
    except ValueError:
        return None


def parse_aware(text: object) -> datetime | None:
    """Return the point in time a text names, in UTC; None when it is not one or names no zone.

    :param text: The text.
    """
    moment = parse(text)
    return moment.astimezone(timezone.utc) if moment is not None and moment.tzinfo is not None else None


def v1(moment: datetime | None) -> str | None:
    """Write a point in time as Airflow 2 does.

    :param moment: The point in time.
    """
    return None if moment is None else moment.isoformat()


def v2(moment: datetime | None) -> str | None:
    """Write a point in time as Airflow 3 does.

    :param moment: The point in time.
    """
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
