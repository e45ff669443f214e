"""The steady states of `grn`, by hand and by an independent ODE solver, and where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.spatial.distance import braycurtis

from benchmarks.plain import ode
from kobench.api import Knockouts
from kobench.builtin.datasets.grn import block as block_module
from kobench.builtin.datasets.grn import dynamics, load
from kobench.builtin.datasets.grn.cell_types import CellTypes
from kobench.builtin.datasets.grn.dynamics import Solver
from kobench.builtin.datasets.grn.network import Network
from kobench.builtin.datasets.grn.truth import GrnTruth
from kobench.truth.multiples import true_interactions


def make_network(genes, *edges):
    """A network from (regulator, target, weight), a negative weight meaning repression."""
    rows = sorted(edges, key=lambda edge: (edge[1], edge[0]))
    signed = np.array([w for _, _, w in rows], dtype=float)
    return Network(
        genes,
        np.array([(i, j) for i, j, _ in rows], dtype=np.int32).reshape(-1, 2),
        np.abs(signed),
        np.where(signed < 0, -1, 1).astype(np.int8),
    )


def make_truth(network, silenced=False, absent=None, budget=None):
    """The truth of cells without noise, one for each row of `absent`.

    Without it, of one cell that lacks nothing.
    """
    absent = np.zeros((1, network.genes), bool) if absent is None else np.array(absent, bool)
    weights = np.tile(network.weights, (len(absent), 1))
    return GrnTruth.settle(network, Solver(network, silenced, budget), weights, absent)


def typed_truth(network, types, labels, silenced=False, absent=None):
    """As `make_truth`, of cells of several types."""
    absent = (
        np.zeros((len(labels), network.genes), bool) if absent is None else np.array(absent, bool)
    )
    weights = np.tile(network.weights, (len(labels), 1))
    return GrnTruth.settle(
        network, Solver(network, silenced), weights, absent, types, np.array(labels)
    )


def knock_out(truth, *genes, cell=0):
    return truth.knockout(
        Knockouts(np.array([genes], np.int32).reshape(1, len(genes)), np.array([cell], np.int32))
    )[0]


# 0 and 1 repress each other with weight 2: x = 2 / (1 + x), so x = 1. Gene 1 activates 2 with
# weight 1.5: x2 = 1.5 / 2 = 0.75.
TOGGLE = make_network(3, (0, 1, -2.0), (1, 0, -2.0), (1, 2, 1.5))


@pytest.mark.parametrize(
    ("silenced", "without_0", "without_1"),
    [
        # zero: the target of the removed repressor rises to 2 / (1 + 0) = 2, and gene 2 to 1.5 * 2
        # / 3 = 1
        (False, [0.0, 2.0, 1.0], [2.0, 0.0, 0.0]),
        # silenced: nothing is left that drives it
        (True, [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]),
    ],
)
def test_a_removed_repressor_by_hand(silenced, without_0, without_1):
    truth = make_truth(TOGGLE, silenced)
    np.testing.assert_allclose(truth.wild_type([0]), [[1.0, 1.0, 0.75]], rtol=1e-7)
    np.testing.assert_allclose(knock_out(truth, 0), without_0, rtol=1e-7)
    np.testing.assert_allclose(knock_out(truth, 1), without_1, rtol=1e-7)
    np.testing.assert_allclose(knock_out(truth, 2), [1.0, 1.0, 0.0], rtol=1e-7)


@pytest.mark.parametrize("silenced", [False, True])
def test_natural_absence_and_knockout_follow_one_rule(silenced):
    every = np.array([[bool(code & 1), bool(code & 2), bool(code & 4)] for code in range(8)])
    natural = make_truth(TOGGLE, silenced, absent=every)
    complete = make_truth(TOGGLE, silenced)
    for cell, lacking in enumerate(every):
        np.testing.assert_allclose(
            natural.wild_type([cell])[0],
            knock_out(complete, *np.flatnonzero(lacking)),
            rtol=1e-7,
            atol=1e-9,
        )


def test_activators_by_hand():
    # each other's only activator with weight 2: x = 2x / (1 + x), so x = 1 (and 0, which no
    # positive start reaches)
    loop = make_truth(make_network(2, (0, 1, 2.0), (1, 0, 2.0)))
    np.testing.assert_allclose(loop.wild_type([0]), [[1.0, 1.0]], rtol=1e-6)
    np.testing.assert_array_equal(knock_out(loop, 0), [0.0, 0.0])
    # a loop whose gain is under 1 dies out, and is read as 0
    np.testing.assert_array_equal(
        make_truth(make_network(2, (0, 1, 0.5), (1, 0, 0.5))).wild_type([0]), [[0.0, 0.0]]
    )


def test_two_inputs_by_hand():
    # 0 and 1 hold each other at 1; gene 2 has an activator of weight 1 and a repressor of weight
    # 0.6: 1/2 + 0.6/2 = 0.8
    network = make_network(3, (0, 1, -2.0), (1, 0, -2.0), (0, 2, 1.0), (1, 2, -0.6))
    np.testing.assert_allclose(make_truth(network).wild_type([0])[0, 2], 0.8, rtol=1e-7)
    # without 1: x0 = 2, so 2/3 + 0.6 at full strength, or 0 + 0 where 1 is silenced (x0 has no
    # input left)
    np.testing.assert_allclose(knock_out(make_truth(network), 1)[2], 2 / 3 + 0.6, rtol=1e-7)
    np.testing.assert_array_equal(knock_out(make_truth(network, silenced=True), 1), [0.0, 0.0, 0.0])


def test_each_cell_has_its_own_weights():
    network = make_network(2, (0, 1, -1.0), (1, 0, -1.0))
    weights = np.array([[2.0, 2.0], [6.0, 6.0]])  # x (1 + x) = 2 and 6
    truth = GrnTruth.settle(
        network, Solver(network, silenced=False), weights, np.zeros((2, 2), bool)
    )
    np.testing.assert_allclose(truth.wild_type([1, 0]), [[2.0, 2.0], [1.0, 1.0]], rtol=1e-7)
    after = truth.knockout(Knockouts(np.array([[0], [1]]), np.array([1, 0])))
    np.testing.assert_allclose(after, [[0.0, 6.0], [2.0, 0.0]], rtol=1e-7)


@pytest.mark.parametrize("silenced", [False, True])
def test_basal_production_by_hand(silenced):
    # a chain 0 -> 1 -| 2. Type 0 produces gene 0 at 1.5: x0 = 1.5, x1 = 2 * 1.5 / 2.5 = 1.2, x2 =
    # 1.1 / 2.2 = 0.5
    chain = make_network(3, (0, 1, 2.0), (1, 2, -1.1))
    types = CellTypes(basal=np.array([[1.5, 0.0, 0.0], [0.0, 0.1, 0.25]]))
    truth = typed_truth(
        chain, types, [1, 0, 0], silenced, absent=[[False] * 3, [False] * 3, [True, False, False]]
    )
    # type 1: nothing drives gene 0; x1 = 0.1, x2 = 0.25 + 1.1 / 1.1 = 1.25. An absent gene produces
    # nothing, whatever its type
    lonely = 0.0 if silenced else 1.1
    np.testing.assert_allclose(
        truth.wild_type([0, 1]), [[0.0, 0.1, 1.25], [1.5, 1.2, 0.5]], rtol=1e-7
    )
    np.testing.assert_allclose(
        truth.wild_type([2]), [[0.0, 0.0, 1.1]], rtol=1e-7
    )  # gene 1 is there and silent: it still does not repress
    np.testing.assert_allclose(knock_out(truth, 0, cell=1), [0.0, 0.0, 1.1], rtol=1e-7)
    np.testing.assert_allclose(knock_out(truth, 1, cell=1), [1.5, 0.0, lonely], rtol=1e-7)
    np.testing.assert_allclose(knock_out(truth, 1, cell=0), [0.0, 0.0, 0.25 + lonely], rtol=1e-7)
    np.testing.assert_allclose(knock_out(truth, 0, 2, cell=0), [0.0, 0.1, 0.0], rtol=1e-7)


def test_a_type_without_an_edge_by_hand():
    # type 1 lacks the edge 0 -| 1 of the toggle: x1 has no input left, so x0 = 2 and gene 2 is off
    types = CellTypes(edges=np.array([[True, True, True], [True, False, True]]))
    assert TOGGLE.edges.tolist() == [[1, 0], [0, 1], [1, 2]]
    truth = typed_truth(TOGGLE, types, [1, 0])
    np.testing.assert_allclose(
        truth.wild_type([0, 1]), [[2.0, 0.0, 0.0], [1.0, 1.0, 0.75]], rtol=1e-7
    )
    np.testing.assert_array_equal(knock_out(truth, 0, cell=0), [0.0, 0.0, 0.0])
    np.testing.assert_allclose(knock_out(truth, 0, cell=1), [0.0, 2.0, 1.0], rtol=1e-7)


def test_one_gene_no_edge_and_all_absent():
    lonely = make_truth(make_network(1))
    np.testing.assert_array_equal(lonely.wild_type([0]), [[0.0]])  # nothing drives it
    np.testing.assert_array_equal(knock_out(lonely, 0), [0.0])
    truth = make_truth(TOGGLE, absent=[[True, True, True], [True, False, True]])
    np.testing.assert_allclose(
        truth.wild_type([0, 1]), [[0.0, 0.0, 0.0], [0.0, 2.0, 0.0]], rtol=1e-7
    )
    np.testing.assert_array_equal(
        knock_out(truth, 1, cell=1), [0.0, 0.0, 0.0]
    )  # its only expressed gene


def test_the_threshold_is_read_out_only():
    # gene 1 is 0.0009 and read as 0, yet it represses gene 2 with 1 / 1.0009
    network = make_network(3, (0, 1, -0.0009), (1, 2, -1.0))
    truth = make_truth(network)
    assert truth.wild_type([0])[0, 1] == 0.0
    assert truth.steady[0, 1] == pytest.approx(0.0009)
    assert truth.wild_type([0])[0, 2] == pytest.approx(1 / 1.0009, rel=1e-7)
    just_over = make_truth(make_network(2, (0, 1, -0.00101)))
    assert just_over.wild_type([0])[0, 1] == pytest.approx(0.00101)


def test_what_does_not_settle_is_nan():
    # a loop of gain exactly 1 sinks like 1 / t: there is no steady state to be reached in any
    # budget
    critical = make_network(3, (0, 1, 1.0), (1, 0, 1.0), (0, 2, -1.0))
    truth = make_truth(critical, absent=[[False, False, False], [True, False, False]])
    np.testing.assert_array_equal(truth.solved, [False, True])
    assert np.isnan(truth.wild_type([0])).all()
    np.testing.assert_allclose(truth.wild_type([1]), [[0.0, 0.0, 1.0]])
    # only the events that do not settle: two steps are enough where a knockout changes nothing, not
    # to find the toggle's state
    slow = make_truth(TOGGLE)
    slow = GrnTruth(
        slow.network,
        Solver(TOGGLE, silenced=False, budget=2),
        slow.cell_weights,
        slow.absent,
        slow.steady,
    )
    after = slow.knockout(Knockouts(np.array([[2], [0]]), np.array([0, 0])))
    np.testing.assert_allclose(after[0], [1.0, 1.0, 0.0], rtol=1e-7)
    assert np.isnan(after[1]).all()


def test_events_that_make_no_sense_are_refused():
    truth = make_truth(TOGGLE)
    with pytest.raises(ValueError, match="name no cells"):
        truth.knockout(Knockouts(np.array([[0]])))
    with pytest.raises(ValueError, match="cell 1; this data set has cells 0 to 0"):
        truth.knockout(Knockouts(np.array([[0]]), np.array([1])))
    with pytest.raises(ValueError, match="gene -1; this data set has genes 0 to 2"):
        truth.knockout(Knockouts(np.array([[-1]]), np.array([0])))


def test_an_event_does_not_depend_on_the_others(monkeypatch):
    truth = load(genes=40, cells=12, seed=4).truth
    events = Knockouts.singles(truth.wild_type(np.arange(12)) > 0)
    together = truth.knockout(events)
    shuffled = np.random.default_rng(0).permutation(len(events))
    np.testing.assert_array_equal(truth.knockout(events[shuffled]), together[shuffled])
    np.testing.assert_array_equal(truth.knockout(events[77:78]), together[77:78])
    monkeypatch.setattr(block_module, "SPARE", 0)  # settled events leave their block at once
    for block in (500, 1, 1 << 22):
        monkeypatch.setattr(dynamics, "BLOCK", block)
        other = GrnTruth.settle(
            truth.network, Solver(truth.network, silenced=False), truth.cell_weights, truth.absent
        )
        assert other.solver.width == max(1, block // 40)
        np.testing.assert_array_equal(other.steady, truth.steady)
        np.testing.assert_array_equal(other.knockout(events), together)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.integers(0, 6), max_size=60), st.integers(1, 9))
def test_blocks_hold_every_event_once(cells, width):
    cells, seen = np.array(cells, np.int32), []
    for events, real in dynamics.blocks(cells, width):
        assert events.shape == real.shape
        assert events.size <= width
        assert (
            cells[events] == cells[events[:, :1]]
        ).all()  # a row is one cell's, filled up with its own
        assert real[:, 0].all()
        assert real[0].all()  # nothing is wider than its longest row
        seen += events[real].tolist()
    assert sorted(seen) == list(range(len(cells)))


def iterate(inputs, start, absent, silenced, basal, budget=2000):
    """The fixed point of P, one event at a time from the formula, and the rule that accepts it."""
    x, last = np.where(np.isin(np.arange(len(start)), list(absent)), 0.0, start), np.inf
    for _ in range(budget):
        new = np.array(ode.production(x.tolist(), inputs, absent, silenced, basal))
        step = (np.abs(new - x) / np.maximum(new, 1e-3)).max()
        rate = np.clip(step / last, 0.5, 1.0) if last > 0 else 1.0
        if step * rate <= 1e-8 * (1 - rate):
            return new
        x, last = new, step
    return np.full(len(start), np.nan)


def inputs_of(truth, cell):
    """Of each gene, its regulators and the cell's weights of them, negative where they repress."""
    inputs = [[] for _ in range(truth.network.genes)]
    for (i, j), weight in zip(
        truth.edges.tolist(), (truth.cell_weights[cell] * truth.sign).tolist(), strict=True
    ):
        inputs[j].append((i, weight))
    return inputs


@pytest.mark.parametrize(
    "params",
    [
        {"absence": "modules", "knockout": "silenced", "sigma": 0.3},
        {"network": "sf", "degree": 1.5, "absent": 0.5},
        {"cell_types": 3, "degree": 7.0},
        {"cell_types": 2, "types": "edges", "repressors": 0.2},
    ],
)
def test_events_in_blocks_agree_with_one_at_a_time(params):
    """The same iterate is accepted, so the values differ in the order of additions alone.

    And the equation itself comes to rest there.
    """
    truth = load(genes=30, cells=9, seed=6, **params).truth
    silenced = params.get("knockout") == "silenced"
    n = len(truth.absent)
    basal = (
        np.zeros((n, 30))
        if truth.types is None or truth.types.basal is None
        else truth.types.production(truth.labels)
    )
    rng = np.random.default_rng(2)
    for order in range(4):
        cells = rng.integers(0, n, 12).astype(np.int32)
        genes = np.array([rng.choice(30, order, replace=False) for _ in cells], np.int32).reshape(
            12, order
        )  # absent ones among them
        states = truth.solver.solve(
            truth.cell_weights, truth.absent, truth.steady, cells, genes, basal
        )
        for cell, removed, state in zip(cells, genes, states, strict=True):
            absent = {*np.flatnonzero(truth.absent[cell]).tolist(), *removed.tolist()}
            inputs = inputs_of(truth, cell)
            np.testing.assert_allclose(
                state,
                iterate(inputs, truth.steady[cell], absent, silenced, basal[cell]),
                rtol=1e-12,
                atol=0,
            )
            rest = ode.steady_state(inputs, truth.steady[cell], absent, silenced, basal[cell])
            np.testing.assert_allclose(state, rest, rtol=1e-6, atol=1e-9)


def test_the_plain_equation_by_hand():
    # x0 = 2 / (1 + x1), x1 = 2 / (1 + x0): 1 and 1; gene 2 has half of 1.5 and 0.25 of its own, at
    # half the decay twice as much
    inputs = [[(1, -2.0)], [(0, -2.0)], [(1, 1.5)]]
    assert ode.production([1.0, 1.0, 7.0], inputs, {0}, False, [0.0, 0.0, 0.25]) == [0.0, 1.0, 1.0]
    assert ode.production([0.0, 3.0, 7.0], inputs, {0}, True, [0.5, 0.5, 0.25]) == [0.0, 0.5, 1.375]
    np.testing.assert_allclose(
        ode.steady_state(inputs, [3.0, 0.1, 1.0], set(), basal=[0.0, 0.0, 0.25]),
        [1.0, 1.0, 1.0],
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        ode.steady_state(inputs, [1.0, 1.0, 1.0], {0}), [0.0, 2.0, 1.0], rtol=1e-6
    )
    np.testing.assert_array_equal(
        ode.steady_state(inputs, [1.0, 1.0, 1.0], {0, 1, 2}), [0.0, 0.0, 0.0]
    )
    np.testing.assert_allclose(
        ode.steady_state([[], [(0, -1.0)]], [1.0, 1.0], {0}, decay=0.5), [0.0, 2.0], rtol=1e-6
    )


def test_nothing_follows_from_a_cell_without_steady_state():
    critical = make_network(3, (0, 1, 1.0), (1, 0, 1.0), (0, 2, -1.0))
    truth = make_truth(critical, absent=[[False, False, False], [True, False, False]])
    after = truth.knockout(Knockouts(np.array([[0], [2], [2]]), np.array([0, 1, 0])))
    assert np.isnan(after[[0, 2]]).all()
    np.testing.assert_array_equal(after[1], [0.0, 0.0, 0.0])


def test_order_zero_is_the_wild_type_and_no_event_no_row():
    truth = load(genes=30, cells=20, seed=2).truth
    np.testing.assert_allclose(
        truth.knockout(Knockouts.none(20)), truth.wild_type(np.arange(20)), rtol=1e-7
    )
    assert truth.knockout(Knockouts(np.empty((0, 2), np.int32), np.empty(0, np.int32))).shape == (
        0,
        30,
    )


def test_only_what_lies_downstream_changes():
    data = load(genes=60, cells=10, network="sf", degree=2.0, seed=1)
    truth = data.truth
    reach = np.eye(60, dtype=bool)
    for _ in range(60):  # closure of "regulates"
        for regulator, target in truth.edges:
            reach[:, target] |= reach[:, regulator]
    events = Knockouts.singles(truth.wild_type(np.arange(10)) > 0)
    change = np.abs(truth.knockout(events) - truth.wild_type(events.cells))
    outside = ~reach[events.genes[:, 0]]
    assert 0.1 < outside.mean() < 0.95
    assert change[outside].max() < 1e-7
    assert (change[~outside] > 1e-3).mean() > 0.2


edge = st.tuples(
    st.integers(0, 5), st.integers(0, 5), st.floats(-2, 2).filter(lambda w: abs(w) > 0.05)
).filter(lambda e: e[0] != e[1])


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(edge, max_size=14, unique_by=lambda e: e[:2]),
    st.lists(st.booleans(), min_size=6, max_size=6),
    st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True),
    st.booleans(),
    st.lists(st.sampled_from([0.0, 0.0, 0.3, 2.0]), min_size=6, max_size=6),
)
def test_properties_of_any_small_network(edges, lacking, removed, silenced, basal):
    network, types = make_network(6, *edges), CellTypes(basal=np.array([basal]))
    truth = typed_truth(network, types, [0], silenced, absent=[lacking])
    after = knock_out(truth, *removed)
    if np.isnan(after).any() or not truth.solved[0]:
        return  # a loop of activators near gain 1
    absent = np.array(lacking) | np.isin(np.arange(6), removed)
    assert (after >= 0).all()
    assert (after[absent] == 0).all()
    # the order of removal does not matter, nor does doing it step by step
    np.testing.assert_allclose(knock_out(truth, *removed[::-1]), after, rtol=1e-6, atol=1e-6)
    stepwise = typed_truth(
        network,
        types,
        [0],
        silenced,
        absent=[np.array(lacking) | np.isin(np.arange(6), removed[:1])],
    )
    if stepwise.solved[0]:
        np.testing.assert_allclose(knock_out(stepwise, *removed[1:]), after, rtol=1e-6, atol=1e-6)
    # production equals decay, computed edge by edge
    given = np.array([basal])
    state = truth.solver.solve(
        truth.cell_weights, truth.absent, truth.steady, np.array([0]), np.array([removed]), given
    )[0]
    production = np.array(basal)
    for regulator, target, weight in edges:
        if weight > 0:
            production[target] += weight * state[regulator] / (1 + state[regulator])
        elif not (silenced and absent[regulator]):
            production[target] += -weight / (1 + state[regulator])
    np.testing.assert_allclose(np.where(absent, 0.0, production), state, rtol=1e-6, atol=1e-9)


# the differential equation itself, solved by scipy


def dense_weights(truth, cells):
    """A and R of each cell, (n, genes, genes), entry [i, j] for the edge from i to j."""
    genes = truth.network.genes
    activation, repression = np.zeros((2, len(cells), genes, genes))
    for edge, (i, j) in enumerate(truth.edges):
        (activation if truth.sign[edge] > 0 else repression)[:, i, j] = truth.cell_weights[
            cells, edge
        ]
    return activation, repression


def integrate(activation, repression, present, start, silenced, basal=0.0, until=250.0):
    """The state of n independent cells at time `until`.

    They are integrated as one system of n * genes equations.
    """
    shape = start.shape

    def slope(_, flat):
        x = flat.reshape(shape)
        released = present / (1 + x) if silenced else 1 / (1 + x)
        production = ((x / (1 + x))[:, None] @ activation + released[:, None] @ repression)[
            :, 0
        ] + basal
        return (present * (production - x)).ravel()

    solution = solve_ivp(
        slope,
        (0.0, until),
        (start * present).ravel(),
        method="DOP853",
        rtol=1e-9,
        atol=1e-11,
        t_eval=[until],
    )
    assert solution.success
    return solution.y[:, 0].reshape(shape)


def assert_same_state(simulated, integrated):
    clear = np.abs(integrated - 1e-3) > 1e-6  # at the threshold itself either reading is right
    expected = np.where(integrated < 1e-3, 0.0, integrated)
    np.testing.assert_allclose(simulated[clear], expected[clear], rtol=1e-4)


@pytest.mark.parametrize("knockout", ["zero", "silenced"])
@pytest.mark.parametrize("absence", ["random", "modules"])
@pytest.mark.parametrize("network", ["er", "sf"])
def test_steady_states_agree_with_an_ode_solver(network, absence, knockout):
    """Wild type, single, double and triple knockouts of 200 cells.

    Each knockout starts from the integrated wild type.
    """
    genes, cells = 40, 200
    truth = load(
        network=network,
        absence=absence,
        knockout=knockout,
        genes=genes,
        cells=cells,
        sigma=0.2,
        modules=4,
        seed=11,
    ).truth
    rows = np.arange(len(truth.absent))
    assert len(rows) == cells
    activation, repression = dense_weights(truth, rows)
    present = (~truth.absent).astype(float)
    wild_type = integrate(
        activation, repression, present, np.ones((cells, genes)), knockout == "silenced"
    )
    assert_same_state(truth.wild_type(rows), wild_type)
    rng = np.random.default_rng(5)
    for order in (1, 2, 3):
        removed = np.array(
            [rng.choice(np.flatnonzero(x > 0.01), order, replace=False) for x in wild_type]
        )
        left = present.copy()
        np.put_along_axis(left, removed, 0.0, axis=1)
        after = integrate(activation, repression, left, wild_type, knockout == "silenced")
        simulated = truth.knockout(Knockouts(removed, rows))
        assert_same_state(simulated, after)
        assert np.abs(simulated - truth.wild_type(rows) * left).max() > 0.1  # they do respond


@pytest.mark.parametrize("types", ["basal", "edges"])
@pytest.mark.parametrize("knockout", ["zero", "silenced"])
def test_cell_types_and_their_interactions_agree_with_an_ode_solver(knockout, types):
    """Wild types, double and triple knockouts, and their interactions, of three cell types."""
    genes, cells, silenced = 40, 60, knockout == "silenced"
    truth = load(
        knockout=knockout,
        types=types,
        cell_types=3,
        genes=genes,
        cells=cells,
        sigma=0.2,
        absence="modules",
        seed=7,
    ).truth
    rows = np.flatnonzero((truth.wild_type(np.arange(len(truth.absent))) > 0.01).sum(axis=1) >= 6)
    assert len(rows) > 40
    truth = truth.keep(rows)
    rows = np.arange(len(rows))
    activation, repression = dense_weights(truth, rows)
    if types == "edges":
        has = truth.types.edges[truth.labels]
        assert 0.65 < has.mean() < 0.75
        np.testing.assert_array_equal(truth.cell_weights > 0, has)
    basal = truth.types.basal[truth.labels] if types == "basal" else 0.0
    present = (~truth.absent).astype(float)
    wild_type = integrate(
        activation, repression, present, np.ones((len(rows), genes)), silenced, basal
    )
    assert_same_state(truth.wild_type(rows), wild_type)

    def after(removed):
        left = present.copy()
        np.put_along_axis(left, removed, 0.0, axis=1)
        state = integrate(activation, repression, left, wild_type, silenced, basal)
        return np.where(state < 1e-3, 0.0, state)

    def profile(state):
        return state / state.sum(axis=1, keepdims=True)

    rng = np.random.default_rng(5)
    before = profile(np.where(wild_type < 1e-3, 0.0, wild_type))
    for order in (2, 3):
        removed = np.array(
            [rng.choice(np.flatnonzero(x > 0.01), order, replace=False) for x in wild_type]
        )
        together = after(removed)
        assert_same_state(truth.knockout(Knockouts(removed, rows)), together)
        # the interaction, worked out from the integrated states alone
        expected = before + sum(profile(after(removed[:, [k]])) - before for k in range(order))
        np.put_along_axis(expected, removed, 0.0, axis=1)
        expected = profile(np.maximum(expected, 0.0))
        apart = np.array(
            [braycurtis(a, b) for a, b in zip(profile(together), expected, strict=True)]
        )
        np.testing.assert_allclose(
            true_interactions(truth, rows, Knockouts(removed, rows)), apart, atol=2e-5
        )
        assert (apart > 1e-3).mean() > 0.05


def test_the_stiff_solver_and_other_starts_agree_too():
    """The steady state is the only one: any positive start runs to it.

    By a solver of another family.
    """
    truth = load(genes=25, cells=6, sigma=0.3, degree=5.0, seed=3).truth
    activation, repression = dense_weights(truth, np.arange(6))
    rng = np.random.default_rng(1)
    for cell in range(6):
        present = (~truth.absent[cell]).astype(float)
        start = present * rng.lognormal(0.0, 2.0, 25)

        def slope(_, x, cell=cell, present=present):
            return present * (
                (x / (1 + x)) @ activation[cell] + (1 / (1 + x)) @ repression[cell] - x
            )

        end = solve_ivp(slope, (0.0, 250.0), start, method="LSODA", rtol=1e-9, atol=1e-11).y[:, -1]
        assert_same_state(truth.wild_type([cell])[0], end)
