"""Every built-in floor (a trivial predictor) in one list. Nothing that it names is imported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kobench.specs import PredictorSpec

_FLOORS = "kobench.builtin.floors"


def floor_specs() -> Iterator[PredictorSpec]:
    """The floors in the order of lists and boards; a task names those that count for it."""
    yield from _profile_floors()
    yield from _knockout_floors()
    yield from _response_floors()
    yield from _interaction_floors()


def _profile_floors() -> Iterator[PredictorSpec]:
    """Of wild-type profiles."""
    of = ("expression",)
    yield _floor("uniform", "profile:Uniform", of, "every present gene has the same share")
    yield _floor(
        "masked-mean",
        "profile:MaskedMean",
        of,
        "each gene's mean share among cells that express it",
    )
    yield _floor(
        "masked-mean-depth",
        "profile:MaskedMeanDepth",
        of,
        "masked-mean with a shrunken slope on log number of genes on",
    )
    yield _floor(
        "masked-median",
        "medians:MaskedMedian",
        of,
        "each gene's median share among cells that express it: the best constant row for"
        " Bray-Curtis",
    )
    yield _floor(
        "masked-median-depth",
        "medians:MaskedMedianDepth",
        of,
        "masked-median with a shrunken slope on log number of genes on",
    )


def _knockout_floors() -> Iterator[PredictorSpec]:
    """Of single knockouts: profiles, impacts and scores of genes."""
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
    yield _floor(
        "relative-share",
        "impact:RelativeShare",
        ("impact",),
        "the removed gene's share over the mean share of the genes that are on in the cell",
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
    yield _floor(
        "random",
        "impact:Random",
        ("impact", "interaction", "genes"),
        "numbers drawn from the seed",
        order_matters=True,
    )


def _response_floors() -> Iterator[PredictorSpec]:
    """Of the population tasks: directions of change, and scores of genes."""
    yield _direction(
        "covariance",
        "Covariance",
        "minus the covariance of shares with the removed gene over wild-type cells",
    )
    yield _direction("plus-mean", "PlusMean", "the mean profile, whichever gene is removed")
    yield _direction("minus-mean", "MinusMean", "minus the mean profile, whichever gene is removed")
    yield _direction(
        "batch-trend",
        "BatchTrend",
        "the slope of mean profiles along the batches, whichever gene is removed",
    )
    for cells, more in ((40, ""), (300, "-300")):
        for name, make, how in (
            ("call-all", "CallAll", "every gene moved up and down in turn by abundance"),
            (
                "call-common",
                "CallCommon",
                "the most abundant 30 % of the genes moved up and down in turn by abundance",
            ),
            ("call-down", "CallDown", "every gene moved down"),
        ):
            yield _floor(
                f"{name}{more}",
                f"calling:{make}{cells if more else ''}",
                ("response",),
                f"{how}, by 2.5 standard errors of its mean over {cells} cells, whichever gene is"
                " removed",
            )
    yield _gene_scores(
        "minus-abundance", "MinusAbundance", "minus the gene's mean share over all cells"
    )
    yield _gene_scores(
        "minus-detection", "MinusDetection", "minus the share of cells that express the gene"
    )


def _interaction_floors() -> Iterator[PredictorSpec]:
    """Of several knockouts at once; `random` counts there as well."""
    of = ("interaction",)
    yield _floor(
        "smaller-single",
        "interaction:SmallerSingle",
        of,
        "the smallest impact of the single knockouts by the presence contrast",
    )
    yield _floor(
        "smaller-share",
        "interaction:SmallerShare",
        of,
        "the smallest share of a removed gene in the cell's own profile",
    )


def _direction(name: str, make: str, summary: str) -> PredictorSpec:
    """A floor that answers the direction of a population's change; directions add up."""
    return _floor(name, f"response:{make}", ("response",), summary, response="direction")


def _gene_scores(name: str, make: str, summary: str) -> PredictorSpec:
    """A floor that scores single genes, which says nothing about several removed at once."""
    return _floor(name, f"response:{make}", ("genes",), summary, response="direction", max_order=1)


def _floor(
    name: str, make: str, answers: tuple[str, ...], summary: str, **more: Any
) -> PredictorSpec:
    """The record of one floor; `make` is its class within the folder of floors."""
    return PredictorSpec(
        name, f"{_FLOORS}.{make}", summary=summary, answers=answers, floor=True, **more
    )
