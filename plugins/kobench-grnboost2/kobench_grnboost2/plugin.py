"""Describes the predictor to kobench without importing arboreto."""

from __future__ import annotations

from collections.abc import Iterator

from kobench.api import Param, PredictorSpec, hookimpl


@hookimpl
def kobench_predictors() -> Iterator[PredictorSpec]:
    """`grnboost2`."""
    yield PredictorSpec(
        "grnboost2",
        "kobench_grnboost2.grnboost2:GRNBoost2",
        summary=(
            "GRNBoost2's network (arboreto), ridge coefficients on its strongest links, and the"
            " knockout propagated through it"
        ),
        answers=("response", "genes"),
        order_matters=True,  # the features that a tree may use are drawn by column
        response="direction",
        params={
            "regulators": Param(
                None,
                "names of the genes that may regulate, which are the only ones it can remove; None:"
                " every gene",
            ),
            "top_regulators": Param(10, "links kept for each target, the strongest ones", low=1),
            "penalty": Param(10.0, "ridge penalty of the coefficients on the kept links", low=0.0),
            "steps": Param(3, "steps of the propagation", low=1, high=100),
            "early_stop_window": Param(
                25, "trees over which GRNBoost2's early stopping looks", low=1
            ),
        },
        reference=(
            "Moerman et al. 2019, doi:10.1093/bioinformatics/bty916; Kamimoto et al. 2023,"
            " doi:10.1038/s41586-022-05688-9"
        ),
    )
