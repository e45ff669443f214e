"""The data set `grn` as a whole: what is observed, what is true, and what the parameters do."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from scipy.stats import binomtest

from kobench.api import Knockouts
from kobench.builtin.datasets.grn import dynamics, load
from kobench.builtin.datasets.grn.generate import (
    UNGUESSED,
    draw_cell_weights,
    draw_dropout,
    medians_of,
    stream,
)
from kobench.builtin.datasets.grn.network import draw_network
from kobench.builtin.datasets.grn.parameters import complete
from kobench.builtin.datasets.grn.spec import PARAMS, grn_spec
from kobench.errors import UserError

SMALL = {"genes": 30, "cells": 40}


def rows_of(data):
    return np.arange(data.cells.n_obs)


def test_the_default_data_set():
    data = load()
    assert data.cells.shape == (500, 100)
    assert data.cells.X.dtype == np.float32
    assert list(data.cells.var_names[[0, 7, 99]]) == ["G000", "G007", "G099"]
    assert (data.scale, data.kind) == ("linear", "simulated")
    assert data.batch_key is data.cell_type_key is data.perturbed is None
    clean = data.truth.wild_type(rows_of(data))
    np.testing.assert_array_equal(data.cells.X, clean.astype(np.float32))
    assert clean[clean > 0].min() >= 1e-3
    assert data.truth.edges.shape == (300, 2)
    assert data.truth.weights.shape == data.truth.sign.shape == (300,)
    assert (clean[data.truth.absent] == 0).all()
    facts = data.facts
    assert facts["cells_without_steady_state"] == facts["cells_without_expression"] == 0
    assert facts["absent"] == 0.2
    assert facts["zeros"] == pytest.approx((data.cells.X == 0).mean())
    assert facts["silent"] == pytest.approx((clean == 0).mean() - 0.2)
    assert facts["dropped"] == 0
    assert facts["edges"] == 300
    assert facts["repressing_edges"] == 150


def test_all_single_knockouts_of_the_default_are_solved():
    data = load()
    events = Knockouts.singles(data.cells.assemblages())
    after = data.truth.knockout(events)
    assert after.shape == (len(events), 100)
    assert len(events) > 39_000
    assert np.isfinite(after).all()
    assert (np.take_along_axis(after, events.genes.astype(np.intp), axis=1) == 0).all()
    assert (after[data.truth.absent[events.cells]] == 0).all()


VARIANTS = [
    {},
    {"network": "sf"},
    {"network": "sf", "gamma": 3.5},
    {"degree": 5.0},
    {"sigma": 0.3},
    {"dropout": 0.5},
    {"absent": 0.4},
    {"absence": "modules"},
    {"absence": "modules", "modules": 3},
    {"repressors": 0.2},
    {"knockout": "silenced"},
    {"seed": 1},
    {"genes": 31},
    {"cells": 41},
]


@pytest.mark.parametrize("change", VARIANTS, ids=str)
def test_same_parameters_same_bytes(change):
    first, again = load(**SMALL | change), load(**SMALL | change)
    events = Knockouts.singles(first.cells.assemblages())
    assert first.cells.X.tobytes() == again.cells.X.tobytes()
    assert first.truth.knockout(events).tobytes() == again.truth.knockout(events).tobytes()
    assert first.facts == again.facts
    assert first.notes == again.notes
    assert first.replicate().cells.X.tobytes() == again.replicate().cells.X.tobytes()


def test_every_parameter_changes_the_cells():
    made = [load(**SMALL | change).cells.X.tobytes() for change in VARIANTS]
    assert len(set(made)) == len(made)


def test_a_parameter_changes_only_what_it_names():
    base = load(**SMALL).truth
    for change in ({"sigma": 0.3}, {"knockout": "silenced"}, {"dropout": 0.5}):
        other = load(**SMALL | change).truth
        np.testing.assert_array_equal(other.edges, base.edges)
        np.testing.assert_array_equal(other.weights, base.weights)
        np.testing.assert_array_equal(other.absent, base.absent)
    np.testing.assert_array_equal(
        load(**SMALL, absence="modules").truth.cell_weights, base.cell_weights
    )
    assert not np.array_equal(load(**SMALL, seed=1).truth.edges, base.edges)


def test_repressed_targets_rise_or_fall_by_the_rule():
    """The direct targets of a removed regulator, over all single knockouts."""
    for rule, sign_of_repressed in (("zero", 1), ("silenced", -1)):
        truth = load(cells=30, knockout=rule, sigma=0.0, seed=3).truth
        events = Knockouts.singles(truth.wild_type(np.arange(30)) > 0)
        change = truth.knockout(events) - truth.wild_type(events.cells)
        votes = {-1: [], 1: []}
        for (regulator, target), sign, weight in zip(
            truth.edges, truth.sign, truth.weights, strict=True
        ):
            hit = (events.genes[:, 0] == regulator) & ~truth.absent[events.cells, target]
            if weight > 0.5:
                votes[int(sign)] += list(np.sign(change[hit, target]))
        assert np.mean(votes[1]) < -0.9  # losing an activator lowers
        assert np.mean(votes[-1]) * sign_of_repressed > 0.9


def test_noise_is_relative_gaussian_and_never_negative():
    rng = np.random.default_rng(0)
    network = draw_network(rng, 100, 3.0, None, 0.5)
    relative = draw_cell_weights(rng, network, 2000, 0.3) / network.weights
    assert relative.mean() == pytest.approx(1.0, abs=0.005)
    assert relative.std() == pytest.approx(0.3, abs=0.005)
    assert np.abs(np.corrcoef(relative[:, :20].T)[np.triu_indices(20, 1)]).max() < 0.12
    wide = draw_cell_weights(rng, network, 200, 1.0)
    assert wide.min() == 0.0
    assert (wide == 0).mean() == pytest.approx(0.1587, abs=0.01)  # P(e < -1)
    np.testing.assert_array_equal(
        draw_cell_weights(rng, network, 3, 0.0), np.tile(network.weights, (3, 1))
    )


def test_the_median_rule_by_hand():
    values = np.array(
        [
            # median 2.5  one value  ties, median 2  never on  without the NaN: median 1.5
            [1.0, 0.0, 1.0, 0.0, 1.0],
            [2.0, 0.0, 2.0, 0.0, 2.0],
            [3.0, 5.0, 2.0, 0.0, np.nan],
            [4.0, 0.0, 2.0, 0.0, 0.0],
            [0.0, 0.0, 0.0, 0.0, 0.0],
        ]
    )
    expected = np.zeros((5, 5), bool)
    expected[[0, 1, 0, 0], [0, 0, 2, 4]] = True  # only what is on and under its gene's median
    np.testing.assert_array_equal(
        draw_dropout(np.random.default_rng(0), values, 1.0, medians_of(values)), expected
    )
    assert not draw_dropout(np.random.default_rng(0), values, 0.0, medians_of(values)).any()


@pytest.mark.parametrize("probability", [0.3, 0.7])
def test_dropout_hits_low_entries_with_its_probability(probability):
    without, data = load(seed=5), load(seed=5, dropout=probability)
    clean, seen = without.truth.wild_type(rows_of(without)), data.cells.X
    # the truth is that without dropout: cells and knockouts
    np.testing.assert_array_equal(data.truth.wild_type(rows_of(data)), clean)
    events = Knockouts.singles(seen[:5] > 0)
    np.testing.assert_array_equal(data.truth.knockout(events), without.truth.knockout(events))
    on = clean > 0
    low = on & (clean < np.nanmedian(np.where(on, clean, np.nan), axis=0))
    lost = on & (seen == 0)
    assert not (lost & ~low).any()
    np.testing.assert_array_equal(seen[~lost], clean.astype(np.float32)[~lost])
    assert binomtest(int(lost.sum()), int(low.sum()), probability).pvalue > 0.001
    by_gene = lost.sum(0) / low.sum(0)
    assert (
        np.abs(by_gene - probability).max() < 0.2
    )  # alike in all genes, about 200 low entries each
    assert data.facts["dropped"] == pytest.approx(lost.mean())


def test_a_replicate_is_the_same_cells_with_new_noise():
    data = load(**SMALL, dropout=0.3, sigma=0.2)
    other = data.replicate()
    np.testing.assert_array_equal(other.truth.edges, data.truth.edges)
    np.testing.assert_array_equal(other.truth.absent, data.truth.absent)
    np.testing.assert_array_equal(other.cells.X > 0, data.cells.X > 0)
    assert not (other.truth.cell_weights == data.truth.cell_weights).any()
    both = (data.cells.X > 0) & (other.cells.X > 0)
    relation = np.corrcoef(np.log(data.cells.X[both]), np.log(other.cells.X[both]))[0, 1]
    assert 0.5 < relation < 0.995
    assert other.notes == data.notes
    assert other.cells.shape == data.cells.shape
    still = load(**SMALL, sigma=0.0)
    np.testing.assert_allclose(still.replicate().cells.X, still.cells.X)


def test_cells_without_a_steady_state_are_left_out_and_counted(monkeypatch):
    whole = load(**SMALL, sigma=0.3)
    monkeypatch.setattr(dynamics, "BUDGET", 20)
    data = load(**SMALL, sigma=0.3)
    left = data.facts["cells_without_steady_state"]
    assert 0 < left < 40
    assert data.cells.n_obs == 40 - left
    assert data.facts["cells_without_expression"] == 0
    # those kept are cells of the whole, in order
    positions = [int(np.flatnonzero((row == whole.cells.X).all(1))[0]) for row in data.cells.X]
    assert positions == sorted(positions)
    np.testing.assert_array_equal(data.truth.absent, whole.truth.absent[positions])
    assert data.replicate().cells.n_obs == 40 - left  # draws again until each has a steady state
    monkeypatch.setattr(dynamics, "BUDGET", 1)
    with pytest.raises(
        UserError, match="none of the 40 cells drawn can be used \\(40 without a steady state"
    ):
        load(**SMALL)


def test_a_replicate_that_never_settles_says_so(monkeypatch):
    data = load(**SMALL)
    monkeypatch.setattr(data.truth.solver, "budget", 1)
    with pytest.raises(
        UserError, match="40 cells of the replicate reached no steady state in 10 draws"
    ):
        data.replicate()


def test_cells_that_express_nothing_are_left_out_and_counted():
    data = load(genes=20, cells=200, absence="modules", modules=1, absent=0.5)
    assert data.facts["cells_without_expression"] > 5
    assert data.cells.n_obs + data.facts["cells_without_expression"] == 200
    assert (data.cells.X > 0).any(axis=1).all()
    with pytest.raises(UserError, match="raise genes, or lower absent or dropout"):
        load(genes=5, cells=3, degree=2, absent=1.0)


def test_one_gene_and_a_thousand():
    with pytest.raises(UserError, match="none of the 4 cells"):
        load(genes=1, cells=4)  # nothing drives a gene alone
    pair = load(genes=2, cells=4, degree=1.0, absent=0.0, repressors=1.0)
    assert (pair.cells.X > 0).all()
    assert load(genes=1001, cells=2).cells.var_names[-1] == "G1000"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"gama": 2.5}, "grn has no parameter 'gama'; it has network, gamma,"),
        ({"network": "ba"}, "network='ba' is not possible; give er or sf"),
        ({"absence": "tissue"}, "give random or modules"),
        ({"knockout": "off"}, "give zero or silenced"),
        ({"gamma": 2.0}, "gamma=2 gives no finite mean degree; give an exponent over 2"),
        ({"sigma": -0.1}, "sigma=-0.1 is not possible; give a number from 0 to 1"),
        ({"sigma": float("nan")}, "sigma=nan is not possible"),
        ({"dropout": 1.5}, "dropout=1.5 is not possible; give a number from 0 to 1"),
        ({"cells": 0}, "cells=0 is not possible; give a whole number from 1"),
        ({"cells": 2.5}, "cells=2.5 is not possible; give a whole number"),
        ({"cells": True}, "cells=True is not possible; give a whole number"),
        ({"seed": -1}, "seed=-1 is not possible; give a whole number from 0"),
        (
            {"genes": 3, "degree": 3},
            "degree=3 is more than the 2 possible regulators of a gene with genes=3",
        ),
        ({"absence": "modules", "genes": 5, "modules": 6}, "modules=6 is more than genes=5"),
    ],
    ids=str,
)
def test_impossible_parameters_are_one_sentence(params, message):
    with pytest.raises(UserError) as caught:
        load(**params)
    assert message in str(caught.value)


def test_whole_numbers_do_where_numbers_are_asked():
    np.testing.assert_array_equal(
        load(**SMALL, degree=3).cells.X, load(**SMALL, degree=3.0).cells.X
    )


def test_notes_say_what_was_chosen():
    text = " ".join(load(**SMALL).notes)
    for words in (
        "randomised knockout experiment",
        "targets of a removed repressor rise",
        "uniform on 0 to 2",
        "one steady state",
    ):
        assert words in text
    assert "Scale-free" not in text
    assert "Dropout" not in text
    other = " ".join(
        load(
            **SMALL,
            network="sf",
            gamma=3.0,
            absence="modules",
            knockout="silenced",
            dropout=0.3,
            repressors=0.25,
        ).notes
    )
    for words in (
        "4 latent factors",
        "targets of a removed repressor fall",
        "gamma = 3",
        "observed cells only",
        "share 0.25",
    ):
        assert words in other


def test_the_spec_names_every_parameter():
    spec = grn_spec()
    assert (spec.name, spec.truth, spec.seeded, spec.load) == (
        "grn",
        "counterfactual",
        True,
        "kobench.builtin.datasets.grn:load",
    )
    assert spec.params is PARAMS
    for name, param in PARAMS.items():
        assert param.help, name
        assert param.choices or param.low is not None, name
    assert complete({}) == {name: param.default for name, param in PARAMS.items()}


def test_describing_grn_imports_nothing_heavy():
    heavy = ("scipy", "pandas", "anndata", "torch", "sklearn")
    modules = (*heavy, "kobench.builtin.datasets.grn.generate")
    code = (
        "import sys; from kobench.builtin.datasets.grn.spec import grn_spec; grn_spec();"
        f" print([m for m in {modules} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_streams_of_a_large_seed_can_not_be_computed_from_each_other():
    def plain(seed, *purpose):
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=purpose))

    def first(rng):
        return rng.integers(2**63)

    for seed in (0, UNGUESSED - 1):
        assert first(stream(seed, 3)) == first(plain(seed, 3))
    for seed in (UNGUESSED, 2**128 - 1):
        drawn = {first(stream(seed, *purpose)) for purpose in ((0,), (1,), (100,), (1, 0), (10, 0))}
        assert len(drawn) == 5
        assert not drawn & {first(plain(seed, *purpose)) for purpose in ((0,), (1,), (100,))}
        assert first(stream(seed, 1)) == first(stream(seed, 1)) != first(stream(seed - 1, 1))
