"""`genki`: calls GenKI's network, autoencoder and distances.

The network is built and trained once; a knockout reuses both.
"""

from __future__ import annotations

import copy
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from kobench.api import Cells, Context, Knockouts
from kobench_genki.containment import caches_in, contained

#: GenKI's network is a regression on this many principal components, fixed in its data loader; it
#: needs one gene more.
COMPONENTS = 5

#: Divergences up to this are rounding errors: latent means and variances have 7 digits, and
#: divergences are of the order of their squares.
ROUNDING = 1e-12

#: GenKI holds out a fifth of the edges (a pair of genes counts once) as a test, and fails where
#: that is none.
FEWEST_EDGES = 5


class GenKI:
    """Which genes a knockout affects, from a graph autoencoder of a gene network.

    After Yang et al. 2023, doi 10.1093/nar/gkad450. All steps are GenKI's own: `build_adata`
    standardises, `DataLoader` builds the network, `VGAE_trainer` trains, `load_kodata` cuts the
    removed genes' edges and sets their standardised expression to 0, and `get_distance` is the
    Kullback-Leibler divergence of each gene's latent Gaussian after the knockout from that before.

    Parameters
    ----------
    epochs, lr, weight_decay, beta, out_channels, cutoff, svd_solver, log_normalize
        GenKI's own, with its defaults.
    permutations : int
        Bootstraps of cells that decide which genes are listed; genes not listed score 0. With 0
        all genes are scored.
    """

    def __init__(
        self,
        epochs: int = 100,
        lr: float = 7e-4,
        weight_decay: float = 9e-4,
        beta: float = 1e-4,
        out_channels: int = 2,
        cutoff: float = 85,
        svd_solver: str = "auto",
        permutations: int = 0,
        log_normalize: bool = False,
    ) -> None:
        self.training = {
            "epochs": epochs,
            "lr": lr,
            "weight_decay": weight_decay,
            "beta": beta,
            "out_channels": out_channels,
        }
        self.cutoff = cutoff
        self.svd_solver = svd_solver
        self.permutations = permutations
        self.log_normalize = log_normalize

    def fit(self, cells: Cells, context: Context) -> None:
        """Build the network of the cells and train the autoencoder on it.

        Parameters
        ----------
        cells : Cells
            (n, G), in their working scale.
        context : Context
            Seed, threads and scratch folder.

        Raises
        ------
        ValueError
            With fewer than 2 cells or 6 genes, where logarithms would be taken twice, and where the
            network has fewer than 5 edges, or weights that are not finite (cells too few or too
            alike).
        """
        values = np.array(cells.dense(), dtype=np.float32)
        check_cells(values, context.scale, self.log_normalize)
        self.context = context
        with caches_in(context.scratch):
            import GenKI.dataLoader
            import GenKI.train
            import GenKI.utils
        with contained(context.threads), TemporaryDirectory(dir=context.scratch) as folder:
            context.log("network", 0, 3)
            self.loader = self._loader(values, folder)
            check_network(self.loader.net.data, self.loader.edge_index.shape[1] // 2)
            context.log("training", 1, 3)
            self.wild_type = self.loader.load_data()
            self.trainer = GenKI.train.VGAE_trainer(
                self.wild_type, seed=context.seed, verbose=False, **self.training
            )
            self.trainer.train()
            self.latent = self.trainer.get_latent_vars(self.wild_type)
            context.log("trained", 3, 3)

    def predict_response(self, cells: Cells, knockouts: Knockouts) -> npt.NDArray[Any]:
        """Divergence of each gene's latent distribution after each knockout.

        Parameters
        ----------
        cells : Cells
            They have no part in it: the network has as many inputs as there were training cells, so
            it can't answer for others.
        knockouts : Knockouts
            n sets of removed genes.

        Returns
        -------
        (n, G) float
            Divergences >= 0, without a sign.
        """
        scores = np.zeros((len(knockouts), self.wild_type.num_nodes))
        with contained(self.context.threads):
            for row, genes in enumerate(knockouts.genes):
                self.context.log("knockouts", row, len(knockouts))
                scores[row] = self._affected([int(gene) for gene in genes])
        return scores

    def _loader(self, values: npt.NDArray[np.float32], folder: str) -> Any:
        """GenKI's loader with the network of standardised values (n, G)."""
        import anndata
        import pandas
        from GenKI.dataLoader import DataLoader
        from GenKI.preprocessing import build_adata

        # numbers instead of names: GenKI finds a gene by its name, and two names may differ only
        # in case
        self.labels = [str(gene) for gene in range(values.shape[1])]
        given = anndata.AnnData(values, var=pandas.DataFrame(index=self.labels))
        ready = build_adata(
            given,
            log_normalize=self.log_normalize,
            scale_data=True,
            as_sparse=True,
            uppercase=False,
        )
        # GenKI must keep the network in some folder
        return DataLoader(
            ready,
            self.labels[:1],
            GRN_file_dir=folder,
            cutoff=self.cutoff,
            svd_solver=self.svd_solver,
            timeit=False,
        )

    def _affected(self, genes: list[int]) -> npt.NDArray[Any]:
        """Score (G,) of every gene once `genes` are removed."""
        from GenKI.utils import get_distance, get_generank

        # a loader is made for its targets, but only `load_kodata` looks at them; a new loader would
        # build or read the network again
        loader = copy.copy(self.loader)
        loader._target_gene = [self.labels[gene] for gene in genes]
        removed = loader.load_kodata()
        distance = without_rounding(
            get_distance(*self.trainer.get_latent_vars(removed), *self.latent, by="KL")
        )
        if not self.permutations:
            return distance
        null = self.trainer.pmt(removed, n=self.permutations, by="KL")
        listed = get_generank(self.wild_type, distance, null, rank=False)
        return listed_only(distance, [int(label) for label in listed.index])


def check_cells(values: npt.NDArray[Any], scale: str, log_normalize: bool) -> None:
    """Check that GenKI has enough to work with.

    Parameters
    ----------
    values : (n, G) float
        The training cells.
    scale : str
        Their scale.
    log_normalize : bool
        Whether GenKI is to take logarithms.

    Raises
    ------
    ValueError
        If cells are too few or all the same, or logarithms would be taken of logarithms.
    """
    n, genes = values.shape
    if n < 2 or genes <= COMPONENTS:
        raise ValueError(
            f"{n} training cells x {genes} genes; GenKI needs at least 2 cells and {COMPONENTS + 1}"
            " genes"
        )
    if log_normalize and scale.startswith("log1p"):
        raise ValueError(
            f"log_normalize=true, but the cells are in the scale {scale} already; leave"
            " log_normalize out"
        )
    if not (values.max(axis=0) > values.min(axis=0)).any():
        raise ValueError(
            f"all {n} training cells are the same; expected at least one gene that varies"
        )


def check_network(weights: npt.NDArray[Any], edges: int) -> None:
    """Check that there is a network to learn from.

    Parameters
    ----------
    weights : (m,) float
        The network's weights.
    edges : int
        Number of pairs of genes with an edge.

    Raises
    ------
    ValueError
        If a weight is not finite, or there are too few edges.
    """
    bad = int((~np.isfinite(weights)).sum())
    if bad:
        raise ValueError(
            f"{bad} of {len(weights)} weights of GenKI's network are not finite; expected cells"
            f" that differ in at least {COMPONENTS} directions: give more cells"
        )
    if edges < FEWEST_EDGES:
        raise ValueError(
            f"GenKI's network has {edges} edges; it needs at least {FEWEST_EDGES}: give more genes,"
            " or lower cutoff"
        )


def without_rounding(distance: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Divergences (G,) that are exactly 0 for genes not affected, so that ties are ties."""
    return np.where(np.abs(distance) <= ROUNDING, 0.0, distance)


def listed_only(distance: npt.NDArray[Any], listed: list[int]) -> npt.NDArray[Any]:
    """`distance` (G,) at the listed genes, 0 at all others."""
    scores = np.zeros(len(distance))
    scores[listed] = distance[listed]
    return scores
