"""Splits of one dataset ask for the same units: they are counted once, and draws are shared."""

from __future__ import annotations

import numpy as np
import pytest
from factories import metric, record, scores
from sections import only, row

DRAWS = np.random.default_rng(0).normal(0.4, 0.05, 300)


def screen(split, asked=11, value=0.4, role="predictor", name="mlp", seed=None, draws=(), **entry):
    """A split of a screen, or of a network."""
    cell = metric(value, draws=[float(one) for one in draws])
    whole = {"asks": "response", "block": "perturbation", "blocks": asked, "asked": asked}
    return record(
        name,
        scores({"spearman": cell}, answered=asked, **{**whole, **entry}),
        role=role,
        dataset="screen",
        seed=seed,
        kind="real" if seed is None else "simulated",
        split=("halves", split),
    )


def remarks(records):
    return only(records).remarks


def test_perturbations_of_six_splits_are_counted_once():
    """They were 66."""
    found = remarks([screen(split) for split in range(6)])
    assert "11 perturbations asked in each of 6 splits" in found
    assert not any("66" in remark for remark in found)
    assert "11 perturbations asked" in remarks([screen(0)])


def test_splits_that_differ_say_so():
    found = remarks([screen(split, asked) for split, asked in enumerate((9, 11, 10))])
    assert "9 to 11 perturbations asked in each of 3 splits" in found


def test_networks_are_added_up():
    records = [screen(split, seed=seed) for seed in (0, 1, 2) for split in (0, 1)]
    assert "33 perturbations asked in each of 2 splits" in remarks(records)
    assert "33 perturbations asked" in remarks(records[::2])


def test_what_is_left_out_of_every_split_is_counted_once():
    records = [
        screen(split, left_out={"too few cells": few, **({} if split else {"silent": 1})})
        for split, few in enumerate((3, 3, 2))
    ]
    found = remarks(records)
    assert "left out for everybody: 2 to 3 in each of 3 splits (too few cells)" in found
    assert "left out for everybody: 0 to 1 in each of 3 splits (silent)" in found


def test_sampled_rows_and_drawn_knockouts_are_counted_once():
    events = {"asked": 400, "of": 9000}
    found = remarks([screen(split, sampled=250, events=events) for split in range(4)])
    assert "full rows of 250 sampled events compared in each of 4 splits" in found
    said = "400 of 9,000 single knockouts were drawn at random and asked in each of 4 splits"
    assert said in found


# intervals


def interval(records):
    score = row(only(records), "mlp").scores["spearman"]
    return score.low, score.high


def splits(count, digest, draws=lambda split: DRAWS):
    return [
        screen(split, draws=draws(split), blocks_digest=digest(split)) for split in range(count)
    ]


def test_the_same_perturbations_in_every_split_keep_the_interval_of_their_means():
    """It was three times as wide with nine equal splits as with one."""
    once = interval(splits(1, lambda split: "same"))
    assert interval(splits(9, lambda split: "same")) == pytest.approx(once)

    def other(split):
        return np.random.default_rng([7, split]).normal(0.4, 0.05, 300)

    found = interval(splits(9, lambda split: "same", other))
    mean = np.mean([other(split) for split in range(9)], axis=0)
    wide = interval([screen(0, draws=0.4 + mean - mean.mean(), blocks_digest="same")])
    assert found == pytest.approx(wide)


@pytest.mark.parametrize("digest", [lambda split: str(split), lambda split: None])
def test_other_units_in_each_split_keep_the_spread_of_one(digest):
    """Cells, perturbations that come and go, and older records that do not say."""
    low, high = interval(splits(9, digest))
    once = interval(splits(1, digest))
    assert high - low == pytest.approx(3 * (once[1] - once[0]))


def test_the_floor_is_drawn_with_the_row():
    """Rows and floors share draws: a row that is the floor plus a constant has no spread to it."""
    records = splits(4, lambda split: "same")
    floors = [
        screen(
            split,
            value=0.3,
            role="floor",
            name="own-share",
            draws=DRAWS - 0.1,
            blocks_digest="same",
        )
        for split in range(4)
    ]
    difference = row(only([*records, *floors]), "mlp").scores["spearman"].difference
    assert (difference.low, difference.high) == pytest.approx((0.1, 0.1))
