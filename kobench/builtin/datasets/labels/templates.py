"""Templates such as `{gene}_g{n}`, matched in time that grows with the text alone.

A card may come from anyone, and a regular expression can be made that takes for ever. A template
has no part that goes back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kobench.errors import UserError

#: What stands for any text, and for one digit or more.
ANY, DIGITS, GENE = "*", "{n}", "{gene}"

#: Characters of a template.
MOST = 200

#: A longer label is matched with no template.
MOST_LABEL = 200

#: What may not touch the gene, because it could take a part of it: GATA1 of GATA12.
_TOUCHING = (f"{ANY}{GENE}", f"{GENE}{ANY}", f"{DIGITS}{GENE}", f"{GENE}{DIGITS}")


@dataclass(frozen=True)
class Template:
    """How guides are called: what stands before and behind the gene."""

    text: str
    before: tuple[str, ...]
    behind: tuple[str, ...]

    @classmethod
    def read(cls, text: str, where: str) -> Template:
        """Read a template; UserError that starts with `where` for what is none."""
        parts = text.split(GENE)
        if (
            len(parts) != 2
            or len(text) > MOST
            or re.search(r"[{}]", "".join(parts).replace(DIGITS, ""))
        ):
            raise UserError(
                f"{where}: guide_pattern is {text[:MOST]!r}, which is no template; write the name"
                f" of a guide with {GENE} once for the gene, {DIGITS} for digits and {ANY} for"
                " anything else, as in '{gene}_g{n}', 'sg{gene}-{n}' or '{gene}_*' (no regular"
                " expression)"
            )
        if any(touching in text for touching in _TOUCHING):
            raise UserError(
                f"{where}: guide_pattern is {text!r}, in which {ANY} or {DIGITS} touches {GENE} and"
                " could take a part of it; put what stands between them there, as in '{gene}_*'"
            )
        return cls(text, _pieces(parts[0]), _pieces(parts[1])[::-1])

    def genes_in(self, label: str) -> Iterator[str]:
        """What may be the gene in a label, the longest first."""
        if len(label) > MOST_LABEL:
            return
        starts = _reached(self.before, label)
        mirrored = _reached(
            [piece[::-1] if piece not in (ANY, DIGITS) else piece for piece in self.behind],
            label[::-1],
        )
        ends = {len(label) - place for place in mirrored}
        spans = ((start, end) for start in starts for end in ends if start < end)
        for start, end in sorted(spans, key=lambda span: (span[0] - span[1], span)):
            yield label[start:end]


def fits(pattern: str, text: str) -> bool:
    """Whether a text is what a pattern with `*` stands for.

    >>> fits("NT*", "NT12"), fits("NT*", "ANT")
    (True, False)
    """
    pieces = tuple(piece for piece in re.split(r"(\*)", pattern) if piece)
    return len(text) <= MOST_LABEL and len(text) in _reached(pieces, text)


def _pieces(text: str) -> tuple[str, ...]:
    """A part of a template: words, `*` and `{n}`."""
    return tuple(piece for piece in re.split(r"(\*|\{n\})", text) if piece)


def _reached(pieces: Sequence[str], text: str) -> set[int]:
    """Where the pieces, one behind the other from the start of the text, may end."""
    places = {0}
    for piece in pieces:
        if not places:
            break
        if piece == ANY:
            places = set(range(min(places), len(text) + 1))
        elif piece == DIGITS:
            places = _behind_digits(places, text)
        else:
            places = {at + len(piece) for at in places if text.startswith(piece, at)}
    return places


def _behind_digits(places: set[int], text: str) -> set[int]:
    """Where one digit or more, from any of these places on, may end."""
    found: set[int] = set()
    reaches = False
    for at, char in enumerate(text):
        reaches = (reaches or at in places) and char in "0123456789"
        if reaches:
            found.add(at + 1)
    return found
