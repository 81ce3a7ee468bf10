"""Time zones by name."""

from __future__ import annotations

import difflib
from datetime import tzinfo
from importlib import import_module
from zoneinfo import ZoneInfo, available_timezones


class NoSuchZoneError(ValueError):
    """There is no time zone of that name; says which ones are like it."""


def zone_of(name: str) -> tzinfo:
    """Return a time zone.

    :param name: Its IANA name, such as ``Europe/Berlin``.
    :raises NoSuchZoneError: There is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError; the others: a path, a folder
        pass
    if not available_timezones():  # neither the system nor the package tzdata brings any; pendulum has its own
        try:
            zone: tzinfo = import_module("pendulum").timezone(name)
        except Exception as error:
            raise NoSuchZoneError(f"mwaa_provider.log_time_zone is {name!r}, which is no time zone") from error
        return zone
    likes = _like(name)
    hint = f"Did you mean {' or '.join(likes)}?" if likes else "Take a name such as Europe/Berlin."
    raise NoSuchZoneError(
        f"mwaa_provider.log_time_zone is {name!r}, which is no time zone, so logs are stamped as before. {hint}"
    )


def _like(name: str) -> list[str]:
    """Return up to three names that are like it, as a whole or in their last part (the city)."""
    known = {zone.lower(): zone for zone in available_timezones() if "/" in zone or len(zone) == 3}
    cities: dict[str, list[str]] = {}
    for lower, zone in sorted(known.items(), key=lambda item: item[1].count("/")):
        cities.setdefault(lower.rpartition("/")[2], []).append(zone)
    wanted = name.strip().lower().replace(" ", "_")
    if wanted in known:
        return [known[wanted]]
    by_city = [cities[city][0] for city in difflib.get_close_matches(wanted.rpartition("/")[2], cities, 3, 0.8)]
    as_whole = [known[match] for match in difflib.get_close_matches(wanted, known, 3, 0.6)]
    return list(dict.fromkeys([*by_city, *as_whole]))[:3]
