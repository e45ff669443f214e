"""Matrices of cells x genes: tidied and checked, of a file as of a dataset.

What cannot be used is refused in one sentence that says what is wrong, where, and what to do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kobench.datasets.parts import parts, row_sums, stored
from kobench.datasets.sums import common_total, is_target, of_other_total
from kobench.errors import UserError

#: Names of cells or genes, for messages.
Names = Sequence[str] | npt.NDArray[Any]

#: What to do where values are not of the declared scale.
SCALES = "declare {} if that is what they are"

#: No logarithm of counts comes near: log1p of a million is 13.8.
LOG_LIMIT = 20.0

#: log1p of a whole cell's 10,000, with room for rounding.
CP10K_LIMIT = float(np.log1p(1e4)) + 1e-3


def tidy(matrix: Any) -> Any:
    """A matrix (n, G) in one of the two forms that cells come in.

    A sparse matrix becomes canonical CSR (columns sorted, no duplicates, no stored zeros), and is
    returned itself where it is that already. Anything else becomes an array.
    """
    if not scipy.sparse.issparse(matrix):
        return np.asarray(matrix)
    rows = (
        matrix if isinstance(matrix, scipy.sparse.csr_matrix) else scipy.sparse.csr_matrix(matrix)
    )
    if rows.has_canonical_format and np.count_nonzero(rows.data) == len(rows.data):
        return rows
    rows = rows.copy()
    rows.sum_duplicates()
    rows.eliminate_zeros()
    return rows


def check_matrix(matrix: Any, where: str, cells: Names, genes: Names, what: str = "X") -> Any:
    """Check a matrix of cells x genes.

    Parameters
    ----------
    matrix : (n, G) array or sparse matrix
    where : str
        What messages start with: the dataset or file.
    cells, genes : (n,), (G,) str
        Their names, for messages; gene names must be there and differ.
    what : str
        What the matrix is called in messages.

    Returns
    -------
    (n, G) array or canonical CSR matrix

    Raises
    ------
    UserError
        Where it is not numeric, empty, of another shape, not finite, or negative, or where gene
        names are missing or repeated.
    """
    shape = tuple(getattr(matrix, "shape", ()))
    check_shape(shape, getattr(matrix, "dtype", np.dtype("O")), where, len(cells), len(genes), what)
    check_gene_names(genes, where)
    matrix = tidy(matrix)
    check_numbers(matrix, where, cells, genes, what)
    return matrix


def check_shape(
    shape: tuple[int, ...], dtype: np.dtype[Any], where: str, cells: int, genes: int, what: str
) -> None:
    """UserError where a matrix is no numbers of so many cells x genes; see `check_matrix`."""
    if len(shape) != 2:
        raise UserError(
            f"{where}: {what} has {len(shape)} dimensions; give a matrix of cells x genes"
        )
    if 0 in shape:
        raise UserError(
            f"{where}: {what} is empty ({shape[0]} cells x {shape[1]} genes); give a file with"
            " cells and genes in it"
        )
    if shape != (cells, genes):
        remedy = "it belongs to other ones, so write what belongs together"
        if shape == (genes, cells):
            remedy = "transpose it, so that cells are rows"
        raise UserError(
            f"{where}: {what} is {shape[0]} x {shape[1]} but there are {cells} cells and"
            f" {genes} genes; {remedy}"
        )
    if dtype.kind not in "iufb":
        raise UserError(
            f"{where}: {what} holds values of type {dtype}, not numbers; store expression as"
            " numbers"
        )


def check_numbers(
    matrix: Any,
    where: str,
    cells: Names,
    genes: Names,
    what: str = "X",
    elsewhere: Callable[[str], str] = str,
) -> None:
    """UserError where a tidied matrix (n, G) is not finite, or negative; see `check_matrix`.

    `elsewhere` is given what to do, and says it, or what is better.
    """
    missing = "write what they are (0 where nothing was counted); kobench never turns NaN into 0"
    negative = "expression cannot be; give counts or log1p values, not centred or scaled ones"
    for is_bad, fault, remedy in (
        (_not_finite, "not finite", missing),
        (_is_negative, "negative", negative),
    ):
        bad = _Found.of(matrix, is_bad)
        if bad:
            raise UserError(
                f"{where}: {bad} of {what} {bad.are} {fault} (first:"
                f" {bad.first(matrix, cells, genes)}); {elsewhere(remedy)}"
            )


def check_gene_names(genes: Names, where: str) -> None:
    """UserError where a gene has no name or shares it with another."""
    names, first, counts = np.unique(
        np.asarray(genes, dtype=np.str_), return_index=True, return_counts=True
    )
    if "" in names:
        raise UserError(
            f"{where}: gene {int(first[list(names).index('')])} (counted from 0) has an empty name;"
            " give every gene a name"
        )
    twice = np.flatnonzero(counts > 1)
    if len(twice):
        example = twice[np.argmin(first[twice])]
        named = f"{len(twice)} gene name" + (" occurs" if len(twice) == 1 else "s occur")
        raise UserError(
            f"{where}: {named} more than once (first: {str(names[example])!r}, {counts[example]}"
            " times); make them unique or add the repeated genes up (in anndata:"
            " adata.var_names_make_unique())"
        )


def check_scale(
    X: Any,
    scale: str,
    where: str,
    cells: Names,
    genes: Names,
    elsewhere: Callable[[str], str] = str,
) -> None:
    """UserError where values of X (n, G) contradict the declared scale.

    A scale other than counts and log1p cannot be contradicted. `where`, `cells` and `genes` are for
    the message, as in `check_matrix`; where these are no counts, `elsewhere` is given what to do,
    and says it, or what is better.
    """
    if scale == "counts":
        bad = _Found.of(X, _is_fraction)
        if bad:
            raise UserError(
                f"{where}: scale=counts is declared, but {bad} {bad.are} not whole numbers (first:"
                f" {bad.first(X, cells, genes)}); {elsewhere(_other_scales(X))}"
            )
    if scale not in ("log1p", "log1p-cp10k"):
        return
    limit = CP10K_LIMIT if scale == "log1p-cp10k" else LOG_LIMIT
    bad = _Found.of(X, lambda values: values > limit)
    if bad:
        raise UserError(
            f"{where}: scale={scale} is declared, but {bad} {bad.are} above"
            f" {limit:.4g}, which no such value reaches (first: {bad.first(X, cells, genes)});"
            f" {_other_scales(X)}"
        )
    values = stored(X)
    if np.any(values) and whole(values):
        raise UserError(
            f"{where}: scale={scale} is declared, but every value is a whole number, as counts are"
            f" (largest: {values.max():g}); declare scale=counts, or, if they are no counts,"
            " scale=linear"
        )


def _other_scales(X: Any) -> str:
    """The scales that values (n, G) may be of, as advice."""
    values = stored(X)
    if whole(values):
        fitting = ["counts"]
    else:
        largest = float(values.max(initial=0))
        total = common_total(X) if largest <= LOG_LIMIT else None
        if total is not None and is_target(total):
            return "expm1 of the values adds up to 10,000 in every cell: declare scale=log1p-cp10k"
        if total is not None:
            return f"{of_other_total(total)}; scale=log1p takes them as they are"
        fitting = ["log1p-cp10k"] * (largest <= CP10K_LIMIT) + ["log1p"] * (largest <= LOG_LIMIT)
    return SCALES.format(" or ".join(f"scale={each}" for each in [*fitting, "linear"]))


def whole(values: npt.NDArray[Any]) -> bool:
    """Whether all of these numbers are whole and none is negative, as counts are."""
    return not any(
        np.any(_is_fraction(values[part]) | _is_negative(values[part]))
        for part in parts(len(values))
    )


def check_expressed(
    X: Any,
    where: str,
    cells: Names,
    remedy: str | Callable[[], str],
    chosen: npt.NDArray[np.bool_] | None = None,
) -> None:
    """UserError where a cell of X (n, G) expresses no gene, or none of the `chosen` (G,).

    It has no profile, and nothing can be asked of it. `remedy`, or what it gives, ends the message.
    """
    empty = row_sums(X, chosen) == 0
    if np.any(empty):
        number, first = int(empty.sum()), str(cells[int(np.argmax(empty))])
        genes = X.shape[1] if chosen is None else int(chosen.sum())
        verb = "expresses" if number == 1 else "express"
        raise UserError(
            f"{where}: {number:,} of {len(empty):,} cells {verb} none of the {genes:,} genes"
            f" (first: cell {first!r}); {remedy() if callable(remedy) else remedy}"
        )


def _not_finite(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.asarray(~np.isfinite(values))


def _is_negative(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.asarray(values < 0)


def _is_fraction(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return np.asarray(values != np.rint(values))


@dataclass(frozen=True)
class _Found:
    """So many bad values, and the place of the first among those stored."""

    number: int
    place: int

    @classmethod
    def of(cls, matrix: Any, is_bad: Callable[[npt.NDArray[Any]], npt.NDArray[np.bool_]]) -> _Found:
        """The bad values of a matrix, looked for part by part."""
        values, number, place = stored(matrix), 0, -1
        for part in parts(len(values)):
            bad = is_bad(values[part])
            some = int(np.count_nonzero(bad))
            if some and not number:
                place = part.start + int(np.argmax(bad))
            number += some
        return cls(number, place)

    def __bool__(self) -> bool:
        return self.number > 0

    def __str__(self) -> str:
        return f"{self.number:,} value{'' if self.number == 1 else 's'}"

    @property
    def are(self) -> str:
        """The verb for that many values."""
        return "is" if self.number == 1 else "are"

    def first(self, matrix: Any, cells: Names, genes: Names) -> str:
        """The first one, and where it stands."""
        if scipy.sparse.issparse(matrix):
            row = int(np.searchsorted(matrix.indptr, self.place, side="right")) - 1
            column = int(matrix.indices[self.place])
        else:
            row, column = divmod(self.place, matrix.shape[1])
        value = stored(matrix)[self.place]
        return f"{value:g} in cell {str(cells[row])!r}, gene {str(genes[column])!r}"
