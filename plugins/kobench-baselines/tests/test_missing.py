"""What was lost: its odds by hand, a planted detection, and nothing where nothing was lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from kobench_baselines.additive import Additive
from kobench_baselines.detection import BINS, Detection
from kobench_baselines.missing import Filler, _Products, shown
from kobench_baselines.presence import Presence
from kobench_baselines.stepwise import features
from kobench_baselines.sums import Sums
from scipy.stats import norm

from kobench.api import Cells, Context, Knockouts, normalise_rows

GENES = 12


def run(own: Any) -> Any:
    """The fixed point of x_j = own_j (1 + 3 [x_(j-1) > 0] + log(1 + x_(j-3)))."""
    x = own.copy()
    for _ in range(200):
        x = own * (1 + 3 * (np.roll(x, 1, axis=1) > 0) + np.log1p(np.roll(x, 3, axis=1)))
    return x


def drawn(n: int, seed: int = 0) -> tuple[Any, Any]:
    """Clean cells (n, GENES) and their own factors."""
    rng = np.random.default_rng(seed)
    own = (rng.random((n, GENES)) < 0.8) * rng.lognormal(0, 0.08, (n, GENES))
    return run(own), own


def lose(clean: Any, rate: float, below: float, seed: int = 1) -> Any:
    """Values under a quantile of their gene are read as 0 with this chance."""
    there = np.where(clean > 0, clean, np.nan)
    lost = np.random.default_rng(seed).random(clean.shape) < rate
    return np.where(lost & (clean < np.nanquantile(there, below, axis=0)), 0.0, clean)


def cells_with(values: Any) -> Cells:
    return Cells(values, np.array([f"g{gene}" for gene in range(values.shape[1])]))


def fitted(values: Any, seed: int = 0, **settings: Any) -> Additive:
    predictor = Additive(**{"kind": "log", **settings})
    predictor.fit(cells_with(values), Context(seed=seed))
    return predictor


CLEAN, OWN = drawn(380)


@pytest.fixture(scope="module")
def of_lost() -> Additive:
    return fitted(lose(CLEAN[:300], 0.5, 0.5))


def random_sums(genes: int = 5) -> Sums:
    rng = np.random.default_rng(3)
    tables = [rng.normal(size=(genes, genes)) * (rng.random((genes, genes)) < 0.6) for _ in "12"]
    for table in tables:
        np.fill_diagonal(table, 0)
    coefficients = tuple(scipy.sparse.csr_array(table) for table in tables)
    return Sums("log", np.ones((3, genes)), np.full(genes, 5.0), coefficients, np.ones(genes))


def test_the_evidence_is_a_likelihood_ratio() -> None:
    """Against normal densities of the read values, with each gene there and without it."""
    rng = np.random.default_rng(4)
    sums, values, chance = random_sums(), rng.random((3, 5)) + 0.5, rng.random((3, 5))
    seen = features(values, sums.knots, sums.kind)
    said = sums.of_features(seen * chance[:, :, None])
    read, spread = said + rng.normal(size=(3, 5)), rng.uniform(0.5, 2, (3, 5))
    found = _Products.of(sums).evidence(seen, chance, 1 / spread**2, read - said)
    for gene in range(5):
        fits = []
        for there in (1.0, 0.0):
            state = chance.copy()
            state[:, gene] = there
            mean = sums.of_features(seen * state[:, :, None])
            fits.append(norm(mean, spread).logpdf(read).sum(axis=1))
        np.testing.assert_allclose(found[:, gene], fits[0] - fits[1])


def test_the_variance_is_that_of_independent_presences() -> None:
    """Against the mean over all 32 states of five genes."""
    rng = np.random.default_rng(5)
    sums, values, chance = random_sums(), rng.random((1, 5)) + 0.5, rng.random((1, 5))
    seen = features(values, sums.knots, sums.kind)
    mean, square = np.zeros((1, 5)), np.zeros((1, 5))
    for number in range(32):
        state = np.array([[number >> gene & 1 for gene in range(5)]], float)
        weight = np.prod(np.where(state > 0, chance, 1 - chance))
        said = sums.of_features(seen * state[:, :, None])
        mean += weight * said
        square += weight * said**2
    found = _Products.of(sums).variances(seen, chance * (1 - chance))
    np.testing.assert_allclose(found, square - mean**2)


def test_odds_of_a_zero_by_hand() -> None:
    """Gene 0 adds 1 to gene 1. Half of its readings are lost, and it is there in half of the cells.

    The odds that its zero was lost are 1 (that it is there) times 1/2 (that it is lost), times the
    likelihood ratio. Gene 1 at 2.5 fits 3 as well as 2, so that the odds are 1/2.
    """
    steps = scipy.sparse.csr_array(np.array([[0.0, 1.0], [0.0, 0.0]]))
    sums = Sums("on", np.ones((3, 2)), np.array([1.0, 2.0]), (steps,), np.array([1.0, 2.0]))
    detection = Detection(np.tile(np.arange(1.0, BINS)[:, None], (1, 2)), np.full(BINS, 0.5))
    prior = Presence(np.array([0.5, 0.5]))
    filler = Filler(sums, np.array([0.2, 0.2]), detection, prior)
    cells = np.array([[0.0, 2.5], [0.0, 3.0], [0.0, 2.0]])
    filled = filler(cells)
    odds = []
    for value in cells[:, 1]:
        presence = 0.3
        for _ in range(20):
            spread = np.sqrt((0.2 * value) ** 2 + presence * (1 - presence))
            ratio = norm(3, spread).pdf(value) / norm(2, spread).pdf(value)
            posterior = 0.5 * ratio / (0.5 * ratio + 1)
            presence += 0.5 * (posterior - presence)
        odds.append(presence)
    np.testing.assert_allclose(filled.presence[:, 0], odds, rtol=1e-6)
    np.testing.assert_allclose(filled.presence[0, 0], 1 / 3, rtol=1e-4)
    np.testing.assert_array_equal(filled.values[:, 1], cells[:, 1])
    np.testing.assert_allclose(filled.values[:, 0], 1.0)


def test_a_planted_detection_is_found(of_lost: Additive) -> None:
    assert of_lost.filler is not None
    lost = of_lost.filler.detection.lost
    assert lost[:5].mean() == pytest.approx(0.5, abs=0.08)
    assert lost[6:].max() < 0.05
    assert of_lost.lost == pytest.approx(0.25, abs=0.05)


def test_a_detection_of_another_shape_is_found() -> None:
    """Most of the lowest fifth is lost, and nothing else."""
    predictor = fitted(lose(CLEAN[:300], 0.8, 0.2))
    assert predictor.filler is not None
    lost = predictor.filler.detection.lost
    assert lost[0] > 0.6
    assert lost[3:].max() < 0.1
    assert predictor.lost == pytest.approx(0.16, abs=0.03)


def test_what_was_lost_is_told_from_what_is_absent(of_lost: Additive) -> None:
    """Cells that it never saw: 4 of 5 zeros are told right, and levels are within 15 %.

    A third of the genes have no target that was read; half of all zeros are absent genes.
    """
    assert of_lost.filler is not None
    clean = CLEAN[300:]
    read = lose(clean, 0.5, 0.5, seed=2)
    filled, zeros = of_lost.filler(read), read == 0
    there = clean[zeros] > 0
    assert ((filled.presence[zeros] > 0.5) == there).mean() > 0.8
    off = np.abs(filled.values[zeros] - clean[zeros])[there] / clean[zeros][there]
    assert np.median(off) < 0.15
    np.testing.assert_array_equal(filled.values[~zeros], read[~zeros])
    np.testing.assert_array_equal(filled.presence[~zeros], 1.0)


def test_knockouts_run_from_the_clean_cell(of_lost: Additive) -> None:
    """Under half of the error of the same sums of zeros as they were read."""
    clean, own = CLEAN[300:], OWN[300:]
    read = lose(clean, 0.5, 0.5, seed=2)
    events = Knockouts.singles(read > 0)
    truth = normalise_rows(run(events.remove_from(own)))
    plain = fitted(lose(CLEAN[:300], 0.5, 0.5), dropout="off")
    errors = [
        np.abs(each.predict_knockout(cells_with(read), events) - truth).sum()
        for each in (of_lost, plain)
    ]
    assert errors[0] < errors[1] / 2


def test_nothing_removed_is_the_filled_cell(of_lost: Additive) -> None:
    assert of_lost.filler is not None
    read = lose(CLEAN[300:], 0.5, 0.5, seed=2)
    filled = of_lost.filler(read)
    rows = of_lost.predict_knockout(cells_with(read), Knockouts.none(len(read)))
    np.testing.assert_allclose(rows, normalise_rows(filled.values * filled.shown))


def test_profiles_show_chances_by_squared_odds_as_that_is_nearer(of_lost: Additive) -> None:
    """Than the mean of what may be there, to the clean cells."""
    assert of_lost.filler is not None
    clean = CLEAN[300:]
    filled = of_lost.filler(lose(clean, 0.5, 0.5, seed=2))
    np.testing.assert_allclose(shown(np.array([0, 0.25, 0.5, 1])), [0, 0.1, 0.5, 1])
    off = [
        np.abs(normalise_rows(filled.values * part) - normalise_rows(clean)).sum()
        for part in (filled.shown, filled.presence)
    ]
    assert off[0] < off[1]


def test_assemblages_are_answered_as_they_were_read(of_lost: Additive) -> None:
    plain = fitted(lose(CLEAN[:300], 0.5, 0.5), dropout="off")
    on = CLEAN[300:] > 0
    np.testing.assert_array_equal(of_lost.predict_expression(on), plain.predict_expression(on))


def test_without_losses_nothing_changes() -> None:
    """The same bytes as with zeros as they were read."""
    found, plain = fitted(CLEAN[:300]), fitted(CLEAN[:300], dropout="off")
    assert found.filler is None
    assert found.lost == 0
    events = Knockouts.singles(CLEAN[300:310] > 0)
    answers = [
        each.predict_knockout(cells_with(CLEAN[300:310]), events).tobytes()
        for each in (found, plain)
    ]
    assert answers[0] == answers[1]


def test_nothing_is_inferred_from_sums_that_say_nothing() -> None:
    """Genes by themselves, with losses: no zero can be told from another."""
    rng = np.random.default_rng(6)
    values = (rng.random((300, 10)) < 0.8) * rng.lognormal(0, 0.3, (300, 10))
    assert fitted(lose(values, 0.5, 0.5)).filler is None


def test_the_seed_decides() -> None:
    read = lose(CLEAN[:200], 0.5, 0.5)
    first, again = (fitted(read) for _ in range(2))
    events = Knockouts.singles(read[:5] > 0)
    answers = [
        each.predict_knockout(cells_with(read[:5]), events).tobytes() for each in (first, again)
    ]
    assert answers[0] == answers[1]


def test_a_cell_does_not_depend_on_those_beside_it(of_lost: Additive) -> None:
    assert of_lost.filler is not None
    read = lose(CLEAN[300:], 0.5, 0.5, seed=2)
    together, alone = of_lost.filler(read), of_lost.filler(read[7:8])
    np.testing.assert_allclose(alone.presence[0], together.presence[7], atol=1e-9)
