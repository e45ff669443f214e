"""How numbers, names and intervals are written on a board."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor, log10

from kobench.board.numbers.intervals import Interval
from kobench.board.row import Permuted


def number(value: float | None, decimals: int = 3) -> str:
    """Fixed decimals, no negative zero, a dash for nothing.

    >>> number(0.12345), number(0.00123, 5), number(-0.0001), number(None)
    ('0.123', '0.00123', '0.000', '-')
    """
    return "-" if value is None else f"{round(value, decimals) + 0.0:.{decimals}f}"


def bracket(low: float | None, high: float | None, decimals: int = 3) -> str:
    """`[low, high]`, nothing where there is no interval."""
    if low is None or high is None:
        return ""
    return f"[{number(low, decimals)}, {number(high, decimals)}]"


def decimals_for(values: Iterable[float | None], digits: int = 3) -> int:
    """Decimals that give the largest of the values `digits` significant digits.

    Three from 0.1 to 100.

    >>> decimals_for([0.5, 0.001]), decimals_for([0.0021, None])
    (3, 5)
    >>> decimals_for([12345.0]), decimals_for([])
    (0, 3)
    """
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    if largest == 0 or 0.1 <= largest < 100:
        return 3
    return min(8, max(0, digits - 1 - floor(log10(largest))))


def sized(value: float) -> str:
    """A size with two digits that say something.

    >>> sized(0.1234), sized(0.0312), sized(0.000456), sized(2.0)
    ('0.12', '0.031', '0.00046', '2.00')
    """
    decimals = 2 if value >= 0.0995 else decimals_for([value], 2)
    return number(value, decimals)


def spoken(names: Sequence[str]) -> str:
    """Names as in a sentence.

    >>> spoken(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def with_interval(interval: Interval) -> str:
    """`0.120 [0.080, 0.160]`, with more decimals where the value is small."""
    decimals = max(3, decimals_for([interval.value], 2))
    ends = bracket(interval.low, interval.high, decimals)
    return f"{number(interval.value, decimals)} {ends}".strip()


def p_text(p: float) -> str:
    """A p value with what it can tell.

    >>> p_text(0.000999), p_text(0.0321), p_text(0.3), p_text(1e-9)
    ('p = 0.001', 'p = 0.032', 'p = 0.30', 'p < 0.001')
    """
    if p < 0.0005:
        return "p < 0.001"
    return f"p = {p:.2f}" if p >= 0.0995 else f"p = {p:.3f}"


def permuted_p(permuted: Permuted) -> str:
    """The p of permuted answers, and what is left of it among many where that makes a difference.

    >>> permuted_p(Permuted(0.0, 0.03, among=0.03)), permuted_p(Permuted(0.0, 0.03, among=0.36))
    ('p = 0.030', 'p = 0.030, among all 0.36')
    """
    text = p_text(permuted.p)
    if not permuted.one_of_many or permuted.among is None:
        return text
    return f"{text}, among all {p_text(permuted.among).removeprefix('p = ')}"
