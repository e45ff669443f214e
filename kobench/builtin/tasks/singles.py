"""The tasks of single knockouts: profiles, impacts of events, and a ranking of genes."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import stdtrit

from kobench.api import (
    ImpactUnits,
    ProfileUnits,
    RankingUnits,
    Singles,
    TaskUnits,
    TaskView,
    Units,
)
from kobench.builtin.tasks.values import (
    DIGITS,
    counted,
    must_be_finite,
    supported_genes,
    without_noise,
)
from kobench.cells import FloatArray, IntArray
from kobench.units import MIN_CELLS


def knockout_profile(view: TaskView) -> TaskUnits:
    """Profiles after single knockouts; a unit is an event whose full row is compared."""
    question, answers = view.asked(Singles), view.answers
    cells, genes = _cells_and_genes(question)
    cells, genes = cells[question.sample], genes[question.sample]
    if answers.rows is None:
        return TaskUnits({}, len(genes), 0)
    kept = np.flatnonzero(supported_genes(answers, question.cells.n_vars)[genes])
    present = question.cells.assemblages()[cells[kept]]
    present[np.arange(len(kept)), genes[kept]] = False
    units = ProfileUnits(
        predicted=must_be_finite(answers.rows[kept], "rows of supported genes"),
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
    kept = np.flatnonzero(supported_genes(answers, question.cells.n_vars)[genes])
    variants: dict[str, Units] = {}
    for variant, true, given in (
        ("", question.propagated, answers.propagated),
        ("raw", question.raw, answers.raw),
    ):
        if given is not None:
            predicted = without_noise(must_be_finite(given[kept], "impacts of supported genes"))
            variants[variant] = ImpactUnits(
                predicted, without_noise(true[kept]), cells[kept], genes[kept]
            )
    asked_in = np.bincount(genes, minlength=1)
    few = int(((asked_in > 0) & (asked_in < MIN_CELLS)).sum())
    left_out = counted(
        {
            "cells with one true impact": _constant_groups(cells, question.propagated),
            "genes with one true impact": _constant_groups(genes, question.propagated),
            f"genes asked in under {MIN_CELLS} cells": few,
        }
    )
    return TaskUnits(variants, len(genes), len(kept) if "" in variants else 0, left_out)


def keystone(view: TaskView) -> TaskUnits:
    """Ranking of genes by the mean impact of their knockout; a unit is a gene.

    Asked are the genes that `MIN_CELLS` asked cells or more express. Variants: "" (mean propagated
    impact over the asked cells that express the gene), "raw" (the same of raw impacts), and
    "population" (mean propagated impact over all asked cells, 0 in cells without the gene).

    Scores that the predictor gives itself (`score_genes`) are its ranking in place of its mean
    propagated impact. In the other variants they stand in where it gives no impacts to average.
    """
    question, answers = view.asked(Singles), view.answers
    asked_in = np.bincount(_cells_and_genes(question)[1], minlength=question.cells.n_vars)
    asked = np.flatnonzero(asked_in >= MIN_CELLS)
    kept = asked[supported_genes(answers, question.cells.n_vars)[asked]]
    variants: dict[str, Units] = {}
    for variant, (true, predicted) in _rankings(view, asked_in).items():
        if predicted is not None:
            scores = must_be_finite(predicted[kept], "gene scores of supported genes")
            variants[variant] = RankingUnits(scores, true[kept], kept)
    few = int(((asked_in > 0) & (asked_in < MIN_CELLS)).sum())
    left_out = counted({f"genes asked in under {MIN_CELLS} cells": few})
    impacts = answers.propagated
    table = None if impacts is None else _gene_table(question, kept, impacts)
    return TaskUnits(
        variants, len(asked), len(kept) if "" in variants else 0, left_out, table=table
    )


def _rankings(
    view: TaskView, asked_in: IntArray
) -> dict[str, tuple[FloatArray, FloatArray | None]]:
    """Variant -> true and predicted score of each gene, both (G,); None where none is given."""
    question, answers = view.asked(Singles), view.answers
    share = asked_in / max(question.cells.n_obs, 1)
    true = _means(question, question.propagated)
    propagated, raw = (
        None if impacts is None else _means(question, impacts)
        for impacts in (answers.propagated, answers.raw)
    )
    scores = answers.gene_scores
    return {
        "": (true, propagated if scores is None else scores),
        "raw": (_means(question, question.raw), scores if raw is None else raw),
        "population": (true * share, scores if propagated is None else propagated * share),
    }


def _gene_table(question: Singles, genes: IntArray, impacts: FloatArray) -> dict[str, list[Any]]:
    """One row a gene: its cells, and its mean propagated impact, true and predicted.

    Each mean comes with a 95 % t interval over the cells that express the gene.
    """
    cells = np.bincount(_cells_and_genes(question)[1], minlength=question.cells.n_vars)[genes]
    columns: dict[str, list[Any]] = {
        "gene": [str(question.cells.var_names[gene]) for gene in genes],
        "cells": cells.tolist(),
    }
    degrees = np.maximum(cells, 2) - 1
    for name, values in (("true", question.propagated), ("predicted", impacts)):
        known = np.nan_to_num(without_noise(values))
        mean = question.gene_means(known)[genes]
        variance = np.maximum(question.gene_means(known**2)[genes] - mean**2, 0.0)
        half = stdtrit(degrees, 0.975) * np.sqrt(variance / degrees)
        columns |= {
            name: mean.tolist(),
            f"{name}_low": (mean - half).tolist(),
            f"{name}_high": (mean + half).tolist(),
        }
    return columns


def _cells_and_genes(question: Singles) -> tuple[IntArray, IntArray]:
    """(n,) the asked cell and (n,) the removed gene of each event."""
    if question.events.cells is None or question.events.order != 1:
        raise TypeError("single-knockout events name one cell and one gene each")
    return question.events.cells.astype(np.int64), question.events.genes[:, 0].astype(np.int64)


def _means(question: Singles, impacts: FloatArray) -> FloatArray:
    """(G,) mean impact of each gene."""
    # rounded again: sums of equal impacts may differ in their last digits
    return np.round(question.gene_means(without_noise(impacts)), DIGITS)


def _constant_groups(ids: IntArray, values: FloatArray) -> int:
    """In how many groups all values (n,) are equal; `ids` (n,) says which group each is in."""
    if len(ids) == 0:
        return 0
    order = np.lexsort((values, ids))
    ids, values = ids[order], without_noise(values)[order]
    first = np.flatnonzero(np.diff(ids, prepend=ids[0] - 1))
    last = np.append(first[1:] - 1, len(ids) - 1)
    return int((values[first] == values[last]).sum())
