"""What is measured, and what CloudWatch would refuse of it.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

#: The namespace of the AWS guide's sample for metrics of one's own.
NAMESPACE = "MWAACustom"

_SIZES = (
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
)
UNITS = frozenset(
    {"None", "Count", "Count/Second", "Percent", "Seconds", "Milliseconds", "Microseconds"}
    | {*_SIZES, *(f"{size}/Second" for size in _SIZES)}
)

MOST_DIMENSIONS = 30
_DIMENSION_NAME_LENGTH, _DIMENSION_VALUE_LENGTH, _NAME_LENGTH = 255, 1024, 255
#: CloudWatch refuses larger values, and those nearer to zero than 8.515920e-109.
_LARGEST = 2.0**360
_SMALLEST = 8.515920e-109
_LONGEST_AGO, _FARTHEST_AHEAD = timedelta(days=14), timedelta(hours=2)


@dataclass(frozen=True)
class Measurement:
    """One value of one metric at one moment.

    :param name: The metric's name.
    :param value: The value.
    :param unit: One of CloudWatch's units.
    :param timestamp: When it was measured, with time zone.
    :param dimensions: Names to values; all of them together tell the metric's series.
    """

    name: str
    value: float
    unit: str
    timestamp: datetime
    dimensions: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}{{{', '.join(f'{name}={value}' for name, value in self.dimensions.items())}}}"


def dimension_value(text: str) -> str:
    r"""Return a text as CloudWatch takes it for a dimension's value: printable ASCII, not empty, 1,024 characters at most.

    Airflow's ids may hold any letter; one that is not ASCII is written as Python writes it in ASCII, ``\\xfc`` for example.

    :param text: The text.
    """
    safe = "".join(one if " " <= one <= "~" else one.encode("unicode_escape").decode() for one in text)
    return safe[:_DIMENSION_VALUE_LENGTH] if safe.strip() else "(none)"


def check_namespace(value: Any) -> list[str]:
    """Check a namespace for metrics of one's own.

    :param value: What the caller gave.
    """
    if isinstance(value, str) and 0 < len(value) <= _NAME_LENGTH and value.strip() and _is_printable(value):
        if value.startswith(":"):
            return [f"namespace: {value!r} begins with ':'; use another name"]
        return (
            [f"namespace: {value!r} begins with 'AWS/', which AWS keeps; use another name"]
            if value.startswith("AWS/")
            else []
        )
    return [f"namespace: {value!r} is not one; give 1 to {_NAME_LENGTH} printable ASCII characters"]


def check_storage_resolution(value: Any) -> list[str]:
    """Check how finely CloudWatch is to store values.

    :param value: What the caller gave.
    """
    if value in (1, 60) and not isinstance(value, bool):
        return []
    return [f"storage_resolution: {value!r} is not one; give 60 (seconds), or 1 for high resolution, which costs more"]


def check_measurements(measurements: Iterable[Measurement], now: datetime) -> list[str]:
    """Tell everything that CloudWatch would refuse, by name.

    :param measurements: What is to be published.
    :param now: The present moment, with time zone.
    """
    return [f"{one}: {problem}" for one in measurements for problem in _problems(one, now)]


def _problems(one: Measurement, now: datetime) -> list[str]:
    problems = []
    if (
        not isinstance(one.name, str)
        or not one.name.strip()
        or len(one.name) > _NAME_LENGTH
        or not _is_printable(one.name)
    ):
        problems.append(f"the name is not 1 to {_NAME_LENGTH} printable ASCII characters")
    if not isinstance(one.value, (int, float)) or isinstance(one.value, bool) or not math.isfinite(one.value):
        problems.append(f"the value {one.value!r} is not a finite number")
    elif abs(one.value) > _LARGEST or 0 < abs(one.value) < _SMALLEST:
        problems.append(
            f"the value {one.value!r} is beyond what CloudWatch stores (0, or {_SMALLEST:g} to 2**360 either way)"
        )
    if one.unit not in UNITS:
        problems.append(f"the unit {one.unit!r} is not one of {', '.join(sorted(UNITS))}")
    if one.timestamp.tzinfo is None:
        problems.append(f"the timestamp {one.timestamp.isoformat()} has no time zone")
    elif not now - _LONGEST_AGO < one.timestamp < now + _FARTHEST_AHEAD:
        problems.append(f"the timestamp {one.timestamp.isoformat()} is more than two weeks ago, or two hours ahead")
    if len(one.dimensions) > MOST_DIMENSIONS:
        problems.append(f"{len(one.dimensions)} dimensions; CloudWatch takes {MOST_DIMENSIONS}")
    for name, value in one.dimensions.items():
        problems += _problems_of_dimension(name, value)
    return problems


def _problems_of_dimension(name: Any, value: Any) -> list[str]:
    problems = []
    if not _is_text(name, _DIMENSION_NAME_LENGTH) or name.startswith(":"):
        problems.append(
            f"the dimension's name {name!r} is not 1 to {_DIMENSION_NAME_LENGTH} printable ASCII characters that do not begin with ':'"
        )
    if not _is_text(value, _DIMENSION_VALUE_LENGTH):
        problems.append(
            f"dimension {name!r}: the value {value!r} is not 1 to {_DIMENSION_VALUE_LENGTH} printable ASCII characters, or only spaces"
        )
    return problems


def _is_text(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and bool(value.strip()) and _is_printable(value)


def _is_printable(text: str) -> bool:
    return all(" " <= one <= "~" for one in text)
