"""What can be said of chance by counting."""

from __future__ import annotations

from collections.abc import Iterable
from math import factorial

#: From so many things on, their orders are more than anybody draws.
MANY = 20


def least_p(counts: Iterable[int], draws: int) -> float:
    """The smallest p that permutations can show.

    Parameters
    ----------
    counts : iterable of int
        How many things are permuted, each time independently of the others.
    draws : int
        How many permutations were drawn.

    Returns
    -------
    float
        No smaller than 1 / (1 + draws), and than the share of all orders in which everything is
        where it was.

    >>> least_p([3], 1000), least_p([3, 3], 1000), least_p([30], 999)
    (0.16666666666666666, 0.027777777777777776, 0.001)
    """
    orders = 1
    for count in counts:
        orders *= factorial(min(count, MANY))
    return max(1 / (1 + draws), 1 / orders)
