"""The split into halves: balanced in every batch and in all, fixed by its seed, no cell in both."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kobench.datasets.split import STRATEGIES, halve, split
from kobench.errors import UserError


def test_halve_by_hand() -> None:
    # sorted by group, then key: members 1, 2, 0 of the first group, 3, 4 of the second; by turns
    # from the first half on
    group, keys = np.array([0, 0, 0, 7, 7]), np.array([0.9, 0.1, 0.5, 0.2, 0.3])
    assert halve(group, keys).tolist() == [False, False, True, True, False]
    assert halve(group, keys, 1).tolist() == [True, True, False, False, True]
    several = halve(group, np.stack([keys, keys]), np.array([0, 1]))
    assert several.tolist() == [halve(group, keys, 0).tolist(), halve(group, keys, 1).tolist()]


@given(st.lists(st.sampled_from("abcd"), min_size=2, max_size=80), st.integers(0, 50))
def test_every_batch_is_halved(batch: list[str], seed: int) -> None:
    training, reference = split(len(batch), "halves", seed, batch)
    labels = np.array(batch)
    assert np.array_equal(np.sort(np.concatenate([training, reference])), np.arange(len(batch)))
    assert np.array_equal(training, np.sort(training))
    assert np.array_equal(reference, np.sort(reference))
    assert abs(len(training) - len(reference)) <= 1
    for name in np.unique(labels):
        assert (
            abs(int((labels[training] == name).sum()) - int((labels[reference] == name).sum())) <= 1
        )


def test_halves_are_fixed_by_the_seed_and_fair() -> None:
    assert "halves" in STRATEGIES
    batch = np.arange(51) % 4
    assert np.array_equal(split(51, "halves", 3, batch)[1], split(51, "halves", 3, batch)[1])
    assert len({tuple(split(51, "halves", seed, batch)[1]) for seed in range(20)}) == 20
    counts = np.bincount(
        np.concatenate([split(51, "halves", seed, batch)[1] for seed in range(400)]), minlength=51
    )
    assert (
        counts.min() > 140
    )  # each cell is in the reference of about 200 of 400 seeds (standard deviation 10)
    assert counts.max() < 260
    alone = [
        len(split(1 + 2 * 4, "halves", seed)[1]) for seed in range(60)
    ]  # an odd cell goes to either half
    assert set(alone) == {4, 5}


def test_halves_without_batches_and_refusals() -> None:
    training, reference = split(10, "halves", 1)
    assert len(training) == len(reference) == 5
    with pytest.raises(UserError, match="cannot be halved; at least 2"):
        split(1, "halves")
    with pytest.raises(ValueError, match="batch has shape"):
        split(10, "halves", batch=["a"])
