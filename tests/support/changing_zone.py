"""A time zone whose clocks change every few seconds: a real process, with its real clock, sees changes while it runs."""

from __future__ import annotations

import struct
from pathlib import Path

#: Seconds between two changes.
PERIOD = 6
STANDARD, SUMMER = 3600, 7200


def write_changing_zone(folder: Path, name: str, begin: int, seconds: int) -> None:
    """Write a zone's file in the form of RFC 8536, which Python reads from the folders of ``PYTHONTZPATH``.

    :param folder: Such a folder.
    :param name: The zone, such as ``Test/Changing``.
    :param begin: The moment of the first change, in seconds since 1970.
    :param seconds: How long the changes go on.
    """
    moments = range(begin, begin + seconds, PERIOD)
    kinds = bytes((number + 1) % 2 for number in range(len(moments)))
    names = b"STD\0SUM\0"

    def block(form: str) -> bytes:
        return (
            struct.pack(f">{len(moments)}{form}", *moments)
            + kinds
            + struct.pack(">lbB", STANDARD, 0, 0)
            + struct.pack(">lbB", SUMMER, 1, 4)
            + names
        )

    header = b"TZif2" + bytes(15) + struct.pack(">6l", 0, 0, 0, len(moments), 2, len(names))
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(header + block("l") + header + block("q") + b"\n\n")
