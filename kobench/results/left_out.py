"""Records that can't be read: why, and one remark that names them.

One damaged file must not cost a reader all the others. So who can do without it, as a board can,
passes a `LeftOut` to what reads, and says its remark.
"""

from __future__ import annotations

from kobench.errors import UserError
from kobench.util.text import one_line

#: How many are named in a remark, and the characters of each reason.
NAMED, LONGEST = 5, 160


class UnreadableError(UserError):
    """A record can't be read.

    Parameters
    ----------
    where : str
        What messages call it.
    why : str
        What is wrong with it.
    remedy : str
        What to do next.
    """

    exit_code = 1

    def __init__(self, where: str, why: str, remedy: str) -> None:
        super().__init__(where, why, remedy)
        self.where, self.why, self.remedy = where, why, remedy

    def __str__(self) -> str:
        return f"{self.where} {self.why}; {self.remedy}"


class NothingReadableError(UserError):
    """There are records, and none that can be read."""

    exit_code = 1


class LeftOut:
    """What reading had to leave out.

    Attributes
    ----------
    count : int
        How many.
    named : list of (str, str)
        Name and reason of the first; a file of a million damaged lines needs no more memory.
    """

    def __init__(self) -> None:
        self.count = 0
        self.named: list[tuple[str, str]] = []

    def add(self, name: str, error: UnreadableError) -> None:
        """One more, by its name in the results folder."""
        self.count += 1
        if len(self.named) < NAMED:
            why = one_line(error.why)
            why = why if len(why) <= LONGEST else f"{why[: LONGEST - 3]}..."
            self.named.append((one_line(name), why))

    def remark(self, remedy: str = "") -> str:
        """What was left out, why, and what to do; "" where nothing was.

        Parameters
        ----------
        remedy : str
            What to do; "" for what helps where a board is made.
        """
        if not self.count:
            return ""
        many = self.count > 1
        named = "; ".join(f"{name} ({why})" for name, why in self.named)
        more = f"; and {self.count - len(self.named)} more" if self.count > len(self.named) else ""
        remedy = remedy or (
            f"Run again what made {'them' if many else 'it'} (a damaged record is made anew), get"
            " a packed file again, update kobench for records of a newer one, and delete what is"
            " no record."
        )
        return (
            f"Left out, because {'they' if many else 'it'} can't be read: {self.count}"
            f" record{'s' if many else ''}: {named}{more}. {remedy}"
        )
