"""Long reasons of a table, which stand below it, so that its numbers and names keep their room."""

from __future__ import annotations

from collections.abc import Iterable

from kobench.board.render.text.letters import letter

#: The longest reason that stands in a table; a longer one becomes a footnote.
LONGEST = len("ceiling unknown")


class Footnotes:
    """The footnotes of one table, lettered as they come up."""

    def __init__(self) -> None:
        self.marks: dict[str, str] = {}

    def short(self, text: str) -> str:
        """A text as it is, or the letter of a footnote where it is too long.

        Parameters
        ----------
        text : str
            A number, or why there is none.

        Returns
        -------
        str
            What stands in the table.

        Examples
        --------
        >>> notes = Footnotes()
        >>> notes.short("constant"), notes.short("it says which genes, not which direction")
        ('constant', '(a)')
        """
        if len(text) <= LONGEST:
            return text
        if text not in self.marks:
            self.marks[text] = f"({letter(len(self.marks)).lower()})"
        return self.marks[text]

    def said(self, shown: Iterable[str]) -> list[str]:
        """The footnotes of the texts that are shown, each with its letter."""
        found = set(shown)
        return [f"{mark} {text}" for text, mark in self.marks.items() if mark in found]
