"""Missing answers follow from given ones; what breaks the contract is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import braycurtis

from kobench.api import Cells, Impacts, Knockouts
from kobench.errors import InvalidAnswerError
from kobench.worker import derive
from kobench.worker.derive import Asker, chunks, source_of
from kobench.worker.responses import answer_responses

WEIGHTS = np.array([4.0, 2.0, 1.0, 1.0])


class ByWeights:
    """Profile = fixed weights of the genes that are on."""

    def predict_expression(self, assemblages):
        rows = assemblages * WEIGHTS
        return rows / rows.sum(axis=1, keepdims=True)


def cells_of(rows) -> Cells:
    rows = np.asarray(rows, np.float32)
    return Cells(rows, np.array([f"G{i}" for i in range(rows.shape[1])]))


EVERYTHING = np.ones(4, dtype=bool)


def singles(predictor, answers, cells, events=None, sample=None, supported=EVERYTHING):
    events = Knockouts.singles(cells.assemblages()) if events is None else events
    sample = np.arange(len(events)) if sample is None else np.asarray(sample)
    return events, Asker(predictor, answers).singles(cells, events, sample, supported)


def test_expression_gives_impacts_worked_out_by_hand():
    cells = cells_of([[1, 1, 1, 0]])  # predicted wild type 4/7, 2/7, 1/7
    events, answer = singles(ByWeights(), ("expression",), cells)
    assert events.genes[:, 0].tolist() == [0, 1, 2]
    np.testing.assert_allclose(answer.wild_type[0], [4 / 7, 2 / 7, 1 / 7, 0], rtol=1e-6)
    np.testing.assert_allclose(answer.rows[0], [0, 2 / 3, 1 / 3, 0], rtol=1e-6)
    # without a response the raw impact is the removed gene's own share, the propagated one 0
    np.testing.assert_allclose(answer.raw, [4 / 7, 2 / 7, 1 / 7], rtol=1e-12)
    np.testing.assert_allclose(answer.propagated, 0, atol=1e-12)


def test_impacts_of_a_responding_predictor_agree_with_scipy():
    class Responding:
        def predict_knockout(self, cells, knockouts):
            rows = knockouts.remove_from(cells.X.astype(float))
            if knockouts.order:  # the next gene doubles, if it is on
                after = (knockouts.genes[:, 0] + 1) % 4
                rows[np.arange(len(rows)), after] *= 2
            return rows / rows.sum(axis=1, keepdims=True)

    X = np.random.default_rng(0).random((5, 4)) * (np.random.default_rng(1).random((5, 4)) > 0.3)
    X[:, 0] += 1
    X[:, 1] += 0.5
    events, answer = singles(Responding(), ("knockout",), cells_of(X))
    X = X.astype(np.float32).astype(float)
    for event, (cell, gene) in enumerate(zip(events.cells, events.genes[:, 0], strict=True)):
        before = X[cell] / X[cell].sum()
        null = before.copy()
        null[gene] = 0
        after = null.copy()
        after[(gene + 1) % 4] *= 2
        assert answer.raw[event] == pytest.approx(
            braycurtis(after / after.sum(), before), rel=1e-5, abs=1e-7
        )
        assert answer.propagated[event] == pytest.approx(
            braycurtis(after / after.sum(), null / null.sum()), rel=1e-5, abs=1e-7
        )


def test_given_impact_is_taken_and_the_missing_one_derived():
    class Both(ByWeights):
        def predict_impact(self, cells, knockouts):
            return Impacts(propagated=np.full(len(knockouts), 0.25))

    _, answer = singles(Both(), ("expression", "impact"), cells_of([[1, 1, 1, 0]]))
    assert answer.propagated.tolist() == [0.25] * 3
    np.testing.assert_allclose(answer.raw, [4 / 7, 2 / 7, 1 / 7])


def test_only_impact_gives_no_rows_and_no_wild_type():
    class OnlyRaw:
        def predict_impact(self, cells, knockouts):
            return Impacts(raw=np.arange(len(knockouts), dtype=float))

    _, answer = singles(OnlyRaw(), ("impact",), cells_of([[1, 1, 1, 0]]))
    assert answer.raw.tolist() == [0, 1, 2]
    assert (answer.propagated, answer.rows, answer.wild_type, answer.gene_scores) == (
        None,
        None,
        None,
        None,
    )


def test_gene_scores_only_of_genes_asked():
    class Scores:
        def score_genes(self, cells, genes):
            return genes * 10.0

    _, answer = singles(Scores(), ("genes",), cells_of([[1, 0, 1, 1], [1, 0, 0, 1]]))
    np.testing.assert_array_equal(answer.gene_scores, [0, np.nan, 20, 30])


def test_unsupported_genes_are_not_asked_and_stay_nan():
    asked = []

    class Picky(ByWeights):
        def predict_knockout(self, cells, knockouts):
            asked.extend(knockouts.genes[:, 0].tolist() if knockouts.order else [])
            return ByWeights().predict_expression(knockouts.remove_from(cells.assemblages()))

    _, answer = singles(
        Picky(),
        ("knockout",),
        cells_of([[1, 1, 1, 1]]),
        supported=np.array([True, False, True, True]),
    )
    assert asked == [0, 2, 3]
    assert np.isnan(answer.raw).tolist() == [False, True, False, False]
    assert np.isnan(answer.rows).all(axis=1).tolist() == [False, True, False, False]


def test_impacts_and_scores_are_not_asked_of_unsupported_genes():
    """What a predictor can't remove it may not even know."""
    asked = {"impact": [], "genes": []}

    class Picky:
        def predict_impact(self, cells, knockouts):
            asked["impact"] += knockouts.genes[:, 0].tolist()
            return Impacts(raw=knockouts.genes[:, 0] * 1.0)

        def score_genes(self, cells, genes):
            asked["genes"] += genes.tolist()
            return genes * 10.0

    _, answer = singles(
        Picky(),
        ("impact", "genes"),
        cells_of([[1, 1, 1, 1]]),
        supported=np.array([True, False, True, True]),
    )
    assert asked == {"impact": [0, 2, 3], "genes": [0, 2, 3]}
    np.testing.assert_array_equal(answer.raw, [0, np.nan, 2, 3])
    np.testing.assert_array_equal(answer.gene_scores, [0, np.nan, 20, 30])


def test_small_chunks_give_the_same_answers(monkeypatch):
    cells = cells_of((np.random.default_rng(2).random((20, 4)) > 0.2) + 0.0)
    cells = cells[np.flatnonzero(cells.assemblages().sum(1) > 1)]
    _, whole = singles(ByWeights(), ("expression",), cells, sample=[0, 7, 11])
    monkeypatch.setattr(derive, "NUMBERS_A_CHUNK", 20)
    monkeypatch.setattr(derive, "CELLS_A_CHUNK", 3)
    _, parts = singles(ByWeights(), ("expression",), cells, sample=[0, 7, 11])
    for name in ("wild_type", "raw", "propagated", "rows"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))


@pytest.mark.parametrize("rows", [True, False])
@pytest.mark.parametrize("per_cell", [1, 3, 50])
def test_chunks_cover_every_event_once(monkeypatch, rows, per_cell):
    monkeypatch.setattr(derive, "NUMBERS_A_CHUNK", 100)
    monkeypatch.setattr(derive, "CELLS_A_CHUNK", 4)
    of_cells = np.repeat(np.arange(17), per_cell)
    parts = list(chunks(of_cells, 10, rows))
    assert np.concatenate([np.arange(len(of_cells))[part] for part in parts]).tolist() == list(
        range(len(of_cells))
    )
    assert all(len(np.unique(of_cells[part])) <= 4 for part in parts)
    assert not rows or all(part.stop - part.start <= 10 for part in parts)


def test_response_is_the_mean_change_without_the_target():
    class Next(ByWeights):
        def predict_knockout(self, cells, knockouts):
            rows = ByWeights().predict_expression(knockouts.remove_from(cells.assemblages()))
            if knockouts.order:
                rows[:, 3] += 1
            return rows / rows.sum(axis=1, keepdims=True)

    cells = cells_of([[1, 1, 1, 1], [1, 1, 0, 1]])
    events, everything = Knockouts(np.array([[0], [0]]), np.array([0, 1])), np.ones(4, bool)
    change = answer_responses(
        Asker(Next(), ("knockout",)), cells, [events], [np.zeros(2, int)], 1, everything
    ).response
    first, second = np.array([0, 2, 1, 1]) / 4, np.array([0, 2, 0, 1]) / 3
    step = np.array([0, 0, 0, 1.0])
    expected = (((first + step) / 2 - first) + ((second + step) / 2 - second)) / 2
    np.testing.assert_allclose(change[0], expected)


def test_derivation_table():
    assert source_of("genes", ("expression",)) == "expression"
    assert source_of("impact", ("impact", "expression")) == "impact"
    assert source_of("knockout", ("genes", "impact")) is None


BROKEN = {
    "a list": (lambda rows: rows.tolist(), "returned list"),
    "objects": (lambda rows: rows.astype(object), "dtype object"),
    "text": (lambda rows: rows.astype(str), "dtype"),
    "too few rows": (lambda rows: rows[:-1], "shape"),
    "transposed": (lambda rows: rows.T, "shape"),
    "NaN": (lambda rows: np.where(np.arange(4) == 1, np.nan, rows), "nan at (0, 1)"),
    "infinity": (lambda rows: np.where(np.arange(4) == 1, np.inf, rows), "finite"),
    "negative": (
        lambda rows: rows - 0.5 * (np.arange(4) == 2) + 0.5 * (np.arange(4) == 1),
        "must be >= 0",
    ),
    "sums to 2": (lambda rows: rows * 2, "sums to 2"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken_profiles_are_refused(what):
    damage, message = BROKEN[what]

    class Broken(ByWeights):
        def predict_expression(self, assemblages):
            return damage(super().predict_expression(assemblages))

    with pytest.raises(InvalidAnswerError, match=message.replace("(", r"\(").replace(")", r"\)")):
        Asker(Broken(), ("expression",)).expression(np.ones((3, 4), dtype=bool))


@pytest.mark.parametrize("left", [1.0, 1e-4, 1e-300])
def test_mass_at_the_removed_gene_is_refused(left):
    class Deaf:
        def predict_knockout(self, cells, knockouts):
            rows = cells.profiles()[knockouts.cells]
            removed = knockouts.remove_from(rows)
            rows = removed + left * (rows - removed)
            return rows / rows.sum(axis=1, keepdims=True)

    with pytest.raises(InvalidAnswerError, match="at the removed gene"):
        singles(Deaf(), ("knockout",), cells_of([[1, 1, 1, 1]]))


@pytest.mark.parametrize(
    ("impacts", "message"),
    [
        (Impacts(), "neither"),
        (Impacts(raw=np.array([-1.0, 0, 0])), ">= 0"),
        (Impacts(raw=np.array([0.0])), "shape"),
        (None, "neither"),
    ],
)
def test_broken_impacts_are_refused(impacts, message):
    class Broken:
        def predict_impact(self, cells, knockouts):
            return impacts

    with pytest.raises(InvalidAnswerError, match=message):
        singles(Broken(), ("impact",), cells_of([[1, 1, 1, 0]]))


def test_knockouts_are_a_batch_whose_arrays_are_looped_over():
    batch = Knockouts(np.array([[3], [5], [2]]), np.array([0, 0, 1]))
    pairs = [
        (genes.tolist(), int(cell)) for genes, cell in zip(batch.genes, batch.cells, strict=True)
    ]
    assert pairs == [([3], 0), ([5], 0), ([2], 1)]
    for part in (batch[1:2], batch[[1]], batch[np.array([False, True, False])]):
        assert (part.genes.tolist(), part.cells.tolist(), len(part)) == ([[5]], [0], 1)
    assert len(Knockouts(batch.genes)[:2]) == 2
    with pytest.raises(TypeError, match=r"a batch of 3 events.*knockouts\.genes \(n, order\)"):
        list(batch)
    for number in (0, np.int64(2), np.array(1)):
        with pytest.raises(TypeError, match=r"asks for one event.*knockouts\.genes\["):
            batch[number]
