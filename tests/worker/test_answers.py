"""Population answers and interactions: derived by hand, asked once, left out where they are not
supported, guarded on both sides.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from kobench.api import Cells, Context, Impacts, Knockouts, Multiples, Responses
from kobench.cells import bray_curtis, normalise_rows
from kobench.errors import InvalidAnswerError
from kobench.supervisor.guard import guard_answers
from kobench.supervisor.process import TrialFailed
from kobench.worker.derive import Asker
from kobench.worker.interactions import answer_interactions
from kobench.worker.predictor import Recipe, fit_predictor
from kobench.worker.responses import answer_responses

ALL = np.ones(4, bool)
CELLS = Cells(
    np.array([[1, 2, 3, 4], [4, 3, 2, 1], [1, 1, 1, 1]], np.float32), np.array(list("abcd"))
)
PROFILES = CELLS.profiles()
SINGLES = Knockouts(np.array([[0], [0], [1], [0]]), np.array([0, 1, 1, 2]))
DOUBLES = Knockouts(np.array([[0, 1], [2, 3]]), np.array([2, 0]))
ROWS = [np.array([0, 0, 1, 2]), np.array([3, 4])]


class Own:
    """Answers the cell's own profile without the removed genes, and adds a tenth to gene 3 for
    every removed gene.
    """

    def __init__(self) -> None:
        self.asked = 0

    def fit(self, cells, context):
        pass

    def predict_knockout(self, cells, knockouts):
        self.asked += len(knockouts)
        rows = normalise_rows(knockouts.remove_from(cells.dense()))
        keeps = ~(knockouts.genes == 3).any(axis=1)
        rows[:, 3] += 0.1 * knockouts.order * keeps
        return normalise_rows(rows)

    def predict_response(self, cells, knockouts):
        assert knockouts.cells is None
        return np.repeat(knockouts.genes.sum(axis=1, keepdims=True) + 1.0, cells.n_vars, axis=1)

    def predict_impact(self, cells, knockouts):
        return Impacts(raw=knockouts.genes.sum(axis=1) + knockouts.cells.astype(float))

    def predict_interaction(self, cells, knockouts):
        return knockouts.genes.sum(axis=1).astype(float)

    def score_genes(self, cells, genes):
        return -genes.astype(float)


def after(cell, genes):
    row = PROFILES[cell].copy()
    row[list(genes)] = 0
    row /= row.sum()
    if 3 not in genes:
        row[3] += 0.1 * len(genes)
    return row / row.sum()


def null(cell, genes):
    row = PROFILES[cell].copy()
    row[list(genes)] = 0
    return row / row.sum()


def test_changes_and_impacts_are_means_over_the_events_of_a_row():
    answer = answer_responses(Asker(Own(), ("knockout",)), CELLS, [SINGLES, DOUBLES], ROWS, 6, ALL)
    changes = [
        [after(0, (0,)) - null(0, (0,)), after(1, (0,)) - null(1, (0,))],
        [after(1, (1,)) - null(1, (1,))],
        [after(2, (0,)) - null(2, (0,))],
        [after(2, (0, 1)) - null(2, (0, 1))],
        [after(0, (2, 3)) - null(0, (2, 3))],
    ]
    for row, change in enumerate(changes):
        np.testing.assert_allclose(answer.response[row], np.mean(change, axis=0), atol=1e-12)
    assert np.isnan(answer.response[5]).all()  # a row without events
    raw = [bray_curtis(after(cell, (0,))[None], PROFILES[[cell]])[0] for cell in (0, 1)]
    assert answer.raw[0] == pytest.approx(np.mean(raw))
    assert answer.propagated[4] == pytest.approx(
        bray_curtis(after(0, (2, 3))[None], null(0, (2, 3))[None])[0]
    )
    assert answer.gene_scores is None


def test_the_order_of_events_changes_nothing():
    turned = np.array([3, 1, 0, 2])
    one = answer_responses(Asker(Own(), ("knockout",)), CELLS, [SINGLES], ROWS[:1], 3, ALL)
    other = answer_responses(
        Asker(Own(), ("knockout",)), CELLS, [SINGLES[turned]], [ROWS[0][turned]], 3, ALL
    )
    for name in ("response", "raw", "propagated"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=1e-15)


def test_given_answers_take_the_place_of_derived_ones():
    predictor = Own()
    answers = ("knockout", "impact", "response", "genes")
    answer = answer_responses(Asker(predictor, answers), CELLS, [SINGLES, DOUBLES], ROWS, 6, ALL)
    np.testing.assert_array_equal(answer.response[:, 0], [1, 2, 1, 2, 6, np.nan])
    np.testing.assert_array_equal(
        answer.raw, [0.5, 2, 2, 2, 5, np.nan]
    )  # genes and cells, which count from each chunk's first
    assert answer.propagated[0] > 0  # not given, so derived
    np.testing.assert_array_equal(answer.gene_scores, [0, -1, np.nan, np.nan])
    only = answer_responses(Asker(Own(), ("genes",)), CELLS, [SINGLES], ROWS[:1], 3, ALL)
    assert (only.response, only.raw, only.propagated) == (None, None, None)


def test_what_is_not_supported_is_not_asked():
    without_0 = np.array([False, True, True, True])
    answer = answer_responses(
        Asker(Own(), ("knockout", "genes")), CELLS, [SINGLES, DOUBLES], ROWS, 5, without_0
    )
    np.testing.assert_array_equal(np.isnan(answer.raw), [True, False, True, True, False])
    np.testing.assert_array_equal(answer.gene_scores, [np.nan, -1, np.nan, np.nan])
    singles_only = answer_responses(
        Asker(Own(), ("knockout",)), CELLS, [SINGLES, DOUBLES], ROWS, 5, ALL, max_order=1
    )
    np.testing.assert_array_equal(np.isnan(singles_only.raw), [False, False, False, True, True])


def test_an_interaction_is_what_its_singles_do_not_add_up_to():
    found = answer_interactions(Asker(Own(), ("knockout",)), CELLS, DOUBLES, ALL)
    for event, (cell, genes) in enumerate([(2, (0, 1)), (0, (2, 3))]):
        expected = PROFILES[cell] + sum(after(cell, (gene,)) - PROFILES[cell] for gene in genes)
        expected[list(genes)] = 0
        expected = np.maximum(expected, 0) / np.maximum(expected, 0).sum()
        assert found[event] == pytest.approx(
            bray_curtis(after(cell, genes)[None], expected[None])[0], abs=1e-12
        )
    given = answer_interactions(Asker(Own(), ("interaction", "knockout")), CELLS, DOUBLES, ALL)
    np.testing.assert_array_equal(given, [1, 5])
    assert answer_interactions(Asker(Own(), ("impact",)), CELLS, DOUBLES, ALL) is None
    assert np.isnan(
        answer_interactions(Asker(Own(), ("knockout",)), CELLS, DOUBLES, ALL, max_order=1)
    ).all()


def test_with_nothing_responding_there_is_no_interaction():
    class NoEffect(Own):
        def predict_knockout(self, cells, knockouts):
            return normalise_rows(knockouts.remove_from(cells.dense()))

    np.testing.assert_allclose(
        answer_interactions(Asker(NoEffect(), ("knockout",)), CELLS, DOUBLES, ALL), 0, atol=1e-15
    )


def test_each_single_of_a_cell_is_asked_once():
    predictor = Own()
    events = Knockouts(np.array([[0, 1], [0, 2], [1, 2]]), np.zeros(3, int))
    answer_interactions(Asker(predictor, ("knockout",)), CELLS, events, ALL)
    assert predictor.asked == 3 + 3 + 3  # own wild types, doubles, singles


@pytest.mark.parametrize(
    ("method", "values"),
    [("predict_interaction", [-1.0, 0.0]), ("predict_interaction", [np.nan, 0.0])],
)
def test_broken_interactions_are_refused(method, values):
    predictor = Own()
    setattr(predictor, method, lambda cells, knockouts: np.array(values[: len(knockouts)]))
    with pytest.raises(InvalidAnswerError):
        answer_interactions(
            Asker(predictor, ("interaction",)),
            CELLS,
            Knockouts(DOUBLES.genes, np.zeros(2, int)),
            ALL,
        )


def population() -> Responses:
    k = 5
    return Responses(
        cells=CELLS,
        names=tuple("abcde"),
        targets=((0,), (1,), (0,), (0, 1), (2, 3)),
        events=(SINGLES, DOUBLES),
        rows=tuple(ROWS),
        row_perturbation=np.arange(k),
        row_weight=np.ones(k),
        change=np.zeros((k, 4)),
        size=np.ones(k),
        abundance=np.ones(k),
        detectable=np.ones(k, bool),
        perturbed=np.ones(k, int),
    )


def test_the_parent_checks_population_answers_again():
    supported = np.array([True, True, False, True])
    good = {
        "response": np.full((5, 4), -1.0),
        "raw": np.ones(5),
        "propagated": None,
        "gene_scores": np.array([-1.0, 2, np.nan, np.nan]),
    }
    good["response"][4] = np.nan  # gene 2 is not supported
    guard_answers("response", good, population(), supported)
    for change in (
        {"raw": -np.ones(5)},
        {"raw": np.ones(4)},
        {"response": np.full((5, 4), np.nan)},
        {"response": np.ones((5, 4), int)},
        {"gene_scores": np.full(4, np.nan)},
    ):
        with pytest.raises(TrialFailed):
            guard_answers("response", {**good, **change}, population(), supported)


def test_the_parent_checks_interactions_again():
    question = Multiples(CELLS, DOUBLES, np.arange(2), np.ones(2, bool), np.zeros(2))
    guard_answers("doubles", {"interaction": np.array([0.0, 1.0])}, question, ALL)
    unanswered = {"interaction": np.full(2, np.nan)}
    guard_answers("doubles", unanswered, question, ALL, max_order=1)
    for values in (np.array([0.0, -1.0]), np.array([np.nan, 0.0]), np.zeros(3)):
        with pytest.raises(TrialFailed):
            guard_answers("doubles", {"interaction": values}, question, ALL)


def test_means_over_the_answer_rows_of_a_perturbation():
    question = dataclasses.replace(
        population(),
        row_perturbation=np.array([0, 0, 1, 2, 3, 4]),
        row_weight=np.array([0.25, 0.75, 1, 1, 1, 1]),
    )
    np.testing.assert_allclose(
        question.of_perturbations(np.array([4.0, 8, 1, 2, 3, 4])), [7, 1, 2, 3, 4]
    )


class Forgetful:
    """Clears its own list of genes while it predicts."""

    def supports(self, names):
        self.mask = np.ones(len(names), dtype=bool)
        return self.mask

    def fit(self, cells, context):
        pass

    def predict_expression(self, assemblages):
        self.mask[:] = False
        return normalise_rows(assemblages + 0.0)


def test_what_a_predictor_supports_is_what_it_said_before_the_fit():
    recipe = Recipe(Forgetful, {}, ("expression",), "dense")
    fitted = fit_predictor(recipe, CELLS, Context(seed=0))
    fitted.asker.expression(CELLS.assemblages())
    assert fitted.supported.all()
