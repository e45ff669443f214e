"""Every built-in metric, one list by what it scores. Nothing that it names is imported."""

from __future__ import annotations

from collections.abc import Iterator

from kobench.builtin.specs.screens import screen_metrics
from kobench.specs import MetricSpec

_PROFILE = "kobench.builtin.metrics.profile"
_IMPACT = "kobench.builtin.metrics.impact"
_RANKING = "kobench.builtin.metrics.ranking"
_RESPONSE = "kobench.builtin.metrics.response"
_INTERACTION = "kobench.builtin.metrics.interaction"

_DKO = "arXiv 2510.03359"
_GEARS = "Roohani et al., Nat. Biotechnol. 42:927 (2024)"
_SYSTEMA = "Viñas Torné et al., Nat. Biotechnol. (2025), doi:10.1038/s41587-025-02777-8"


def metric_specs() -> Iterator[MetricSpec]:
    """The metrics in the order of lists, boards and docs/metrics.md, where each has a section."""
    yield from _profile_metrics()
    yield from _impact_metrics()
    yield from _ranking_metrics()
    yield from _response_metrics()
    yield from _interaction_metrics()
    yield from screen_metrics()


def _profile_metrics() -> Iterator[MetricSpec]:
    """How alike predicted and true profiles are."""
    yield MetricSpec(
        "bray-curtis",
        f"{_PROFILE}:bray_curtis",
        of="profile",
        direction="lower",
        best=0.0,
        summary="mean over rows of sum|a-b| / sum(a+b)",
        reference="Bray & Curtis, Ecol. Monogr. 27:325 (1957)",
    )
    yield MetricSpec(
        "jensen-shannon",
        f"{_PROFILE}:jensen_shannon",
        of="profile",
        direction="lower",
        best=0.0,
        summary="mean over rows of the Jensen-Shannon divergence, base 2",
        reference="Lin, IEEE Trans. Inf. Theory 37:145 (1991)",
    )
    yield MetricSpec(
        "rmse",
        f"{_PROFILE}:rmse",
        of="profile",
        direction="lower",
        best=0.0,
        summary="mean over rows of the root mean square difference",
    )
    yield MetricSpec(
        "pearson",
        f"{_PROFILE}:pearson",
        of="profile",
        low=-1.0,
        summary="mean over rows of Pearson's correlation over the present genes",
    )
    yield MetricSpec(
        "spearman",
        f"{_PROFILE}:spearman",
        of="profile",
        low=-1.0,
        summary="mean over rows of Spearman's correlation over the present genes",
    )
    yield MetricSpec(
        "spearman-pooled",
        f"{_PROFILE}:spearman_pooled",
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
        "kobench.builtin.metrics.coexpression:coexpression",
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
        f"{_PROFILE}:explained_change",
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
    """How well the impact of each knockout event is predicted."""
    yield MetricSpec(
        "spearman-within-cell",
        f"{_IMPACT}:spearman_within_cell",
        of="impact",
        low=-1.0,
        summary="mean over cells of Spearman's correlation over the cell's genes",
    )
    yield MetricSpec(
        "spearman-within-gene",
        f"{_IMPACT}:spearman_within_gene",
        of="impact",
        low=-1.0,
        summary=(
            "mean over genes asked in 10 cells or more of Spearman's correlation over the gene's"
            " cells"
        ),
    )
    yield MetricSpec(
        "spearman-pooled",
        f"{_IMPACT}:spearman_pooled",
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
        f"{_IMPACT}:mae",
        of="impact",
        direction="lower",
        best=0.0,
        high=float("inf"),
        summary="mean absolute error over events",
    )
    yield MetricSpec(
        "auprc",
        f"{_IMPACT}:auprc",
        of="impact",
        summary="average precision of finding the events whose true impact is above 0",
    )


def _ranking_metrics() -> Iterator[MetricSpec]:
    """How well genes, or perturbations, are put in order."""
    yield MetricSpec(
        "spearman",
        f"{_RANKING}:spearman",
        of="ranking",
        low=-1.0,
        summary="Spearman's correlation of predicted and true scores",
    )
    yield MetricSpec(
        "kendall",
        f"{_RANKING}:kendall",
        of="ranking",
        low=-1.0,
        summary="Kendall's tau-b of predicted and true scores",
        reference="Kendall, Biometrika 33:239 (1945)",
    )
    yield MetricSpec(
        "ndcg",
        f"{_RANKING}:ndcg",
        of="ranking",
        summary="normalised discounted cumulative gain; the gain is the true score",
        reference="Järvelin & Kekäläinen, ACM Trans. Inf. Syst. 20:422 (2002)",
    )
    yield MetricSpec(
        "top-10-percent",
        f"{_RANKING}:top_tenth_overlap",
        of="ranking",
        summary=(
            "share of the tenth predicted highest that is in the true highest tenth; 200 genes or"
            " more"
        ),
        tolerance=0.0,
    )
    yield MetricSpec(
        "with-abundance",
        f"{_RANKING}:with_abundance",
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


def _response_metrics() -> Iterator[MetricSpec]:
    """How well the mean change of every gene in each perturbation is predicted."""
    yield MetricSpec(
        "pearson-delta-centred",
        f"{_RESPONSE}:pearson_delta_centred",
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
        "pearson-delta-centred-unit",
        f"{_RESPONSE}:pearson_delta_centred_unit",
        of="response",
        low=-1.0,
        nothing=0.0,
        summary=(
            "the same with every change scaled to unit length first, over the perturbations in"
            " which five genes or more respond: one strong perturbation can't earn it"
        ),
        reference=_SYSTEMA,
    )
    yield MetricSpec(
        "pearson-delta",
        f"{_RESPONSE}:pearson_delta",
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
        f"{_RESPONSE}:spearman_delta",
        of="response",
        low=-1.0,
        nothing=0.0,
        summary="mean over perturbations of Spearman's correlation of changes",
    )
    yield MetricSpec(
        "cosine-delta",
        f"{_RESPONSE}:cosine_delta",
        of="response",
        low=-1.0,
        nothing=0.0,
        summary="mean over perturbations of the cosine between changes",
    )
    yield MetricSpec(
        "sign-accuracy",
        f"{_RESPONSE}:sign_accuracy",
        of="response",
        summary=(
            "mean over perturbations of the share of responding genes whose direction is right; by"
            " chance 0.5"
        ),
    )
    yield MetricSpec(
        "auprc-responding",
        f"{_RESPONSE}:auprc_responding",
        of="response",
        summary=(
            "mean over perturbations of the average precision of finding the responding genes; by"
            " chance their share"
        ),
    )
    yield MetricSpec(
        "centroid-accuracy",
        f"{_RESPONSE}:centroid_accuracy",
        version=2,
        of="response",
        summary=(
            "mean share of other perturbations whose truth is less similar to the answer than its"
            " own truth; by chance 0.5"
        ),
        reference=_SYSTEMA,
    )


def _interaction_metrics() -> Iterator[MetricSpec]:
    """How well interactions of several knockouts are predicted."""
    yield MetricSpec(
        "auprc",
        f"{_INTERACTION}:auprc",
        of="interaction",
        summary=(
            "average precision of finding the events whose true interaction is over 0.001; by"
            " chance it is their share"
        ),
    )
    yield MetricSpec(
        "spearman",
        f"{_INTERACTION}:spearman",
        of="interaction",
        low=-1.0,
        summary="Spearman's correlation over all events at once",
    )
    yield MetricSpec(
        "mae",
        f"{_INTERACTION}:mae",
        of="interaction",
        direction="lower",
        best=0.0,
        high=float("inf"),
        summary="mean absolute error over events",
    )
