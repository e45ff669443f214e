"""Records of the population tasks, their metrics and floors.

Imports none of them: they are named by module and attribute.
"""

from __future__ import annotations

from collections.abc import Iterator

from kobench.specs import MetricSpec, PredictorSpec, TaskSpec

_METRICS = "kobench.builtin.metrics.response"
_TASKS = "kobench.builtin.tasks.response"
_FLOORS = "kobench.builtin.floors.response"

_GEARS = "Roohani et al., Nat. Biotechnol. 42:927 (2024)"
_SYSTEMA = "Viñas Torné et al., Nat. Biotechnol. (2025), doi:10.1038/s41587-025-02777-8"


def response_metric_specs() -> Iterator[MetricSpec]:
    """The metrics of responses; the ones that rank perturbations are those of any ranking."""
    yield MetricSpec(
        "pearson-delta-centred",
        f"{_METRICS}:pearson_delta_centred",
        of="response",
        low=-1.0,
        nothing=0.0,
        summary=(
            "mean over perturbations of Pearson's correlation of changes, the mean over"
            " perturbations taken out of both"
        ),
        reference=_SYSTEMA,
    )
    yield MetricSpec(
        "pearson-delta",
        f"{_METRICS}:pearson_delta",
        of="response",
        low=-1.0,
        nothing=0.0,
        summary=(
            "mean over perturbations of Pearson's correlation of changes: what all perturbations"
            " have in common earns most of it"
        ),
        reference=_GEARS,
    )
    yield MetricSpec(
        "spearman-delta",
        f"{_METRICS}:spearman_delta",
        of="response",
        low=-1.0,
        nothing=0.0,
        summary="mean over perturbations of Spearman's correlation of changes",
    )
    yield MetricSpec(
        "cosine-delta",
        f"{_METRICS}:cosine_delta",
        of="response",
        low=-1.0,
        nothing=0.0,
        summary="mean over perturbations of the cosine between changes",
    )
    yield MetricSpec(
        "sign-accuracy",
        f"{_METRICS}:sign_accuracy",
        of="response",
        summary=(
            "mean over perturbations of the share of responding genes whose direction is right; by"
            " chance 0.5"
        ),
    )
    yield MetricSpec(
        "auprc-responding",
        f"{_METRICS}:auprc_responding",
        of="response",
        summary=(
            "mean over perturbations of the average precision of finding the responding genes; by"
            " chance their share"
        ),
    )
    yield MetricSpec(
        "centroid-accuracy",
        f"{_METRICS}:centroid_accuracy",
        of="response",
        summary=(
            "mean share of other perturbations whose truth is less similar to the answer than its"
            " own truth; by chance 0.5"
        ),
        reference=_SYSTEMA,
    )


def response_task_specs() -> Iterator[TaskSpec]:
    """Population questions: which genes change, and which perturbations change most."""
    yield TaskSpec(
        "response",
        f"{_TASKS}:response",
        of="response",
        asks="response",
        truth="any",
        primary=("pearson-delta-centred", "pearson-delta-centred[all]"),
        floors=("covariance", "presence-contrast", "plus-mean", "minus-mean", "batch-trend"),
        lines=("truth", "true-change", "replicate"),
        block="perturbation",
        summary="mean change of every gene in each perturbation",
    )
    yield TaskSpec(
        "response-size",
        f"{_TASKS}_size:response_size",
        of="ranking",
        asks="response",
        truth="any",
        primary=("spearman",),
        floors=("abundance", "detection", "minus-abundance", "minus-detection", "random"),
        lines=("truth",),
        block="perturbation",
        summary="how strong each perturbation is",
    )


def response_floor_specs() -> Iterator[PredictorSpec]:
    """The floors of these tasks alone."""
    yield _floor(
        "covariance",
        "Covariance",
        "response",
        "minus the covariance of shares with the removed gene over wild-type cells",
    )
    yield _floor("plus-mean", "PlusMean", "response", "the mean profile, whichever gene is removed")
    yield _floor(
        "minus-mean", "MinusMean", "response", "minus the mean profile, whichever gene is removed"
    )
    yield _floor(
        "batch-trend",
        "BatchTrend",
        "response",
        "the slope of mean profiles along the batches, whichever gene is removed",
    )
    yield _floor(
        "minus-abundance", "MinusAbundance", "genes", "minus the gene's mean share over all cells"
    )
    yield _floor(
        "minus-detection",
        "MinusDetection",
        "genes",
        "minus the share of cells that express the gene",
    )


def _floor(name: str, make: str, answers: str, summary: str) -> PredictorSpec:
    # scores of single genes say nothing about several at once; directions add up
    return PredictorSpec(
        name,
        f"{_FLOORS}:{make}",
        summary=summary,
        answers=(answers,),
        response="direction",
        max_order=1 if answers == "genes" else None,
        floor=True,
    )
