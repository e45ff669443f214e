"""What is ours: which counts CIPHER is given, which cells, and the description. Needs no CIPHER."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from kobench_cipher.cipher_response import Cipher, chosen_cells, counts_of
from kobench_cipher.plugin import kobench_predictors

from kobench.api import Cells, Context

COUNTS = np.array([[3.0, 0.0, 1.0], [0.0, 7.0, 2.0]])
NAMES = np.array(["a", "b", "c"])


def test_description_and_class_have_the_same_parameters() -> None:
    (spec,) = kobench_predictors()
    defaults = {
        name: parameter.default for name, parameter in inspect.signature(Cipher).parameters.items()
    }
    assert {name: param.default for name, param in spec.params.items()} == defaults
    assert (spec.answers, spec.response, spec.max_order) == (("response",), "direction", 1)


def test_describing_and_making_need_no_cipher() -> None:
    code = (
        "import sys\n"
        "sys.modules['cipher'] = None\n"  # importing it raises
        "from kobench_cipher.plugin import kobench_predictors\n"
        "from kobench_cipher.cipher_response import Cipher\n"
        "print(next(kobench_predictors()).name, Cipher().normalization)"
    )
    root = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.split() == ["cipher", "raw"]


@pytest.mark.parametrize("layer", [COUNTS, scipy.sparse.csr_matrix(COUNTS)])
def test_counts_are_the_layer_where_there_is_one(layer: object) -> None:
    working = np.log1p(COUNTS / 10)
    np.testing.assert_array_equal(
        counts_of(Cells(working, NAMES, layers={"counts": layer}), "log1p-cp10k"), COUNTS
    )


@pytest.mark.parametrize("scale", ["log1p", "log1p-cp10k"])
def test_without_counts_the_logarithm_is_undone(scale: str) -> None:
    np.testing.assert_allclose(counts_of(Cells(np.log1p(COUNTS), NAMES), scale), COUNTS, rtol=1e-12)
    np.testing.assert_allclose(
        counts_of(Cells(scipy.sparse.csr_matrix(np.log1p(COUNTS)), NAMES), scale),
        COUNTS,
        rtol=1e-12,
    )


@pytest.mark.parametrize("scale", ["linear", "counts"])
def test_other_scales_are_taken_as_they_are(scale: str) -> None:
    np.testing.assert_array_equal(counts_of(Cells(COUNTS, NAMES), scale), COUNTS)


def test_cells_are_all_of_them_or_a_draw_by_the_seed() -> None:
    np.testing.assert_array_equal(chosen_cells(4, 4, 0), [0, 1, 2, 3])
    drawn = [chosen_cells(1000, 10, seed) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert drawn[0].tolist() != drawn[2].tolist()
    assert all((np.diff(rows) > 0).all() and len(rows) == 10 and rows[-1] < 1000 for rows in drawn)


def test_one_cell_is_named() -> None:
    pytest.importorskip(
        "cipher", reason="cipher-perturb is not installed here: pip install cipher-perturb"
    )
    with pytest.raises(ValueError, match="1 training cell; a covariance needs at least 2"):
        Cipher().fit(Cells(COUNTS[:1], NAMES), Context())
