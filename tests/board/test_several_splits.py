"""Boards average over splits, say how many a row has, and compare over those that both have."""

from __future__ import annotations

import numpy as np
import pytest
from factories import make_board, metric, read, record, scores
from scipy import stats
from sections import only, row

from kobench.board.numbers.intervals import (
    Series,
    combine,
    degrees_of_sum,
    mean_interval,
    ratio_interval,
)
from kobench.board.numbers.values import block_series
from tests.studies.splits import series_of, values_of, with_errors

#: 300 draws of the mean over 12 perturbations, with mean 0 and SD 1.
DRAWS = (lambda drawn: (drawn - drawn.mean()) / drawn.std(ddof=1))(
    np.random.default_rng(0).normal(size=300)
)
UNITS = 12


def screen(split, value, role="predictor", name="mlp", noise=0.02, **more):
    """One split of a screen of twelve perturbations."""
    cell = metric(value, draws=(value + noise * DRAWS).tolist())
    whole = {"asks": "response", "block": "perturbation", "blocks": UNITS, "asked": UNITS}
    return record(
        name,
        scores({"spearman": cell}, answered=UNITS, **{"blocks_digest": "same", **whole, **more}),
        role=role,
        dataset="screen",
        seed=None,
        kind="real",
        split=("halves", split),
    )


def several(values, seeds=None, **more):
    """A row in several splits, of seeds 0, 1, ... unless others are given."""
    numbers = range(len(values)) if seeds is None else seeds
    return [screen(seed, value, **more) for seed, value in zip(numbers, values, strict=True)]


def floor(values, **more):
    return several(values, role="floor", name="own-share", **more)


EIGHT = [0.30, 0.34, 0.31, 0.29, 0.33, 0.35, 0.28, 0.32]


def test_the_score_is_the_mean_over_splits_and_one_split_is_as_before():
    found = row(only([*several(EIGHT), *floor([0.1] * 8)]), "mlp")
    assert found.scores["spearman"].value == pytest.approx(np.mean(EIGHT))
    assert (found.splits, found.remarks) == (8, ())
    alone = row(only([*several(EIGHT[:1]), *floor([0.1])]), "mlp")
    assert alone.scores["spearman"].value == 0.30
    assert alone.splits == 1
    half = stats.t.ppf(0.975, UNITS - 1) * 0.02 * np.sqrt(UNITS / (UNITS - 1))
    assert alone.scores["spearman"].high == pytest.approx(0.30 + half)


def test_the_interval_holds_the_spread_of_the_splits():
    """Worked by hand: the variance over perturbations, and that of the splits over their number."""
    found = row(only([*several(EIGHT), *floor([0.1] * 8)]), "mlp").scores["spearman"]
    inside, apart = 0.02**2 * UNITS / (UNITS - 1), np.var(EIGHT, ddof=1) / 8
    degrees = (inside + apart) ** 2 / (inside**2 / (UNITS - 1) + apart**2 / 7)
    half = stats.t.ppf(0.975, degrees) * np.sqrt(inside + apart)
    assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half))
    # what the floor shares with the row cancels, split by split
    with_floor = [*several(EIGHT), *floor([value - 0.2 for value in EIGHT])]
    difference = row(only(with_floor), "mlp").scores["spearman"].difference
    assert (difference.low, difference.high) == pytest.approx((0.2, 0.2))


def test_two_splits_that_differ_are_no_proof_of_anything():
    """Where the splits decide, their degrees of freedom do: two splits have one."""
    rows = several([0.5, 0.1], noise=1e-4)
    found = row(only([*rows, *floor([0.1, 0.1], noise=1e-4)]), "mlp").scores["spearman"]
    assert found.difference.value == pytest.approx(0.2)
    assert found.verdict == "same"
    half = stats.t.ppf(0.975, 1) * 0.2
    assert found.difference.high - found.difference.value == pytest.approx(half, rel=1e-3)


@pytest.mark.parametrize(
    ("variances", "degrees"), [((1.0, 2.0), (11.0, 7.0)), ((3.0, 0.5), (5.0, 1.0))]
)
def test_degrees_of_a_sum_are_those_of_welch(variances, degrees):
    """By scipy's Welch test: of two samples with these variances of the mean and so many units."""
    samples = []
    for variance, d in zip(variances, degrees, strict=True):
        n = int(d) + 1
        sample = stats.norm.ppf((np.arange(n) + 0.5) / n)
        samples.append(sample / sample.std(ddof=1) * np.sqrt(variance * n))
    theirs = stats.ttest_ind(*samples, equal_var=False).df
    assert degrees_of_sum(variances, degrees) == pytest.approx(theirs)


def test_a_skill_excludes_nothing_exactly_where_the_verdict_does():
    """Splits change the degrees of freedom, and both take those of the gain."""
    rng = np.random.default_rng(1)
    for _ in range(50):
        draws = rng.normal(size=(1, 300))
        top = Series(np.array([0.0]), 0.1 * draws, 12.0, rng.normal(0, 0.1, 4))
        top = Series(top.splits[None].mean(axis=1), top.draws + top.splits.mean(), 12.0, top.splits)
        gap = Series(np.array([0.6]), 0.6 + 0.05 * rng.normal(size=(1, 300)), 12.0, np.full(4, 0.6))
        verdict, skill = mean_interval(top), ratio_interval(top, gap)
        assert (verdict.above, verdict.below) == (skill.low > 0, skill.high < 0)


def test_what_is_made_of_several_series_keeps_the_splits_of_all():
    one = block_series({("s", str(i)): [(v, [v] * 3)] for i, v in enumerate((1.0, 3.0))}, {"s"})
    assert one.splits.tolist() == [1.0, 3.0]
    assert combine(np.subtract, one, one).splits.tolist() == [0.0, 0.0]
    other = block_series({("s", "0"): [(1.0, [1.0] * 3)]}, {"s"})
    assert other.splits is None
    assert combine(np.subtract, one, other).splits is None
    assert block_series({("s", "0"): [(1.0, [1.0])], ("s", "1"): [(1.0, [1.0])]}).splits is None


# fewer splits


def test_a_row_with_the_first_splits_is_ranked_and_says_how_many():
    section = only([*several(EIGHT), *several([0.2, 0.4], name="slow"), *floor([0.1] * 8)])
    slow = row(section, "slow")
    assert (slow.status, slow.splits) == ("ok", 2)
    assert slow.rank is not None
    assert [said for said in slow.remarks if "the first 2 of 8 splits" in said]
    assert row(section, "mlp").remarks == ()


def test_its_floor_is_that_of_its_own_splits():
    """Over all eight the floor would be 0.35, and the row below it."""
    floors = floor([0.1, 0.1] + [0.433] * 6)
    found = row(only([*several(EIGHT), *several([0.3, 0.3], name="slow"), *floors]), "slow")
    assert found.scores["spearman"].difference.value == pytest.approx(0.2)
    assert found.scores["spearman"].verdict == "better"


def test_two_rows_are_compared_on_the_splits_that_both_have():
    """`slow` is above `mlp` where both are, though `mlp` has the higher mean over all."""
    mlp, slow = [0.20, 0.22, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6], [0.30, 0.32]
    section = only([*several(mlp), *several(slow, name="slow"), *floor([0.1] * 8)])
    assert (
        row(section, "mlp").scores["spearman"].value > row(section, "slow").scores["spearman"].value
    )
    assert row(section, "slow").rank == (1, 1)
    assert row(section, "mlp").rank == (2, 2)
    both = only([*several(mlp[:2]), *several(slow, name="slow"), *floor([0.1] * 2)])
    assert [row(both, name).rank for name in ("slow", "mlp")] == [(1, 1), (2, 2)]


@pytest.mark.parametrize("seeds", [[5], [1, 2], [0, 2], [0, 1, 2, 3, 4, 5, 7]])
def test_nobody_chooses_which_splits_count(seeds):
    """Whoever could would keep the splits that suit."""
    lucky = several([0.9] * len(seeds), seeds, name="lucky")
    section = only([*several(EIGHT), *lucky, *floor([0.1] * 8)])
    assert row(section, "lucky").status == "incomplete"
    assert row(section, "lucky").rank is None


def test_seeds_are_ordered_as_numbers():
    """As texts "10" would come before "2"."""
    twelve = [0.3 + 0.001 * seed for seed in range(12)]
    section = only([*several(twelve), *several([0.2] * 3, name="slow"), *floor([0.1] * 12)])
    assert row(section, "slow").status == "ok"
    skipping = several([0.2] * 3, [0, 1, 10], name="slow")
    section = only([*several(twelve), *skipping, *floor([0.1] * 12)])
    assert row(section, "slow").status == "incomplete"


def test_a_failed_split_is_no_smaller_number_of_splits():
    failed = record(
        "mlp",
        role="predictor",
        dataset="screen",
        seed=None,
        kind="real",
        split=("halves", 2),
        status="timeout",
        stage="fit",
        message="too slow",
    )
    records = [*several([0.3, 0.3]), failed, *several(EIGHT, name="other"), *floor([0.1] * 8)]
    found = row(only(records), "mlp")
    assert found.status == "timeout"
    assert found.rank is None


def test_a_floor_must_have_every_split_to_count():
    section = only([*several(EIGHT), *floor([0.2, 0.2])])
    assert section.columns[0].floor is None
    assert row(section, "own-share").status == "incomplete"


def test_networks_with_fewer_splits_in_one_are_compared_there_as_well():
    def net(name, seed, split, value, role="predictor"):
        return record(name, value, seed=seed, split=("holdout", split), role=role)

    records = [
        net(name, seed, split, value + 0.01 * seed, role)
        for name, value, role in (("mlp", 0.5, "predictor"), ("own-share", 0.1, "floor"))
        for seed in range(3)
        for split in range(2)
    ]
    fewer = [net("slow", seed, 0, 0.3 + 0.01 * seed) for seed in range(3)]
    section = only([*records, *fewer])
    assert row(section, "slow").status == "ok"
    assert row(section, "slow").splits == 1
    section = only([*records, *fewer[:2]])
    assert row(section, "slow").status == "incomplete"


def test_the_order_of_records_changes_nothing():
    records = read([*several(EIGHT), *several([0.2, 0.4], name="slow"), *floor([0.1] * 8)])
    assert make_board(records) == make_board(records[::-1])


def test_the_study_scores_as_boards_do():
    """`tests/studies/splits.py` in small; docs/intervals.md has what the whole of it found."""
    rng = np.random.default_rng(3)
    true = rng.normal(size=(1, 15, 30)) + 0.1 * rng.normal(size=(8, 15, 30))
    answer = with_errors(rng, true)
    series = series_of(answer, true, 1)
    assert series.mean == pytest.approx(values_of(answer, true), abs=1e-5)
    assert len(series.splits) == 8
    assert series.mean == pytest.approx(series.splits.mean())
    assert mean_interval(series).low < series.mean < mean_interval(series).high
    twins = [series_of(with_errors(rng, true), true, 1) for _ in range(2)]
    difference = mean_interval(combine(np.subtract, *twins))
    assert abs(difference.value) < 0.2
