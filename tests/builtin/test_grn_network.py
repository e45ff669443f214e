"""The networks and absences that `grn` draws: degrees, exponents, shares, correlations."""

from __future__ import annotations

import numpy as np
import pytest

from kobench.builtin.datasets.grn.absence import (
    MODULE_CORRELATION,
    draw_module_absence,
    draw_random_absence,
)
from kobench.builtin.datasets.grn.network import LARGEST_WEIGHT, draw_network


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("gamma", [None, 2.5])
@pytest.mark.parametrize(
    ("genes", "degree"),
    [(100, 3.0), (100, 5.0), (50, 2.5), (30, 1.0), (30, 1.7), (4, 3.0), (2, 1.0)],
)
def test_edges_are_distinct_and_as_many_as_asked(gamma, genes, degree):
    network = draw_network(rng(1), genes, degree, gamma, 0.5)
    assert network.edges.shape == (round(genes * degree), 2)
    assert network.edges.dtype == np.int32
    assert len(np.unique(network.edges, axis=0)) == len(network.edges)
    assert (network.edges[:, 0] != network.edges[:, 1]).all()
    assert network.edges.min() >= 0
    assert network.edges.max() < genes
    assert network.in_degrees().min() >= min(2, int(degree))
    assert network.in_degrees().sum() == network.out_degrees().sum() == len(network.edges)
    np.testing.assert_array_equal(
        network.edges, network.edges[np.lexsort(network.edges.T)]
    )  # by target, then regulator


def test_a_gene_alone_has_no_edge():
    network = draw_network(rng(), 1, 3.0, None, 0.5)
    assert network.edges.shape == (0, 2)
    assert network.sign.shape == network.weights.shape == (0,)


def test_weights_are_uniform_and_signs_have_their_share():
    network = draw_network(rng(), 500, 6.0, None, 0.3)
    assert network.weights.min() >= 0
    assert network.weights.max() <= LARGEST_WEIGHT
    # standard error of the mean of 3,000 uniform weights: 2 / sqrt(12) / sqrt(3000) = 0.0105
    assert network.weights.mean() == pytest.approx(LARGEST_WEIGHT / 2, abs=0.05)
    assert network.weights.var() == pytest.approx(LARGEST_WEIGHT**2 / 12, rel=0.1)
    assert (network.sign == -1).sum() == 900
    assert (network.sign == 1).sum() == 2100
    assert (draw_network(rng(), 20, 3.0, None, 0.0).sign == 1).all()
    assert (draw_network(rng(), 20, 3.0, None, 1.0).sign == -1).all()


def test_er_regulators_are_drawn_evenly():
    """Out-degrees of an even draw are binomial: variance about the mean, and no hubs."""
    out = draw_network(rng(), 2000, 5.0, None, 0.5).out_degrees()
    assert out.var() == pytest.approx(5.0, rel=0.15)
    assert out.max() < 20
    # in-degrees: two, and a Poisson number with mean 3 more
    more = draw_network(rng(), 2000, 5.0, None, 0.5).in_degrees() - 2
    assert more.var() == pytest.approx(3.0, rel=0.15)


@pytest.mark.parametrize("gamma", [2.5, 3.0, 3.5])
def test_sf_out_degrees_follow_their_exponent(gamma):
    """The exponent by maximum likelihood on the tail, over three networks together.

    Clauset, Shalizi and Newman 2009, eq. 3.7. The mean degree is 20, so that the Poisson spread
    about each gene's expected degree is small; the tail is from twice the mean on.
    """
    networks = [draw_network(rng(seed), 2000, 20.0, gamma, 0.5) for seed in range(3)]
    out = np.concatenate([network.out_degrees() for network in networks])
    tail = out[out >= 40]
    exponent = 1 + len(tail) / np.log(tail / 39.5).sum()
    assert exponent == pytest.approx(gamma, abs=0.2)
    more = networks[0].in_degrees() - 2  # in-degrees are those of er
    assert more.var() == pytest.approx(18.0, rel=0.15)


def test_a_smaller_exponent_has_larger_hubs():
    hubs = [
        np.mean([draw_network(rng(s), 300, 3.0, gamma, 0.5).out_degrees().max() for s in range(5)])
        for gamma in (2.2, 3.0, 6.0)
    ]
    assert hubs[0] > 1.5 * hubs[1] > 2 * hubs[2]


@pytest.mark.parametrize(
    ("absent", "genes", "number"),
    [(0.29, 100, 29), (0.57, 100, 57), (0.58, 50, 29), (0.1, 17, 2), (0.1, 14, 1), (0.0, 9, 0)],
)
def test_the_share_that_is_absent_is_rounded_to_genes(absent, genes, number):
    """0.29 * 100 is 28.999999999999996 in floating point."""
    lacking = draw_random_absence(np.random.default_rng(0), 6, genes, absent)
    assert lacking.sum(axis=1).tolist() == [number] * 6


@pytest.mark.parametrize(("absent", "number"), [(0.29, 29), (0.58, 58), (0.5, 50), (0.07, 7)])
def test_the_share_that_modules_lack_is_rounded_to_entries(absent, number):
    lacking = draw_module_absence(np.random.default_rng(0), 4, 25, absent, 3)
    assert lacking.sum() == number


def test_random_absence_takes_the_same_number_from_each_cell():
    absent = draw_random_absence(rng(), 4000, 50, 0.2)
    np.testing.assert_array_equal(absent.sum(1), 10)
    # every gene equally often: standard error sqrt(.2 * .8 / 4000) = 0.0063
    assert np.abs(absent.mean(0) - 0.2).max() < 0.03
    correlation = np.corrcoef(absent.T)[np.triu_indices(50, 1)]
    assert correlation.mean() == pytest.approx(
        -1 / 49, abs=0.002
    )  # a fixed number of 50 makes it -1 / 49 exactly
    assert np.abs(correlation + 1 / 49).max() < 0.09
    assert not draw_random_absence(rng(), 3, 10, 0.0).any()
    assert draw_random_absence(rng(), 3, 10, 1.0).all()


def test_modules_are_absent_together():
    genes, modules, absent_share = 60, 4, 0.2
    absent = draw_module_absence(rng(), 4000, genes, absent_share, modules)
    assert absent.mean() == pytest.approx(absent_share, abs=1e-6)
    assert np.abs(absent.mean(0) - absent_share).max() < 0.04
    correlation = np.corrcoef(absent.T)
    together = correlation > 0.3
    sets = {tuple(np.flatnonzero(row)) for row in together}
    assert (
        sorted(len(members) for members in sets) == [15] * modules
    )  # equal sets, the same seen from each member
    inside = correlation[together & ~np.eye(genes, dtype=bool)]
    # phi of two indicators of the lowest 20 % at that latent correlation, from an independent draw
    pair = np.random.default_rng(9).multivariate_normal(
        [0, 0], [[1, MODULE_CORRELATION], [MODULE_CORRELATION, 1]], 400_000
    )
    low = pair < np.quantile(pair, absent_share)
    assert inside.mean() == pytest.approx(np.corrcoef(low.T)[0, 1], abs=0.03)
    assert np.abs(correlation[~together]).max() < 0.1
    assert (
        absent.sum(1).std() > 6
    )  # depth differs between cells; independent absence would give sqrt(60 * .2 * .8) = 3.1


def test_modules_need_not_divide_the_genes():
    absent = draw_module_absence(rng(), 50, 10, 0.25, 3)
    assert absent.sum() == 125
    assert not draw_module_absence(rng(), 5, 10, 0.0, 3).any()
    assert draw_module_absence(rng(), 5, 10, 1.0, 10).all()
