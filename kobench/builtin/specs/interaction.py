"""Records of the tasks, metrics and floors of several knockouts at once. Imports none of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from kobench.specs import MetricSpec, PredictorSpec, TaskSpec

_METRICS = "kobench.builtin.metrics.interaction"


def interaction_metric_specs() -> Iterator[MetricSpec]:
    """The metrics of interactions."""
    yield MetricSpec(
        "auprc",
        f"{_METRICS}:auprc",
        of="interaction",
        summary=(
            "average precision of finding the events whose true interaction is over 0.001; by"
            " chance it is their share"
        ),
    )
    yield MetricSpec(
        "spearman",
        f"{_METRICS}:spearman",
        of="interaction",
        low=-1.0,
        summary="Spearman's correlation over all events at once",
    )
    yield MetricSpec(
        "mae",
        f"{_METRICS}:mae",
        of="interaction",
        direction="lower",
        best=0.0,
        summary="mean absolute error over events",
    )


def interaction_task_specs() -> Iterator[TaskSpec]:
    """Double and triple knockouts: the same task with other sets of genes."""
    yield _task(
        "double-knockout",
        "doubles",
        "which pairs of knockouts do more, or less, than the sum of the two",
    )
    yield _task(
        "triple-knockout",
        "triples",
        "which triples of knockouts do more, or less, than the sum of the three",
    )


def interaction_floor_specs() -> Iterator[PredictorSpec]:
    """The floors of these tasks alone; `random` counts as well."""
    yield _floor(
        "smaller-single",
        "SmallerSingle",
        "the smallest impact of the single knockouts by the presence contrast",
    )
    yield _floor(
        "smaller-share",
        "SmallerShare",
        "the smallest share of a removed gene in the cell's own profile",
    )


def _floor(name: str, make: str, summary: str) -> PredictorSpec:
    return PredictorSpec(
        name,
        f"kobench.builtin.floors.interaction:{make}",
        summary=summary,
        answers=("interaction",),
        floor=True,
    )


def _task(name: str, asks: Literal["doubles", "triples"], summary: str) -> TaskSpec:
    return TaskSpec(
        name,
        "kobench.builtin.tasks.interaction:multiple_knockout",
        of="interaction",
        asks=asks,
        truth="counterfactual",
        primary=("auprc[linked]", "auprc[random]"),
        floors=("smaller-single", "smaller-share", "random"),
        lines=("truth", "replicate"),
        block="pair",
        summary=summary,
    )
