"""`grnboost2`: the direction in which each gene moves when a knockout runs through GRNBoost2's
network.
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
    """Links by GRNBoost2, sizes and signs by ridge regression, the response by propagation;
    everything in the working scale of X.

    The network is inferred once, in `fit`. regulators : names of the genes that may regulate, None
    for all.
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
        self.top_regulators, self.penalty, self.steps, self.window = (
            top_regulators,
            penalty,
            steps,
            early_stop_window,
        )

    def supports(self, genes: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Genes that may regulate: removing another one would say "nothing happens" without having
        looked.
        """
        return (
            np.ones(len(genes), bool)
            if self.regulators is None
            else np.isin(genes, self.regulators)
        )

    def fit(self, cells: Cells, context: Context) -> None:
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
        """(n, G) mean change of each gene, in the working scale, over the cells that express the
        removed genes.
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
        """(n,) Euclidean length of the change of the other genes."""
        genes = np.asarray(genes, np.int64)
        changes = self.predict_response(cells, Knockouts(genes[:, None].astype(np.int32)))
        changes[np.arange(len(genes)), genes] = 0.0
        lengths: Floats = np.sqrt((changes**2).sum(axis=1))
        return lengths
