"""The impacts of many events on a CPU, compiled.

Each event looks twice at the genes that are on in its cell. Shares before the knockout are
|U_j| / T over the genes that are on; K are the removed ones. For the remaining ones

    e_j = |U_j + d_j| - |U_j| = max(s_j d_j, -2 |U_j| - s_j d_j),    s_j the sign of U_j,

is exact however small the change. With V_K the sum of |U| over K, R over the others, T = R + V_K,
D = sum of e and S = R + D,

    propagated = sum |e_j - |U_j| D / R| / (2 S),
    raw = (V_K / T + sum |e_j - |U_j| (D - V_K) / T| / S) / 2.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np

from kobench_baselines.common import Floats, Ints


def compiled(function: Callable[..., Any]) -> Any:
    """The function as machine code, kept on disk where there is a writable folder for it.

    Sums may be taken in any order, so that they vectorise.
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
    """Fill m = W2 W1 z and U = m + b of some cells, at the genes that are on in each.

    Parameters
    ----------
    start, stop : int
        The first cell, and the one after the last.
    first, on, m, U
        See `impacts_of_events`; m and U are filled.
    inputs : (G, h) float
        W1 transposed.
    W2 : (G, h) float
        Weights to the genes.
    b : (G,) float
        W2 b1 + b2.
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
    """Sum of products of two vectors.

    It is written out because numba's own needs the very library that scipy was built with.
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
    """Fill impacts[:, events], raw and propagated.

    An impact is NaN where a row has vanished, where no removed gene is on, or where all that is on
    is removed. While an event is worked on, m and U are 0 at its removed genes. So no two threads
    may have events of one cell.

    Parameters
    ----------
    events : (e,) int
        The events to fill.
    cells : (n,) int
        The cell of each event.
    genes : (n, k) int
        The removed genes of each event.
    row_of : (G,) int
        Row in `columns` of each gene.
    columns : (r, G) float
        W's columns of some genes, as rows.
    first : (c + 1,) int
        Of cell i, the entries first[i] to before first[i + 1] of `on`, `m` and `U` count.
    on : (t,) int
        The genes that are on in each cell, ascending.
    m, U : (t,) float
        As `values_of_cells` fills them.
    vanished : float
        See `both_impacts`.
    impacts : (2, n) float
        Where the impacts are written.
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
    """Write column[on] to `lost`, or add it."""
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
    """Raw and propagated impact of one event, by the formulas above.

    Parameters
    ----------
    m, U, lost : (n,) float
        Of the genes that are on in the cell, 0 at the removed ones. `lost` is the sum of W's
        columns of the removed genes.
    removed : int
        Number of removed genes.
    own : float
        Sum of |U| over the removed genes.
    vanished : float
        Values after the knockout have vanished if they sum to less than this part of those before.
    e : (n,) float
        Room for the changes.

    Returns
    -------
    tuple of float
        NaN where what remains sums to 0 before, or has vanished after.
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
