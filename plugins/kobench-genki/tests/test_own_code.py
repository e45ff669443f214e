"""The plugin's own code, without GenKI.

That is limits that are named, the choice of listed genes, the folder for caches, the description.
"""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from kobench_genki.containment import caches_in
from kobench_genki.genki import GenKI, check_cells, check_network, listed_only, without_rounding
from kobench_genki.plugin import kobench_predictors

VARIED = np.arange(24, dtype=np.float32).reshape(3, 8)


def test_description_and_class_have_the_same_parameters() -> None:
    (spec,) = kobench_predictors()
    defaults = {
        name: parameter.default for name, parameter in inspect.signature(GenKI).parameters.items()
    }
    assert {name: param.default for name, param in spec.params.items()} == defaults
    assert (spec.answers, spec.response, spec.order_matters) == (("response",), "affected", True)


def test_describing_and_making_need_neither_torch_nor_genki() -> None:
    code = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['GenKI'] = None\n"  # importing them raises
        "from kobench_genki.plugin import kobench_predictors\n"
        "from kobench_genki.genki import GenKI\n"
        "print(next(kobench_predictors()).name, GenKI(epochs=3).training['epochs'])"
    )
    root = str(Path(__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.split() == ["genki", "3"]


def test_listed_genes_keep_their_distance_the_others_score_0() -> None:
    np.testing.assert_array_equal(
        listed_only(np.array([0.5, 3.0, 0.25, 2.0]), [3, 0]), [0.5, 0, 0, 2]
    )
    np.testing.assert_array_equal(listed_only(np.array([0.5, 3.0]), []), [0, 0])


def test_what_rounding_makes_of_no_divergence_is_0_and_nothing_else_is() -> None:
    given = np.array([4e-16, -2e-16, 0.0, 1e-9, 0.5, np.nan, -0.5])
    np.testing.assert_array_equal(without_rounding(given), [0, 0, 0, 1e-9, 0.5, np.nan, -0.5])


@pytest.mark.parametrize(
    ("values", "scale", "log_normalize", "message"),
    [
        (
            VARIED[:1],
            "linear",
            False,
            "1 training cells x 8 genes; GenKI needs at least 2 cells and 6 genes",
        ),
        (VARIED[:, :5], "linear", False, "3 training cells x 5 genes"),
        (
            VARIED,
            "log1p-cp10k",
            True,
            "log_normalize=true, but the cells are in the scale log1p-cp10k already",
        ),
        (VARIED[[1, 1]], "linear", False, "all 2 training cells are the same"),
    ],
)
def test_what_genki_cannot_work_with_is_named(
    values: np.ndarray, scale: str, log_normalize: bool, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_cells(values, scale, log_normalize)


@pytest.mark.parametrize(
    ("scale", "log_normalize"),
    [("linear", True), ("linear", False), ("log1p", False), ("log1p-cp10k", False)],
)
def test_what_it_can_work_with_passes(scale: str, log_normalize: bool) -> None:
    check_cells(VARIED[:2, :6], scale, log_normalize)


def test_networks_without_finite_weights_or_enough_edges_are_named() -> None:
    check_network(np.array([0.5, -1.0]), 5)
    with pytest.raises(ValueError, match="2 of 3 weights of GenKI's network are not finite"):
        check_network(np.array([0.5, np.nan, np.inf]), 5)
    with pytest.raises(ValueError, match="network has 4 edges; it needs at least 5"):
        check_network(np.array([0.5, -1.0]), 4)


def test_caches_go_to_the_folder_and_the_environment_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("MPLCONFIGDIR", "mine")
    with caches_in(tmp_path):
        assert os.environ["NUMBA_CACHE_DIR"] == str(tmp_path)
        assert os.environ["MPLCONFIGDIR"] == "mine"
    assert "NUMBA_CACHE_DIR" not in os.environ
    with caches_in(None):
        assert "NUMBA_CACHE_DIR" not in os.environ
