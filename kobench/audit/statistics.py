"""The formulas of the audit, each with its source."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, log, sqrt
from typing import Any

import numpy as np

from kobench.board.numbers.intervals import t_quantile
from kobench.board.numbers.power import POWER, errors_needed, power_at
from kobench.cells import FloatArray, IntArray

#: How often labels are permuted; the smallest p value is 1 / (1 + PERMUTATIONS).
PERMUTATIONS = 999

#: Most entries of tables that are made at once.
_ENTRIES_AT_ONCE = 2_000_000


def power_of(difference: float, spread: float, units: int) -> float:
    """How often a paired difference of this size gets an interval beside 0.

    Parameters
    ----------
    difference : float
        The true mean difference.
    spread : float
        Standard deviation of the difference over units.
    units : int
        How many units there are.

    Returns
    -------
    float
        The power of the two-sided paired t test, which is what the 95 % interval over units
        comes to; 0 with fewer than two units. See `kobench.board.numbers.power`.

    >>> round(power_of(0.5, 1.0, 34), 3)
    0.808
    """
    if units < 2:
        return 0.0
    if spread <= 0:
        return 1.0 if difference else 0.0
    return power_at(abs(difference) * sqrt(units) / spread, units - 1)


def smallest_seen(spread: float, units: int, power: float = POWER) -> float:
    """The smallest difference that is seen with this power; infinite with fewer than two units.

    >>> round(smallest_seen(1.0, 34), 3)
    0.495
    """
    if units < 2:
        return inf
    return errors_needed(units - 1, power) * max(spread, 0.0) / sqrt(units)


def spread_of_uneven(difference: float, spread: float, gap: float) -> float:
    """Standard deviation of a gain that few units have and most do not.

    A method that is as good as can be for a share p of the units, and as good as the floor for the
    rest, has a mean gain of p * gap with the variance gap^2 p (1 - p), on top of that of
    the spread (a Bernoulli variable, scaled).

    >>> round(spread_of_uneven(0.2, 0.0, 0.8), 6) == round(0.8 * (0.25 * 0.75) ** 0.5, 6)
    True
    """
    return sqrt(spread**2 + max(0.0, difference * (gap - difference)))


def smallest_uneven(spread: float, gap: float, units: int, power: float = POWER) -> float:
    """The smallest mean gain that is seen where few units have it; see `spread_of_uneven`.

    Infinite where even the whole gap would not be seen. The power is that of normal differences
    with this standard deviation; drawn as such gains are, 77 to 87 % are seen for 80 %.
    """

    def seen(difference: float) -> bool:
        return power_of(difference, spread_of_uneven(difference, spread, gap), units) >= power

    if gap <= 0 or not seen(gap):
        return inf
    low, high = 0.0, gap
    for _ in range(60):  # the power grows with the difference all the way
        middle = (low + high) / 2
        low, high = (low, middle) if seen(middle) else (middle, high)
    return high


def units_needed(difference: float, spread: float, power: float = POWER) -> int:
    """The fewest units with which a difference is seen with this power.

    >>> units_needed(0.5, 1.0)
    34
    """
    few, many = 1, 2
    while power_of(difference, spread, many) < power:
        few, many = many, many * 2
        if many > 1_000_000:
            return many
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (
            (few, middle) if power_of(difference, spread, middle) >= power else (middle, many)
        )
    return many


def crossed(rows: IntArray, columns: IntArray) -> IntArray:
    """The contingency table (r, c) of two numbers, from 0, of each of n things.

    >>> crossed(np.array([0, 1, 1]), np.array([0, 1, 1])).tolist()
    [[1, 0], [0, 2]]
    """
    table: IntArray = np.zeros((rows.max() + 1, columns.max() + 1), np.int64)
    np.add.at(table, (rows, columns), 1)
    return table


def chi_squared(table: IntArray) -> Any:
    """Pearson's chi-squared of a contingency table (r, c), or of several (n, r, c) as (n,)."""
    counts = np.asarray(table, np.float64)
    total = counts.sum(axis=(-2, -1), keepdims=True)
    expected = counts.sum(-1, keepdims=True) * counts.sum(-2, keepdims=True) / np.maximum(total, 1)
    parts = np.divide(
        (counts - expected) ** 2, expected, out=np.zeros_like(counts), where=expected > 0
    )
    return parts.sum(axis=(-2, -1))


def cramers_v(table: IntArray) -> float:
    """How far rows and columns of a contingency table (r, c) go together, from 0 to 1.

    Notes
    -----
    sqrt(chi2 / (n * (min(r, c) - 1))), empty rows and columns left out; 0 where a side has one
    level. H. Cramer, Mathematical Methods of Statistics (1946), 21.9.

    >>> cramers_v(np.array([[10, 0], [0, 10]])), cramers_v(np.array([[5, 5], [5, 5]]))
    (1.0, 0.0)
    """
    counts = np.asarray(table)
    counts = counts[counts.sum(1) > 0][:, counts.sum(0) > 0]
    if min(counts.shape) < 2:
        return 0.0
    return float(sqrt(float(chi_squared(counts)) / (counts.sum() * (min(counts.shape) - 1))))


def independence_p(table: IntArray, seed: int) -> float:
    """p value of independence of rows and columns, by permuting the columns' labels.

    (1 + how many of `PERMUTATIONS` tables have a chi-squared as large) / (1 + PERMUTATIONS). The
    tables are drawn given their margins, which is what permuting labels comes to (Patefield, Appl.
    Stat. 30:91, 1981).
    """
    from scipy.stats import random_table

    counts = np.asarray(table)
    counts = counts[counts.sum(1) > 0][:, counts.sum(0) > 0]
    if min(counts.shape) < 2:
        return 1.0
    rng = np.random.default_rng([0xC0DE, seed])
    observed, reached, done = float(chi_squared(counts)), 0, 0
    step = max(1, _ENTRIES_AT_ONCE // counts.size)
    while done < PERMUTATIONS:
        size = min(step, PERMUTATIONS - done)
        drawn = random_table.rvs(counts.sum(1), counts.sum(0), size=size, random_state=rng)
        reached += int(np.sum(chi_squared(drawn) >= observed * (1 - 1e-12)))
        done += size
    return (1 + reached) / (1 + PERMUTATIONS)


def wilson(found: int, of: int) -> tuple[float, float]:
    """95 % interval of a share. E. B. Wilson, J. Am. Stat. Assoc. 22:209 (1927).

    >>> [round(end, 3) for end in wilson(5, 10)]
    [0.237, 0.763]
    """
    if of == 0:
        return 0.0, 1.0
    z2 = t_quantile(inf) ** 2
    share = found / of
    centre = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = sqrt(z2 * (share * (1 - share) / of + z2 / (4 * of * of))) / (1 + z2 / of)
    return max(0.0, centre - half), min(1.0, centre + half)


def fold_interval(
    mean: float, variance: float, reference: float, reference_variance: float
) -> tuple[float, float, float]:
    """The ratio of two means and its 95 % interval, from the means and their variances.

    exp(log(ratio) -+ z sqrt(v / m^2 + v' / m'^2)), the delta method on the logarithm. Without a
    mean above 0 in the first, the interval is 0 to what a mean of one standard error would give;
    NaN where the reference is 0.

    >>> [round(value, 3) for value in fold_interval(1.0, 0.01, 2.0, 0.04)]
    [0.5, 0.379, 0.66]
    """
    z = t_quantile(inf)
    if reference <= 0:
        return float("nan"), float("nan"), float("nan")
    if mean <= 0:
        return 0.0, 0.0, z * sqrt(max(variance, 0.0)) / reference
    half = z * sqrt(variance / mean**2 + reference_variance / reference**2)
    ratio = mean / reference
    return ratio, exp(log(ratio) - half), exp(log(ratio) + half)


def kruskal_wallis(groups: Sequence[FloatArray]) -> tuple[float, float, float]:
    """Whether groups of numbers come from one distribution: H, its p value, and its size.

    Returns
    -------
    (float, float, float)
        H corrected for ties; p by chi-squared with k - 1 degrees of freedom; epsilon squared,
        H / (n - 1), from 0 (alike) to 1 (apart). (0, 1, 0) of fewer than two groups.

    Notes
    -----
    Kruskal & Wallis, J. Am. Stat. Assoc. 47:583 (1952).
    """
    from scipy.special import chdtrc
    from scipy.stats import rankdata

    groups = [np.asarray(group, np.float64) for group in groups if len(group)]
    if len(groups) < 2:
        return 0.0, 1.0, 0.0
    values = np.concatenate(groups)
    ranks, n = rankdata(values), len(values)
    ends = np.cumsum([len(group) for group in groups])[:-1]
    sums = [float(part.sum()) ** 2 / len(part) for part in np.split(ranks, ends)]
    h = 12 / (n * (n + 1)) * sum(sums) - 3 * (n + 1)
    ties = np.unique(values, return_counts=True)[1].astype(np.float64)
    correction = 1 - float((ties**3 - ties).sum()) / (float(n) ** 3 - n)
    if correction <= 0:
        return 0.0, 1.0, 0.0
    h = max(0.0, h / correction)
    return h, float(chdtrc(len(groups) - 1, h)), h / (n - 1)


def standardised(x: FloatArray, y: FloatArray) -> float:
    """The difference of two means over their common standard deviation, Cohen's d.

    0 where neither varies. Cohen (1988), chapter 2.

    >>> standardised(np.array([2.0, 4.0]), np.array([1.0, 3.0]))
    0.7071067811865475
    """
    n, m = len(x), len(y)
    if n + m < 3 or not n or not m:
        return 0.0
    squares = float(((x - x.mean()) ** 2).sum() + ((y - y.mean()) ** 2).sum())
    if squares <= 0:
        return 0.0
    return float((x.mean() - y.mean()) / sqrt(squares / (n + m - 2)))
