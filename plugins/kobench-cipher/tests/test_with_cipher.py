"""The predictor beside CIPHER.

It keeps the contract. Covariances are compared with numbers by hand and with numpy, directions with
CIPHER's own fit of the strength.
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from kobench_cipher.cipher_response import Cipher
from kobench_cipher.plugin import kobench_predictors

from kobench.api import Cells, Context, Knockouts
from kobench.checks import CHECKS, assert_contract
from kobench.worker.checks.examples import example_cells

package = pytest.importorskip(
    "cipher", reason="cipher-perturb is not installed here: pip install cipher-perturb"
)

ALL_GENES = Knockouts(np.arange(12)[:, None])
MODES = tuple(package.NORMALIZATION_MODES)


@pytest.fixture(scope="module")
def cells() -> Cells:
    made = example_cells(5)
    return Cells(np.round(made.X * 4), made.var_names)


def answer(
    cells: Cells,
    knockouts: Knockouts = ALL_GENES,
    scale: str = "counts",
    seed: int = 0,
    **parameters: object,
) -> np.ndarray:
    predictor = Cipher(**parameters)  # type: ignore[arg-type]
    predictor.fit(cells, Context(seed=seed, scale=scale))
    return predictor.predict_response(cells, knockouts)


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check: str) -> None:
    assert_contract(Cipher, answers=["response"], only=[check], max_order=1)


def test_covariance_by_hand() -> None:
    """Cells (1, 2, 5), (3, 0, 5), (5, 4, 5): means 3, 2, 5.

    Variance of the first (4 + 0 + 4) / 2 = 4, of the second 4; together (-2 * 0 + 0 * -2 + 2 * 2) /
    2 = 2; the third does not vary.
    """
    cells = Cells(np.array([[1.0, 2, 5], [3, 0, 5], [5, 4, 5]]), np.array(["a", "b", "c"]))
    expected = [[-4, -2, 0], [-2, -4, 0], [0, 0, 0]]
    np.testing.assert_allclose(
        answer(cells, Knockouts(np.arange(3)[:, None])), expected, rtol=1e-12, atol=1e-15
    )


def independent(counts: np.ndarray, mode: str) -> np.ndarray:
    """(n, G) normalised counts as CIPHER's table of modes says, written anew."""
    total = counts.sum(axis=1, keepdims=True)
    if mode == "pflog":
        mean, variance = counts.mean(axis=0), counts.var(axis=0, ddof=1)
        alpha = (mean**2 @ (variance - mean)) / (mean**2 @ mean**2)
        logs = np.log(counts + 1 / (4 * alpha))
        return logs - logs.mean(axis=1, keepdims=True)
    made = {
        "raw": counts,
        "log1p": np.log1p(counts),
        "frequency": counts / total,
        "libsize10k": 1e4 * counts / total,
        "log1CP10k": np.log1p(1e4 * counts / total),
    }
    return made[mode]


@pytest.mark.parametrize("mode", MODES)
def test_every_normalization_is_minus_its_covariance(cells: Cells, mode: str) -> None:
    values = independent(cells.X.astype(float), mode)
    centred = values - values.mean(axis=0)
    expected = -centred.T @ centred / (len(values) - 1)
    given = answer(cells, normalization=mode)
    np.testing.assert_allclose(given, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("mode", MODES)
def test_it_is_what_cipher_predicts_but_for_the_strength(cells: Cells, mode: str) -> None:
    """Given a change along the column, and noise, `cipher.forward_predict` fits a strength.

    Its prediction has our direction.
    """
    given = answer(cells, normalization=mode)
    rng = np.random.default_rng(0)
    for gene in (0, 5):
        change = 0.7 * given[gene] + rng.normal(size=12) * np.abs(given[gene]).max() * 0.1
        predicted, strength = package.forward_predict(-given.T, change, gene, eps=0.0)
        assert strength < 0  # a gene that is lost
        np.testing.assert_allclose(predicted, -strength * given[gene], rtol=1e-12)


def test_parameters_are_those_of_the_package() -> None:
    (spec,) = kobench_predictors()
    theirs = inspect.signature(package.forward_prediction).parameters
    assert spec.params["normalization"].choices == MODES
    assert spec.params["normalization"].default == theirs["normalization"].default
    assert spec.params["max_cells"].default == theirs["cov_max_cells"].default


def test_fewer_cells_are_drawn_by_the_seed(cells: Cells) -> None:
    few = [answer(cells, seed=seed, max_cells=20) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(few[0], few[1])
    assert not np.allclose(few[0], few[2])
    np.testing.assert_array_equal(answer(cells, max_cells=86), answer(cells))


def test_asked_cells_and_working_scale_have_no_part_where_there_are_counts(cells: Cells) -> None:
    working = Cells(np.log1p(cells.X), cells.var_names, layers={"counts": cells.X})
    np.testing.assert_array_equal(answer(working, scale="log1p"), answer(cells))


def test_genes_in_another_order_get_the_same_answers(cells: Cells) -> None:
    turned = answer(Cells(cells.X[:, ::-1].copy(), cells.var_names[::-1]))
    np.testing.assert_allclose(turned[::-1, ::-1], answer(cells), rtol=1e-10, atol=1e-10)


def test_a_gene_never_on_has_no_response(cells: Cells) -> None:
    X = cells.X.copy()
    X[:, 4] = 0
    given = answer(Cells(X, cells.var_names))
    assert not given[4].any()
    assert not given[:, 4].any()


def test_pairs_are_refused_and_nothing_removed_changes_nothing(cells: Cells) -> None:
    predictor = Cipher()
    predictor.fit(cells, Context(scale="counts"))
    with pytest.raises(
        ValueError, match="2 genes removed at once; CIPHER answers for one without a fit"
    ):
        predictor.predict_response(cells, Knockouts(np.array([[0, 1]])))
    np.testing.assert_array_equal(
        predictor.predict_response(cells, Knockouts(np.empty((2, 0), np.int32))), np.zeros((2, 12))
    )
