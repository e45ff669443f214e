"""The metrics of screens of counted cells. Nothing that they name is imported."""

from __future__ import annotations

from collections.abc import Iterator

from kobench.specs import MetricSpec

_SCREEN = "kobench.builtin.metrics.screen"
_NO_END = float("inf")
_CELL_EVAL = "cell_eval2 0.20.0, profile vcc2026 (Arc Institute, MIT)"


def screen_metrics() -> Iterator[MetricSpec]:
    """Where an answer lies between the mean response (0) and a replicate (1)."""
    for name, score, low, high, summary in _ROWS:
        yield MetricSpec(
            name,
            f"{_SCREEN}:{score}",
            of="screen",
            low=low,
            high=high,
            nothing=0.0,
            summary=summary,
            reference=_CELL_EVAL,
        )
    yield MetricSpec(
        "pair-correlation",
        "kobench.builtin.metrics.structure:pair_correlation",
        of="structure",
        low=-1.0,
        summary=(
            "mean over perturbations of Pearson's correlation of predicted and true gene-gene"
            " correlations"
        ),
        reference="cell_cov_corr of cell_eval2 0.20.0 (Arc Institute, MIT)",
    )


_ROWS = (
    (
        "mean-of-six",
        "mean_of_six",
        -_NO_END,
        _NO_END,
        "mean of the six others: what the challenge ranks by",
    ),
    (
        "pds-cosine",
        "pds_cosine",
        -_NO_END,
        _NO_END,
        "share of other perturbations whose effect is less like the answer than its own, scaled",
    ),
    (
        "mse-capped",
        "mse_capped",
        0.0,
        1.0,
        "squared error of log bulks less what sampling adds, over the squared effect, scaled",
    ),
    (
        "direction-fidelity",
        "fidelity",
        -_NO_END,
        _NO_END,
        "genes called in the right direction over those called, or those that respond, scaled",
    ),
    (
        "direction-reach",
        "reach",
        -_NO_END,
        _NO_END,
        "how deep the answer's ranking of responding genes keeps 90 % right directions, scaled",
    ),
    (
        "significance-jaccard",
        "jaccard",
        -_NO_END,
        _NO_END,
        "genes that respond in both over those that respond in either, scaled",
    ),
    (
        "lfc-nmae",
        "lfc_nmae",
        -6.0,
        _NO_END,
        "mean absolute error of log2 fold changes over their mean size, scaled",
    ),
)
