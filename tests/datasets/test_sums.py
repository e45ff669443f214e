"""Log-transformed values tell by their sums how the counts of a cell were scaled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from command import kobench
from screens import screen, written

from kobench.datasets.sums import common_total

pytest.importorskip("anndata")


def logged(total: float | None) -> Any:
    """A screen of log1p of counts per `total`; None for log1p of the counts."""
    adata = screen()
    counts = adata.X.toarray().astype(np.float64)
    scaled = counts if total is None else counts / counts.sum(1, keepdims=True) * total
    adata.X = scipy.sparse.csr_matrix(np.log1p(scaled).astype(np.float32))
    return adata


def add(path: str, *more: str, code: int = 0) -> str:
    options = ("--perturbation-key", "perturbation", "--check", *more)
    said = kobench("datasets", "add", path, *options, code=code)
    return " ".join((said.stdout + said.stderr).split())


def test_what_the_sums_of_cells_are() -> None:
    X = logged(1e4).X
    assert common_total(X) == pytest.approx(1e4, rel=1e-4)
    assert common_total(X.toarray()) == pytest.approx(1e4, rel=1e-4)
    assert common_total(logged(None).X) is None
    assert common_total(X[:3]) is None


def test_values_per_ten_thousand_are_offered_as_that(tmp_path: Path) -> None:
    path = written(logged(1e4), tmp_path)
    said = add(path, code=2)
    assert "counts are expected unless --scale says otherwise, but" in said
    assert "adds up to 10,000 in every cell: declare --scale log1p-cp10k" in said
    assert "askable 4 of 4" in add(path, "--scale", "log1p-cp10k")
    assert "counts are expected unless" not in add(path, "--scale", "counts", code=2)


def test_values_per_another_total_are_refused_and_following_the_advice_works(
    tmp_path: Path,
) -> None:
    adata = logged(321.0)
    path = written(adata, tmp_path)
    for more in ((), ("--scale", "log1p-cp10k")):
        said = add(path, *more, code=2)
        assert "adds up to 321 in every cell" in said
        assert "X = log1p(expm1(X) * 10000 / 321) and declare --scale log1p-cp10k" in said
    assert "askable 4 of 4" in add(path, "--scale", "log1p")
    adata.X = adata.X.expm1().multiply(10000 / 321).tocsr().log1p()
    assert "askable 4 of 4" in add(written(adata, tmp_path), "--scale", "log1p-cp10k")


def test_without_the_column_of_labels_the_columns_are_named(tmp_path: Path) -> None:
    adata = screen()
    adata.obs["lane"] = "a"
    said = kobench("datasets", "add", written(adata, tmp_path), "--check", code=2)
    text = " ".join((said.stdout + said.stderr).split())
    assert "Missing option '--perturbation-key'" in text
    assert "perturbation, lane" in text or "lane, perturbation" in text
