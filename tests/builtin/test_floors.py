"""Floors: what each answers, by hand, in any order of events, cells and genes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import linregress

from kobench.api import Cells, Context, Knockouts, answer_kinds, normalise_rows
from kobench.builtin.floors.impact import (
    AbsCorrelation,
    Abundance,
    Detection,
    OwnShare,
    Random,
    RelativeShare,
)
from kobench.builtin.floors.knockout import NoEffect, PresenceContrast
from kobench.builtin.floors.profile import MaskedMean, MaskedMeanDepth, Uniform, shrunken_slopes
from kobench.builtin.specs.floors import floor_specs
from kobench.util.resolve import resolve_reference

SPECS = [spec for spec in floor_specs() if spec.answers != ("interaction",)]


def cells_of(values) -> Cells:
    values = np.asarray(values, np.float32)
    return Cells(values, np.array([f"g{j}" for j in range(values.shape[1])]))


def random_cells(seed=0, n=40, g=15) -> Cells:
    rng = np.random.default_rng(seed)
    present = rng.random((n, g)) > 0.3
    present[:, :2] = True
    return cells_of(present * rng.gamma(2.0, 1.0, (n, g)))


def fitted(make, cells, seed=0):
    floor = make()
    floor.fit(cells, Context(seed=seed))
    return floor


def answers(floor, spec, cells, knockouts, assemblages) -> list[np.ndarray]:
    """Everything that a floor answers; entries are (n events, ...) or (n assemblages, G)."""
    out = []
    if "knockout" in spec.answers:
        out.append(floor.predict_knockout(cells, knockouts))
    if "impact" in spec.answers:
        given = floor.predict_impact(cells, knockouts)
        out += [given.raw, given.propagated]
    if "expression" in spec.answers:
        out.append(floor.predict_expression(assemblages))
    return out


# the contract


@pytest.mark.parametrize("spec", SPECS, ids=[spec.name for spec in SPECS])
def test_the_spec_says_what_the_class_answers(spec):
    assert spec.floor
    assert set(spec.answers) == set(answer_kinds(resolve_reference(spec.make)))


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("spec", SPECS, ids=[spec.name for spec in SPECS])
def test_answers_keep_the_contract(spec, order):
    train, asked = random_cells(0), random_cells(1, n=12)
    floor = fitted(resolve_reference(spec.make), train)
    rng = np.random.default_rng(2)
    genes = np.array([rng.permutation(np.flatnonzero(row > 0))[:order] for row in asked.X])
    knockouts = Knockouts(genes.reshape(12, order), np.arange(12))
    for given in answers(floor, spec, asked, knockouts, asked.assemblages()):
        assert isinstance(given, np.ndarray)
        assert len(given) == 12
        assert np.isfinite(given).all()
        assert given.min() >= 0
        if given.ndim == 2:
            np.testing.assert_allclose(given.sum(axis=1), 1.0)
            assert not given[~asked.assemblages()].any()
    if "knockout" in spec.answers:
        rows = floor.predict_knockout(asked, knockouts)
        assert not np.take_along_axis(rows, knockouts.genes.astype(int), axis=1).any()
    if "impact" in spec.answers:
        given = floor.predict_impact(asked, knockouts)
        assert given.raw.shape == given.propagated.shape == (12,)
    if "genes" in spec.answers:
        assert floor.score_genes(asked, np.array([3, 1])).shape == (2,)


@pytest.mark.parametrize("spec", SPECS, ids=[spec.name for spec in SPECS])
def test_the_order_of_events_and_of_cells_does_not_matter(spec):
    train, asked = random_cells(0), random_cells(1, n=12)
    floor = fitted(resolve_reference(spec.make), train)
    events = Knockouts.singles(asked.assemblages())
    order = np.random.default_rng(3).permutation(len(events))
    rows = np.random.default_rng(4).permutation(12)
    before = answers(floor, spec, asked, events, asked.assemblages())
    shuffled_events = answers(floor, spec, asked, events[order], asked.assemblages())
    moved = Knockouts(events.genes, np.argsort(rows)[events.cells])
    shuffled_cells = answers(floor, spec, asked[rows], moved, asked.assemblages())
    for a, b, c in zip(before, shuffled_events, shuffled_cells, strict=True):
        of_events = len(a) == len(events)
        np.testing.assert_array_equal(a[order] if of_events else a, b)
        np.testing.assert_array_equal(a, c)


@pytest.mark.parametrize(
    "spec",
    [s for s in SPECS if s.name != "random"],
    ids=[s.name for s in SPECS if s.name != "random"],
)
def test_the_order_of_training_cells_and_of_genes_does_not_matter(spec):
    train, asked = random_cells(0), random_cells(1, n=12)
    events = Knockouts.singles(asked.assemblages())
    before = answers(
        fitted(resolve_reference(spec.make), train), spec, asked, events, asked.assemblages()
    )
    rng = np.random.default_rng(5)
    rows, columns = rng.permutation(40), rng.permutation(15)
    place = np.argsort(columns)
    floor = fitted(resolve_reference(spec.make), cells_of(train.X[rows][:, columns]))
    again = cells_of(asked.X[:, columns])
    after = answers(
        floor, spec, again, Knockouts(place[events.genes], events.cells), again.assemblages()
    )
    for a, b in zip(before, after, strict=True):
        np.testing.assert_allclose(a, b[:, place] if b.ndim == 2 else b, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("spec", SPECS, ids=[spec.name for spec in SPECS])
def test_training_and_asked_cells_are_not_changed(spec):
    train, asked = random_cells(0), random_cells(1, n=12)
    kept = train.X.copy(), asked.X.copy()
    assemblages = asked.assemblages()
    answers(
        fitted(resolve_reference(spec.make), train),
        spec,
        asked,
        Knockouts.singles(assemblages),
        assemblages,
    )
    np.testing.assert_array_equal(train.X, kept[0])
    np.testing.assert_array_equal(asked.X, kept[1])
    np.testing.assert_array_equal(assemblages, asked.X > 0)


@pytest.mark.parametrize("spec", SPECS, ids=[spec.name for spec in SPECS])
def test_one_training_cell_is_enough(spec):
    asked = random_cells(1, n=5)
    floor = fitted(resolve_reference(spec.make), random_cells(0, n=1))
    for given in answers(
        floor, spec, asked, Knockouts.singles(asked.assemblages()), asked.assemblages()
    ):
        assert np.isfinite(given).all()
        if given.ndim == 2:
            np.testing.assert_allclose(given.sum(axis=1), 1.0)


# profile


THREE = cells_of(
    [[1, 3, 0, 0], [2, 0, 2, 0], [1, 1, 2, 0]]
)  # shares: .25 .75 - -, .5 - .5 -, .25 .25 .5 -


def test_uniform_by_hand():
    rows = fitted(Uniform, THREE).predict_expression(np.array([[True, False, True, True]]))
    np.testing.assert_allclose(rows, [[1 / 3, 0, 1 / 3, 1 / 3]])


def test_masked_mean_by_hand():
    # mean shares where present: 1/3, 1/2, 1/2; the gene never seen gets the smallest, 1/3
    rows = fitted(MaskedMean, THREE).predict_expression(
        np.array([[True, True, False, False], [False, True, False, True]])
    )
    np.testing.assert_allclose(rows, [[2 / 5, 3 / 5, 0, 0], [0, 3 / 5, 0, 2 / 5]])


def test_masked_mean_depth_finds_how_a_share_depends_on_how_many_genes_are_on():
    rng = np.random.default_rng(0)
    n, g = 400, 40
    slope = np.where(np.arange(g) < 20, -0.5, 0.8)
    present = rng.random((n, g)) < rng.uniform(0.2, 1.0, n)[:, None]
    present[:, 0] = True
    k = present.sum(axis=1)
    values = present * k[:, None] ** slope * rng.gamma(500.0, 0.002, (n, g))
    train, asked = cells_of(values[:300]), cells_of(values[300:])
    floor = fitted(MaskedMeanDepth, train)
    # a slope common to all genes is lost in renormalising; what is left is the difference
    assert floor.slope[20:].mean() - floor.slope[:20].mean() == pytest.approx(1.3, abs=0.1)
    error = {}
    for make in (MaskedMean, MaskedMeanDepth):
        rows = fitted(make, train).predict_expression(asked.assemblages())
        error[make] = np.abs(rows - asked.profiles()).sum()
    assert error[MaskedMeanDepth] < 0.7 * error[MaskedMean]


def test_masked_mean_depth_is_masked_mean_where_all_cells_have_as_many_genes():
    rng = np.random.default_rng(0)
    present = np.array([rng.permutation(12) < 7 for _ in range(30)])
    cells = cells_of(present * rng.gamma(2.0, 1.0, (30, 12)))
    floors = [fitted(make, cells) for make in (MaskedMean, MaskedMeanDepth)]
    assert not floors[1].slope.any()
    np.testing.assert_allclose(*(floor.predict_expression(present) for floor in floors))


def test_slopes_are_shrunk_as_the_formula_says():
    rng = np.random.default_rng(1)
    n, g = 60, 8
    on = rng.random((n, g)) > 0.3
    on[:, 7] = np.arange(n) < 2  # too few cells: the common slope
    x = rng.normal(0.0, 0.4, n)
    shares = np.where(
        on, np.exp(-3 + x[:, None] * rng.normal(0.3, 0.6, g) + rng.normal(0, 0.5, (n, g))), 0.0
    )
    fits = [linregress(x[on[:, j]], np.log(shares[on[:, j], j])) for j in range(7)]
    own, error = np.array([fit.slope for fit in fits]), np.array([fit.stderr**2 for fit in fits])
    weight = 1 / error
    fixed = np.average(own, weights=weight)
    q = (weight * (own - fixed) ** 2).sum()
    between = max(0, (q - 6) / (weight.sum() - (weight**2).sum() / weight.sum()))
    assert between > 0
    common = np.average(own, weights=1 / (error + between))
    expected = [*(common + (own - common) * between / (between + error)), common]
    np.testing.assert_allclose(shrunken_slopes(shares, on, x), expected, rtol=1e-9)


def test_noise_alone_is_shrunk_to_one_slope():
    rng = np.random.default_rng(3)
    shares = np.exp(rng.normal(0, 1, (50, 200)))
    slopes = shrunken_slopes(shares, np.ones(shares.shape, bool), rng.normal(0, 0.3, 50))
    assert np.std(slopes) < 0.2  # unshrunk 0.5


# knockouts


def test_no_effect_is_the_null():
    cells = cells_of([[1, 3, 4, 0]])
    floor = fitted(NoEffect, THREE)
    np.testing.assert_allclose(
        floor.predict_knockout(cells, Knockouts(np.array([[1]]), np.array([0]))), [[0.2, 0, 0.8, 0]]
    )
    np.testing.assert_allclose(
        floor.predict_knockout(cells, Knockouts.none(1)), [[0.125, 0.375, 0.5, 0]]
    )


def test_presence_contrast_by_hand():
    # gene 1 where present: 4 in the cell without gene 0; 2 and 1 in the cells with it: contrast 4 -
    # 1.5 = 2.5 gene 2 where present: 3 without; 6 with: contrast -3. Gene 3 is never on without
    # gene 0: unknown, 0
    train = cells_of([[0, 4, 3, 0], [1, 2, 6, 5], [2, 1, 0, 7]])
    floor = fitted(PresenceContrast, train)
    np.testing.assert_allclose(floor.contrast[0], [0, 2.5, -3, 0])
    asked = cells_of([[1, 1, 5, 4], [1, 0, 2, 4]])
    knockouts = Knockouts(np.array([[0], [0]]), np.array([0, 1]))
    # 1 + 2.5, 5 - 3, 4; and in the second cell gene 1 stays absent and 2 - 3 is 0
    np.testing.assert_allclose(
        floor.predict_knockout(asked, knockouts), normalise_rows([[0, 3.5, 2, 4], [0, 0, 0, 4]])
    )
    np.testing.assert_allclose(floor.predict_knockout(asked, Knockouts.none(2)), asked.profiles())


def test_presence_contrast_of_a_gene_always_or_never_on_is_nothing():
    train = cells_of([[1, 2, 0], [3, 1, 0], [2, 5, 0]])
    floor = fitted(PresenceContrast, train)
    assert not floor.contrast.any()
    asked = cells_of([[1, 2, 3]])
    for gene in range(3):
        knockouts = Knockouts(np.array([[gene]]), np.array([0]))
        np.testing.assert_allclose(
            floor.predict_knockout(asked, knockouts),
            fitted(NoEffect, train).predict_knockout(asked, knockouts),
        )


def test_presence_contrast_like_a_loop_over_pairs_of_genes():
    train = random_cells(3)
    x, on = train.X.astype(float), train.assemblages()
    expected = np.zeros((15, 15))
    for g in range(15):
        for j in range(15):
            without, with_ = on[:, j] & ~on[:, g], on[:, j] & on[:, g]
            if g != j and without.any() and with_.any():
                expected[g, j] = x[without, j].mean() - x[with_, j].mean()
    np.testing.assert_allclose(fitted(PresenceContrast, train).contrast, expected, atol=1e-6)


@pytest.mark.parametrize("genes_at_once", [1, 4])
def test_presence_contrast_of_many_genes_is_learnt_as_it_is_asked(monkeypatch, genes_at_once):
    train, asked = random_cells(3), random_cells(4, n=12)
    whole = fitted(PresenceContrast, train)
    monkeypatch.setattr("kobench.builtin.floors.knockout.GENES_AT_ONCE", genes_at_once)
    monkeypatch.setattr(
        "kobench.builtin.floors.knockout.NUMBERS_AT_ONCE", 40
    )  # answers of two events at once
    few = fitted(PresenceContrast, train)
    assert not few.learnt.any()
    knockouts = Knockouts.singles(asked.assemblages())
    for part in (
        knockouts[:5],
        knockouts[2:20],
        knockouts,
        Knockouts(np.array([[2, 5], [5, 14], [0, 2]]), np.array([0, 3, 3])),
    ):
        np.testing.assert_array_equal(
            few.predict_knockout(asked, part), whole.predict_knockout(asked, part)
        )
    few = fitted(PresenceContrast, train)
    few.predict_knockout(asked, Knockouts(np.array([[2], [7]]), np.array([0, 1])))
    assert np.flatnonzero(few.learnt).tolist() == [2, 7]
    np.testing.assert_array_equal(few.contrast[[2, 7]], whole.contrast[[2, 7]])


def test_presence_contrast_keeps_a_cell_in_which_nothing_would_be_left():
    floor = fitted(PresenceContrast, cells_of([[0, 1], [1, 9]]))  # contrast of gene 1: -8
    rows = floor.predict_knockout(cells_of([[1, 2]]), Knockouts(np.array([[0]]), np.array([0])))
    np.testing.assert_allclose(rows, [[0, 1]])


def test_presence_contrast_of_two_genes_adds_up():
    train = random_cells(3)
    floor = fitted(PresenceContrast, train)
    asked = cells_of(np.full((1, 15), 50.0))
    rows = floor.predict_knockout(asked, Knockouts(np.array([[2, 5]]), np.array([0])))
    values = 50 + floor.contrast[2] + floor.contrast[5]
    values[[2, 5]] = 0
    np.testing.assert_allclose(rows[0], values / values.sum(), rtol=1e-6)


# impacts


def test_own_share_by_hand():
    cells = cells_of([[1, 3, 0], [2, 0, 6]])
    floor = fitted(OwnShare, THREE)
    given = floor.predict_impact(cells, Knockouts(np.array([[1], [0], [2]]), np.array([0, 1, 1])))
    np.testing.assert_allclose(given.raw, [0.75, 0.25, 0.75])
    np.testing.assert_array_equal(given.raw, given.propagated)
    np.testing.assert_allclose(
        floor.predict_impact(cells, Knockouts(np.array([[0, 1]]), np.array([0]))).raw, [1.0]
    )
    np.testing.assert_allclose(
        floor.predict_impact(cells, Knockouts(np.array([[1]]))).raw, [0.375]
    )  # the cells as one population


def test_relative_share_by_hand():
    cells = cells_of([[1, 3, 0], [2, 0, 6], [0, 5, 0]])  # 2, 2 and 1 genes on
    floor = fitted(RelativeShare, THREE)
    given = floor.predict_impact(cells, Knockouts(np.array([[1], [0], [1]]), np.array([0, 1, 2])))
    np.testing.assert_allclose(given.raw, [1.5, 0.5, 1.0])
    np.testing.assert_array_equal(given.raw, given.propagated)
    np.testing.assert_allclose(
        floor.predict_impact(cells, Knockouts(np.array([[1]]))).raw, [2.5 / 3]
    )


def test_abundance_and_detection_by_hand():
    shares = fitted(Abundance, THREE)
    np.testing.assert_allclose(shares.score_genes(THREE, np.arange(4)), [1 / 3, 1 / 3, 1 / 3, 0])
    seen = fitted(Detection, THREE)
    np.testing.assert_allclose(seen.score_genes(THREE, np.array([3, 0, 1])), [0, 1, 2 / 3])
    knockouts = Knockouts(np.array([[1], [0]]), np.array([2, 0]))
    np.testing.assert_allclose(seen.predict_impact(THREE, knockouts).propagated, [2 / 3, 1])


def test_abs_correlation_like_numpy():
    cells = random_cells(4)
    expected = (np.abs(np.corrcoef(cells.X.astype(float).T)).sum(axis=0) - 1) / 14
    np.testing.assert_allclose(
        fitted(AbsCorrelation, cells).score_genes(cells, np.arange(15)), expected, rtol=1e-9
    )


def test_abs_correlation_of_a_gene_that_does_not_vary_is_nothing():
    cells = cells_of([[1, 2, 0, 7], [2, 4, 0, 7], [4, 8, 0, 7]])
    np.testing.assert_allclose(
        fitted(AbsCorrelation, cells).scores, [1 / 3, 1 / 3, 0, 0], atol=1e-12
    )


def test_random_depends_on_the_seed_the_cell_and_the_gene():
    cells = random_cells(5, n=60)
    events = Knockouts.singles(cells.assemblages())
    one, same, other = (
        fitted(Random, cells, seed).predict_impact(cells, events) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one.propagated, same.propagated)
    columns = [one.raw, one.propagated, other.raw, other.propagated]
    for column in columns:
        assert column.min() >= 0
        assert column.max() < 1
        assert column.mean() == pytest.approx(0.5, abs=0.05)
        assert len(np.unique(column)) == len(events)
    assert np.abs(np.corrcoef(columns) - np.eye(4)).max() < 0.15
    of_gene, of_cell = (
        [one.raw[ids == i].mean() for i in np.unique(ids)]
        for ids in (events.genes[:, 0], events.cells)
    )
    assert (
        max(np.std(of_gene), np.std(of_cell)) < 0.12
    )  # neither genes nor cells have a number of their own
    scores = fitted(Random, cells, 1).score_genes(cells, np.arange(15))
    assert len(np.unique(scores)) == 15
    assert (scores != fitted(Random, cells, 2).score_genes(cells, np.arange(15))).all()


def test_random_answers_are_the_same_in_any_chunk():
    cells = random_cells(5)
    events = Knockouts.singles(cells.assemblages())
    floor = fitted(Random, cells, 1)
    whole = floor.predict_impact(cells, events).raw
    late = events.cells >= 30
    part = floor.predict_impact(
        cells[30:], Knockouts(events.genes[late], events.cells[late] - 30)
    ).raw
    np.testing.assert_array_equal(whole[late], part)


def test_random_does_not_care_in_which_order_two_genes_are_removed():
    cells = random_cells(5)
    floor = fitted(Random, cells, 1)
    a, b = (
        floor.predict_impact(cells, Knockouts(np.array([pair]), np.array([0]))).raw
        for pair in ([1, 0], [0, 1])
    )
    np.testing.assert_array_equal(a, b)
