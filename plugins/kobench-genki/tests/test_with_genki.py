"""The predictor beside GenKI itself.

It keeps the contract, and agrees with the package's own one-call interface and with distances by
another formula.
"""

from __future__ import annotations

import inspect
import random
from typing import Any

import numpy as np
import pytest
from kobench_genki.genki import GenKI

from kobench.api import Cells, Context, Knockouts
from kobench.checks import CHECKS, assert_contract
from kobench.worker.checks.examples import example_cells

package = pytest.importorskip("GenKI", reason="GenKI is not installed here: pip install GenKI")


@pytest.fixture(scope="module")
def cells() -> Cells:
    return example_cells(3)


@pytest.fixture(scope="module")
def fitted(cells: Cells) -> GenKI:
    predictor = GenKI()
    predictor.fit(cells, Context(seed=3, scale="linear"))
    return predictor


def removing(*genes: int) -> Knockouts:
    return Knockouts(np.array(genes, np.int32)[:, None])


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check: str) -> None:
    assert_contract(GenKI, answers=["response"], only=[check], order_matters=True)


def test_defaults_are_those_of_the_package() -> None:
    mine = {
        name: parameter.default for name, parameter in inspect.signature(GenKI).parameters.items()
    }
    theirs: dict[str, Any] = {}
    for function in (
        package.VGAE_trainer,
        package.DataLoader,
        package.make_pcNet,
        package.build_adata,
    ):
        theirs.update(
            {
                name: parameter.default
                for name, parameter in inspect.signature(function).parameters.items()
            }
        )
    assert all(mine[name] == theirs[name] for name in mine if name != "permutations")


@pytest.mark.parametrize("targets", [[0], [7], [2, 9]])
def test_same_as_the_one_call_interface(
    cells: Cells, fitted: GenKI, targets: list[int], tmp_path: Any
) -> None:
    """Each set of targets has a network and a training of its own, as in GenKI's README."""
    given = cells.to_anndata()
    names = [str(cells.var_names[gene]) for gene in targets]
    alone = package.GenKI.from_adata(given, names, preprocess=True, grn_dir=str(tmp_path)).run(
        seed=3, n_permutations=0
    )
    expected = alone["dis"].reindex([name.upper() for name in cells.var_names]).to_numpy()
    assert expected.max() > 1e-3
    np.testing.assert_allclose(
        fitted.predict_response(cells, Knockouts(np.array([targets])))[0],
        expected,
        rtol=1e-6,
        atol=1e-12,
    )


def test_scores_are_the_divergence_of_two_gaussians(cells: Cells, fitted: GenKI) -> None:
    """KL(N(m, S) || N(m', S')) of diagonal Gaussians.

    Half the sum of S/S' - 1 - log(S/S') + (m - m')^2/S'.
    """
    import copy

    loader = copy.copy(fitted.loader)
    loader._target_gene = ["4"]
    m, S = (part.astype(float) for part in fitted.trainer.get_latent_vars(loader.load_kodata()))
    m1, S1 = (part.astype(float) for part in fitted.latent)
    expected = 0.5 * (S / S1 - 1 - np.log(S / S1) + (m - m1) ** 2 / S1).sum(axis=1)
    np.testing.assert_allclose(
        fitted.predict_response(cells, removing(4))[0], expected, rtol=1e-5, atol=1e-9
    )


def test_a_gene_without_edges_affects_itself_alone(cells: Cells, fitted: GenKI) -> None:
    degree = np.bincount(fitted.loader.edge_index[0].numpy(), minlength=12)
    assert (degree == 0).any(), (
        "the example network has such genes; without one there is nothing to test"
    )
    gene = int(np.flatnonzero(degree == 0)[0])
    score = fitted.predict_response(cells, removing(gene))[0]
    assert score[gene] > 0
    assert not np.delete(score, gene).any()


def test_nothing_removed_nothing_asked(cells: Cells, fitted: GenKI) -> None:
    np.testing.assert_array_equal(
        fitted.predict_response(cells, Knockouts(np.empty((2, 0), np.int32))), np.zeros((2, 12))
    )
    assert fitted.predict_response(cells, removing()).shape == (0, 12)


def test_listed_genes_are_those_of_the_permutation_test(cells: Cells, fitted: GenKI) -> None:
    """At least 95 of 100 bootstraps of the cells have a listed gene among the top twentieth.

    Of 12 genes, the first.
    """
    listing = GenKI(permutations=100)
    listing.fit(cells, Context(seed=3, scale="linear"))
    everything, listed = (
        predictor.predict_response(cells, removing(*range(12))) for predictor in (fitted, listing)
    )
    assert (listed > 0).any()
    assert ((listed > 0).sum(axis=1) <= 1).all()
    np.testing.assert_array_equal(listed[listed > 0], everything[listed > 0])


def test_log_normalize_is_what_kobench_calls_log1p_cp10k(cells: Cells) -> None:
    counts = np.round(cells.X * 5)
    working = np.log1p(1e4 * counts / counts.sum(axis=1, keepdims=True)).astype(np.float32)
    answers = []
    for X, log_normalize, scale in ((counts, True, "counts"), (working, False, "log1p-cp10k")):
        predictor = GenKI(log_normalize=log_normalize)
        predictor.fit(Cells(X, cells.var_names), Context(scale=scale))
        answers.append(predictor.predict_response(cells, removing(1, 5)))
    np.testing.assert_allclose(*answers, rtol=1e-3, atol=1e-6)


def test_this_genki_draws_the_same_whatever_the_seed(cells: Cells, fitted: GenKI) -> None:
    """It sets all seeds to 42 after the one it is given; the README says so.

    When this fails, GenKI has changed.
    """
    other = GenKI()
    other.fit(cells, Context(seed=4, scale="linear"))
    np.testing.assert_array_equal(
        *(predictor.predict_response(cells, removing(0, 1)) for predictor in (fitted, other))
    )


def test_the_order_of_genes_has_a_part_as_declared(cells: Cells, fitted: GenKI) -> None:
    backwards = GenKI()
    backwards.fit(
        Cells(cells.X[:, ::-1].copy(), cells.var_names[::-1]), Context(seed=3, scale="linear")
    )
    there, back = (
        fitted.predict_response(cells, removing(*range(12))),
        backwards.predict_response(cells, removing(*range(12)))[::-1, ::-1],
    )
    assert not np.allclose(there, back, rtol=1e-2)


def test_process_is_left_as_it_was(cells: Cells, tmp_path: Any) -> None:
    import torch

    def state() -> tuple[Any, ...]:
        return (
            random.getstate(),
            np.random.get_state()[1].tolist(),  # noqa: NPY002 - the point of the test
            torch.get_rng_state().tolist(),
            torch.get_num_threads(),
            torch.cuda.is_available,
        )

    before = state()
    predictor = GenKI(permutations=2, epochs=2)
    predictor.fit(cells, Context(threads=1, scratch=tmp_path))
    predictor.predict_response(cells, removing(1))
    assert state() == before
    assert not list(tmp_path.glob("**/*.npz")), "the network's cache is gone"


@pytest.mark.parametrize("genes", [6, 7])
def test_too_few_genes_for_a_test_of_edges_are_named(cells: Cells, genes: int) -> None:
    with pytest.raises(ValueError, match="edges; it needs at least 5"):
        GenKI().fit(Cells(cells.X[:, :genes], cells.var_names[:genes]), Context())


@pytest.mark.filterwarnings(
    "ignore:invalid value encountered in divide:RuntimeWarning"
)  # GenKI's, on the way to what is tested
def test_cells_that_vary_in_one_gene_are_named(cells: Cells) -> None:
    X = np.zeros_like(cells.X)
    X[:, 0] = cells.X[:, 0]
    with pytest.raises(
        ValueError, match="not finite; expected cells that differ in at least 5 directions"
    ):
        GenKI().fit(Cells(X, cells.var_names), Context())


def test_a_gene_that_is_never_on_affects_no_other(cells: Cells) -> None:
    X = cells.X.copy()
    X[:, 3] = 0
    predictor = GenKI()
    predictor.fit(Cells(X, cells.var_names), Context())
    assert not predictor.predict_response(cells, removing(3)).any()
