"""Several knockouts at once: which sets are asked, in which cells, and their interactions, by hand
and one by one.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.spatial.distance import braycurtis
from scipy.stats import chisquare

from kobench.builtin.datasets.grn import load
from kobench.cells import Cells, Knockouts, normalise_rows, without_interaction
from kobench.dataset import Dataset
from kobench.errors import UserError
from kobench.truth.multiples import CELLS_A_SET, SETS, Links, ask_multiples, true_interactions
from kobench.worker import derive

# ------------------------------------------------------------------ the expectation


def test_the_expectation_by_hand():
    wild_type = np.array([[0.4, 0.3, 0.2, 0.1], [0.25, 0.25, 0.25, 0.25]])
    first = np.array([[0.0, 0.5, 0.2, 0.3], [0.0, 0.4, 0.3, 0.3]])
    second = np.array([[0.6, 0.0, 0.3, 0.1], [0.7, 0.0, 0.0, 0.3]])
    # 0.2 + 0 + 0.1 and 0.1 + 0.2 + 0; then 0.25 + 0.05 - 0.25 and 0.25 + 0.05 + 0.05
    expected = [[0, 0, 0.5, 0.5], [0, 0, 0.05 / 0.4, 0.35 / 0.4]]
    pairs = np.array([[0, 1], [0, 1]])
    np.testing.assert_allclose(without_interaction(wild_type, [first, second], pairs), expected)
    np.testing.assert_allclose(
        without_interaction(wild_type, [second, first], pairs[:, ::-1]), expected
    )
    # what falls below 0 is 0: gene 2 loses 0.25 twice
    twice = without_interaction(
        wild_type[1:], [second[1:], np.array([[0.0, 0.5, 0.0, 0.5]])], np.array([[1, 0]])
    )
    np.testing.assert_allclose(twice, [[0, 0, 0, 1]])
    # nothing left
    np.testing.assert_array_equal(
        without_interaction(
            np.array([[0.5, 0.5]]), [np.array([[0.0, 1.0]])] * 2, np.array([[0, 1]])
        ),
        [[0, 0]],
    )
    assert without_interaction(
        np.empty((0, 3)), [np.empty((0, 3))] * 2, np.empty((0, 2), int)
    ).shape == (0, 3)
    with pytest.raises(ValueError, match="1 single knockouts for events that remove 2 genes"):
        without_interaction(wild_type, [first], pairs)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_with_nothing_responding_the_expectation_is_the_null(order):
    rng = np.random.default_rng(order)
    wild_type = normalise_rows(rng.gamma(0.5, 1.0, (50, 12)) * (rng.random((50, 12)) > 0.3))
    genes = np.array([rng.choice(12, order, replace=False) for _ in range(50)])
    rows = np.arange(50)
    singles = [
        normalise_rows(Knockouts(genes[:, [k]], rows).remove_from(wild_type)) for k in range(order)
    ]
    null = normalise_rows(Knockouts(genes, rows).remove_from(wild_type))
    np.testing.assert_allclose(without_interaction(wild_type, singles, genes), null, atol=1e-14)


# ------------------------------------------------- a truth that can be worked out by hand

CLEAN = np.array([[4.0, 2, 2, 2, 0], [1, 1, 1, 0, 1], [3, 1, 0, 0, 0], [2, 2, 2, 2, 2]])
EDGES = np.array([[0, 3], [1, 3]])  # genes 0 and 1 both act on gene 3, so {0, 1, 3} are all linked


class Toy:
    """Gene 3 halves without gene 0 or without gene 1, and vanishes without both; nothing else
    responds.
    """

    edges = EDGES

    def __init__(self, unsolved=()):
        self.unsolved = set(unsolved)

    def wild_type(self, cells):
        return CLEAN[cells]

    def knockout(self, knockouts):
        rows = knockouts.remove_from(CLEAN)
        without = [(knockouts.genes == gene).any(axis=1) for gene in (0, 1)]
        rows[:, 3] *= 1 - 0.5 * without[0] - 0.5 * without[1]
        for event, (cell, genes) in enumerate(zip(knockouts.cells, knockouts.genes, strict=True)):
            if (int(cell), *sorted(genes.tolist())) in self.unsolved:
                rows[event] = np.nan
        return rows


def toy(truth=None, observed=CLEAN):
    cells = Cells(np.asarray(observed, np.float32), np.array(list("abcde")))
    return Dataset(cells, scale="linear", kind="simulated", truth=truth or Toy())


def asked_of(question):
    return sorted(
        zip(question.events.cells.tolist(), map(tuple, question.events.genes.tolist()), strict=True)
    )


def test_all_pairs_of_a_small_data_set():
    question = ask_multiples(toy(), np.array([3, 0, 2]), 2)
    # cell 2 expresses genes 0 and 1 and nothing beside them: not asked
    everything = list(itertools.combinations(range(5), 2))
    assert asked_of(question) == sorted(
        [(0, pair) for pair in everything] + [(1, pair) for pair in everything if 4 not in pair]
    )
    assert question.unsolved == 0
    assert (np.diff(question.events.cells) >= 0).all()  # grouped by cell
    assert question.cells.n_obs == 3
    of = {
        (cell, *genes): value
        for cell, genes, value in zip(
            question.events.cells.tolist(),
            question.events.genes.tolist(),
            question.interaction,
            strict=True,
        )
    }
    # cell 0 (row 1): wild type .4 .2 .2 .2; without 0: 0 .4 .4 .2; without 1: 4/7 0 2/7 1/7;
    # expected for 2: .2 + .2 + (2/7 - .2) = 17/35 and for 3: .2 + 0 + (1/7 - .2) = 5/35, so 17/22
    # and 5/22; true: 1 and 0. BC = 5/22
    assert of[1, 0, 1] == pytest.approx(5 / 22)
    # gene 2 acts on nothing, and takes a share: without it .5 .25 0 .25, expected .45 and .25
    # (9/14, 5/14), true 2/3 and 1/3
    assert of[1, 0, 2] == pytest.approx(1 / 42)
    # of two genes that act on nothing the changes add up exactly
    assert of[0, 2, 4] == of[0, 2, 3] == of[0, 3, 4] == 0.0


def test_nothing_responds_no_interaction():
    class Inert(Toy):
        def knockout(self, knockouts):
            return knockouts.remove_from(CLEAN)

    for order in (2, 3, 4):
        question = ask_multiples(toy(Inert()), np.arange(4), order)
        assert len(question.events) > 0
        assert (question.interaction == 0).all()


def test_an_unsolved_event_or_single_is_left_out_for_everybody():
    whole = ask_multiples(toy(), np.arange(4), 2)
    without_pair = ask_multiples(toy(Toy([(0, 1, 2)])), np.arange(4), 2)
    without_single = ask_multiples(toy(Toy([(3, 4)])), np.arange(4), 2)
    assert set(asked_of(whole)) - set(asked_of(without_pair)) == {(0, (1, 2))}
    assert set(asked_of(whole)) - set(asked_of(without_single)) == {
        (3, (gene, 4)) for gene in range(4)
    }
    assert (without_pair.unsolved, without_single.unsolved) == (1, 4)
    kept = [
        event in set(asked_of(without_single))
        for event in zip(whole.events.cells, map(tuple, whole.events.genes.tolist()), strict=True)
    ]
    np.testing.assert_array_equal(without_single.interaction, whole.interaction[kept])
    np.testing.assert_array_equal(without_single.pairs, whole.pairs[kept])
    np.testing.assert_array_equal(without_single.linked, whole.linked[kept])


def test_dropout_changes_what_is_asked_and_never_the_truth():
    observed = CLEAN.copy()
    observed[3, 1] = 0
    clean, dropped = (
        ask_multiples(toy(), np.array([3]), 2),
        ask_multiples(toy(observed=observed), np.array([3]), 2),
    )
    assert asked_of(dropped) == [event for event in asked_of(clean) if 1 not in event[1]]
    rows = np.array([3])
    np.testing.assert_array_equal(
        true_interactions(Toy(), rows, dropped.events) > 1e-6, dropped.interaction > 0
    )


def test_more_genes_than_there_are_or_no_cell_with_enough():
    assert len(ask_multiples(toy(), np.arange(4), 5).events) == 0  # no cell has a sixth gene
    assert len(ask_multiples(toy(), np.arange(4), 6).events) == 0
    assert ask_multiples(toy(), np.arange(4), 6).events.order == 6
    assert len(ask_multiples(toy(), np.array([2]), 2).events) == 0


def test_errors():
    with pytest.raises(UserError, match="no counterfactual truth"):
        ask_multiples(Dataset(toy().cells, "linear", "simulated"), np.arange(4), 2)
    with pytest.raises(ValueError, match="order is 1"):
        ask_multiples(toy(), np.arange(4), 1)


# ------------------------------------------------------------------ links


def linked_by_hand(edges, genes):
    direct = {frozenset(edge) for edge in edges.tolist() if edge[0] != edge[1]}
    regulators = {gene: {i for i, j in edges.tolist() if j == gene} for gene in range(genes)}
    return {
        (a, b)
        for a, b in itertools.combinations(range(genes), 2)
        if frozenset((a, b)) in direct or any({a, b} <= found for found in regulators.values())
    }


@pytest.mark.parametrize("seed", range(4))
def test_links_are_edges_and_shared_targets(seed):
    edges = np.unique(
        np.random.default_rng(seed).integers(0, 15, (25, 2)), axis=0
    )  # a few regulate themselves
    links = Links(edges, 15)
    expected = linked_by_hand(edges[edges[:, 0] != edges[:, 1]], 15)
    assert {tuple(pair) for pair in links.pairs.tolist()} == expected
    for gene in range(15):
        assert set(links.neighbours[gene].tolist()) == {
            a + b - gene for a, b in expected if gene in (a, b)
        }
    shuffled = np.random.default_rng(9).permutation(edges)
    np.testing.assert_array_equal(
        Links(np.concatenate([shuffled, edges[:3]]), 15).pairs, links.pairs
    )


def test_without_edges_nothing_is_linked():
    for edges in (None, np.empty((0, 2), np.int32), np.array([[2, 2]])):
        assert not Links(edges, 4)
    truth = Toy()
    truth.edges = None
    question = ask_multiples(toy(truth), np.arange(4), 2)
    assert not question.linked.any()
    assert len(question.events) > 0


def test_linked_draws_are_even_and_grow_along_links():
    links = Links(np.array([[0, 1], [2, 1], [3, 4], [5, 6]]), 7)  # 01 21 02 34 56
    rng = np.random.default_rng(0)
    pairs = [tuple(sorted(links.draw(rng, 2).tolist())) for _ in range(3000)]
    counts = [pairs.count(tuple(pair)) for pair in links.pairs.tolist()]
    assert sum(counts) == 3000
    assert chisquare(counts).pvalue > 0.001
    triples = {
        None if (drawn := links.draw(rng, 3)) is None else tuple(sorted(drawn.tolist()))
        for _ in range(200)
    }
    assert triples == {None, (0, 1, 2)}


# ------------------------------------------------------------------ on simulated networks


@pytest.fixture(scope="module")
def network():
    return load(genes=60, cells=300, seed=5, absence="modules", dropout=0.3, cell_types=2)


def half_by_order(events):
    """(n,) bool: whether the set of an event is in the later half, by the order in all cells.

    A set comes before another if it does so in some cell, or if a third stands between them.
    """
    sets, of = np.unique(np.asarray(events.genes), axis=0, return_inverse=True)
    before = np.zeros((len(sets), len(sets)), bool)
    for cell in np.unique(events.cells):
        here = of.ravel()[events.cells == cell]
        for place, one in enumerate(here):
            before[one, here[place + 1 :]] = True
    for _ in range(8):
        before |= (before.astype(np.float32) @ before.astype(np.float32)) > 0
    place = before.sum(axis=0) - before.sum(axis=1)
    return (place > np.median(place))[of.ravel()]


@pytest.mark.parametrize("order", [2, 3])
def test_the_order_of_events_does_not_tell_which_sets_are_linked(network, order):
    """They are sorted by cell and genes alone, which whoever is asked knows anyway."""
    question = ask_multiples(network, np.arange(0, 300, 3), order, seed=2**127 + 9)
    genes, cells = question.events.genes, question.events.cells
    expected = np.lexsort((*genes.T[::-1], cells))
    np.testing.assert_array_equal(expected, np.arange(len(cells)))
    as_drawn = np.lexsort((question.pairs, cells))
    told = half_by_order(question.events[as_drawn]) == question.linked[as_drawn]
    assert told.mean() > 0.95  # the order of drawing would tell
    assert 0.35 < (half_by_order(question.events) == question.linked).mean() < 0.65


@pytest.mark.parametrize("order", [2, 3])
def test_half_random_half_linked_in_cells_that_express_them(network, order):
    asked = np.arange(0, 300, 3)
    question = ask_multiples(network, asked, order)
    genes, cells, pairs = question.events.genes, question.events.cells, question.pairs
    ids, first, counts = np.unique(pairs, return_index=True, return_counts=True)
    assert len(ids) == SETS
    assert question.linked[first].sum() == SETS // 2
    assert len(np.unique(genes[first], axis=0)) == SETS
    assert (np.diff(genes, axis=1) > 0).all()
    assert counts.max() == CELLS_A_SET
    assert len(np.unique(np.stack([pairs, cells]), axis=1).T) == len(pairs)  # no cell twice
    on = network.cells.X[asked] > 0
    assert np.take_along_axis(on[cells], genes, axis=1).all()
    assert (on.sum(axis=1)[cells] > order).all()
    for pair, row in zip(ids, genes[first], strict=True):
        assert (genes[pairs == pair] == row).all()
        able = (on[:, row].all(axis=1) & (on.sum(axis=1) > order)).sum()
        assert counts[ids == pair] == min(able, CELLS_A_SET)
    linked = linked_by_hand(network.truth.edges, 60)
    for row in genes[first][question.linked[first]]:  # connected: all genes are reached along links
        reached = {int(row[0])}
        for _ in row:
            reached |= {
                int(b) for a in tuple(reached) for b in row if (min(a, b), max(a, b)) in linked
            }
        assert reached == set(row.tolist())
    if order == 2:  # random ones are linked as often as any pair
        share = np.mean(
            [tuple(row) in linked for row in genes[first][~question.linked[first]].tolist()]
        )
        assert share < 0.5 < len(linked) / 500


def test_random_sets_are_even_over_genes():
    """Where every cell expresses every gene, each gene is in as many random sets as any other."""
    data = load(genes=20, cells=30, absent=0.0, seed=1)
    counts = np.zeros(20)
    question = ask_multiples(data, np.arange(30), 2, sets=120, cells_a_set=1)
    np.add.at(counts, question.events.genes[~question.linked].ravel(), 1)
    assert counts.sum() == 120
    assert chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize("order", [2, 3])
def test_interactions_agree_with_one_event_at_a_time(network, order, monkeypatch):
    asked = np.arange(100, 200)
    question = ask_multiples(network, asked, order, sets=20)
    truth = network.truth
    for event in range(0, len(question.events), 7):
        row = asked[question.events.cells[event]]

        def profile(*genes, row=row):
            state = (
                truth.wild_type([row])[0]
                if not genes
                else truth.knockout(Knockouts(np.array([genes]), np.array([row])))[0]
            )
            return state / state.sum()

        genes = question.events.genes[event].tolist()
        expected = profile() + sum(profile(gene) - profile() for gene in genes)
        expected[genes] = 0
        expected = np.maximum(expected, 0)
        interaction = braycurtis(profile(*genes), expected / expected.sum())
        assert question.interaction[event] == pytest.approx(
            interaction, abs=1e-9 if interaction > 2e-6 else 1e-6
        )
    monkeypatch.setattr(derive, "NUMBERS_A_CHUNK", 700)
    np.testing.assert_allclose(
        ask_multiples(network, asked, order, sets=20).interaction, question.interaction, atol=1e-12
    )


def test_interactions_do_not_depend_on_the_order_of_events_or_genes(network):
    question = ask_multiples(network, np.arange(60), 3, sets=30)
    shuffled = np.random.default_rng(0).permutation(len(question.events))
    by_cell = shuffled[np.argsort(question.events.cells[shuffled], kind="stable")]
    events = Knockouts(question.events.genes[by_cell][:, ::-1], question.events.cells[by_cell])
    again = true_interactions(network.truth, np.arange(60), events)
    np.testing.assert_allclose(
        np.where(again < 1e-6, 0, again), question.interaction[by_cell], atol=1e-12
    )


def test_the_same_question_every_time(network):
    asked = np.arange(0, 300, 5)
    first, again = (ask_multiples(network, asked, 2) for _ in range(2))
    assert first.events.genes.tobytes() == again.events.genes.tobytes()
    assert first.events.cells.tobytes() == again.events.cells.tobytes()
    assert first.interaction.tobytes() == again.interaction.tobytes()
    other = ask_multiples(load(genes=60, cells=300, seed=6), asked, 2)
    assert len(other.events) != len(first.events) or not np.array_equal(
        other.events.genes, first.events.genes
    )


class Nothing:
    """The truth of somebody who has none; draws need it to be there."""

    def __init__(self, cells):
        self.X = np.asarray(cells.X, float)

    def wild_type(self, cells):
        return self.X[cells]

    def knockout(self, knockouts):
        return knockouts.remove_from(self.X)


@pytest.mark.parametrize(("seed", "told"), [(None, True), (2**127 + 9, False)])
def test_who_knows_the_seed_of_the_draws_can_tell_linked_sets_from_random_ones(seed, told):
    network = load(genes=40, cells=60)
    question = ask_multiples(network, np.arange(60), 2, seed=seed)
    mine = Dataset(question.cells, "linear", "simulated", truth=Nothing(question.cells))
    again = ask_multiples(mine, np.arange(60), 2)

    def sets(asked):
        return [tuple(sorted(genes)) for genes in asked.events.genes.tolist()]

    drawn_again = set(sets(again))
    guessed = np.array([genes not in drawn_again for genes in sets(question)])
    right = (guessed == question.linked).mean()
    assert (right > 0.9) == told
    assert (right < 0.65) != told
