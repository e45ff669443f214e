"""What a worker says, taken with care: any predictor may write to its pipe, at any length and in
any form.
"""

from __future__ import annotations

import json
from typing import Any

from kobench.util.text import visible

#: More bytes than this in one line are no reply.
MOST_BYTES = 1 << 20

#: What the fields of each kind of reply are.
FIELDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "ready": {"protocol": int, "python": str, "numpy": str, "packages": dict},
    "log": {"message": str, "done": int, "total": int},
    "check": {"name": str, "status": str, "found": str},
    "done": {"for": str},
    "failed": {"for": str, "status": str, "message": str, "traceback": (str, type(None))},
}

#: How a worker may say that its predictor failed.
FAILED = ("failed", "invalid", "out-of-memory")


def parse(line: bytes) -> dict[str, Any]:
    """One reply, with text that can be shown; raises ValueError, which says what is wrong, for what
    is none.
    """
    try:
        reply = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            "the worker's reply is not JSON: something else wrote to its pipe"
        ) from error
    kind = reply.get("kind") if isinstance(reply, dict) else None
    if not isinstance(kind, str) or kind not in FIELDS:
        raise ValueError(
            f"the worker's reply is of no known kind ({visible(repr(kind), 40)}): something else"
            " wrote to its pipe"
        )
    for name, types in FIELDS[kind].items():
        if not isinstance(reply.get(name), types):
            raise ValueError(
                f"the worker's reply {kind!r} has no {name} of the right type: something else wrote"
                " to its pipe"
            )
    if kind == "failed" and reply["status"] not in FAILED:
        raise ValueError(
            f"the worker's reply has the status {visible(reply['status'], 40)!r}: something else"
            " wrote to its pipe"
        )
    for name in FIELDS[kind]:
        if isinstance(reply[name], str):
            reply[name] = visible(reply[name], 8000, lines=name in ("traceback", "found"))
    kept = (
        "kind",
        "for",
        *FIELDS[kind],
    )  # what else it may hold would be kept in this process's memory
    return {name: reply[name] for name in kept if name in reply}
