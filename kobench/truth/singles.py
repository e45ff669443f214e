"""The single-knockout question of one dataset and split, with its truth and its reference lines."""

from __future__ import annotations

import numpy as np

from kobench.cells import BoolArray, FloatArray, IntArray, Knockouts, bray_curtis, normalise_rows
from kobench.dataset import Counterfactual, Dataset
from kobench.errors import UserError
from kobench.question import Answers, QuestionSet, Singles
from kobench.truth.build import ROW_LIMIT, Material
from kobench.truth.events import every_single, ranks_of, sample_singles
from kobench.units import TOLERANCE
from kobench.worker.derive import chunks

#: Events are simulated again in parts of at most this many numbers (64 MB).
NUMBERS_A_PART = 8_000_000


def sample_rows(n_events: int, n_genes: int, limit: int = ROW_LIMIT) -> IntArray:
    """Which events' full rows are compared: all within the limit, else a fixed sample, sorted.

    Parameters
    ----------
    n_events, n_genes : int
        How many events there are, and how long a row is.
    limit : int
        The most numbers that are compared.

    Returns
    -------
    (s,) int
        Places among the events.
    """
    most = max(1, limit // max(1, n_genes))
    if n_events <= most:
        return np.arange(n_events)
    return np.sort(np.random.default_rng(0).choice(n_events, most, replace=False))


def ask_singles(
    dataset: Dataset,
    asked: IntArray,
    limit: int = ROW_LIMIT,
    most: int | None = None,
    seed: int | None = None,
) -> Singles:
    """Single knockouts of the asked cells, with the counterfactual truth.

    Genes are asked where they are read as present in the observed cell; wild type, null and
    knockout come from the same clean cell. Events without a steady state are left out for everybody
    and counted.

    Parameters
    ----------
    dataset : Dataset
        With a counterfactual truth.
    asked : (m,) int
        Rows of the asked cells.
    limit : int
        See `sample_rows`.
    most : int or None
        The most knockouts that are asked, drawn at random; None for every one.
    seed : int or None
        Seed of that draw; None for 0.

    Raises
    ------
    UserError
        Where the dataset has no counterfactual truth.
    """
    truth = dataset.truth
    if truth is None:
        raise UserError(
            "this dataset has no counterfactual truth, so knockouts can't be scored; use `kobench"
            " predict` to ask for them"
        )
    cells = dataset.cells[asked]
    events, available = every_single(cells), None
    if most is not None:
        events, available = sample_singles(cells, most, seed or 0)
    assert events.cells is not None
    n_genes = cells.n_vars
    wild_type = normalise_rows(truth.wild_type(asked))
    raw, propagated = np.full(len(events), np.nan), np.full(len(events), np.nan)
    by_name = ranks_of(cells.var_names)  # the sample is of names, wherever their columns stand
    keep = np.sort(
        np.lexsort((by_name[events.genes[:, 0]], events.cells))[
            sample_rows(len(events), n_genes, limit)
        ]
    )
    place = np.full(len(events), -1, np.int64)
    place[keep] = np.arange(len(keep))
    knockout, null = np.zeros((len(keep), n_genes)), np.zeros((len(keep), n_genes))
    for part in chunks(events.cells, n_genes, rows=True):
        chunk = events[part]
        assert chunk.cells is not None
        clean = truth.knockout(Knockouts(chunk.genes, asked[chunk.cells].astype(np.int32)))
        solved: BoolArray = np.asarray(np.isfinite(clean).all(axis=1))
        after = normalise_rows(np.where(solved[:, None], clean, 0))
        nothing_responds = normalise_rows(chunk.remove_from(wild_type))
        at = np.arange(part.start, part.stop)
        raw[at[solved]] = bray_curtis(after, wild_type[chunk.cells])[solved]
        propagated[at[solved]] = bray_curtis(after, nothing_responds)[solved]
        kept = place[at] >= 0
        knockout[place[at[kept]]], null[place[at[kept]]] = after[kept], nothing_responds[kept]
    found: BoolArray = ~np.isnan(raw)
    position = np.cumsum(found) - 1
    sampled_found = found[keep]
    return Singles(
        cells=cells,
        events=events[np.flatnonzero(found)],
        sample=position[keep[sampled_found]],
        wild_type=wild_type,
        raw=clip_small(raw[found]),
        propagated=clip_small(propagated[found]),
        knockout=knockout[sampled_found],
        null=null[sampled_found],
        unsolved=int((~found).sum()),
        available=available if available is not None and available > len(events) else None,
    )


def clip_small(impacts: FloatArray) -> FloatArray:
    """Impacts with everything below the solver's tolerance set to 0."""
    return np.where(impacts < TOLERANCE, 0.0, impacts)


def build(row: QuestionSet, material: Material) -> Singles:
    """The single knockouts of the asked cells; see `kobench.truth.build.build`."""
    return ask_singles(
        material.dataset,
        material.asked,
        material.row_limit,
        material.events,
        material.questions_seed,
    )


def answer_line(line: str, question: Singles, material: Material) -> Answers | None:
    """The truth, its mean for each gene, and another draw; see `kobench.truth.references`."""
    if line == "truth":
        return _whole(
            question, question.raw, question.propagated, question.wild_type, question.knockout
        )
    if line == "gene-oracle":
        genes = question.events.genes[:, 0]
        raw, propagated = (
            question.gene_means(question.raw),
            question.gene_means(question.propagated),
        )
        return _whole(question, raw[genes], propagated[genes], gene_scores=propagated)
    if line == "replicate" and (truth := material.replicated_truth()) is not None:
        return _simulated(question, truth, material.asked)
    return None


def _whole(
    question: Singles,
    raw: FloatArray,
    propagated: FloatArray,
    wild_type: FloatArray | None = None,
    rows: FloatArray | None = None,
    gene_scores: FloatArray | None = None,
) -> Answers:
    """Answers in which every gene is supported."""
    return Answers(
        wild_type=wild_type,
        raw=raw,
        propagated=propagated,
        rows=rows,
        gene_scores=gene_scores,
        supported=np.ones(question.cells.n_vars, bool),
    )


def _simulated(question: Singles, truth: Counterfactual, asked_rows: IntArray) -> Answers:
    """The answers of another draw of the same cells, simulated as the truth is.

    An event that reaches no steady state in this draw is answered by its null: nothing responds.
    """
    events = question.events
    assert events.cells is not None
    wild_type = normalise_rows(truth.wild_type(asked_rows))
    raw, propagated = np.empty(len(events)), np.empty(len(events))
    rows = np.empty((len(question.sample), question.cells.n_vars))
    step = max(1, NUMBERS_A_PART // max(1, question.cells.n_vars))
    for start in range(0, len(events), step):
        part = slice(start, start + step)
        chunk = events[part]
        assert chunk.cells is not None
        null = normalise_rows(chunk.remove_from(wild_type))
        clean = truth.knockout(Knockouts(chunk.genes, asked_rows[chunk.cells].astype(np.int32)))
        solved = np.isfinite(clean).all(axis=1, keepdims=True)
        after = np.where(solved, normalise_rows(np.where(solved, clean, 0.0)), null)
        raw[part], propagated[part] = (
            bray_curtis(after, wild_type[chunk.cells]),
            bray_curtis(after, null),
        )
        sampled = np.flatnonzero((question.sample >= start) & (question.sample < start + step))
        rows[sampled] = after[question.sample[sampled] - start]
    return _whole(question, raw, propagated, wild_type, rows)
