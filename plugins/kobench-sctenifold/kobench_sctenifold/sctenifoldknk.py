"""`sctenifoldknk`: how far a virtual knockout displaces each gene.

It is the scTenifoldKnk pipeline of scTenifoldpy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from kobench.api import Cells, Context, Knockouts

from kobench_sctenifold.containment import contained, drawing_elsewhere
from kobench_sctenifold.counts import counts_of

Floats = npt.NDArray[np.floating[Any]]
Ints = npt.NDArray[np.integer[Any]]


class ScTenifoldKnk:
    """The package's pipeline, step by step.

    `fit` does quality control, networks and tensor decomposition; the rest is done for each
    knockout. A gene that quality control takes out is in no network: it never moves, and removing
    it moves nothing.

    Parameters
    ----------
    n_nets, n_samp_cells, n_comp, q
        Arguments of the package's networks.
    rank : int
        K of its tensor decomposition.
    dimensions : int
        d of its manifold alignment.
    strict_lambda : float
        How far the weaker of two opposite links is taken out.
    min_lib_size, min_percent, max_mito_ratio, remove_outlier_cells
        Arguments of its quality control.
    """

    def __init__(
        self,
        n_nets: int = 10,
        n_samp_cells: int = 500,
        n_comp: int = 3,
        q: float = 0.9,
        rank: int = 3,
        dimensions: int = 2,
        strict_lambda: float = 0.0,
        min_lib_size: float = 0.0,
        min_percent: float = 0.05,
        max_mito_ratio: float = 0.1,
        remove_outlier_cells: bool = True,
    ) -> None:
        self.qc = {
            "min_lib_size": min_lib_size,
            "min_percent": min_percent,
            "max_mito_ratio": max_mito_ratio,
            "remove_outlier_cells": remove_outlier_cells,
        }
        self.networks = {"n_nets": n_nets, "n_samp_cells": n_samp_cells, "n_comp": n_comp, "q": q}
        self.rank, self.dimensions, self.strict_lambda = rank, dimensions, strict_lambda

    def fit(self, cells: Cells, context: Context) -> None:
        """Build the networks of cells (n, G) and decompose them.

        Raises
        ------
        ValueError
            If quality control leaves too little.
        """
        with drawing_elsewhere(context.scratch):
            import pandas
            from scTenifold import scTenifoldKnk

        self.context, self.genes = context, cells.n_vars
        counts = counts_of(cells, context.scale)
        table = pandas.DataFrame(
            counts.T,
            index=[str(name) for name in cells.var_names],
            columns=[str(cell) for cell in range(len(cells))],
        )
        seeded = {"random_state": context.seed}
        self.pipeline = scTenifoldKnk(
            table,
            strict_lambda=self.strict_lambda,
            qc_kws=self.qc,
            nc_kws={**self.networks, **seeded, "backend": "serial"},
            td_kws={"K": self.rank, "n_decimal": 3, **seeded},
            ma_kws={"d": self.dimensions},
        )
        with contained(context.seed, context.threads):
            context.log("quality control")
            self.pipeline.run_step("qc")
            self._check_kept(*self.pipeline.QC_dict["WT"].shape, cells)
            context.log(f"{self.networks['n_nets']} networks")
            self.pipeline.run_step("nc")
            context.log("tensor decomposition")
            self.pipeline.run_step("td")
        self.pipeline.network_dict.clear()  # a knockout only needs their decomposition
        column = {name: place for place, name in enumerate(table.index)}
        self.kept = [str(name) for name in self.pipeline.shared_gene_names]
        self.columns = np.array([column[name] for name in self.kept], np.int64)

    def _check_kept(self, genes: int, cells: int, given: Cells) -> None:
        """Raise ValueError where quality control left too few cells or genes."""
        if cells < 3 or genes <= self.networks["n_comp"]:
            settings = ", ".join(f"{name}={value}" for name, value in self.qc.items())
            raise ValueError(
                f"quality control ({settings}) left {cells} of {len(given)} cells and {genes} of"
                f" {given.n_vars} genes; expected at least 3 cells and more genes than"
                f" n_comp={self.networks['n_comp']}; relax the settings"
            )

    def displacements(self, removed: Ints) -> Floats:
        """Distance of each gene between wild type and knockout in the aligned space.

        Parameters
        ----------
        removed : (k,) int
            Columns of the removed genes.

        Returns
        -------
        (G,) float
            Distances >= 0. They are 0 where the package calls a distance rounding noise (its
            p-value is 1), at genes that quality control took out, and everywhere if it took out
            every removed gene.
        """
        distances = np.zeros(self.genes)
        names = [
            name for name, column in zip(self.kept, self.columns) if column in set(removed.tolist())
        ]
        if not names:
            return distances
        with contained(self.context.seed, self.context.threads):
            self.pipeline.run_step("ko", ko_genes=names)
            self.pipeline.run_step("ma")
            self.pipeline.run_step("dr")
        result = self.pipeline.d_regulation.set_index("Gene").loc[self.kept]
        distances[self.columns] = np.where(result["p-value"] == 1, 0.0, result["Distance"])
        return distances

    def predict_response(self, cells: Cells, knockouts: Knockouts) -> Floats:
        """Displacement (n, G) of each gene, >= 0.

        The cells asked about do not matter: the method has one network for all.
        """
        rows = np.zeros((len(knockouts), self.genes))
        for event, genes in enumerate(knockouts.genes):
            rows[event] = self.displacements(np.unique(genes))
            self.context.log("knockouts", event + 1, len(knockouts))
        return rows

    def score_genes(self, cells: Cells, genes: Ints) -> Floats:
        """Root mean square displacement (n,) of the genes that were not removed.

        It is the scale that the package measures each displacement against.
        """
        genes = np.asarray(genes, np.int64)
        rows = self.predict_response(cells, Knockouts(genes[:, None].astype(np.int32)))
        rows[np.arange(len(genes)), genes] = 0.0
        scores: Floats = np.sqrt((rows**2).sum(axis=1) / max(1, len(self.kept) - 1))
        return scores
