"""The two pipes to a worker, and its replies.

The replies are read with care: any predictor may write to the worker's pipe, at any length and in
any form.
"""

from __future__ import annotations

import json
import os
from typing import Any

from kobench.util.text import visible

#: More bytes than this in one line are no reply.
MOST_BYTES = 1 << 20

#: The fields of each kind of reply, and their types.
FIELDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "ready": {"protocol": int, "python": str, "numpy": str, "packages": dict},
    "log": {"message": str, "done": int, "total": int},
    "check": {"name": str, "status": str, "found": str},
    "done": {"for": str},
    "failed": {"for": str, "status": str, "message": str, "traceback": (str, type(None))},
}

#: Fields whose text may have several lines.
OF_LINES = ("traceback", "found")

#: How a worker may say that its predictor failed.
FAILED = ("failed", "invalid", "out-of-memory")

#: What is said of every reply that is none.
STRANGER = "something else wrote to its pipe"


class Pipe:
    """The harness's ends of the pipes: requests go out and replies come in, a line of JSON each.

    Attributes
    ----------
    worker_ends : tuple of int
        The file descriptors that the worker is to get: the one it reads, the one it writes.
    replies : int
        The file descriptor from which replies are read.
    """

    def __init__(self) -> None:
        child_in, self._requests = os.pipe()
        self.replies, child_out = os.pipe()
        self.worker_ends = child_in, child_out
        # a worker can open either pipe once more and take out what was ours to read, or fill it
        os.set_blocking(self._requests, False)
        os.set_blocking(self.replies, False)
        self._unread = b""

    def close_worker_ends(self) -> None:
        """Leave the worker's ends to the worker, once it has been started."""
        for number in self.worker_ends:
            os.close(number)

    def close(self) -> None:
        """Close the harness's ends."""
        os.close(self._requests)
        os.close(self.replies)

    def write(self, request: bytes) -> bytes:
        """Write as much of a request as there is room for; the rest of it.

        Raises
        ------
        BrokenPipeError
            Nobody has the worker's end any more.
        """
        try:
            return request[os.write(self._requests, request) :]
        except BlockingIOError:
            return request

    def read(self) -> bool:
        """Take in what has come, if anything has; False where the pipe was closed."""
        try:
            piece = os.read(self.replies, 1 << 16)
        except BlockingIOError:
            return True
        self._unread += piece
        return bool(piece)

    def reply(self) -> dict[str, Any] | None:
        """The next reply, None as long as it is not there in full.

        Raises
        ------
        ValueError
            What came is no reply; the message says why.
        """
        line, end, rest = self._unread.partition(b"\n")
        if not end:
            if len(line) > MOST_BYTES:
                raise ValueError(
                    f"a reply of the worker is longer than {MOST_BYTES:,} bytes: {STRANGER}"
                )
            return None
        self._unread = rest
        return parse(line)


def parse(line: bytes) -> dict[str, Any]:
    """One reply.

    Parameters
    ----------
    line : bytes
        A line that came from a worker, without its end.

    Returns
    -------
    dict of str to object
        Its kind and the `FIELDS` of this kind; all text in it can be shown.

    Raises
    ------
    ValueError
        It is no reply; the message says why.
    """
    try:
        reply = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the worker's reply is not JSON: {STRANGER}") from error
    kind = reply.get("kind") if isinstance(reply, dict) else None
    if not isinstance(kind, str) or kind not in FIELDS:
        raise ValueError(
            f"the worker's reply is of no known kind ({visible(repr(kind), 40)}): {STRANGER}"
        )
    # what else it holds is not kept: it could fill the memory of this process
    found: dict[str, Any] = {"kind": kind}
    for name, types in FIELDS[kind].items():
        value = reply.get(name)
        if not isinstance(value, types):
            raise ValueError(
                f"the worker's reply {kind!r} has no {name} of the right type: {STRANGER}"
            )
        if isinstance(value, str):
            value = visible(value, 8000, lines=name in OF_LINES)
        found[name] = value
    if kind == "failed" and found["status"] not in FAILED:
        raise ValueError(
            f"the worker's reply has the status {visible(reply['status'], 40)!r}: {STRANGER}"
        )
    return found
