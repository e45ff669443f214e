"""Profile metrics against numbers worked out by hand and against scipy and pandas."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import distance
from scipy.stats import pearsonr, spearmanr

from kobench.api import NotComputed, Parts, ProfileUnits, normalise_rows
from kobench.builtin.metrics import profile
from kobench.builtin.metrics.coexpression import coexpression


def units(predicted, true, present=None, **more) -> ProfileUnits:
    predicted, true = np.asarray(predicted, float), np.asarray(true, float)
    return ProfileUnits(
        predicted,
        true,
        true > 0 if present is None else np.asarray(present),
        np.arange(len(true)),
        **more,
    )


def random_units(seed, n=40, g=25, **more) -> ProfileUnits:
    rng = np.random.default_rng(seed)
    present = rng.random((n, g)) > 0.4
    present[:, 0] = True
    # rounded, so that there are ties
    true, predicted = (
        normalise_rows(present * (rng.random((n, g)).round(1) + 0.1)) for _ in range(2)
    )
    return ProfileUnits(predicted, true, present, np.arange(n), **more)


HALVES = units([[0.5, 0.5, 0.0], [0.2, 0.3, 0.5]], [[0.5, 0.25, 0.25], [0.2, 0.3, 0.5]])


def test_bray_curtis_by_hand():
    parts = profile.bray_curtis(HALVES)
    assert parts.over == "cell"
    np.testing.assert_allclose(parts.sums, [0.25, 0.0])
    assert parts.value == pytest.approx(0.125)


def test_bray_curtis_like_scipy():
    u = random_units(0)
    expected = np.mean(
        [distance.braycurtis(a, b) for a, b in zip(u.predicted, u.true, strict=True)]
    )
    assert profile.bray_curtis(u).value == pytest.approx(expected, rel=1e-12)


def test_rows_of_knockouts_are_parts_over_the_removed_gene():
    parts = profile.bray_curtis(units(HALVES.predicted, HALVES.true, genes=np.array([7, 7])))
    assert (parts.over, parts.ids.tolist(), parts.sums.tolist(), parts.weights.tolist()) == (
        "gene",
        [7],
        [0.25],
        [2.0],
    )


def test_rows_are_worked_through_in_parts_without_a_seam(monkeypatch):
    u = random_units(1, n=1000, g=200)  # 200,000 numbers: more than one part
    assert len(list(profile._slices(u))) > 1
    whole = [
        metric(u).value
        for metric in (
            profile.bray_curtis,
            profile.jensen_shannon,
            profile.pearson,
            profile.spearman,
        )
    ]
    monkeypatch.setattr(profile, "_slices", lambda units: iter([slice(0, len(units.true))]))
    again = [
        metric(u).value
        for metric in (
            profile.bray_curtis,
            profile.jensen_shannon,
            profile.pearson,
            profile.spearman,
        )
    ]
    assert whole == pytest.approx(again, rel=1e-12)


def test_jensen_shannon_by_hand():
    # disjoint: 1 bit; (1/2, 1/2) against (1, 0): H(3/4, 1/4) - 1/2 = 0.811278 - 0.5
    assert profile.jensen_shannon(units([[1, 0]], [[0, 1]])).value == pytest.approx(1.0)
    assert profile.jensen_shannon(units([[0.5, 0.5]], [[1, 0]])).value == pytest.approx(
        0.311278, abs=1e-6
    )


def test_jensen_shannon_is_the_square_of_scipys_distance():
    u = random_units(2)
    expected = np.mean(
        [
            distance.jensenshannon(a, b, base=2) ** 2
            for a, b in zip(u.predicted, u.true, strict=True)
        ]
    )
    assert profile.jensen_shannon(u).value == pytest.approx(expected, rel=1e-9)


def test_rmse_by_hand():
    # differences 0, 1/4, -1/4 over three genes, and a row without any
    assert profile.rmse(HALVES).value == pytest.approx(math.sqrt(0.125 / 3) / 2)


def test_correlations_by_hand_over_present_genes_only():
    # present: the first four; ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4 -> 4.5 / sqrt(4.5 * 5)
    u = units([[0.1, 0.2, 0.2, 0.5, 0.0]], [[0.1, 0.3, 0.2, 0.4, 0.0]])
    assert profile.spearman(u).value == pytest.approx(4.5 / math.sqrt(22.5))
    # deviations -.15 -.05 -.05 .25 against -.15 .05 -.05 .15: products .0225 - .0025 + .0025 +
    # .0375
    assert profile.pearson(u).value == pytest.approx(0.06 / math.sqrt(0.09 * 0.05))


@pytest.mark.parametrize(
    ("metric", "reference"), [(profile.pearson, pearsonr), (profile.spearman, spearmanr)]
)
def test_correlations_like_scipy(metric, reference):
    u = random_units(3)
    expected = [
        reference(a[z], b[z])[0] for a, b, z in zip(u.predicted, u.true, u.present, strict=True)
    ]
    parts = metric(u)
    np.testing.assert_allclose(parts.sums, expected, atol=1e-12)
    assert parts.value == pytest.approx(np.mean(expected), rel=1e-12)


@pytest.mark.parametrize("metric", [profile.pearson, profile.spearman])
def test_a_row_of_constant_truth_is_dropped_and_a_constant_answer_counts_as_nothing(metric):
    varied, flat, single = [0.1, 0.2, 0.7], [1 / 3, 1 / 3, 1 / 3], [1.0, 0.0, 0.0]
    assert metric(units([varied, varied], [varied, flat])).value == 1.0  # the second row is dropped
    assert (
        metric(units([varied, varied], [varied, single])).value == 1.0
    )  # one present gene: nothing varies
    assert (
        metric(units([varied, flat], [varied, varied])).value == 0.5
    )  # the second row counts as 0
    assert math.isnan(metric(units([flat, flat], [varied, varied])))
    with pytest.raises(NotComputed):
        metric(units([varied], [flat]))


@pytest.mark.parametrize("metric", [profile.pearson, profile.spearman])
def test_an_answer_that_varies_only_where_the_truth_does_not_has_no_value(metric):
    """Its rows that count are all constant: it ranks nothing, and gets no 0 for it."""
    true = [[0.25, 0.25, 0.25, 0.25], [0.1, 0.2, 0.3, 0.4]]
    varied, flat = [0.4, 0.3, 0.2, 0.1], [0.25, 0.25, 0.25, 0.25]
    assert math.isnan(metric(units([varied, flat], true)))
    assert metric(units([flat, varied], true)).value == pytest.approx(-1)


def test_a_constant_answer_with_rounding_noise_is_still_constant():
    noisy = np.array([[0.1, 0.1, 0.1 + 1e-17, 0.1 - 2e-17, 0.1, 0.1]])
    assert math.isnan(profile.pearson(units(noisy, [[0.1, 0.2, 0.1, 0.2, 0.3, 0.1]])))


def test_a_row_without_a_present_gene_is_left_alone():
    u = units([[0.1, 0.2, 0.7], [1.0, 0.0, 0.0]], [[0.1, 0.2, 0.7], [0.0, 0.0, 0.0]])
    assert profile.pearson(u).value == profile.spearman(u).value == 1.0


def test_pooled_spearman_like_scipy_and_not_above_sixty_percent_zeros():
    u = random_units(4)
    assert profile.spearman_pooled(u) == pytest.approx(
        spearmanr(u.predicted.ravel(), u.true.ravel())[0], rel=1e-12
    )
    at_limit = units([[0.4, 0.6, 0, 0, 0]], [[0.3, 0.7, 0, 0, 0]])
    assert profile.spearman_pooled(at_limit) == 1.0
    with pytest.raises(NotComputed, match="67%"):
        profile.spearman_pooled(units([[0.4, 0.6, 0, 0, 0, 0]], [[0.3, 0.7, 0, 0, 0, 0]]))


def test_explained_change_by_hand():
    true = [[0.5, 0.5, 0], [0.2, 0.8, 0]]
    null = [[0.9, 0.1, 0], [0.4, 0.6, 0]]  # Bray-Curtis 0.4 and 0.2
    predicted = [[0.7, 0.3, 0], [0.4, 0.6, 0]]  # 0.2 and 0.2
    u = units(predicted, true, genes=np.array([2, 2]), null=np.asarray(null))
    assert profile.explained_change(u).value == pytest.approx(1 - 0.4 / 0.6)
    for answer, expected in (
        (true, 1.0),
        (null, 0.0),
        ([[1.0, 0, 0], [1.0, 0, 0]], 1 - (0.5 + 0.8) / 0.6),
    ):
        assert profile.explained_change(
            units(answer, true, genes=u.genes, null=u.null)
        ).value == pytest.approx(expected)


def test_explained_change_needs_a_change():
    true = np.array([[0.5, 0.5, 0.0]])
    with pytest.raises(NotComputed, match="no profile changes"):
        profile.explained_change(units(true, true, genes=np.array([2]), null=true))
    with pytest.raises(NotComputed, match="nothing was removed"):
        profile.explained_change(units(true, true))


def test_coexpression_like_pandas():
    rng = np.random.default_rng(5)
    n, g = 60, 12
    factor = rng.random((n, 3)) @ rng.random((3, g))
    present = rng.random((n, g)) > 0.5
    true, predicted = (
        normalise_rows(present * (factor + noise * rng.random((n, g)))) for noise in (0.2, 0.8)
    )
    upper = np.triu_indices(g, 1)
    frames = [
        pd.DataFrame(np.where(present, rows, np.nan)).corr(min_periods=10).to_numpy()[upper]
        for rows in (predicted, true)
    ]
    defined = ~np.isnan(frames[1])
    assert (~defined).sum() > 0 or defined.all()
    expected = pearsonr(frames[0][defined], frames[1][defined])[0]
    assert coexpression(ProfileUnits(predicted, true, present, np.arange(n))) == pytest.approx(
        expected, rel=1e-10
    )


def test_coexpression_gives_nothing_for_presence_alone():
    u = random_units(6, n=80)
    uniform = normalise_rows(u.present)
    assert math.isnan(coexpression(ProfileUnits(uniform, u.true, u.present, u.cells)))


def test_coexpression_counts_a_pair_whose_prediction_does_not_vary_as_uncorrelated():
    rng = np.random.default_rng(7)
    true = rng.random((50, 4)) + 0.1
    predicted = true.copy()
    predicted[:, 0] = 0.3
    present = np.ones(true.shape, bool)
    corr = np.corrcoef(true.T)
    told = corr.copy()
    told[0, :] = told[:, 0] = 0.0
    upper = np.triu_indices(4, 1)
    expected = pearsonr(told[upper], corr[upper])[0]
    assert coexpression(ProfileUnits(predicted, true, present, np.arange(50))) == pytest.approx(
        expected, rel=1e-10
    )


def test_coexpression_takes_the_genes_that_vary_most(monkeypatch):
    rng = np.random.default_rng(8)
    scale = np.array([1.0, 2.0, 3.0, 4.0, 0.01])
    true = 5 + scale * rng.standard_normal((40, 5))
    predicted = true.copy()
    predicted[:, 4] = rng.random(40)  # wrong only in the gene that varies least
    u = ProfileUnits(predicted, true, np.ones(true.shape, bool), np.arange(40))
    assert coexpression(u) < 1.0
    monkeypatch.setattr("kobench.builtin.metrics.coexpression.MOST_GENES_OF_PAIRS", 4)
    assert coexpression(u) == 1.0


def test_coexpression_needs_pairs_seen_together():
    u = random_units(9, n=9)
    with pytest.raises(NotComputed, match="10 cells"):
        coexpression(u)


def test_parts_of_nothing_is_no_number():
    assert math.isnan(Parts("cell", np.empty(0, int), np.empty(0), np.empty(0)).value)
