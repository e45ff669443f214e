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
        of="profile",
        asks="profile",
        truth="wild-type",
        primary=("bray-curtis",),
        floors=("uniform", "masked-mean", "masked-mean-depth"),
        lines=("truth", "replicate"),
        block="cell",
        summary="profiles of held-out wild-type cells from the genes that are on",
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
    )
    yield TaskSpec(
        "knockout-impact",
        f"{_TASKS}.singles:knockout_impact",
        of="impact",
        asks="singles",
        truth="counterfactual",
        primary=("spearman-within-cell", "spearman-within-gene"),
        floors=_IMPACT_FLOORS,
        lines=("truth", "replicate", "gene-oracle"),
        block="gene",
        summary="impact of every single knockout",
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
    )
    yield TaskSpec(
        "response",
        f"{_TASKS}.response:response",
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
        f"{_TASKS}.response_size:response_size",
        of="ranking",
        asks="response",
        truth="any",
        primary=("spearman",),
        floors=("abundance", "detection", "minus-abundance", "minus-detection", "random"),
        lines=("truth",),
        block="perturbation",
        summary="how strong each perturbation is",
    )
    yield _several(
        "double-knockout",
        "doubles",
        "which pairs of knockouts do more, or less, than the sum of the two",
    )
    yield _several(
        "triple-knockout",
        "triples",
        "which triples of knockouts do more, or less, than the sum of the three",
    )
    # bray-curtis is 0 at the truth, so the skill in this task is the share that is explained
    yield TaskSpec(
        "transfer",
        f"{_TASKS}.transfer:transfer",
        of="profile",
        asks="transfer",
        truth="wild-type",
        primary=("bray-curtis",),
        floors=("masked-mean-depth",),
        lines=("truth",),
        block="cell",
        summary="profiles of cell types or data sets that the model was not trained on",
    )


def _several(name: str, asks: Literal["doubles", "triples"], summary: str) -> TaskSpec:
    """A task of several knockouts at once; they differ in how many genes are removed."""
    return TaskSpec(
        name,
        f"{_TASKS}.interaction:multiple_knockout",
        of="interaction",
        asks=asks,
        truth="counterfactual",
        primary=("auprc[linked]", "auprc[random]"),
        floors=("smaller-single", "smaller-share", "random"),
        lines=("truth", "replicate"),
        block="pair",
        summary=summary,
    )
