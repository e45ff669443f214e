"""Describes the three baselines to kobench without importing them (nor torch, nor xgboost)."""

from __future__ import annotations

from collections.abc import Iterator

from kobench.api import Param, PredictorSpec, hookimpl


@hookimpl
def kobench_predictors() -> Iterator[PredictorSpec]:
    """mlp, linear and gbm; each learns assemblage -> profile and answers knockouts by predicting the smaller assemblage."""
    yield PredictorSpec(
        "mlp",
        "kobench_baselines.mlp:MLP",
        summary="the network of the DKO paper: two linear layers on the assemblage, trained on Bray-Curtis",
        answers=("expression",),
        params={
            "preset": Param("default", "default: accurate and fast; paper: as published", choices=("default", "paper")),
            "hidden": Param(None, "units between the two layers; None: 128 (default), the number of genes (paper)"),
            "lr": Param(None, "Adam's learning rate; None: 0.008 (default), 0.01 (paper)"),
            "batch": Param(None, "cells a step; None: 64 (default), 20 (paper)"),
            "steps": Param(None, "most steps; None: 1000 (default), 5000 (paper)"),
            "patience": Param(None, "steps without a better validation after which to stop; None: 100 (default), never (paper)"),
            "decay": Param(
                None, "weight decay, one number or a list to choose from by validation; None: [0.1, 1, 10] (default), 0 (paper)"
            ),
            "refit": Param(None, "train again on all cells for the best number of steps; None: true (default), false (paper)"),
        },
        reference="arXiv 2510.03359",
    )
    yield PredictorSpec(
        "linear",
        "kobench_baselines.linear:Linear",
        summary="ridge regression of each gene's share, where it is on, on the assemblage; penalty by cross-validation",
        answers=("expression",),
        params={
            "penalty": Param(None, "ridge penalty relative to the mean squared norm of the features; None: by cross-validation"),
            "folds": Param(5, "folds of the cross-validation", low=2, high=20),
        },
        reference="Hoerl & Kennard 1970, doi 10.1080/00401706.1970.10488634",
    )
    yield PredictorSpec(
        "gbm",
        "kobench_baselines.gbm:GBM",
        summary="XGBoost trees for each gene's share, where it is on, on top of a masked mean",
        answers=("expression",),
        params={
            "rounds": Param(300, "most rounds; validation stops earlier", low=1),
            "depth": Param(2, "depth of each tree", low=1, high=16),
            "lr": Param(0.3, "shrinkage of each round", low=1e-4, high=1.0),
            "genes": Param(128, "most genes used as features, those that explain most", low=1),
            "components": Param(16, "principal components of the assemblages, added only where genes are left out as features", low=0),
            "targets": Param(2000, "most genes given trees, those that vary most; the others keep the masked mean", low=1),
        },
        reference="Chen & Guestrin 2016, doi 10.1145/2939672.2939785",
    )
