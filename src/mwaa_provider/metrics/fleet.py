"""Many environments looked at side by side: each under its own rule of ten calls a second, none waits for another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Place = TypeVar("Place")
Found = TypeVar("Found")

#: So many are looked at at a time; each waits for its environment's turns most of the time.
MOST_AT_ONCE = 50


def side_by_side(look: Callable[[Place], Found], places: Sequence[Place]) -> list[Found]:
    """Return what each place gave, in their order.

    :param look: Looks at one; what it raises, this raises, after all have been looked at.
    :param places: The places.
    """
    if len(places) <= 1:
        return [look(place) for place in places]
    with ThreadPoolExecutor(min(MOST_AT_ONCE, len(places)), thread_name_prefix="mwaa-look") as pool:
        return list(pool.map(look, places))
