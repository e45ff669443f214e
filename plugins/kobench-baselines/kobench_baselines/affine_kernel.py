"""The impacts of many events on a CPU, compiled: each event looks at the genes that are on in its
cell, twice.

Shares before the knockout are |U_j| / T over the genes that are on; K are the removed ones. For the
remaining ones

    e_j = |U_j + d_j| - |U_j| = max(s_j d_j, -2 |U_j| - s_j d_j),    s_j the sign of U_j,

is exact however small the change, and with V_K the sum of |U| over K, R over the others, T = R +
V_K, D = sum of e and S = R + D,

    propagated = sum |e_j - |U_j| D / R| / (2 S),    raw = (V_K / T + sum |e_j - |U_j| (D - V_K) / T| / S) / 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from kobench_baselines.common import Floats, Ints


def compiled(function: Callable[..., Any]) -> Any:
    """The function as machine code, kept on disk where a folder for it can be written.

    Sums are taken in any order: they vectorise.
    """
    options: dict[str, Any] = {"nogil": True, "fastmath": {"reassoc", "contract", "arcp", "nsz"}}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # "no locator available": neither beside this file nor in the user's cache
        return numba.njit(**options)(function)


@compiled
def values_of_cells(
    start: int,
    stop: int,
    first: Ints,
    on: Ints,
    inputs: Floats,
    W2: Floats,
    b: Floats,
    m: Floats,
    U: Floats,
) -> None:
    """Fills m = W2 W1 z and U = m + b of the cells from `start` to before `stop`, at the genes that
    are on in each.

    first, on : see `impacts_of_events`. inputs : (G, h) W1 transposed. W2 : (G, h). b : (G,).
    """
    for c in range(start, stop):
        hidden = np.zeros(inputs.shape[1])
        for gene in on[first[c] : first[c + 1]]:
            hidden += inputs[gene]
        hidden /= max(1, first[c + 1] - first[c])
        for j in range(first[c], first[c + 1]):
            m[j] = dot(W2[on[j]], hidden)
            U[j] = m[j] + b[on[j]]


@compiled
def dot(a: Floats, b: Floats) -> float:
    """Sum of products; written out, for numba's own needs the very library that scipy was built
    with.
    """
    total = 0.0
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


@compiled
def impacts_of_events(
    events: Ints,
    cells: Ints,
    genes: Ints,
    row_of: Ints,
    columns: Floats,
    first: Ints,
    on: Ints,
    m: Floats,
    U: Floats,
    vanished: float,
    impacts: Floats,
) -> None:
    """Fills impacts[:, events], raw and propagated; NaN where a row has vanished, nothing that is
    on is removed, or all is.

    cells (n,), genes (n, k) : of all events. columns[row_of[gene]] : (G,) W's column of a gene. Of
    cell c the entries first[c] to first[c + 1] of `on` (the genes that are on, ascending), m and U
    count. vanished : see `both_impacts`. While an event is worked on, its removed genes have m = U
    = 0 there: no two threads may have events of one cell.
    """
    k = genes.shape[1]
    place, kept = np.empty(k, np.int64), np.empty((2, k))
    longest = 0
    for c in range(len(first) - 1):
        longest = max(longest, first[c + 1] - first[c])
    buffers = np.empty((2, longest))
    for event in events:
        begin, end = first[cells[event]], first[cells[event] + 1]
        cell_on, cell_m, cell_U = on[begin:end], m[begin:end], U[begin:end]
        lost, e = buffers[0, : end - begin], buffers[1, : end - begin]
        removed = 0
        for gene in genes[event]:
            at = np.searchsorted(cell_on, gene)
            if at < len(cell_on) and cell_on[at] == gene and not (place[:removed] == at).any():
                gather(columns[row_of[gene]], cell_on, lost, removed > 0)
                place[removed] = at
                removed += 1
        own = 0.0
        for i in range(removed):
            at = place[i]
            kept[0, i], kept[1, i] = cell_m[at], cell_U[at]
            own += abs(cell_U[at])
            cell_m[at] = cell_U[at] = lost[at] = 0.0
        if 0 < removed < len(cell_on):
            impacts[0, event], impacts[1, event] = both_impacts(
                cell_m, cell_U, lost, removed, own, vanished, e
            )
        else:
            impacts[0, event] = impacts[1, event] = np.nan
        for i in range(removed):
            cell_m[place[i]], cell_U[place[i]] = kept[0, i], kept[1, i]


@compiled
def gather(column: Floats, on: Ints, lost: Floats, add: bool) -> None:
    """column[on] into `lost`, or added to it."""
    if add:
        for j in range(len(on)):
            lost[j] += column[on[j]]
    else:
        for j in range(len(on)):
            lost[j] = column[on[j]]


@compiled
def both_impacts(
    m: Floats, U: Floats, lost: Floats, removed: int, own: float, vanished: float, e: Floats
) -> tuple[float, float]:
    """(raw, propagated) of one event by the formulas above, NaN where what remains sums to 0
    (before) or to the part `vanished` (after).

    m, U and lost are 0 at the removed genes, whose |U| sum to `own`. e : room for the changes.
    """
    n = len(U)
    rest, change, per = 0.0, 0.0, 1.0 / (n - removed)
    for j in range(n):
        own_j = abs(U[j])
        d = (removed * m[j] - lost[j]) * per
        along = d if U[j] >= 0 else -d
        e[j] = max(along, -2.0 * own_j - along)
        rest += own_j
        change += e[j]
    total, after = rest + own, rest + change
    if not (rest > 0 and after > vanished * total):
        return np.nan, np.nan
    to_null, to_before = change / rest, (change - own) / total
    propagated, raw = 0.0, 0.0
    for j in range(n):
        own_j = abs(U[j])
        propagated += abs(e[j] - own_j * to_null)
        raw += abs(e[j] - own_j * to_before)
    return (own / total + raw / after) / 2.0, propagated / (2.0 * after)
