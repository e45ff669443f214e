"""The edges that a truth may tell: what is refused, and a digest that sees through other names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from kobench.api import OffersEdges
from kobench.builtin.datasets.grn import load
from kobench.datasets.edges import edges_digest, edges_of
from kobench.datasets.validate import validate
from kobench.errors import UserError


@dataclass
class Truth:
    """A truth of which nothing but edges is looked at."""

    edges: Any


class Silent:
    """A truth without edges."""


def random_edges(seed, genes=30, m=60):
    rng = np.random.default_rng(seed)
    codes = rng.choice(genes * genes, m, replace=False)
    return np.stack([codes // genes, codes % genes], axis=1)


def test_edges_are_an_optional_part_of_a_truth():
    assert edges_of(None, 5) is None
    assert edges_of(Silent(), 5) is None
    assert not isinstance(Silent(), OffersEdges)
    truth = load(genes=20, cells=30).truth
    assert isinstance(truth, OffersEdges)
    found = edges_of(truth, 20)
    assert found.dtype == np.int64
    assert np.array_equal(found, truth.edges)


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([[0, 1, 2]], r"truth.edges of shape \(1, 3\); expected \(m, 2\), regulator and target"),
        ([0, 1], r"of shape \(2,\); expected \(m, 2\)"),
        ([[0.0, 1.0]], "of type float64; expected whole numbers"),
        ([[0.0, np.nan]], "of type float64; expected whole numbers"),
        ([["g0", "g1"]], "of type <U2; expected whole numbers"),
        ([[True, False]], "of type bool; expected whole numbers"),
        ([[0, 1], [2]], "that can't be read .ValueError"),
        ([[0, 20]], "that name gene 20; it has the genes 0 to 19"),
        ([[-1, 0]], "that name gene -1; it has the genes 0 to 19"),
    ],
)
def test_edges_that_are_none_are_refused_in_a_sentence(edges, message):
    dataset = load(genes=20, cells=30)
    with pytest.raises(UserError, match=r"dataset 'mine' has truth\.edges") as refused:
        validate(replace(dataset, truth=Truth(edges)), "mine")
    with pytest.raises(UserError, match=message):
        edges_of(Truth(edges), 20)
    assert len(str(refused.value).splitlines()) == 1


def test_edges_that_raise_are_a_sentence_too():
    class Broken:
        @property
        def edges(self):
            raise RuntimeError("not now")

    with pytest.raises(UserError, match=r"truth\.edges that can't be read .RuntimeError: not now"):
        edges_of(Broken(), 5)


def test_a_network_has_one_digest_whatever_its_genes_are_called():
    edges = random_edges(0)
    places = np.random.default_rng(1).permutation(30)
    order = np.random.default_rng(2).permutation(60)
    same = {
        edges_digest(edges, 30),
        edges_digest(edges[order], 30),
        edges_digest(places[edges], 30),
        edges_digest(np.concatenate([edges, edges[:7]]), 30),  # listed twice
    }
    assert len(same) == 1
    assert edges_digest(edges[:, ::-1], 30) not in same
    assert edges_digest(edges[1:], 30) not in same
    assert edges_digest(edges, 31) not in same
    assert len({edges_digest(random_edges(seed), 30) for seed in range(300)}) == 300


def test_the_digest_is_fixed():
    chain = np.array([[0, 1], [1, 2]])
    assert edges_digest(chain, 3) == edges_digest(chain[:, ::-1], 3)  # the same chain, from its end
    assert edges_digest(chain, 3) == "5b91f032ce747fc9"
    assert edges_digest(np.empty((0, 2), int), 3) != edges_digest(np.empty((0, 2), int), 4)


@pytest.mark.parametrize("name", [None, 3, "x" * 201])
def test_the_name_of_a_network_is_a_short_text(name):
    dataset = load(genes=20, cells=30)
    with pytest.raises(UserError, match="expected a text of at most 200 characters"):
        validate(replace(dataset, network=name), "mine")
