"""`additive`: each gene as a sparse sum over the values of a few others.

A knockout runs these sums from the cell's own state to their fixed point.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kobench.api import Cells, Context, Knockouts, normalise_rows
from kobench_baselines.batches import BatchLevels
from kobench_baselines.common import (
    Floats,
    as_assemblages,
    close_on,
    close_rows,
    expressing,
    limited_threads,
)
from kobench_baselines.missing import Filled, Filler, learn_losses, shown
from kobench_baselines.regressions import FOLDS, Taken, best_fit, nearest, regulators_of
from kobench_baselines.stepwise import KINDS, Kind
from kobench_baselines.sums import BLOCK_ENTRIES, settle


class Additive:
    """Each gene as a sparse additive function of the values of a few others.

    Over the cells that have gene j: x_j = c_j + sum_i f_ji(x_i), with f_ji a step where regulator i
    is on, plus a line, a logarithm or a bent line in its level. Squared relative errors count.
    Regulators are chosen greedily, their number and the kind of f (one for all genes) by 5-fold
    cross-validation. This is an additive model (Hastie & Tibshirani 1986) with the choice of
    variables of orthogonal matching pursuit. It knows no equation of any simulator; that genes are
    a sum over regulators and settle is the assumption.

    Where low readings are lost (dropout), zeros are missing as well as absent. Whether they are is
    found from the wild-type cells, see `kobench_baselines.missing`; then the sums are fitted with
    what was lost filled in, and so is the asked cell before it is changed.

    A knockout starts from the cell. Each gene keeps its own factor, its value over what the sums
    say. The removed genes are set to 0 and the sums are run to a fixed point. Genes that are off
    stay off. An assemblage is answered in the same way, from the genes' means and without own
    factors; both it and the cells that it is compared with are as they were read, so the sums are
    those of zeros as they were read.

    Where cells come in batches, values are taken over what each gene has in that batch.

    Parameters
    ----------
    kind : str
        "on", "line", "log", "spline", see `kobench_baselines.stepwise.features`; "auto" for
        cross-validation.
    penalty : float
        The larger, the fewer regulators, see `kobench_baselines.stepwise.choose`.
    regulators : int
        Most candidate regulators of a gene, those that correlate most with it.
    dropout : str
        "auto": the cells show whether readings were lost. "off": every zero is an absent gene.
    """

    def __init__(
        self,
        kind: str = "auto",
        penalty: float = 1.0,
        regulators: int = 100,
        dropout: str = "auto",
    ) -> None:
        self.kind, self.penalty, self.regulators = kind, penalty, regulators
        self.dropout = dropout

    def fit(self, cells: Cells, context: Context) -> None:
        """Choose the regulators of each gene, and fit the sums to cells (n, G)."""
        self.threads = context.threads
        raw, rows = expressing(cells)
        kinds = KINDS if self.kind == "auto" else (_kind_of(self.kind),)
        first: Kind = "log" if self.kind == "auto" else kinds[0]
        with limited_threads(context.threads):
            self.levels = BatchLevels.of(raw, cells[rows], context.batch_key)
            values = raw / self.levels(cells[rows])
            fold = np.random.default_rng(context.seed).permutation(len(values)) % FOLDS
            taken = Taken.as_read(values)
            near = nearest(taken, self.regulators)
            chosen = regulators_of(taken, near, first, fold, self.penalty, context.log)
            fit = best_fit(taken, fold, chosen, kinds)
            self.of_assemblages = self.sums = fit.sums
            self.explained, self.lost = fit.explained, 0.0
            self.filler: Filler | None = None
            if self.dropout == "off":
                return
            learnt = learn_losses(
                values, fit, chosen, fold, kinds, self.regulators, self.penalty, context
            )
            if learnt is not None:
                self.sums, self.explained = learnt.fit.sums, learnt.fit.explained
                self.filler, self.lost = learnt.filler, learnt.lost

    def predict_expression(self, assemblages: npt.NDArray[np.generic]) -> Floats:
        """Profiles (n, G) of cells in which exactly the given genes are on."""
        sums = self.of_assemblages
        on = as_assemblages(assemblages, len(sums.mean))
        rows = np.empty(on.shape)
        step = max(1, BLOCK_ENTRIES // max(1, on.shape[1]))
        with limited_threads(self.threads):
            for first in range(0, len(on), step):
                block = slice(first, first + step)
                start = on[block] * sums.mean
                rows[block] = settle(sums, start, on[block].astype(np.float64))
        return close_rows(rows, on)

    def predict_knockout(self, cells: Cells, knockouts: Knockouts) -> Floats:
        """Profiles (n, G) after n knockouts of the cells, rows summing to 1.

        With nothing removed they are those of the cells, with what was lost filled in.
        """
        own = np.asarray(cells.dense(), np.float64)
        with limited_threads(self.threads):
            levels = self.levels(cells)
            values = own / levels
            filled = None if self.filler is None else self.filler(values)
            before = own if filled is None else filled.values * filled.shown * levels
            rows = normalise_rows(knockouts.remove_from(before))
            if knockouts.order:
                self._run(knockouts, values, levels, filled, rows)
        return rows

    def _run(
        self,
        knockouts: Knockouts,
        values: Floats,
        levels: Floats,
        filled: Filled | None,
        rows: Floats,
    ) -> None:
        """Write the profiles after each knockout over those of nothing responding, `rows`."""
        presence = None if filled is None else filled.presence
        values = values if filled is None else filled.values
        factor = values / self.sums(values, presence)
        step = max(1, BLOCK_ENTRIES // max(1, values.shape[1]))
        for first in range(0, len(knockouts), step):
            part = knockouts[first : first + step]
            there = None if presence is None else part.remove_from(presence)
            after = settle(self.sums, part.remove_from(values), part.remove_from(factor), there)
            if there is not None:
                after *= shown(there)
            block = slice(first, first + step)
            rows[block] = close_on(after * levels[part.cells], rows[block])


def _kind_of(name: str) -> Kind:
    """The kind of this name; ValueError where there is none."""
    for kind in KINDS:
        if kind == name:
            return kind
    raise ValueError(f"kind is {name!r}; choose auto or one of {', '.join(KINDS)}")
