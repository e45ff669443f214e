"""Scores and their bootstrap draws equal plain loops by scipy and scikit-learn, as the benchmark of
scoring has them.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_units import SPECS, impact_units, outcome, profile_units, ranking_units, units_of

from benchmarks.plain import scores
from kobench.api import ProfileUnits, normalise_rows
from kobench.builtin.metrics import impact, profile, ranking
from kobench.scoring.bootstrap import block_counts, draws

PLAIN = [spec for spec in SPECS if (spec.of, spec.name) in scores.SCORES]


def test_every_metric_of_the_four_tasks_has_a_plain_twin():
    left = {
        (spec.of, spec.name) for spec in SPECS if spec.of in ("profile", "impact", "ranking")
    } - scores.SCORES.keys()
    assert left == {("ranking", "with-abundance")}  # of the task response-size


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("spec", PLAIN, ids=[f"{spec.of}-{spec.name}" for spec in PLAIN])
def test_scores_are_those_of_plain_loops(spec, seed):
    units = units_of(spec, seed, digits=None)
    assert outcome(spec, units) == pytest.approx(
        scores.SCORES[spec.of, spec.name](units), rel=1e-11, abs=1e-13
    )


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_correlations_within_groups_of_any_size_are_those_of_plain_loops(cells, genes, seed):
    units = impact_units(seed, cells, genes, digits=1)
    units = dataclasses.replace(
        units, predicted=np.where(units.cells % 2, units.predicted, 0.0)
    )  # constant answers in half of the cells
    for name in ("spearman-within-cell", "spearman-within-gene"):
        spec = next(spec for spec in PLAIN if (spec.of, spec.name) == ("impact", name))
        found, expected = outcome(spec, units), scores.SCORES["impact", name](units)
        if found == "not computed":
            assert math.isnan(expected)
        else:
            assert found == pytest.approx(expected, rel=1e-11, abs=1e-13, nan_ok=True)


@given(st.integers(1, 12), st.integers(1, 9), st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_row_correlations_of_any_size_are_those_of_plain_loops(n, g, seed):
    rng = np.random.default_rng(seed)
    present = rng.random((n, g)) < 0.6  # rows without a gene, with a single one
    true = normalise_rows(present * rng.integers(0, 4, (n, g)))
    units = ProfileUnits(
        normalise_rows(present * rng.integers(1, 3, (n, g))), true, present, np.arange(n)
    )
    spec = next(spec for spec in PLAIN if (spec.of, spec.name) == ("profile", "spearman"))
    found, expected = outcome(spec, units), scores.SCORES["profile", "spearman"](units)
    assert (
        math.isnan(expected)
        if found == "not computed"
        else found == pytest.approx(expected, rel=1e-11, abs=1e-13, nan_ok=True)
    )


def test_draws_are_those_of_plain_loops():
    impacts, genes, profiles = impact_units(3), ranking_units(3, g=60), profile_units(3, n=200)
    distinct, counts = block_counts(impacts.genes, 30, 5)
    np.testing.assert_allclose(
        draws(impact.spearman_within_cell, impacts, "gene", 30, 5),
        scores.redrawn_within_cell(impacts, counts, distinct),
        rtol=1e-11,
    )
    distinct, counts = block_counts(genes.genes, 30, 5)
    np.testing.assert_allclose(
        draws(ranking.spearman, genes, "gene", 30, 5),
        scores.redrawn_ranking(genes, counts, distinct),
        rtol=1e-11,
    )
    distinct, counts = block_counts(profiles.genes, 30, 5)
    np.testing.assert_allclose(
        draws(profile.explained_change, profiles, "gene", 30, 5),
        scores.redrawn_ratio(*scores.explained_parts(profiles), profiles.genes, counts, distinct),
        rtol=1e-11,
    )
