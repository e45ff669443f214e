"""The two pipes by which a describing child is heard: its messages, and its error output."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
from collections.abc import Iterator
from typing import Any

from kobench.util.text import visible

#: More bytes than this on the pipe are no description.
MOST_BYTES = 16_000_000

#: Bytes of the child's error output that are kept.
TAIL_BYTES = 16_000

#: Bytes that are read at once, and how often at the end.
PIECE, MOST_PIECES = 1 << 16, 1000


class NotAMessageError(Exception):
    """What came on the pipe is not what a child writes."""


class Pipes:
    """Two pipes, their reading ends and what was read; a context manager that closes them.

    Attributes
    ----------
    their_messages, their_errors : int
        The writing ends, for the child. `close_theirs` when it has them.
    error_tail : bytes
        The end of what came as error output.
    """

    def __init__(self) -> None:
        self._messages, self.their_messages = os.pipe()
        self._errors, self.their_errors = os.pipe()
        for ours in (self._messages, self._errors):  # a child can take out what was ours to read
            os.set_blocking(ours, False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._messages, selectors.EVENT_READ)
        self._selector.register(self._errors, selectors.EVENT_READ)
        self._begun: list[bytes] = []  # the pieces of a line of which the end has not come
        self._total = 0
        self.error_tail = b""

    def __enter__(self) -> Pipes:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        os.close(self._messages)
        os.close(self._errors)

    def close_theirs(self) -> None:
        """Close the writing ends in this process, so that the end of the others can be seen."""
        os.close(self.their_messages)
        os.close(self.their_errors)

    def add(self, number: int) -> None:
        """Wait for this file descriptor, too."""
        self._selector.register(number, selectors.EVENT_READ)

    def remove(self, number: int) -> None:
        """Wait for it no longer."""
        self._selector.unregister(number)

    @property
    def is_open(self) -> bool:
        """Whether messages may still come."""
        return self._messages in self._selector.get_map()

    def wait(self, seconds: float) -> set[int]:
        """Which file descriptors have something to read, or have ended; waits for the first."""
        return {key.fd for key, _ in self._selector.select(seconds)}

    def has_messages(self, ready: set[int]) -> bool:
        """Whether messages, or their end, are among what `wait` returned."""
        return self._messages in ready

    def read_messages(self) -> Iterator[dict[str, Any]]:
        """Read what has come; the rest of a line is kept for the next time.

        Yields
        ------
        dict
            One message after the other, those before a wrong one, too.

        Raises
        ------
        NotAMessageError
            For too much, and for a line that is not a JSON object.
        """
        try:
            piece = os.read(self._messages, PIECE)
        except BlockingIOError:
            return
        if not piece:
            self._selector.unregister(self._messages)
        self._total += len(piece)
        if self._total > MOST_BYTES:
            raise NotAMessageError(f"more than {MOST_BYTES} bytes")
        self._begun.append(piece)
        if b"\n" in piece:
            *lines, rest = b"".join(self._begun).split(b"\n")
            self._begun = [rest]
            yield from map(parse, lines)

    def read_errors(self, ready: set[int]) -> None:
        """Read error output, if `wait` said that there is some, and keep its end."""
        if self._errors not in ready:
            return
        try:
            piece = os.read(self._errors, PIECE)
        except BlockingIOError:
            return
        if not piece:
            self._selector.unregister(self._errors)
        self.error_tail = (self.error_tail + piece)[-TAIL_BYTES:]

    def drain_errors(self) -> None:
        """Read the error output that is there, without waiting for more."""
        for _ in range(MOST_PIECES):
            ready = self.wait(0) if self._errors in self._selector.get_map() else set()
            if self._errors not in ready:
                return
            self.read_errors(ready)


def parse(line: bytes) -> dict[str, Any]:
    """Read one message; all its text is made fit to be shown, because a stranger may have said it.

    Raises
    ------
    NotAMessageError
        Where the line is not a JSON object.
    """
    with contextlib.suppress(ValueError, RecursionError):
        message = json.loads(line)
        if isinstance(message, dict):
            shown: dict[str, Any] = _visible(message)
            return shown
    raise NotAMessageError(f"{line[:100]!r}")


def _visible(value: Any) -> Any:
    """A JSON value with all its text, keys included, fit to be shown."""
    if isinstance(value, str):
        return visible(value, MOST_BYTES, lines=True)
    if isinstance(value, list):
        return [_visible(each) for each in value]
    if isinstance(value, dict):
        return {_visible(key): _visible(each) for key, each in value.items()}
    return value
