"""The built-in tasks: how answers to a question become units for the metrics, and how many of the
asked units they cover.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import stdtrit

from kobench.api import (
    ImpactUnits,
    Profiles,
    ProfileUnits,
    RankingUnits,
    Singles,
    TaskUnits,
    TaskView,
    Units,
)
from kobench.cells import BoolArray, FloatArray, IntArray
from kobench.errors import InvalidAnswerError
from kobench.units import MIN_CELLS, TOLERANCE

#: Decimals of impacts that count, a thousandth of the tolerance.
DIGITS = 9


def profile(view: TaskView) -> TaskUnits:
    """Held-out wild-type profiles; a unit is a cell.

    Cells whose true profile is empty are left out for everybody.
    """
    question, answers = view.asked(Profiles), view.answers
    asked = question.true.sum(axis=1) > 0
    left_out = _counted({"cells without expression": int((~asked).sum())})
    if answers.profile is None:
        return TaskUnits({}, int(asked.sum()), 0, left_out)
    units = ProfileUnits(
        predicted=_finite(answers.profile[asked], "profiles"),
        true=question.true[asked],
        present=question.assemblages[asked],
        cells=question.rows[asked],
    )
    return TaskUnits({"": units}, len(units.cells), len(units.cells), left_out)


def knockout_profile(view: TaskView) -> TaskUnits:
    """Profiles after single knockouts; a unit is an event whose full row is compared."""
    question, answers = view.asked(Singles), view.answers
    cells, genes = _cells_and_genes(question)
    cells, genes = cells[question.sample], genes[question.sample]
    if answers.rows is None:
        return TaskUnits({}, len(genes), 0)
    kept = np.flatnonzero(_supported(view)[genes])
    present = question.cells.assemblages()[cells[kept]]
    present[np.arange(len(kept)), genes[kept]] = False
    units = ProfileUnits(
        predicted=_finite(answers.rows[kept], "rows"),
        true=question.knockout[kept],
        present=present,
        cells=cells[kept],
        genes=genes[kept],
        null=question.null[kept],
    )
    return TaskUnits({"": units}, len(genes), len(kept))


def knockout_impact(view: TaskView) -> TaskUnits:
    """Impact of every event; variants "" (propagated) and "raw". A unit is an event."""
    question, answers = view.asked(Singles), view.answers
    cells, genes = _cells_and_genes(question)
    kept = np.flatnonzero(_supported(view)[genes])
    variants: dict[str, Units] = {}
    for variant, true, given in (
        ("", question.propagated, answers.propagated),
        ("raw", question.raw, answers.raw),
    ):
        if given is not None:
            predicted = _clipped(_finite(given[kept], "impacts"))
            variants[variant] = ImpactUnits(
                predicted, _clipped(true[kept]), cells[kept], genes[kept]
            )
    n_cells = np.bincount(genes, minlength=1)
    left_out = _counted(
        {
            "cells with one true impact": _constant_groups(cells, question.propagated),
            "genes with one true impact": _constant_groups(genes, question.propagated),
            f"genes asked in under {MIN_CELLS} cells": int(
                ((n_cells > 0) & (n_cells < MIN_CELLS)).sum()
            ),
        }
    )
    return TaskUnits(variants, len(genes), len(kept) if "" in variants else 0, left_out)


def keystone(view: TaskView) -> TaskUnits:
    """Ranking of genes by mean impact over the asked cells that express them; a unit is a gene
    asked in 10 cells or more.

    Variants: "" (propagated), "raw", and "population" (mean propagated impact over all asked cells,
    0 in cells without the gene). Scores that the predictor gives itself (`score_genes`) are its
    ranking in place of its mean propagated impact, and stand in where it gives no impacts to take a
    mean of.
    """
    question, answers = view.asked(Singles), view.answers
    genes = _cells_and_genes(question)[1]
    n_genes, n_cells = question.cells.n_vars, question.cells.n_obs
    asked_in = np.bincount(genes, minlength=n_genes)
    asked = np.flatnonzero(asked_in >= MIN_CELLS)
    kept = asked[_supported(view)[asked]]
    share = asked_in / max(n_cells, 1)

    true_propagated, true_raw = (
        _means(question, impacts) for impacts in (question.propagated, question.raw)
    )
    propagated, raw = (
        None if impacts is None else _means(question, impacts)
        for impacts in (answers.propagated, answers.raw)
    )
    scores = answers.gene_scores
    rankings = {
        "": (true_propagated, propagated if scores is None else scores),
        "raw": (true_raw, scores if raw is None else raw),
        "population": (
            true_propagated * share,
            scores if propagated is None else propagated * share,
        ),
    }
    variants: dict[str, Units] = {
        variant: RankingUnits(_finite(predicted[kept], "gene scores"), true[kept], kept)
        for variant, (true, predicted) in rankings.items()
        if predicted is not None
    }
    left_out = _counted(
        {
            f"genes asked in under {MIN_CELLS} cells": int(
                ((asked_in > 0) & (asked_in < MIN_CELLS)).sum()
            )
        }
    )
    table = None if propagated is None else _gene_table(question, kept, answers.propagated)
    return TaskUnits(
        variants, len(asked), len(kept) if "" in variants else 0, left_out, table=table
    )


def _gene_table(
    question: Singles, genes: IntArray, impacts: FloatArray | None
) -> dict[str, list[Any]]:
    """True and predicted mean propagated impact of each gene, with 95 % t intervals over the cells
    that express it.
    """
    columns: dict[str, list[Any]] = {
        "gene": [str(question.cells.var_names[gene]) for gene in genes]
    }
    of_gene = _cells_and_genes(question)[1]
    columns["cells"] = np.bincount(of_gene, minlength=question.cells.n_vars)[genes].tolist()
    for name, values in (("true", question.propagated), ("predicted", impacts)):
        if values is None:
            continue
        known = np.nan_to_num(_clipped(values))
        count = np.maximum(np.bincount(of_gene, minlength=question.cells.n_vars)[genes], 2)
        mean = question.gene_means(known)[genes]
        spread = np.sqrt(
            np.maximum(question.gene_means(known**2)[genes] - mean**2, 0.0) / (count - 1)
        )
        half = stdtrit(count - 1, 0.975) * spread
        columns |= {
            name: mean.tolist(),
            f"{name}_low": (mean - half).tolist(),
            f"{name}_high": (mean + half).tolist(),
        }
    return columns


def _cells_and_genes(question: Singles) -> tuple[IntArray, IntArray]:
    if question.events.cells is None or question.events.order != 1:
        raise TypeError("single-knockout events name one cell and one gene each")
    return question.events.cells.astype(np.int64), question.events.genes[:, 0].astype(np.int64)


def _supported(view: TaskView) -> BoolArray:
    """(G,) which genes these answers cover: all of them where nothing is said."""
    if view.answers.supported is None:
        return np.ones(view.asked(Singles).cells.n_vars, bool)
    return np.asarray(view.answers.supported, bool)


def _clipped(impacts: FloatArray) -> FloatArray:
    """Ties are ties: below the tolerance is 0, and the last digits, which are rounding noise, rank
    nothing.
    """
    values = np.asarray(impacts, np.float64)
    return np.where(values < TOLERANCE, 0.0, np.round(values, DIGITS))


def _means(question: Singles, impacts: FloatArray) -> FloatArray:
    """(G,) mean impact of each gene; equal impacts give equal means, though their sums round
    differently.
    """
    return np.round(question.gene_means(_clipped(impacts)), DIGITS)


def _finite(values: FloatArray, what: str) -> FloatArray:
    bad = ~np.isfinite(values)
    if bad.any():
        raise InvalidAnswerError(
            f"{int(bad.sum())} of {bad.size} {what} of supported genes are not finite; expected"
            " none"
        )
    return values


def _constant_groups(ids: IntArray, values: FloatArray) -> int:
    """In how many groups all values are equal."""
    if len(ids) == 0:
        return 0
    order = np.lexsort((values, ids))
    ids, values = ids[order], _clipped(values)[order]
    first = np.flatnonzero(np.diff(ids, prepend=ids[0] - 1))
    last = np.append(first[1:] - 1, len(ids) - 1)
    return int((values[first] == values[last]).sum())


def _counted(reasons: dict[str, int]) -> dict[str, int]:
    return {reason: count for reason, count in reasons.items() if count}
