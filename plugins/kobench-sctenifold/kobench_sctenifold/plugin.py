"""Describes the predictor to kobench without importing scTenifoldpy."""

from __future__ import annotations

from collections.abc import Iterator

from kobench.api import Param, PredictorSpec, hookimpl


@hookimpl
def kobench_predictors() -> Iterator[PredictorSpec]:
    """`sctenifoldknk`, with the package's own defaults but for `min_lib_size`."""
    yield PredictorSpec(
        "sctenifoldknk",
        "kobench_sctenifold.sctenifoldknk:ScTenifoldKnk",
        summary=(
            "scTenifoldKnk: how far each gene moves when the removed gene's links leave a network"
            " of principal-component regressions"
        ),
        answers=("response", "genes"),
        order_matters=True,  # the tensor decomposition starts from numbers drawn gene by gene
        response="affected",
        params={
            "n_nets": Param(10, "networks, each of cells drawn anew", low=1),
            "n_samp_cells": Param(500, "cells drawn for each network, with replacement", low=3),
            "n_comp": Param(3, "principal components of each regression", low=2),
            "q": Param(
                0.9,
                "quantile of the absolute weights below which a network's links are dropped",
                low=0.0,
                high=1.0,
            ),
            "rank": Param(3, "rank of the tensor decomposition (K)", low=1),
            "dimensions": Param(2, "dimensions of the manifold alignment (d)", low=1),
            "strict_lambda": Param(
                0.0, "how far the weaker of two opposite links is taken out", low=0.0, high=1.0
            ),
            "min_lib_size": Param(
                0.0,
                "cells with a total count up to this are left out; the package's own default is"
                " 1000",
                low=0.0,
            ),
            "min_percent": Param(
                0.05,
                "genes seen in this share of the cells or less are left out",
                low=0.0,
                high=1.0,
            ),
            "max_mito_ratio": Param(
                0.1, "cells with this share of mitochondrial counts or more are left out", low=0.0
            ),
            "remove_outlier_cells": Param(True, "leave out cells whose total count is an outlier"),
        },
        reference="Osorio et al. 2022, doi:10.1016/j.patter.2022.100434",
    )
