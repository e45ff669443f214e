"""What a describing child writes is read piece by piece, and only as much as a description is."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from kobench.plugins import pipes
from kobench.plugins.pipes import NotAMessageError, Pipes


def read(written: list[bytes]) -> list[dict[str, Any]]:
    """The messages that are read from what is written piece by piece."""
    found = []
    with Pipes() as both:
        for piece in written:
            os.write(both.their_messages, piece)
            assert both.has_messages(both.wait(5))
            found.extend(both.read_messages())
        both.close_theirs()
        assert both.has_messages(both.wait(5))
        found.extend(both.read_messages())
        assert not both.is_open
    return found


MESSAGES = [{"at": 0, "doing": "importing x"}, {"spec": {"name": "x"}}, {"done": True}]
TEXT = b"".join(json.dumps(message).encode() + b"\n" for message in MESSAGES)


@pytest.mark.parametrize("length", [1, 7, 30, 1000])
def test_lines_may_come_in_any_pieces(length: int) -> None:
    assert read([TEXT[at : at + length] for at in range(0, len(TEXT), length)]) == MESSAGES


def test_what_comes_before_rubbish_is_kept() -> None:
    with Pipes() as both:
        os.write(both.their_messages, TEXT + b"rubbish\n")
        coming = both.read_messages()
        assert [next(coming) for _ in MESSAGES] == MESSAGES
        with pytest.raises(NotAMessageError):
            next(coming)
        both.close_theirs()


def test_text_without_an_end_is_refused_when_it_is_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipes, "MOST_BYTES", 1000)
    with pytest.raises(NotAMessageError, match="more than 1000 bytes"):
        read([b"x" * 100] * 20)


def test_what_a_plugin_says_is_fit_to_be_shown() -> None:
    (message,) = read([json.dumps({"doing": "\x1b[2J", "\u202e": ["a\nb"]}).encode() + b"\n"])
    assert message == {"doing": "\\x1b[2J", "\\u202e": ["a\nb"]}


def test_of_error_output_the_end_is_kept() -> None:
    with Pipes() as both:
        for letter in (b"a", b"b"):
            os.write(both.their_errors, letter * 10_000)
            both.read_errors(both.wait(5))
        both.drain_errors()
        assert both.error_tail == b"a" * 6_000 + b"b" * 10_000
        both.close_theirs()


def test_a_child_that_takes_its_message_back_is_not_waited_for() -> None:
    with Pipes() as both:
        ends = (both.their_messages, both.their_errors)
        thieves = [os.open(f"/proc/self/fd/{number}", os.O_RDONLY) for number in ends]
        for number, thief in zip(ends, thieves, strict=True):
            os.write(number, b"{}\n")
            os.read(thief, 100)
            os.close(thief)
        assert list(both.read_messages()) == []
        both.read_errors({both._errors})
        assert both.is_open
        assert both.error_tail == b""
        both.close_theirs()
