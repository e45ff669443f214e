"""The border that every text of a board passes: nothing hidden goes on to any format.

Records may come from anyone. A board is made of their texts, and so is every file and picture that
is made of a board; here, once for all of them, what can't be seen becomes its escape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from kobench.board.row import Problem
from kobench.util.text import one_line, visible

#: What is made visible.
T = TypeVar("T")


class Texts(dict[str, str]):
    """Each short text of a board, and how it is shown; found once, and the oldest are let go."""

    def __missing__(self, text: str) -> str:
        if len(self) >= MOST_TEXTS:
            self.clear()
        shown = one_line(text)
        if len(text) <= SHORT:
            self[text] = shown
        return shown


#: How many texts are kept, and the most characters of each.
MOST_TEXTS, SHORT = 10_000, 200

TEXTS = Texts()


def all_visible(board: T) -> T:
    """A board, or a part of one, whose texts hold no hidden character.

    What is clean stays the same object, and what stood in two places is one object there again.

    Parameters
    ----------
    board : T
        Frozen records, tuples and mappings of texts and numbers.
    """
    done: dict[int, tuple[Any, Any]] = {}
    found: T = _visible(board, done)
    return found


def _visible(value: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    """The same for any value; `done` has by its id each that was met, and what became of it."""
    kind = type(value)
    if kind is str:
        return one_line(value)
    if kind in (float, int, bool, type(None)):
        return value
    if id(value) not in done:
        done[id(value)] = value, _made_visible(value, done)
    return done[id(value)][1]


def _made_visible(value: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    """A value of several, made anew only where one of them is."""
    if isinstance(value, Problem):
        # its message and traceback have lines
        lines = {
            name: shown
            for name in ("message", "traceback")
            if (shown := visible(text := getattr(value, name), None, lines=True)) != text
        }
        plain = _with_fields(value, ("status", "stage", "where"), done)
        return replace(plain, **lines) if lines else plain
    if is_dataclass(value):
        return _with_fields(value, [one.name for one in fields(value)], done)
    if isinstance(value, Mapping):
        found = {_visible(key, done): _visible(one, done) for key, one in value.items()}
        same = all(
            key is other and one is value[key]
            for (key, one), other in zip(found.items(), value, strict=False)
        )
        return value if same and len(found) == len(value) else found
    if type(value) is tuple and value and set(map(type, value)) == {str}:
        texts = tuple(map(TEXTS.__getitem__, value))  # of a thousand names each row may have all
        return value if texts == value else texts
    if isinstance(value, (tuple, list)):
        items = [_visible(one, done) for one in value]
        if all(one is other for one, other in zip(items, value, strict=True)):
            return value
        named = hasattr(value, "_fields")
        return type(value)(*items) if named else type(value)(items)
    return value


def _with_fields(value: Any, names: Any, done: dict[int, tuple[Any, Any]]) -> Any:
    """A frozen record whose fields of these names are visible."""
    changed = {
        name: new
        for name in names
        if (new := _visible(old := getattr(value, name), done)) is not old
    }
    return replace(value, **changed) if changed else value
