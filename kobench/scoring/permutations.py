"""Permutations of perturbations that are the same in every split, by the perturbations' names."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kobench.cells import IntArray
from kobench.scoring.bootstrap import Names, ids_of
from kobench.units import Units
from kobench.util.files import hash_of

#: How often answers are permuted among the perturbations.
PERMUTATIONS = 1000

#: Version of how they are drawn; it is in the keys of scores.
VERSION = 2


@dataclass(frozen=True, eq=False)
class Permutations:
    """`PERMUTATIONS` permutations of k units.

    Attributes
    ----------
    names : (k,) tuple of str
        What the units are called.
    orders : (n, k) int
        Whose answer each of them is given.
    """

    names: tuple[str, ...]
    orders: IntArray


def permutations_of(units: Units, names: Names | None, seed: int) -> Permutations:
    """The permutations of a task's units.

    Parameters
    ----------
    units : units
        One for each perturbation.
    names : array of str or None
        What perturbations are called, by id; without them they are called by their ids.
    seed : int
        The same for all splits of a dataset.
    """
    ids = ids_of(units, "perturbation")
    numbers = np.arange(len(units.true)) if ids is None else ids
    if len(np.unique(numbers)) < len(numbers):
        numbers = np.arange(len(units.true))
        names = None
    called = tuple(str(number) if names is None else str(names[number]) for number in numbers)
    return Permutations(called, orders_by_name(called, seed))


@lru_cache(maxsize=8)
def orders_by_name(names: tuple[str, ...], seed: int, n: int = PERMUTATIONS) -> IntArray:
    """n random permutations of k names, every order as likely as any other.

    Permutation b follows from the seed and the names alone, in whatever order they come. Without
    some of the names it is nearly what `kobench.units.orders_among` makes of it: the others are
    given the same answers, but for a few.

    Parameters
    ----------
    names : (k,) tuple of str
        No two alike.
    seed : int
    n : int

    Returns
    -------
    (n, k) int
        Whose answer each name is given.

    Notes
    -----
    Each name has n random numbers of its own. In permutation b the names, sorted by them, are cut
    before each name that comes, by alphabet, before all that stand to its left. The pieces are the
    cycles of the permutation. Every permutation has just one such word (D. E. Knuth, The Art of
    Computer Programming 1, section 1.3.3), so all are equally likely. A name that is taken out is
    skipped in its cycle, unless it was where a cut is, as about log(k) of k names are.
    """
    alphabet = np.argsort(np.array(names, np.str_), kind="stable")
    keys = np.empty((len(names), n))
    for row, place in zip(keys, alphabet, strict=True):
        row[:] = np.random.default_rng([seed, int(hash_of(names[place])[:16], 16)]).random(n)
    word = np.argsort(keys.T, axis=1, kind="stable")
    start = np.minimum.accumulate(word, axis=1)
    following = np.concatenate([word[:, 1:], np.full((n, min(1, len(names))), -1)], axis=1)
    # the next one begins a cycle where it comes before all so far: then this cycle is closed
    given = np.empty_like(word)
    np.put_along_axis(given, word, np.where(following < start, start, following), axis=1)
    orders = np.empty_like(given)
    orders[:, alphabet] = alphabet[given]
    orders.setflags(write=False)
    return orders
