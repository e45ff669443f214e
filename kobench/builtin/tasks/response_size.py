"""The task `response-size`: how strong each perturbation is."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from math import factorial

import numpy as np

from kobench.api import RankingUnits, Responses, TaskUnits, TaskView, Units
from kobench.builtin.tasks.population import (
    nothing_note,
    plain,
    predicted_changes,
    supported_perturbations,
    table_of,
    unasked_notes,
)
from kobench.builtin.tasks.values import must_be_finite, without_noise
from kobench.cells import BoolArray, FloatArray

#: Fewer perturbations are not ranked by size: chance alone spreads too far.
MIN_TO_RANK = 20

#: Below this many perturbations the spread of chance is printed.
BAND_BELOW = 50

#: Orders drawn for that spread, where there are too many to go through all of them.
ORDERS = 10_000


@dataclass(frozen=True, eq=False)
class NoisyRanking(RankingUnits):
    """Perturbations whose true sizes were measured with noise.

    What an answer without error would score is not known, and it is not 1: rank correlations of
    halves tell no ceiling, see `kobench.builtin.metrics.delta.ProductCorrelation`.

    Attributes
    ----------
    halves : empty tuple
        That it is there says that the truth has noise.
    """

    halves: tuple[()] = ()


def response_size(view: TaskView) -> TaskUnits:
    """How strong each perturbation is; a unit is a perturbation.

    Variants: "", "propagated" and "raw". The last two are the predictor's mean impacts. "" takes
    the first of these that it gives: its own scores of genes, where each perturbation removes one
    gene; the Euclidean length of its predicted mean change, if that is in units of the profile; its
    mean propagated impact.
    """
    question, answers = view.asked(Responses), view.answers
    kept = supported_perturbations(view)
    k = len(kept)
    name, unranked, band = _read_size(question)
    notes = (*([unranked] if unranked else []), *band, *unasked_notes(question))
    if k < 3:
        table = table_of(question, {})
        return TaskUnits({}, k, 0, question.left_out, None, notes, table, unranked)
    given = {"": _sizes(view, kept)}
    for variant, impacts in (("propagated", answers.propagated), ("raw", answers.raw)):
        given[variant] = None if impacts is None else _impacts(view, impacts, kept)
    variants: dict[str, Units] = {}
    for variant, sizes in given.items():
        if sizes is not None:
            rows = np.flatnonzero(np.isfinite(sizes))
            shown = " ".join(word for word in (name, variant) if word)
            units = NoisyRanking if question.noisy else RankingUnits
            variants[shown] = units(
                sizes[rows], question.size[rows], rows, question.abundance[rows]
            )
    main = given[""]
    answered = 0 if main is None else int(np.isfinite(main).sum())
    columns = {} if main is None else {"predicted": plain(main)}
    table = table_of(question, columns)
    return TaskUnits(variants, k, answered, question.left_out, None, notes, table, unranked)


def _read_size(question: Responses) -> tuple[str, str, tuple[str, ...]]:
    """What the truth allows: the variant in which sizes are shown, why nobody is ranked, and notes.

    The first two are "" where sizes are ranked.
    """
    k = len(question.names)
    band = (chance_note(k),) if 3 <= k < BAND_BELOW else ()
    if k == 0:
        return "none", nothing_note(question), ()
    if k == 1:
        single = "a single perturbation: nothing to compare it with, no skill, no rank"
        return "single", single, ()
    if question.confounded:
        return "confounded", f"confounded: no skill, no rank ({question.confounded})", band
    if k < MIN_TO_RANK:
        return "unranked", f"{k} perturbations: fewer than {MIN_TO_RANK}, so not ranked", band
    return "", "", band


def chance_note(k: int) -> str:
    """A sentence on how far Spearman's correlation of k perturbations spreads by chance."""
    reach = chance_band(k)
    return (
        f"by chance alone, spearman over {k} perturbations lies between {-reach:.2f} and"
        f" {reach:.2f} in 95 % of cases"
    )


def chance_band(k: int) -> float:
    """How far Spearman's correlation of two orders of k items strays by chance.

    Parameters
    ----------
    k : int
        Number of items, without ties; 2 or more.

    Returns
    -------
    float
        The 95 % quantile of the absolute correlation when one order is random: over all orders
        where there are no more than `ORDERS`, else over `ORDERS` drawn with a fixed seed.
    """
    if factorial(k) <= ORDERS:
        orders = np.array(list(permutations(range(k))))
    else:
        orders = np.random.default_rng(k).permuted(np.tile(np.arange(k), (ORDERS, 1)), axis=1)
    rho = 1 - 6 * ((orders - np.arange(k)) ** 2).sum(axis=1) / (k**3 - k)
    return float(np.quantile(np.abs(rho), 0.95, method="inverted_cdf"))


def _sizes(view: TaskView, kept: BoolArray) -> FloatArray | None:
    """(k,) predicted size of each perturbation, NaN where none is given; None without any."""
    question, answers = view.asked(Responses), view.answers
    single = np.array([len(targets) == 1 for targets in question.targets])
    of_genes = None
    if answers.gene_scores is not None and (single & kept).any():
        first = np.array([targets[0] for targets in question.targets])
        of_genes = np.where(single & kept, answers.gene_scores[first], np.nan)
        must_be_finite(of_genes[single & kept], "gene scores of supported perturbations")
        if single.all():
            return of_genes
    if answers.response is not None and answers.response_kind == "profile-change":
        length = np.sqrt(np.nansum(predicted_changes(view, kept) ** 2, axis=1))
        return np.where(kept, length, np.nan)
    if answers.propagated is not None:
        return _impacts(view, answers.propagated, kept)
    return of_genes  # the scores of single genes, which say nothing about several at once


def _impacts(view: TaskView, impacts: FloatArray, kept: BoolArray) -> FloatArray:
    """(k,) mean impact of each perturbation, NaN where not answered."""
    means = view.asked(Responses).of_perturbations(impacts)
    must_be_finite(means[kept], "impacts of supported perturbations")
    return np.where(kept, without_noise(means), np.nan)
