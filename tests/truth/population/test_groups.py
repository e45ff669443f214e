"""Donors in the measurement of perturbations: halved as wholes, and tests stay inside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.truth.population import grouped
from kobench.truth.population.grouped import halved, within_groups
from kobench.truth.population.measured import ask_responses
from kobench.truth.population.profiles import Population

GENES = np.array([f"g{i:02}" for i in range(30)])
TRAINING, REFERENCE = np.arange(0, 240, 2), np.arange(1, 240, 2)


def screen(shares, effect=0.0, own=0.6, seed=0):
    """240 wild-type cells of six donors, and 120 in which g00 is gone, of donors by their shares.

    Donors differ by `own` in the logarithm of every gene. g00 drives ten genes by `effect`.
    """
    rng = np.random.default_rng(seed)
    donors = np.concatenate([np.arange(240) % 6, rng.choice(6, 120, p=shares)])
    of_donor = np.exp(own * rng.normal(size=(6, 30)))
    X = rng.gamma(4.0, 1.0, (360, 30)) * of_donor[donors]
    X[240:, 1:11] *= np.exp(-effect)
    X[240:, 0] = 0.0
    names = np.array([f"d{donor}" for donor in donors])
    perturbed = Cells(
        X[240:].astype(np.float32),
        GENES,
        {"donor": names[240:], "perturbation": np.repeat(["g00"], 120)},
    )
    cells = Cells(X[:240].astype(np.float32), GENES, {"donor": names[:240]})
    return Dataset(cells, "linear", "real", perturbed=perturbed, group_key="donor")


def asked(dataset):
    found = ask_responses(dataset, TRAINING, REFERENCE)
    return bool(found.detectable[0]), float(found.size_p[0]), int(found.responds[0].sum())


UNEVEN = [0.5, 0.3, 0.05, 0.05, 0.05, 0.05]


def test_a_mix_of_donors_is_no_effect_of_a_knockout():
    dataset = screen(UNEVEN)
    detectable, p, responding = asked(replace(dataset, group_key=None))
    assert detectable
    assert p < 0.01
    assert responding > 10
    detectable, p, responding = asked(dataset)
    assert not detectable
    assert p > 0.05
    assert responding <= 2


def test_an_effect_in_every_donor_is_still_seen():
    detectable, p, responding = asked(screen([1 / 6] * 6, effect=0.8, own=0.2))
    assert detectable
    assert p < 0.01
    assert responding >= 8


def test_knockouts_in_donors_of_their_own_show_nothing_significant():
    dataset = screen([1 / 6] * 6, effect=0.8)
    obs = {**dataset.perturbed.obs, "donor": np.repeat("d9", 120)}
    apart = replace(dataset, perturbed=replace(dataset.perturbed, obs=obs))
    _, p, responding = asked(apart)
    assert (p, responding) == (1.0, 0)  # donor and knockout can't be told apart


def test_each_donor_is_in_one_half_and_both_halves_have_both_kinds_of_cells():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 5, 50), rng.integers(0, 6, 80)
    batches = rng.integers(0, 2, 50), rng.integers(0, 2, 80)
    ours, theirs = halved(groups, batches)
    assert (ours.shape, theirs.shape) == ((20, 2, 50), (20, 2, 80))
    for split in range(20):
        assert np.array_equal(ours[split, 0], ~ours[split, 1])
        for half in (0, 1):
            mine = {*groups[0][ours[split, half]], *groups[1][theirs[split, half]]}
            other = {*groups[0][ours[split, 1 - half]], *groups[1][theirs[split, 1 - half]]}
            assert not mine & other
            assert groups[0][ours[split, half]].size
            assert groups[1][theirs[split, half]].size
    assert len({ours[split, 0].tobytes() for split in range(20)}) > 5


def test_perturbed_and_reference_cells_are_each_halved_evenly():
    """Donors of as many cells each, of which two have mostly the one kind and two the other."""
    groups = np.repeat([0, 1, 2, 3], [10, 2, 10, 2]), np.repeat([0, 1, 2, 3], [2, 10, 2, 10])
    batches = np.zeros(24, int), np.zeros(24, int)
    for halves in halved(groups, batches):
        assert halves.sum(axis=2).tolist() == [[12, 12]] * 20


@pytest.mark.parametrize("alone", [0, 1])
def test_cells_of_one_donor_can_be_halved_by_cells_alone(alone):
    groups = [np.arange(20) % 4, np.arange(20) % 4]
    groups[alone] = np.zeros(20, int)
    assert halved(tuple(groups), (np.zeros(20, int), np.zeros(20, int))) is None


@pytest.mark.parametrize(("batches", "donors"), [(1, 1), (1, 5), (4, 1), (3, 4), (12, 7)])
def test_tests_stay_inside_every_donor_of_every_batch(batches, donors):
    """The last donor of a batch and the first one of the next are no stratum of their own."""
    batch, group = np.divmod(np.tile(np.arange(batches * donors), 2), donors)
    cells = Population.of(np.ones((len(batch), 2)), batch)
    found = within_groups(cells, group, donors - 1)
    pairs = {}
    for stratum, *pair in zip(found.batch.tolist(), batch.tolist(), group.tolist(), strict=True):
        pairs.setdefault(stratum, set()).add(tuple(pair))
    assert len(pairs) == batches * donors
    assert all(len(inside) == 1 for inside in pairs.values())


@pytest.mark.parametrize("batch", [0, 1])
def test_the_batches_of_either_kind_are_halved_by_themselves(batch):
    """Two donors have most of the perturbed cells, two most of the reference, whatever batch."""
    groups = np.repeat(np.arange(6), [10, 2, 10, 2, 1, 1]), np.repeat(np.arange(4), [2, 10, 2, 10])
    batches = np.repeat([1, 0], [24, 2]), np.full(24, batch)
    ours, theirs = halved(groups, batches)
    assert ours[:, :, :24].sum(axis=2).tolist() == [[12, 12]] * 20
    assert theirs.sum(axis=2).tolist() == [[12, 12]] * 20


def test_two_donors_are_halved_one_by_one():
    groups, batches = (np.arange(20) % 2, np.arange(8) % 2), (np.zeros(20, int), np.zeros(8, int))
    ours, theirs = halved(groups, batches)
    assert ours.sum(axis=2).tolist() == [[10, 10]] * 20
    assert theirs.sum(axis=2).tolist() == [[4, 4]] * 20


def test_a_cut_with_one_kind_in_one_half_is_drawn_anew_and_given_up_after_ten(monkeypatch):
    groups = np.arange(4) % 2, np.arange(6) % 2
    batches = np.zeros(4, int), np.zeros(6, int)
    asked = []

    def cut(second):
        def draw(together, strata, rng):
            asked.append(rng)
            return second(len(asked))

        return draw

    for kind in (slice(0, 4), slice(4, 10)):
        for value in (False, True):
            wrong = np.arange(10) % 2 == 0
            right = wrong.copy()
            wrong[kind] = value
            asked.clear()
            monkeypatch.setattr(grouped, "second_half", cut(lambda n, w=wrong: w))
            assert halved(groups, batches) is None
            assert len(asked) == grouped.TRIES == 10
            asked.clear()
            choose = cut(lambda n, w=wrong, r=right: w if n % 10 else r)
            monkeypatch.setattr(grouped, "second_half", choose)
            ours, _ = halved(groups, batches)
            assert (ours[:, 1] == right[:4]).all()
            assert len(asked) == 200
