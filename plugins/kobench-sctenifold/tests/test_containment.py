"""The start vector, the environment and the output, and that all of it is put back."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import pytest

from kobench_sctenifold.containment import contained, drawing_elsewhere, seeded_eigs


def test_eigenvectors_are_repeatable() -> None:
    linalg = pytest.importorskip("scipy.sparse.linalg")
    original = linalg.eigs
    A = np.random.default_rng(0).random((60, 60))

    def vectors(seed: int) -> np.ndarray:
        with seeded_eigs(seed):
            assert linalg.eigs is not original
            return linalg.eigs(A, k=4, which="SR", tol=1e-14)[1]

    first, again, other = vectors(5), vectors(5), vectors(6)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert linalg.eigs is original


def test_a_start_vector_that_is_given_is_kept() -> None:
    linalg = pytest.importorskip("scipy.sparse.linalg")
    A, start = np.random.default_rng(0).random((40, 40)), np.ones(40)
    plain = linalg.eigs(A, k=3, v0=start)[0]
    with seeded_eigs(0):
        np.testing.assert_array_equal(linalg.eigs(A, k=3, v0=start)[0], plain)


def test_eigs_is_put_back_after_an_error() -> None:
    linalg = pytest.importorskip("scipy.sparse.linalg")
    original = linalg.eigs
    with pytest.raises(ValueError, match="square"), seeded_eigs(0):
        linalg.eigs(np.ones((3, 4)), k=1)
    assert linalg.eigs is original


def test_environment_is_put_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MPLBACKEND", "svg")
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    with drawing_elsewhere(tmp_path):
        assert os.environ["MPLBACKEND"] == "Agg"
        assert os.environ["MPLCONFIGDIR"] == str(tmp_path / "matplotlib")
    assert os.environ["MPLBACKEND"] == "svg"
    assert "MPLCONFIGDIR" not in os.environ
    with drawing_elsewhere(None):
        assert "MPLCONFIGDIR" not in os.environ


def test_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("scipy.sparse.linalg")
    pytest.importorskip("threadpoolctl")
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        with contained(0, 1):
            print("finish QC")
            warnings.warn("no outgoing edges", UserWarning, stacklevel=1)
            warnings.warn("something is wrong", RuntimeWarning, stacklevel=1)
    assert capsys.readouterr().out == ""
    assert [str(entry.message) for entry in shown] == ["something is wrong"]
