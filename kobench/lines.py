"""Reference lines: answers that the dataset itself gives. The truth, a replicate, and the true mean impact of each gene."""

from __future__ import annotations

import numpy as np

from kobench.cells import FloatArray, IntArray, Knockouts, bray_curtis, normalise_rows
from kobench.truth import Answers, Counterfactual, Dataset, Profiles, Singles

LINES = ("truth", "replicate", "gene-oracle")

#: Events are simulated in parts of at most this many numbers (64 MB).
NUMBERS_A_PART = 8_000_000


def line_answers(name: str, question: Profiles | Singles, dataset: Dataset, asked_rows: IntArray) -> Answers | None:
    """Answers of the line `name` to a question; None where the dataset or the question offers no such line.

    truth : the question's own truth. replicate : the same cells drawn again with new noise. gene-oracle : every event gets the true mean
    impact of its gene, the same for all cells. asked_rows : (m,) rows of the dataset's cells that are asked.
    Raises ValueError for an unknown name.
    """
    if name not in LINES:
        raise ValueError(f"unknown line {name!r}; known lines are {', '.join(LINES)}")
    if isinstance(question, Profiles):
        return _of_profiles(name, question, dataset)
    if name == "truth":
        return _whole(question, question.raw, question.propagated, question.wild_type, question.knockout)
    if name == "gene-oracle":
        genes = question.events.genes[:, 0]
        raw, propagated = question.gene_means(question.raw), question.gene_means(question.propagated)
        return _whole(question, raw[genes], propagated[genes], gene_scores=propagated)
    truth = None if dataset.replicate is None else dataset.replicate().truth
    return None if truth is None else _simulated(question, truth, np.asarray(asked_rows))


def _whole(
    question: Singles,
    raw: FloatArray,
    propagated: FloatArray,
    wild_type: FloatArray | None = None,
    rows: FloatArray | None = None,
    gene_scores: FloatArray | None = None,
) -> Answers:
    supported = np.ones(question.cells.n_vars, bool)
    return Answers(wild_type=wild_type, raw=raw, propagated=propagated, rows=rows, gene_scores=gene_scores, supported=supported)


def _of_profiles(name: str, question: Profiles, dataset: Dataset) -> Answers | None:
    if name == "truth":
        return Answers(profile=question.true)
    if name == "replicate" and dataset.replicate is not None:
        return Answers(profile=dataset.replicate().cells[question.rows].profiles())
    return None


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
        raw[part], propagated[part] = bray_curtis(after, wild_type[chunk.cells]), bray_curtis(after, null)
        sampled = np.flatnonzero((question.sample >= start) & (question.sample < start + step))
        rows[sampled] = after[question.sample[sampled] - start]
    return _whole(question, raw, propagated, wild_type, rows)
