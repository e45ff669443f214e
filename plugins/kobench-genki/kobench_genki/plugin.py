"""Describes the predictor to kobench without importing it, torch or GenKI."""

from __future__ import annotations

from collections.abc import Iterator

from kobench.api import Param, PredictorSpec, hookimpl


@hookimpl
def kobench_predictors() -> Iterator[PredictorSpec]:
    """`genki`, with GenKI's own defaults."""
    yield PredictorSpec(
        "genki",
        "kobench_genki.genki:GenKI",
        summary=(
            "GenKI: the genes whose latent distribution moves when a gene's edges are cut from a"
            " network learnt by a graph autoencoder"
        ),
        answers=("response",),
        response="affected",
        order_matters=True,  # which edges train is drawn by their place in the table
        params={
            "epochs": Param(100, "training steps", low=1),
            "lr": Param(7e-4, "Adam's learning rate", low=0.0),
            "weight_decay": Param(9e-4, "Adam's weight decay", low=0.0),
            "beta": Param(1e-4, "weight of the prior in the loss", low=0.0),
            "out_channels": Param(2, "latent dimensions of a gene", low=2),
            "cutoff": Param(
                85,
                "percentile of absolute network weights below which there is no edge",
                low=0,
                high=100,
            ),
            "svd_solver": Param(
                "auto",
                "how the network's principal components are found",
                choices=("auto", "full", "randomized", "lanczos", "shared"),
            ),
            "permutations": Param(
                0,
                "bootstraps of cells that decide which genes are listed; genes not listed score 0;"
                " 0 lists and scores all",
                low=0,
            ),
            "log_normalize": Param(
                False,
                "counts per 10,000 and log1p by GenKI first; for cells that are not in a"
                " logarithmic scale",
            ),
        },
        reference="Yang et al. 2023, doi 10.1093/nar/gkad450",
    )
