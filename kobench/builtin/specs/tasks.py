"""Every built-in task in one list. Nothing that it names is imported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from kobench.specs import TaskSpec

_TASKS = "kobench.builtin.tasks"

_IMPACT_FLOORS = (
    "own-share",
    "abundance",
    "detection",
    "abs-correlation",
    "presence-contrast",
    "random",
)


def task_specs() -> Iterator[TaskSpec]:
    """The tasks in the order of lists, boards and docs/tasks.md, where each has a section."""
    yield TaskSpec(
        "profile",
        f"{_TASKS}.profile:profile",
        version=2,
        of="profile",
        asks="profile",
        truth="wild-type",
        primary=("bray-curtis",),
        floors=(
            "uniform",
            "masked-mean",
            "masked-mean-depth",
            "masked-median",
            "masked-median-depth",
        ),
        lines=("truth", "replicate"),
        block="cell",
        summary="profiles of held-out wild-type cells from the genes that are on",
        says="Expression of held-out wild-type cells",
        demand=10,
        of_knockouts=False,
    )
    yield TaskSpec(
        "knockout-profile",
        f"{_TASKS}.singles:knockout_profile",
        of="profile",
        asks="singles",
        truth="counterfactual",
        primary=("explained-change",),
        floors=("no-effect",),
        lines=("truth", "replicate"),
        block="gene",
        summary="profiles after single knockouts",
        says="Expression of each cell after a knockout",
        demand=50,
    )
    yield TaskSpec(
        "knockout-impact",
        f"{_TASKS}.singles:knockout_impact",
        version=2,
        of="impact",
        asks="singles",
        truth="counterfactual",
        primary=("spearman-within-cell", "spearman-within-gene"),
        floors=("own-share", "relative-share", *_IMPACT_FLOORS[1:]),
        lines=("truth", "replicate", "gene-oracle"),
        block="gene",
        summary="impact of every single knockout",
        says="How much a knockout changes each cell",
        demand=60,
    )
    yield TaskSpec(
        "keystone",
        f"{_TASKS}.singles:keystone",
        of="ranking",
        asks="singles",
        truth="counterfactual",
        primary=("spearman",),
        floors=_IMPACT_FLOORS,
        lines=("truth", "replicate", "gene-oracle"),
        block="gene",
        summary="ranking of genes by the mean impact of their knockout",
        says="Which genes matter most when removed",
        demand=70,
    )
    yield TaskSpec(
        "response",
        f"{_TASKS}.response:response",
        version=2,
        of="response",
        asks="response",
        truth="any",
        primary=("pearson-delta-centred", "pearson-delta-centred-unit"),
        floors=("covariance", "presence-contrast", "plus-mean", "minus-mean", "batch-trend"),
        lines=("truth", "true-change", "replicate", "one-direction", "size-only"),
        block="perturbation",
        summary="mean change of every gene in each perturbation",
        says="How each gene's mean changes after a knockout",
        demand=90,
    )
    yield TaskSpec(
        "response-size",
        f"{_TASKS}.response_size:response_size",
        of="ranking",
        asks="response",
        truth="any",
        primary=("spearman",),
        floors=("abundance", "detection", "minus-abundance", "minus-detection", "random"),
        lines=("truth",),
        block="perturbation",
        summary="how strong each perturbation is",
        says="Which knockouts change the cells most",
        demand=80,
    )
    yield _several(
        "double-knockout",
        "doubles",
        "which pairs of knockouts do more, or less, than the sum of the two",
        "What two genes removed together do beyond the sum",
        40,
    )
    yield _several(
        "triple-knockout",
        "triples",
        "which triples of knockouts do more, or less, than the sum of the three",
        "What three genes removed together do beyond the sum",
        30,
    )
    # bray-curtis is 0 at the truth, so the skill in this task is the share that is explained
    yield TaskSpec(
        "transfer",
        f"{_TASKS}.transfer:transfer",
        version=2,
        of="profile",
        asks="transfer",
        truth="wild-type",
        primary=("bray-curtis",),
        floors=("masked-mean-depth", "masked-median-depth"),
        lines=("truth",),
        block="cell",
        summary="profiles of cell types or data sets that the model was not trained on",
        says="Expression of cells of other types than trained on",
        demand=20,
        of_knockouts=False,
    )
    yield TaskSpec(
        "vcc2026",
        f"{_TASKS}.screen:vcc2026",
        version=2,
        of="screen",
        asks="cells",
        truth="population",
        primary=("mean-of-six",),
        floors=(
            "no-effect",
            "presence-contrast",
            "call-all",
            "call-common",
            "call-down",
            "call-all-300",
            "call-common-300",
            "call-down-300",
        ),
        block="perturbation",
        summary="counted cells of each perturbation, by the six scores of the challenge of 2026",
        says="Cells after a knockout, scored as in the Virtual Cell Challenge 2026",
        demand=85,
        by_name=True,
    )
    yield TaskSpec(
        "cell-structure",
        f"{_TASKS}.structure:cell_structure",
        version=2,
        of="structure",
        asks="cells",
        truth="population",
        primary=("pair-correlation",),
        floors=("no-effect", "presence-contrast"),
        block="perturbation",
        summary="how genes vary together among the cells of each perturbation",
        says="Which genes vary together after a knockout",
        demand=84,
        by_name=True,
    )


def _several(
    name: str, asks: Literal["doubles", "triples"], summary: str, says: str, demand: float
) -> TaskSpec:
    """A task of several knockouts at once; they differ in how many genes are removed."""
    return TaskSpec(
        name,
        f"{_TASKS}.interaction:multiple_knockout",
        version=2,
        of="interaction",
        asks=asks,
        truth="counterfactual",
        primary=("auprc[linked]", "auprc[random]"),
        floors=("smaller-single", "smaller-share", "random"),
        lines=("truth", "replicate"),
        block="pair",
        summary=summary,
        says=says,
        demand=demand,
    )
