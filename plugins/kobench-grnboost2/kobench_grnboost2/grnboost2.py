"""`grnboost2`: the direction in which genes move when a knockout runs through a network.

The network is GRNBoost2's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from kobench.api import Cells, Context, Knockouts

from kobench_grnboost2.network import coefficients, strongest_links
from kobench_grnboost2.propagation import mean_change

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]


class GRNBoost2:
    """Links by GRNBoost2, sizes and signs by ridge regression, the response by propagation.

    Everything is done in the working scale of X. The network is inferred once, in `fit`.

    Parameters
    ----------
    regulators : list of str, optional
        Names of the genes that may regulate; None for all.
    top_regulators : int
        Links kept for each target.
    penalty : float
        Ridge penalty of the coefficients.
    steps : int
        Steps of the propagation.
    early_stop_window : int
        Trees over which GRNBoost2's early stopping looks.

    Raises
    ------
    ValueError
        If `regulators` is no list of names, or empty.
    """

    def __init__(
        self,
        regulators: list[str] | None = None,
        top_regulators: int = 10,
        penalty: float = 10.0,
        steps: int = 3,
        early_stop_window: int = 25,
    ) -> None:
        if regulators is not None and (isinstance(regulators, str) or not len(regulators)):
            raise ValueError(
                f"regulators is {regulators!r}; expected a list of gene names, or nothing, which is"
                " every gene"
            )
        self.regulators = None if regulators is None else [str(name) for name in regulators]
        self.top_regulators, self.penalty = top_regulators, penalty
        self.steps, self.window = steps, early_stop_window

    def supports(self, genes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Which genes (G,) may regulate.

        Removing another one would answer "nothing happens" without evidence.
        """
        if self.regulators is None:
            return np.ones(len(genes), bool)
        return np.isin(genes, self.regulators)

    def fit(self, cells: Cells, context: Context) -> None:
        """Infer the network from cells (n, G).

        Raises
        ------
        ValueError
            If none of the regulators is among the genes.
        RuntimeError
            If arboreto gives up on a gene.
        """
        from threadpoolctl import threadpool_limits

        expression = np.asarray(cells.dense(), np.float64)
        names = [str(name) for name in cells.var_names]
        regulators = np.flatnonzero(self.supports(np.array(names)))
        if not len(regulators):
            first = ", ".join((self.regulators or [])[:5])
            raise ValueError(
                f"none of the regulators ({first}, ...) is among the {len(names)} genes of the"
                " cells; name some that are"
            )
        with threadpool_limits(context.threads):
            links = strongest_links(
                expression,
                names,
                regulators,
                self.top_regulators,
                context.seed,
                self.window,
                lambda done, total: context.log("regulators of each gene", done, total),
            )
            self.weights = coefficients(expression, links, self.penalty)
        self.threads = context.threads

    def predict_response(self, cells: Cells, knockouts: Knockouts) -> Floats:
        """Mean change (n, G) of each gene over the cells that express the removed genes.

        It is in the working scale.
        """
        from threadpoolctl import threadpool_limits

        expression = cells.dense()
        with threadpool_limits(self.threads):
            rows = [
                mean_change(expression, self.weights, np.unique(genes), self.steps)
                for genes in knockouts.genes
            ]
        return np.array(rows).reshape(len(knockouts), cells.n_vars)

    def score_genes(self, cells: Cells, genes: Ints) -> Floats:
        """Euclidean length (n,) of the change of the other genes."""
        genes = np.asarray(genes, np.int64)
        changes = self.predict_response(cells, Knockouts(genes[:, None].astype(np.int32)))
        changes[np.arange(len(genes)), genes] = 0.0
        lengths: Floats = np.sqrt((changes**2).sum(axis=1))
        return lengths
