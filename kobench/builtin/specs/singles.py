"""Records of the built-in metrics, tasks and floors.

Imports none of them: they are named by module and attribute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kobench.builtin.specs.response import (
    response_floor_specs,
    response_metric_specs,
    response_task_specs,
)
from kobench.specs import MetricSpec, PredictorSpec, TaskSpec

_METRICS = "kobench.builtin.metrics"
_TASKS = "kobench.builtin.tasks.singles"
_FLOORS = "kobench.builtin.floors"

_DKO = "arXiv 2510.03359"
_IMPACT_FLOORS = (
    "own-share",
    "abundance",
    "detection",
    "abs-correlation",
    "presence-contrast",
    "random",
)


def metric_specs() -> Iterator[MetricSpec]:
    """The built-in metrics; each has a section in docs/metrics.md."""
    yield from _profile_metrics()
    yield from _impact_metrics()
    yield from _ranking_metrics()
    yield from response_metric_specs()


def _profile_metrics() -> Iterator[MetricSpec]:
    module = f"{_METRICS}.profile"
    yield MetricSpec(
        "bray-curtis",
        f"{module}:bray_curtis",
        of="profile",
        direction="lower",
        best=0.0,
        summary="mean over rows of sum|a-b| / sum(a+b)",
        reference="Bray & Curtis, Ecol. Monogr. 27:325 (1957)",
    )
    yield MetricSpec(
        "jensen-shannon",
        f"{module}:jensen_shannon",
        of="profile",
        direction="lower",
        best=0.0,
        summary="mean over rows of the Jensen-Shannon divergence, base 2",
        reference="Lin, IEEE Trans. Inf. Theory 37:145 (1991)",
    )
    yield MetricSpec(
        "rmse",
        f"{module}:rmse",
        of="profile",
        direction="lower",
        best=0.0,
        summary="mean over rows of the root mean square difference",
    )
    yield MetricSpec(
        "pearson",
        f"{module}:pearson",
        of="profile",
        low=-1.0,
        summary="mean over rows of Pearson's correlation over the present genes",
    )
    yield MetricSpec(
        "spearman",
        f"{module}:spearman",
        of="profile",
        low=-1.0,
        summary="mean over rows of Spearman's correlation over the present genes",
    )
    yield MetricSpec(
        "spearman-pooled",
        f"{module}:spearman_pooled",
        of="profile",
        low=-1.0,
        summary=(
            "Spearman's correlation over all entries at once, absent genes included: the paper's"
            " figure, which presence alone earns"
        ),
        reference=_DKO,
    )
    yield MetricSpec(
        "coexpression",
        f"{module}:coexpression",
        of="profile",
        low=-1.0,
        tasks=("profile",),
        summary=(
            "how well gene-gene correlations across cells are kept, over the cells that have both"
            " genes"
        ),
    )
    yield MetricSpec(
        "explained-change",
        f"{module}:explained_change",
        of="profile",
        low=float("-inf"),
        nothing=0.0,
        tasks=("knockout-profile",),
        summary=(
            "1 - sum BC(predicted, true) / sum BC(null, true); 0 = nothing responds, negative ="
            " worse than that"
        ),
    )


def _impact_metrics() -> Iterator[MetricSpec]:
    module = f"{_METRICS}.impact"
    yield MetricSpec(
        "spearman-within-cell",
        f"{module}:spearman_within_cell",
        of="impact",
        low=-1.0,
        summary="mean over cells of Spearman's correlation over the cell's genes",
    )
    yield MetricSpec(
        "spearman-within-gene",
        f"{module}:spearman_within_gene",
        of="impact",
        low=-1.0,
        summary=(
            "mean over genes asked in 10 cells or more of Spearman's correlation over the gene's"
            " cells"
        ),
    )
    yield MetricSpec(
        "spearman-pooled",
        f"{module}:spearman_pooled",
        of="impact",
        low=-1.0,
        summary=(
            "Spearman's correlation over all events at once: the paper's figure, which the genes'"
            " means alone earn"
        ),
        reference=_DKO,
    )
    yield MetricSpec(
        "mae",
        f"{module}:mae",
        of="impact",
        direction="lower",
        best=0.0,
        summary="mean absolute error over events",
    )
    yield MetricSpec(
        "auprc",
        f"{module}:auprc",
        of="impact",
        summary="average precision of finding the events whose true impact is above 0",
    )


def _ranking_metrics() -> Iterator[MetricSpec]:
    module = f"{_METRICS}.ranking"
    yield MetricSpec(
        "spearman",
        f"{module}:spearman",
        of="ranking",
        low=-1.0,
        summary="Spearman's correlation of predicted and true scores",
    )
    yield MetricSpec(
        "kendall",
        f"{module}:kendall",
        of="ranking",
        low=-1.0,
        summary="Kendall's tau-b of predicted and true scores",
        reference="Kendall, Biometrika 33:239 (1945)",
    )
    yield MetricSpec(
        "ndcg",
        f"{module}:ndcg",
        of="ranking",
        summary="normalised discounted cumulative gain; the gain is the true score",
        reference="Järvelin & Kekäläinen, ACM Trans. Inf. Syst. 20:422 (2002)",
    )
    yield MetricSpec(
        "top-10-percent",
        f"{module}:top_tenth_overlap",
        of="ranking",
        summary=(
            "share of the tenth predicted highest that is in the true highest tenth; 200 genes or"
            " more"
        ),
    )
    yield MetricSpec(
        "with-abundance",
        f"{module}:with_abundance",
        of="ranking",
        direction="lower",
        best=0.0,
        low=-1.0,
        tasks=("response-size",),
        summary=(
            "Spearman's correlation of predicted scores with the abundance of the removed gene:"
            " whether they only follow that"
        ),
        descriptive=True,
    )


def task_specs() -> Iterator[TaskSpec]:
    """The built-in tasks; each has a section in docs/tasks.md."""
    yield TaskSpec(
        "profile",
        f"{_TASKS}:profile",
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
        f"{_TASKS}:knockout_profile",
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
        f"{_TASKS}:knockout_impact",
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
        f"{_TASKS}:keystone",
        of="ranking",
        asks="singles",
        truth="counterfactual",
        primary=("spearman",),
        floors=_IMPACT_FLOORS,
        lines=("truth", "replicate", "gene-oracle"),
        block="gene",
        summary="ranking of genes by the mean impact of their knockout",
    )
    yield from response_task_specs()


def floor_specs() -> Iterator[PredictorSpec]:
    """The trivial predictors, each run for every task that lists it."""
    yield _floor(
        "uniform", "profile:Uniform", ("expression",), "every present gene has the same share"
    )
    yield _floor(
        "masked-mean",
        "profile:MaskedMean",
        ("expression",),
        "each gene's mean share among cells that express it",
    )
    yield _floor(
        "masked-mean-depth",
        "profile:MaskedMeanDepth",
        ("expression",),
        "masked-mean with a shrunken slope on log number of genes on",
    )
    yield _floor(
        "no-effect",
        "knockout:NoEffect",
        ("knockout",),
        "the cell's own profile without the removed gene: nothing responds",
    )
    yield _floor(
        "presence-contrast",
        "knockout:PresenceContrast",
        ("knockout",),
        "difference of each gene's mean between cells without and with the removed gene, added to"
        " the cell's own values",
    )
    yield _floor(
        "own-share",
        "impact:OwnShare",
        ("impact",),
        "the removed gene's share of the cell's own profile",
    )
    both = ("impact", "genes")
    yield _floor("abundance", "impact:Abundance", both, "the gene's mean share over all cells")
    yield _floor("detection", "impact:Detection", both, "the share of cells that express the gene")
    yield _floor(
        "abs-correlation",
        "impact:AbsCorrelation",
        both,
        "the gene's mean absolute correlation with the others",
    )
    yield replace(
        _floor(
            "random",
            "impact:Random",
            ("impact", "interaction", "genes"),
            "numbers drawn from the seed",
        ),
        order_matters=True,
    )
    yield from response_floor_specs()


def _floor(name: str, make: str, answers: tuple[str, ...], summary: str) -> PredictorSpec:
    return PredictorSpec(name, f"{_FLOORS}.{make}", summary=summary, answers=answers, floor=True)
