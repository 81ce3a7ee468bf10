"""How much of a result goes into an XCom."""

from __future__ import annotations

import json
from typing import Any

from mwaa_provider.exceptions import ResultTooLargeError

#: An XCom lies in the metadata database, is read whole by whoever pulls it, and is logged and shown by the UI.
MAX_RESULT_BYTES = 48 * 1024


def check_max_result_bytes(value: Any) -> list[str]:
    """Check a bound for results.

    :param value: What the caller gave.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return []
    return [f"max_result_bytes: {value!r} is not a size; give a number of bytes above 0 (default {MAX_RESULT_BYTES})"]


def check_size(result: Any, max_result_bytes: int, *, ask_for_less: str) -> None:
    """Check that a result fits into an XCom.

    :param result: What JSON can hold.
    :param max_result_bytes: The bound, in bytes of its JSON.
    :param ask_for_less: How less can be asked for, for the message.
    :raises ResultTooLargeError: if it does not.
    """
    size = len(json.dumps(result).encode())
    if size > max_result_bytes:
        raise ResultTooLargeError(
            f"The result has {size:,} bytes, of which an XCom is to hold {max_result_bytes:,} at most: it lies in the metadata database. "
            f"What was asked for was done. {ask_for_less}; set do_xcom_push=False if nobody reads it; raise max_result_bytes if your XCom "
            "backend keeps large values elsewhere; or use MwaaHook in a @task and write to S3.",
            size=size,
            max_result_bytes=max_result_bytes,
        )
