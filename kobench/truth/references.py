"""Reference lines, answers that the dataset itself gives: the truth, without noise, drawn again, or
its mean for each gene.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kobench.cells import FloatArray, IntArray, Knockouts, bray_curtis, normalise_rows
from kobench.dataset import Counterfactual, Dataset
from kobench.question import Answers, Multiples, Profiles, Question, Responses, Singles, Transfers
from kobench.truth.multiples import true_interactions

LINES = ("truth", "true-change", "replicate", "gene-oracle")

#: Events are simulated in parts of at most this many numbers (64 MB).
NUMBERS_A_PART = 8_000_000


def line_answers(
    name: str, question: Question, dataset: Dataset, asked_rows: IntArray
) -> Answers | None:
    """Answers of the line `name` to a question; None where the dataset or the question offers no
    such line.

    truth : the question's own truth, where that has no noise. true-change : the change without
    noise, where the truth has some and the dataset knows it. replicate : the same cells drawn again
    with new noise. gene-oracle : every event gets the true mean impact of its gene, the same for
    all cells. asked_rows : (m,) rows of the dataset's cells that are asked. Raises ValueError for
    an unknown name.
    """
    if name not in LINES:
        raise ValueError(f"unknown line {name!r}; known lines are {', '.join(LINES)}")
    if isinstance(question, (Profiles, Transfers)):
        return _of_profiles(name, question, dataset)
    if isinstance(question, Responses):
        return _of_responses(name, question)
    if name == "truth":
        if isinstance(question, Multiples):
            return Answers(
                interaction=question.interaction, supported=np.ones(question.cells.n_vars, bool)
            )
        return _whole(
            question, question.raw, question.propagated, question.wild_type, question.knockout
        )
    if name == "gene-oracle" and isinstance(question, Singles):
        genes = question.events.genes[:, 0]
        raw, propagated = (
            question.gene_means(question.raw),
            question.gene_means(question.propagated),
        )
        return _whole(question, raw[genes], propagated[genes], gene_scores=propagated)
    truth = (
        dataset.replicate().truth if name == "replicate" and dataset.replicate is not None else None
    )
    if truth is None:
        return None
    rows = np.asarray(asked_rows)
    return (
        _simulated(question, truth, rows)
        if isinstance(question, Singles)
        else _interactions(question, truth, rows)
    )


def _whole(
    question: Singles,
    raw: FloatArray,
    propagated: FloatArray,
    wild_type: FloatArray | None = None,
    rows: FloatArray | None = None,
    gene_scores: FloatArray | None = None,
) -> Answers:
    supported = np.ones(question.cells.n_vars, bool)
    return Answers(
        wild_type=wild_type,
        raw=raw,
        propagated=propagated,
        rows=rows,
        gene_scores=gene_scores,
        supported=supported,
    )


def _of_profiles(name: str, question: Profiles | Transfers, dataset: Dataset) -> Answers | None:
    if name == "truth":
        return Answers(profile=question.true)
    if name == "replicate" and dataset.replicate is not None:
        return Answers(profile=dataset.replicate().cells[question.rows].profiles())
    return None


def _of_responses(name: str, question: Responses) -> Answers | None:
    """The true change in every answer row of its perturbation; a truth that has noise is no answer
    to itself.
    """
    change = (
        question.expected
        if name == "true-change"
        else question.change
        if name == "truth" and not question.noisy
        else None
    )
    if change is None:
        return None
    of_row = question.row_perturbation
    answers = Answers(
        response=np.nan_to_num(change)[of_row], supported=np.ones(question.cells.n_vars, bool)
    )
    if name != "truth" or any(len(targets) > 1 for targets in question.targets):
        return answers
    scores = np.full(question.cells.n_vars, np.nan)
    scores[[targets[0] for targets in question.targets]] = question.size
    return replace(answers, gene_scores=scores)


def _interactions(question: Multiples, truth: Counterfactual, asked_rows: IntArray) -> Answers:
    """The interactions in another draw of the same cells; an event that reaches no steady state in
    it has none.
    """
    interaction = np.nan_to_num(true_interactions(truth, asked_rows, question.events))
    return Answers(interaction=interaction, supported=np.ones(question.cells.n_vars, bool))


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
