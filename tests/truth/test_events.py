"""Which knockouts are asked: all of them block by block, random samples, and samples spread over
the genes.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from kobench.cells import Cells, Knockouts
from kobench.truth import events


def cells_of(on, sparse=False):
    on = np.asarray(on, float)
    names = np.array([f"G{i:03d}" for i in range(on.shape[1])])
    return Cells(scipy.sparse.csr_matrix(on) if sparse else on, names)


def pairs(knockouts):
    return list(zip(knockouts.cells.tolist(), knockouts.genes[:, 0].tolist(), strict=True))


random_cells = st.tuples(
    st.integers(1, 12), st.integers(1, 8), st.integers(0, 99), st.floats(0, 1)
).map(lambda drawn: np.random.default_rng(drawn[2]).random(drawn[:2]) < drawn[3])


@pytest.fixture(params=[1, 7, 10**6])
def block(request, monkeypatch):
    monkeypatch.setattr(events, "ENTRIES_A_BLOCK", request.param)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("entries", [1, 7, 10**6])
@settings(max_examples=30, deadline=None)
@given(on=random_cells)
def test_blocks_give_every_single_knockout(entries, sparse, on):
    cells = cells_of(on, sparse)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events, "ENTRIES_A_BLOCK", entries)
        assert pairs(events.every_single(cells)) == pairs(Knockouts.singles(on))
        expected = np.bincount(Knockouts.singles(on).genes[:, 0], minlength=on.shape[1])
        np.testing.assert_array_equal(events.expressing(cells), expected)


def test_a_sample_is_a_part_of_all_without_repeats(block):
    on = np.random.default_rng(0).random((30, 20)) < 0.5
    cells = cells_of(on)
    drawn, total = events.sample_singles(cells, 100)
    every = pairs(Knockouts.singles(on))
    assert total == len(every)
    assert len(set(pairs(drawn))) == 100
    assert set(pairs(drawn)) <= set(every)
    assert pairs(drawn) == sorted(pairs(drawn)), "grouped by cell"
    assert pairs(events.sample_singles(cells, 100)[0]) == pairs(drawn)
    assert pairs(events.sample_singles(cells, 100, seed=1)[0]) != pairs(drawn)
    assert pairs(events.sample_singles(cells, total)[0]) == every


def test_every_event_is_as_likely_to_be_drawn():
    on = np.random.default_rng(1).random((6, 5)) < 0.7
    cells = cells_of(on)
    every = pairs(Knockouts.singles(on))
    often = dict.fromkeys(every, 0)
    for seed in range(3000):
        for one in pairs(events.sample_singles(cells, 5, seed)[0]):
            often[one] += 1
    p = 5 / len(every)
    deviation = (np.array(list(often.values())) - 3000 * p) / np.sqrt(3000 * p * (1 - p))
    assert np.abs(deviation).max() < 4.5


def test_samples_do_not_depend_on_the_order_of_the_genes_or_on_blocks(monkeypatch):
    on = np.random.default_rng(2).random((25, 30)) < 0.4
    order = np.random.default_rng(3).permutation(30)
    cells = cells_of(on)
    other = Cells(cells.X[:, order], cells.var_names[order])

    def named(cells, knockouts):
        return sorted((cell, str(cells.var_names[gene])) for cell, gene in pairs(knockouts))

    for draw in (
        lambda c: events.sample_singles(c, 60)[0],
        lambda c: events.spread_singles(c, 60, events.expressing(c)),
    ):
        assert named(cells, draw(cells)) == named(other, draw(other))
        whole = pairs(draw(cells))
        monkeypatch.setattr(events, "ENTRIES_A_BLOCK", 77)
        assert pairs(draw(cells)) == whole
        monkeypatch.undo()


def test_a_spread_sample_asks_as_many_cells_of_each_gene(block):
    on = np.zeros((20, 4), bool)
    on[:, 0], on[:6, 1], on[:2, 2], on[:, 3] = True, True, True, True
    drawn = events.spread_singles(cells_of(on), 30, events.expressing(cells_of(on)))
    # 20, 6, 2 and 20 available; min(., 11) adds up to 30
    np.testing.assert_array_equal(np.bincount(drawn.genes[:, 0], minlength=4), [11, 6, 2, 11])
    assert len(set(pairs(drawn))) == 30
    assert all(on[cell, gene] for cell, gene in pairs(drawn))
    only = events.spread_singles(cells_of(on), 30, events.expressing(cells_of(on)) * [0, 1, 0, 1])
    np.testing.assert_array_equal(np.bincount(only.genes[:, 0], minlength=4), [0, 6, 0, 20])


def test_every_cell_of_a_gene_is_as_likely_in_a_spread_sample():
    on = np.ones((8, 3), bool)
    often = np.zeros((8, 3))
    for seed in range(2000):
        for cell, gene in pairs(
            events.spread_singles(cells_of(on), 9, events.expressing(cells_of(on)), seed)
        ):
            often[cell, gene] += 1
    assert np.abs((often - 2000 * 3 / 8) / np.sqrt(2000 * 3 / 8 * 5 / 8)).max() < 4.5


@settings(max_examples=100, deadline=None)
@given(available=st.lists(st.integers(0, 50), min_size=1, max_size=20), most=st.integers(1, 400))
def test_the_even_share_is_the_largest_that_fits(available, most):
    available = np.array(available)
    share = events.even_share(available, most)
    assert share == 1 or np.minimum(available, share).sum() <= most
    if share < available.max():
        assert np.minimum(available, share + 1).sum() > most


def test_nothing_to_ask():
    empty = cells_of(np.zeros((3, 4)))
    assert len(events.every_single(empty)) == 0
    assert events.sample_singles(empty, 10)[1] == 0
    assert len(events.spread_singles(empty, 10, events.expressing(empty))) == 0
    assert len(events.every_single(cells_of(np.eye(3)))) == 0, "a cell's only gene is not removed"
