"""`planted`: the wild-type cells of `grn`, and other cells in which genes are knocked out."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import binomtest, chisquare

from kobench.api import Knockouts
from kobench.builtin.datasets.grn import dynamics, load, load_planted
from kobench.builtin.datasets.grn.generate import stream
from kobench.builtin.datasets.grn.planted import draw_perturbations, shuffled
from kobench.builtin.datasets.grn.spec import PARAMS, PLANTED, planted_spec
from kobench.datasets.validate import validate
from kobench.errors import UserError

SMALL = {"genes": 30, "cells": 60, "perturbations": 4, "perturbed_cells": 25}


def planted(**more):
    return validate(load_planted(**SMALL | more), "planted")


def label_of(data):
    return data.perturbed.obs["perturbation"]


def genes_of(data, label):
    return [int(np.flatnonzero(data.cells.var_names == name)[0]) for name in str(label).split("+")]


VARIANTS = [
    {},
    {"doubles": 2},
    {"dropout": 0.5},
    {"absence": "modules"},
    {"cell_types": 2},
    {"cell_types": 2, "types": "edges"},
    {"batches": 3},
    {"batches": 3, "batch_effect": 0.5},
    {"batches": 2, "shuffle": "labels"},
    {"batches": 2, "shuffle": "perturbed"},
    {"seed": 1},
    {"perturbations": 5},
    {"perturbed_cells": 26},
]


@pytest.mark.parametrize("change", VARIANTS, ids=str)
def test_same_parameters_same_bytes(change):
    first, again = planted(**change), planted(**change)
    for a, b in ((first.cells, again.cells), (first.perturbed, again.perturbed)):
        assert a.X.tobytes() == b.X.tobytes()
        assert sorted(a.obs) == sorted(b.obs)
        assert all(a.obs[key].tolist() == b.obs[key].tolist() for key in a.obs)
    assert (first.facts, first.notes) == (again.facts, again.notes)


def test_every_parameter_changes_something():
    made = [
        (data.cells.X.tobytes(), data.perturbed.X.tobytes())
        for data in (planted(**change) for change in VARIANTS)
    ]
    assert len(set(made)) == len(made)


def test_the_default_data_set():
    data = load_planted()
    assert data.cells.shape == (500, 100)
    assert data.perturbed.shape == (2000, 100)
    assert data.perturbed.X.dtype == np.float32
    names, counts = np.unique(label_of(data), return_counts=True)
    assert len(names) == 20
    assert (counts == 100).all()
    assert (data.kind, data.scale, data.batch_key, data.cell_type_key, data.confounded) == (
        "simulated",
        "linear",
        None,
        None,
        "",
    )
    assert sorted(data.perturbed.obs) == ["perturbation"]
    assert dict(data.cells.obs) == {}
    np.testing.assert_array_equal(data.perturbed.var_names, data.cells.var_names)
    for name in names:
        inside = label_of(data) == name
        assert (data.perturbed.X[inside][:, genes_of(data, name)] == 0).all()
        # the other genes are there as often as in wild-type cells
        others = np.delete(data.perturbed.X[inside], genes_of(data, name), axis=1)
        assert (others > 0).mean() == pytest.approx(0.8, abs=0.02)
    assert (data.facts["perturbations"], data.facts["perturbed_cells"]) == (20, 2000)


@pytest.mark.parametrize(
    "change",
    [{}, {"absence": "modules", "dropout": 0.4}, {"cell_types": 3, "types": "edges"}],
    ids=str,
)
def test_wild_type_cells_and_their_truth_are_those_of_grn(change):
    plain, data = load(genes=30, cells=60, seed=3, **change), planted(seed=3, **change)
    np.testing.assert_array_equal(data.cells.X, plain.cells.X)
    assert {key: column.tolist() for key, column in data.cells.obs.items()} == {
        k: c.tolist() for k, c in plain.cells.obs.items()
    }
    events = Knockouts.singles(data.cells.assemblages())
    np.testing.assert_array_equal(data.truth.knockout(events), plain.truth.knockout(events))
    np.testing.assert_array_equal(data.replicate().cells.X, plain.replicate().cells.X)
    assert set(plain.notes) < set(data.notes)


@pytest.mark.parametrize(
    "change", [{}, {"absence": "modules"}, {"knockout": "silenced"}, {"cell_types": 3}], ids=str
)
def test_perturbed_cells_are_the_wild_type_cells_law_with_the_gene_removed(change):
    """Their mean is that of wild-type cells with the gene removed, within sampling error.

    The counterfactual truth removes the gene from each of these.
    """
    data = load_planted(
        genes=25,
        cells=1500,
        perturbations=3,
        perturbed_cells=1500,
        doubles=1,
        seed=2,
        sigma=0.2,
        **change,
    )
    wild_type = data.truth.wild_type(np.arange(1500))
    moved = []
    for label in np.unique(label_of(data)):
        genes = np.tile(genes_of(data, label), (1500, 1))
        removed = data.truth.knockout(Knockouts(genes, np.arange(1500)))
        measured = data.perturbed.X[label_of(data) == label].astype(float)
        error = np.sqrt(removed.var(axis=0) / 1500 + measured.var(axis=0) / 1500)
        varies = error > 1e-9
        z = (measured.mean(axis=0) - removed.mean(axis=0))[varies] / error[varies]
        assert np.abs(z).max() < 4.5
        assert (
            0.2 < np.mean(z**2) < (6 if "absence" in change else 2.5)
        )  # genes of a module err together
        moved.append(
            np.abs((measured.mean(axis=0) - wild_type.mean(axis=0))[varies] / error[varies]).max()
        )
    assert max(moved) > 10  # and differs from that of the wild type


def test_perturbed_cells_are_other_cells():
    data = planted()
    everyone = np.concatenate([data.cells.X, data.perturbed.X])
    assert len(np.unique(everyone, axis=0)) == len(everyone)
    # absences are drawn anew for each perturbation
    on = [data.perturbed.X[label_of(data) == label] > 0 for label in np.unique(label_of(data))]
    assert all((a != b).mean() > 0.2 for a, b in itertools.combinations(on, 2))


def test_modules_are_those_of_the_wild_type_cells():
    data = load_planted(
        genes=40, cells=600, absence="modules", modules=3, perturbations=2, perturbed_cells=300
    )
    for label in np.unique(label_of(data)):
        alike = [
            np.corrcoef(np.delete(X, genes_of(data, label), axis=1).T > 0)[np.triu_indices(39, 1)]
            for X in (data.cells.X, data.perturbed.X[label_of(data) == label])
        ]
        assert np.corrcoef(alike)[0, 1] > 0.9


def test_a_perturbation_does_not_depend_on_the_others():
    few, many = planted(perturbations=3), planted(perturbations=6, doubles=4)
    kept = np.isin(label_of(many), np.unique(label_of(few)))
    assert len(np.unique(label_of(few))) == 3
    np.testing.assert_array_equal(many.perturbed.X[kept], few.perturbed.X)
    assert label_of(many)[kept].tolist() == label_of(few).tolist()


def test_doubles_are_pairs_of_the_singles():
    drawn = draw_perturbations({**SMALL, "perturbations": 5, "doubles": 10, "seed": 4})
    singles, pairs = drawn[:5], drawn[5:]
    assert len(set(singles)) == 5
    assert sorted(pairs) == list(
        itertools.combinations(sorted(gene for (gene,) in singles), 2)
    )  # all ten, each once
    data = planted(doubles=3)
    doubles = [label for label in np.unique(label_of(data)) if "+" in label]
    assert len(doubles) == 3
    for label in doubles:
        inside = label_of(data) == label
        assert inside.sum() == 25
        assert (data.perturbed.X[inside][:, genes_of(data, label)] == 0).all()
    # genes and pairs are drawn evenly
    counts = np.zeros((2, 6))
    for seed in range(600):
        (first,), *_, pair = draw_perturbations(
            {"genes": 6, "perturbations": 3, "doubles": 1, "seed": seed}
        )
        counts[0, first] += 1
        counts[1, list(pair)] += 1
    assert chisquare(counts[0]).pvalue > 0.001
    assert chisquare(counts[1]).pvalue > 0.001


@pytest.mark.parametrize("probability", [0.4, 1.0])
def test_dropout_goes_by_the_medians_of_the_wild_type_cells(probability):
    clean, data = planted(perturbed_cells=200), planted(perturbed_cells=200, dropout=probability)
    wild_type = data.truth.wild_type(np.arange(60))
    medians = np.array([np.median(values[values > 0]) for values in wild_type.T]).astype(np.float32)
    low = (clean.perturbed.X > 0) & (medians > clean.perturbed.X)
    lost = (clean.perturbed.X > 0) & (data.perturbed.X == 0)
    assert not (lost & ~low).any()
    np.testing.assert_array_equal(data.perturbed.X[~lost], clean.perturbed.X[~lost])
    assert (
        lost[low].all()
        if probability == 1
        else binomtest(int(lost.sum()), int(low.sum()), probability).pvalue > 0.001
    )
    # a knockout moves genes across the line: fewer or more than half are under the wild type's
    # median
    assert (
        np.ptp([low[label_of(data) == label].mean() for label in np.unique(label_of(data))]) > 0.01
    )


def test_batches_multiply_genes_and_perturbations_are_spread_unevenly():
    plain, data = (
        planted(perturbed_cells=400),
        planted(perturbed_cells=400, batches=3, batch_effect=0.3),
    )
    assert data.batch_key == "batch"
    factors = {}
    for before, after in ((plain.cells, data.cells), (plain.perturbed, data.perturbed)):
        assert set(after.obs["batch"].tolist()) == {"batch0", "batch1", "batch2"}
        np.testing.assert_array_equal(after.X > 0, before.X > 0)
        for batch in np.unique(after.obs["batch"]):
            inside = after.obs["batch"] == batch
            ratio = np.where(
                before.X[inside] > 0, after.X[inside] / np.maximum(before.X[inside], 1e-9), np.nan
            )
            middle = np.nanmedian(ratio, axis=0)
            np.testing.assert_allclose(ratio, np.where(np.isnan(ratio), np.nan, middle), rtol=1e-5)
            factors.setdefault(batch, []).append(middle)
    for wild_type, perturbed in factors.values():  # one factor for both
        both = np.isfinite(wild_type) & np.isfinite(perturbed)
        np.testing.assert_allclose(wild_type[both], perturbed[both], rtol=1e-5)
    logs = np.log([values[0] for values in factors.values()])
    assert np.nanstd(logs) == pytest.approx(0.3, rel=0.25)
    assert np.unique(data.cells.obs["batch"], return_counts=True)[1].tolist() == [20, 20, 20]
    mixes = [
        np.unique(data.perturbed.obs["batch"][label_of(data) == label], return_counts=True)[1] / 400
        for label in np.unique(label_of(data))
    ]
    assert max(mix.max() for mix in mixes) > 0.5
    assert np.abs(mixes[0] - mixes[1]).max() > 0.1
    # the truth knows no batch; a replicate is measured in the same batches
    np.testing.assert_array_equal(
        data.truth.wild_type(np.arange(60)), plain.truth.wild_type(np.arange(60))
    )
    again, other = data.replicate().cells, plain.replicate().cells
    assert again.obs["batch"].tolist() == data.cells.obs["batch"].tolist()
    first = data.cells.obs["batch"] == "batch0"
    on = other.X[first] > 0
    np.testing.assert_allclose(
        (again.X[first] / np.where(on, other.X[first], 1))[on],
        np.tile(factors["batch0"][0], (20, 1))[on],
        rtol=1e-5,
    )


def rows_in(cells, inside):
    return sorted(row.tobytes() for row in cells.X[inside])


def test_all_labels_shuffled():
    plain, data = (
        planted(batches=3, cell_types=2),
        planted(batches=3, cell_types=2, shuffle="labels"),
    )
    assert data.truth is data.replicate is None
    for key in ("perturbation", "batch"):
        assert data.perturbed.obs[key].tolist() == plain.perturbed.obs[key].tolist()
    assert data.cells.obs["batch"].tolist() == plain.cells.obs["batch"].tolist()
    for batch in ("batch0", "batch1", "batch2"):
        before, after = (
            rows_in(d.cells, d.cells.obs["batch"] == batch)
            + rows_in(d.perturbed, d.perturbed.obs["batch"] == batch)
            for d in (plain, data)
        )
        assert sorted(before) == sorted(after)
        assert rows_in(plain.cells, plain.cells.obs["batch"] == batch) != rows_in(
            data.cells, data.cells.obs["batch"] == batch
        )
    # a cell takes its type along
    type_of = {
        row.tobytes(): label
        for d in (plain.cells, plain.perturbed)
        for row, label in zip(d.X, d.obs["cell_type"], strict=True)
    }
    assert all(
        type_of[row.tobytes()] == label
        for d in (data.cells, data.perturbed)
        for row, label in zip(d.X, d.obs["cell_type"], strict=True)
    )
    assert any(
        (data.perturbed.X[label_of(data) == label][:, genes_of(data, label)] > 0).any()
        for label in np.unique(label_of(data))
    )
    assert "no perturbation has any effect" in " ".join(data.notes)


def test_labels_of_the_perturbed_cells_shuffled():
    plain, data = planted(batches=2), planted(batches=2, shuffle="perturbed")
    assert data.truth is data.replicate is None
    np.testing.assert_array_equal(data.cells.X, plain.cells.X)
    assert label_of(data).tolist() == label_of(plain).tolist()
    assert not np.array_equal(data.perturbed.X, plain.perturbed.X)
    for batch in ("batch0", "batch1"):
        inside = data.perturbed.obs["batch"] == batch
        assert rows_in(data.perturbed, inside) == rows_in(plain.perturbed, inside)
    assert "all perturbations have the same effect" in " ".join(data.notes)


def test_shuffling_is_even():
    batches = np.array([0, 0, 0, 1, 0, 1])
    landed = np.zeros((6, 6))
    for seed in range(2000):
        source = shuffled(stream(seed, 1), batches, 2, "labels")
        assert sorted(source.tolist()) == list(range(6))
        assert (batches[source] == batches).all()
        landed[np.arange(6), source] += 1
    assert chisquare(landed[:, [0, 1, 2, 4]][[0, 1, 2, 4]].ravel()).pvalue > 0.001
    assert shuffled(stream(0, 1), batches, 2, "none").tolist() == list(range(6))
    for seed in range(20):
        source = shuffled(stream(seed, 1), batches, 2, "perturbed")
        assert source[:2].tolist() == [0, 1]
        assert sorted(source[[2, 4]].tolist()) == [2, 4]
        assert sorted(source[[3, 5]].tolist()) == [3, 5]


@pytest.mark.parametrize("kind", ["basal", "edges"])
def test_perturbed_cells_have_types_too(kind):
    data = load_planted(
        genes=40, cells=200, cell_types=2, types=kind, perturbations=2, perturbed_cells=100, seed=1
    )
    assert data.cell_type_key == "cell_type"
    types = data.perturbed.obs["cell_type"]
    for label in np.unique(label_of(data)):
        assert np.unique(types[label_of(data) == label], return_counts=True)[1].tolist() == [50, 50]
    # a perturbed cell is nearer to the wild-type mean of its own type
    means = {
        name: data.cells.profiles()[data.cells.obs["cell_type"] == name].mean(axis=0)
        for name in ("type0", "type1")
    }
    distance = {
        name: np.abs(data.perturbed.profiles() - mean).sum(axis=1) for name, mean in means.items()
    }
    nearer = np.where(distance["type0"] < distance["type1"], "type0", "type1")
    assert (nearer == types).mean() > 0.8


def test_perturbed_cells_that_cannot_be_used_are_left_out_and_counted(monkeypatch):
    whole = planted(sigma=0.3)
    monkeypatch.setattr(dynamics, "BUDGET", 20)
    data = planted(sigma=0.3)
    left = data.facts["perturbed_cells_without_steady_state"]
    assert 0 < left < 100
    assert data.perturbed.n_obs == data.facts["perturbed_cells"] == 100 - left
    known = {
        row.tobytes(): label for row, label in zip(whole.perturbed.X, label_of(whole), strict=True)
    }
    assert all(
        known[row.tobytes()] == label
        for row, label in zip(data.perturbed.X, label_of(data), strict=True)
    )
    empty = load_planted(
        genes=20,
        cells=200,
        absence="modules",
        modules=1,
        absent=0.5,
        perturbations=2,
        perturbed_cells=100,
    )
    assert empty.facts["perturbed_cells_without_expression"] > 2
    assert (empty.perturbed.X > 0).any(axis=1).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"perturbation": 3}, "planted has no parameter 'perturbation'; it has network,"),
        ({"sigma": -1}, "planted: sigma=-1 is not possible"),
        (
            {"genes": 10, "perturbations": 11},
            "planted: perturbations=11 is more than genes=10; lower perturbations or raise genes",
        ),
        (
            {"perturbations": 3, "doubles": 4},
            "planted: doubles=4 is more than the 3 pairs of the genes of perturbations=3",
        ),
        ({"cells": 5, "batches": 6}, "planted: batches=6 is more than cells=5"),
        ({"shuffle": "all"}, "shuffle='all' is not possible; give none or labels or perturbed"),
        ({"genes": 1, "perturbations": 1}, "planted: none of the 500 cells drawn can be used"),
    ],
    ids=str,
)
def test_impossible_parameters_are_one_sentence(params, message):
    with pytest.raises(UserError) as caught:
        load_planted(**params)
    assert message in str(caught.value)


def test_the_spec():
    spec = planted_spec()
    assert (spec.name, spec.truth, spec.seeded, spec.load) == (
        "planted",
        "population",
        True,
        "kobench.builtin.datasets.grn:load_planted",
    )
    assert spec.params is PLANTED
    assert all(PLANTED[name] is param for name, param in PARAMS.items())
    for name, param in PLANTED.items():
        assert param.help, name
        assert param.choices or param.low is not None, name
