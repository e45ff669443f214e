"""Cell types of `grn`: what they differ in, and that the truth keeps a cell's own type."""

from __future__ import annotations

import numpy as np
import pytest

from kobench.api import Knockouts
from kobench.builtin.datasets.grn import load
from kobench.builtin.datasets.grn.cell_types import (
    BASAL_GENES,
    LACKING_EDGES,
    draw_cell_types,
    draw_labels,
    names_of,
)
from kobench.builtin.datasets.grn.network import draw_network
from kobench.errors import UserError

SMALL = {"genes": 30, "cells": 41}


def test_one_type_is_the_data_set_there_always_was():
    """Numbers read before there were types; others would need a new version of the dataset."""
    data = load(genes=30, cells=40)
    np.testing.assert_allclose(
        data.cells.X[3, :6],
        [2.5117698, 0.0, 0.78238976, 2.8248856, 0.7952421, 1.7587084],
        rtol=1e-5,
    )
    after = data.truth.knockout(Knockouts(np.array([[4]]), np.array([3])))
    np.testing.assert_allclose(
        after[0, :6], [2.19047979, 0.0, 0.78238976, 2.82488565, 0.0, 1.75870832], rtol=1e-6
    )
    assert data.cells.X.sum(dtype=float) == pytest.approx(1457.328203741461, rel=1e-6)
    assert data.replicate().cells.X.sum(dtype=float) == pytest.approx(1454.7442599609494, rel=1e-6)
    other = load(genes=30, cells=40, absence="modules", dropout=0.5, network="sf", seed=2)
    assert other.cells.X.sum(dtype=float) == pytest.approx(1225.7854037731886, rel=1e-6)
    assert other.replicate().cells.X.sum(dtype=float) == pytest.approx(1219.1283347830176, rel=1e-6)
    for plain in (data, other):
        assert plain.cell_type_key is None
        assert dict(plain.cells.obs) == {}
        assert plain.truth.types is plain.truth.labels is None
    np.testing.assert_array_equal(
        load(genes=30, cells=40, types="edges").cells.X, data.cells.X
    )  # says nothing where there is one


@pytest.mark.parametrize("kind", ["basal", "edges"])
def test_types_add_only_what_they_are_for(kind):
    one, three = load(**SMALL), load(**SMALL, cell_types=3, types=kind)
    np.testing.assert_array_equal(three.truth.edges, one.truth.edges)
    np.testing.assert_array_equal(three.truth.absent, one.truth.absent)
    has = three.truth.cell_weights != 0
    np.testing.assert_array_equal(three.truth.cell_weights[has], one.truth.cell_weights[has])
    assert has.all() == (kind == "basal")
    assert three.cell_type_key == "cell_type"
    labels = three.cells.obs["cell_type"]
    assert sorted(np.unique(labels, return_counts=True)[1].tolist()) == [13, 14, 14]
    assert set(labels.tolist()) == {"type0", "type1", "type2"}
    assert labels.tolist() == names_of(three.truth.labels).tolist()
    assert len(set(labels[:10].tolist())) > 1  # in random order
    assert not np.array_equal(three.cells.X, one.cells.X)
    assert "3 cell types" in " ".join(three.notes)
    assert "cell types" not in " ".join(one.notes)
    again = load(**SMALL, cell_types=3, types=kind)
    assert again.cells.X.tobytes() == three.cells.X.tobytes()
    assert again.cells.obs["cell_type"].tolist() == labels.tolist()


def test_the_first_types_are_the_same_however_many_there_are():
    network = draw_network(np.random.default_rng(0), 50, 3.0, None, 0.5)
    for kind in ("basal", "edges"):
        two, five = (
            draw_cell_types(np.random.default_rng(1), network, count, kind) for count in (2, 5)
        )
        for few, many in ((two.basal, five.basal), (two.edges, five.edges)):
            assert few is many is None or np.array_equal(few, many[:2])
    assert draw_cell_types(np.random.default_rng(1), network, 1, "basal") is None


def test_shares_and_sizes():
    network = draw_network(np.random.default_rng(0), 500, 3.0, None, 0.5)
    edges = draw_cell_types(np.random.default_rng(1), network, 4, "edges").edges
    assert ((~edges).sum(axis=1) == round(LACKING_EDGES * 1500)).all()
    basal = draw_cell_types(np.random.default_rng(1), network, 4, "basal").basal
    assert ((basal > 0).sum(axis=1) == round(BASAL_GENES * 500)).all()
    assert basal.max() <= 2
    assert basal[basal > 0].mean() == pytest.approx(
        1.0, abs=0.1
    )  # 400 uniform numbers: standard error 0.029
    # drawn anew for each type: a share of BASAL_GENES of one type's genes in any other's
    assert ((basal[0] > 0) & (basal[1] > 0)).mean() == pytest.approx(BASAL_GENES**2, abs=0.03)
    assert np.bincount(draw_labels(np.random.default_rng(0), 10, 4)).tolist() == [3, 3, 2, 2]


def test_types_differ_and_cells_of_a_type_are_alike():
    for kind in ("basal", "edges"):
        data = load(cell_types=2, types=kind)
        profiles, labels = data.cells.profiles(), data.truth.labels
        means = np.stack([profiles[labels == label].mean(axis=0) for label in (0, 1)])
        halves = np.stack(
            [profiles[labels == 0][::2].mean(axis=0), profiles[labels == 0][1::2].mean(axis=0)]
        )
        assert np.abs(np.diff(means, axis=0)).sum() > 3 * np.abs(np.diff(halves, axis=0)).sum()


@pytest.mark.parametrize("kind", ["basal", "edges"])
def test_a_replicate_keeps_types(kind):
    data = load(**SMALL, cell_types=2, types=kind, sigma=0.2)
    other = data.replicate()
    assert other.cells.obs["cell_type"].tolist() == data.cells.obs["cell_type"].tolist()
    np.testing.assert_array_equal(other.truth.cell_weights == 0, data.truth.cell_weights == 0)
    still = load(**SMALL, cell_types=2, types=kind, sigma=0.0)
    np.testing.assert_allclose(still.replicate().cells.X, still.cells.X)
    assert other.cell_type_key == "cell_type"


@pytest.mark.parametrize("kind", ["basal", "edges"])
def test_the_truth_of_some_cells_keeps_their_types(kind):
    truth = load(**SMALL, cell_types=3, types=kind).truth
    kept = np.arange(41) % 2 == 0
    part = truth.keep(kept)
    rows = np.flatnonzero(kept)
    events = Knockouts.singles(part.wild_type(np.arange(len(rows))) > 0)
    np.testing.assert_array_equal(
        part.knockout(events), truth.knockout(Knockouts(events.genes, rows[events.cells]))
    )
    # order 0 solves the same equation again
    np.testing.assert_allclose(
        truth.knockout(Knockouts.none(41)), truth.wild_type(np.arange(41)), rtol=1e-7
    )


def test_more_types_than_cells_is_an_error():
    with pytest.raises(
        UserError, match="cell_types=42 is more than cells=41; lower cell_types or raise cells"
    ):
        load(**SMALL, cell_types=42)
    with pytest.raises(UserError, match="types='tissue' is not possible; give basal or edges"):
        load(types="tissue")
