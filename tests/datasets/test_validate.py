"""What `validate` refuses, each in one sentence, and what it lets pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.datasets.matrices import check_matrix
from kobench.datasets.validate import validate
from kobench.errors import UserError

Maker = Callable[..., Cells]


def dataset(cells: Cells, **more: Any) -> Dataset:
    return Dataset(cells, **{"scale": "linear", "kind": "real", **more})


def changed(cells: Cells, row: int, column: int | slice, value: float, sparse: bool) -> Cells:
    X = cells.dense().copy()
    X[row, column] = value
    return dataclasses.replace(cells, X=scipy.sparse.csr_matrix(X) if sparse else X)


@pytest.mark.parametrize("sparse", [False, True])
def test_sound_cells_pass_unchanged(tiny_cells: Maker, sparse: bool) -> None:
    given = dataset(tiny_cells(sparse=sparse), batch_key="batch", cell_type_key="cell_type")
    result = validate(given, "tiny")
    assert result.cells.X is given.cells.X
    assert result.cells.obs is given.cells.obs
    assert (
        result.scale,
        result.kind,
        result.batch_key,
        result.cell_type_key,
        result.perturbed,
    ) == (
        "linear",
        "real",
        "batch",
        "cell_type",
        None,
    )


def test_sparse_matrices_become_canonical_rows(tiny_cells: Maker) -> None:
    cells = tiny_cells()
    result = validate(
        dataset(
            dataclasses.replace(
                cells,
                X=scipy.sparse.csc_matrix(cells.X),
                layers={"raw": scipy.sparse.coo_matrix(cells.X)},
            )
        ),
        "tiny",
    )
    assert isinstance(result.cells.X, scipy.sparse.csr_matrix)
    assert isinstance(result.cells.layers["raw"], scipy.sparse.csr_matrix)
    np.testing.assert_array_equal(result.cells.dense(), cells.X)


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ((4, 5), np.nan, "1 value of X is not finite (first: nan in cell '4', gene 'gene5')"),
        ((29, 11), np.inf, "1 value of X is not finite (first: inf in cell '29', gene 'gene11')"),
        ((0, 0), -2.5, "1 value of X is negative (first: -2.5 in cell '0', gene 'gene0')"),
        (
            (7, slice(3, 5)),
            -1.0,
            "2 values of X are negative (first: -1 in cell '7', gene 'gene3')",
        ),
        ((3, slice(None)), 0.0, "1 of 30 cells expresses none of the 12 genes (first: cell '3')"),
    ],
)
def test_values_that_cannot_be(
    tiny_cells: Maker, sparse: bool, place: Any, value: float, message: str
) -> None:
    with pytest.raises(UserError) as caught:
        validate(dataset(changed(tiny_cells(), *place, value, sparse)), "tiny")
    assert str(caught.value).startswith(f"dataset 'tiny', wild-type cells: {message}")
    assert "\n" not in str(caught.value)


def with_counts(cells: Cells, counts: np.ndarray) -> Cells:
    return dataclasses.replace(cells, layers={"counts": counts})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: dataclasses.replace(d, cells=d.cells[:9]), "9 wild-type cells; at least 10"),
        (lambda d: dataclasses.replace(d, cells=d.cells[:0]), r"X is empty \(0 cells x 12 genes\)"),
        (
            lambda d: dataclasses.replace(d, cells=Cells(np.ones((30, 1)), np.array(["a"]))),
            "has 1 gene; at least 2",
        ),
        (
            lambda d: dataclasses.replace(d, cells=Cells(np.ones((30, 0)), np.array([]))),
            r"X is empty \(30 cells x 0 genes\)",
        ),
        (
            lambda d: dataclasses.replace(
                d, cells=Cells(np.full((30, 2), "1"), np.array(["a", "b"]))
            ),
            "not numbers; store",
        ),
        (
            lambda d: dataclasses.replace(
                d, cells=Cells(np.ones((30, 3)), np.array(["a", "b", "a"]))
            ),
            r"1 gene name occurs.*'a', 2 times",
        ),
        (
            lambda d: dataclasses.replace(
                d, cells=Cells(np.ones((30, 3)), np.array(["a", "", "c"]))
            ),
            "gene 1 .* has an empty name",
        ),
        (
            lambda d: dataclasses.replace(d, batch_key="day"),
            "'day' as its batch column.*columns batch, cell_type",
        ),
        (lambda d: dataclasses.replace(d, cell_type_key="type"), "'type' as its cell-type column"),
        (lambda d: dataclasses.replace(d, kind="mixed"), "of kind 'mixed'; it must be"),
        (lambda d: dataclasses.replace(d, near_null=True), "near_null=True; expected a sentence"),
        (lambda d: dataclasses.replace(d, confounded=1), "confounded=1; expected a sentence"),
        (lambda d: dataclasses.replace(d, notes=("fine", 2)), "the note 2; expected text"),
        (
            lambda d: dataclasses.replace(
                d, cells=dataclasses.replace(d.cells, obs={"perturbation": np.full(30, "A")})
            ),
            "must not see",
        ),
        (lambda d: dataclasses.replace(d, perturbed=d.cells), "perturbed cells without a label"),
        (
            lambda d: dataclasses.replace(
                d, perturbed=Cells(d.cells.X[:, :5], d.cells.var_names[:5])
            ),
            "other genes in its perturbed",
        ),
        (
            lambda d: dataclasses.replace(d, perturbed=changed(d.cells, 1, 2, np.nan, True)),
            "'tiny', perturbed cells: 1 value",
        ),
        (
            lambda d: dataclasses.replace(d, cells=with_counts(d.cells, d.cells.X + 0.5)),
            "layer 'counts': scale=counts is declared",
        ),
        (
            lambda d: dataclasses.replace(d, cells=with_counts(d.cells, -np.ones((30, 12)))),
            "360 values of counts are negative",
        ),
    ],
)
def test_datasets_that_cannot_be(
    tiny_cells: Maker, change: Callable[[Dataset], Dataset], message: str
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        validate(change(dataset(tiny_cells())), "tiny")
    assert str(caught.value).startswith("dataset 'tiny'")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("scale", "factor", "message"),
    [
        (
            "counts",
            1.0,
            "scale=counts is declared, but .* are not whole numbers .first: 0.*declare scale=log1p",
        ),
        ("log1p", 30.0, "scale=log1p is declared, but .* above 20, which no such value reaches"),
        ("log1p-cp10k", 3.0, "scale=log1p-cp10k is declared, but .* above 9.211"),
        ("linear", 1e6, None),
        ("some-other-scale", 1e6, None),
        ("log1p", 1.0, None),
        ("log1p-cp10k", 0.1, None),
    ],
)
def test_scales(tiny_cells: Maker, scale: str, factor: float, message: str | None) -> None:
    cells = tiny_cells()
    given = dataset(dataclasses.replace(cells, X=cells.X * factor), scale=scale)
    if message is None:
        validate(given, "tiny")
    else:
        with pytest.raises(UserError, match=message):
            validate(given, "tiny")


def test_whole_numbers_are_counts_and_not_logarithms() -> None:
    cells = Cells(np.random.default_rng(0).poisson(4.0, (20, 6)) + 1.0, np.array(list("abcdef")))
    validate(dataset(cells, scale="counts"), "tiny")
    validate(dataset(cells, scale="linear"), "tiny")
    for scale in ("log1p", "log1p-cp10k"):
        with pytest.raises(UserError, match="every value is a whole number, as counts are"):
            validate(
                dataset(dataclasses.replace(cells, X=np.minimum(cells.X, 9)), scale=scale), "tiny"
            )


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones(4), "X has 1 dimensions"),
        (np.ones((2, 3, 4)), "X has 3 dimensions"),
        (np.ones((3, 2)), "X is 3 x 2 but there are 2 cells and 3 genes; transpose"),
        (np.ones((2, 3), dtype=complex), "X holds values of type complex128, not numbers"),
        (np.array([["a"] * 3] * 2, dtype=object), "X holds values of type object, not numbers"),
    ],
)
def test_shapes_and_types(matrix: np.ndarray, message: str) -> None:
    with pytest.raises(UserError, match=f"^here: {message}"):
        check_matrix(matrix, "here", ["c1", "c2"], ["g1", "g2", "g3"])
