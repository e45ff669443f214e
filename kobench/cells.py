"""Cells, knockouts and impacts: what predictors are given and return.

Standard library and numpy only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import anndata

if TYPE_CHECKING:
    FloatArray = npt.NDArray[np.floating[Any]]
    BoolArray = npt.NDArray[np.bool_]
    IntArray = npt.NDArray[np.integer[Any]]
else:  # numpy 1.21 can't subscript its number types while a program runs
    FloatArray = BoolArray = IntArray = np.ndarray


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells x genes, with the part of AnnData's interface that predictors use.

    Attributes
    ----------
    X : (n_obs, n_vars) array or scipy CSR matrix
        Expression, >= 0, in the dataset's working scale.
    var_names : (n_vars,) str
        Gene names.
    obs : mapping of str to (n_obs,) array
        Columns such as batch and cell type; never the perturbation.
    layers : mapping of str to (n_obs, n_vars) array or CSR matrix
        `layers["counts"]` holds counts where the source has them.
    """

    X: Any
    var_names: npt.NDArray[np.str_]
    obs: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    layers: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n, g = self.X.shape
        if len(self.var_names) != g:
            raise ValueError(
                f"X has {g} columns but var_names has {len(self.var_names)} names; they must be"
                " equal"
            )
        for name, column in self.obs.items():
            if len(column) != n:
                raise ValueError(
                    f"obs[{name!r}] has {len(column)} entries but X has {n} rows; they must be"
                    " equal"
                )
        for name, layer in self.layers.items():
            if layer.shape != (n, g):
                raise ValueError(
                    f"layers[{name!r}] has shape {layer.shape} but X has {(n, g)}; they must be"
                    " equal"
                )

    @property
    def n_obs(self) -> int:
        """Number of cells."""
        return int(self.X.shape[0])

    @property
    def n_vars(self) -> int:
        """Number of genes."""
        return int(self.X.shape[1])

    @property
    def shape(self) -> tuple[int, int]:
        """(number of cells, number of genes)."""
        return self.n_obs, self.n_vars

    def __len__(self) -> int:
        return self.n_obs

    def __getitem__(self, rows: Any) -> Cells:
        """The cells at `rows` (a slice, an index array or a boolean array)."""
        return Cells(
            self.X[rows],
            self.var_names,
            {name: column[rows] for name, column in self.obs.items()},
            {name: layer[rows] for name, layer in self.layers.items()},
        )

    def dense(self) -> FloatArray:
        """(n_obs, n_vars) X as a dense array (X itself when it is one)."""
        return self.X if isinstance(self.X, np.ndarray) else np.asarray(self.X.toarray())

    def assemblages(self) -> BoolArray:
        """(n_obs, n_vars) bool: which genes are on, X > 0."""
        if isinstance(self.X, np.ndarray):
            return np.asarray(self.X > 0)
        # a byte an entry, where a dense copy of X would take four or eight
        return np.asarray((self.X > 0).toarray())

    def profiles(self) -> FloatArray:
        """(n_obs, n_vars) float64: rows of X over their sum; a row without expression stays 0."""
        return normalise_rows(self.dense())

    def to_anndata(self) -> anndata.AnnData:
        """A real AnnData with the same content (needs anndata)."""
        import anndata
        import pandas

        names = [str(i) for i in range(self.n_obs)]
        return anndata.AnnData(
            self.X.copy(),
            obs=pandas.DataFrame(dict(self.obs), index=names),
            var=pandas.DataFrame(index=[str(name) for name in self.var_names]),
            layers={name: layer.copy() for name, layer in self.layers.items()},
        )


@dataclass(frozen=True, eq=False)
class Knockouts:
    """A batch of n knockout events that remove the same number of genes each, the order.

    Order 0 removes nothing: the predictor's own wild type. It is a batch and no sequence: take its
    arrays, as in `for genes, cell in zip(knockouts.genes, knockouts.cells)`. A slice, a mask or a
    list of rows gives a smaller batch.

    Attributes
    ----------
    genes : (n, order) int32
        The removed genes, as columns of the training cells.
    cells : (n,) int32, or None
        The cell of each event, as a row of the cells passed beside it; None means the passed cells
        as one population.
    """

    genes: npt.NDArray[np.int32]
    cells: npt.NDArray[np.int32] | None = None

    def __post_init__(self) -> None:
        genes = np.ascontiguousarray(self.genes, dtype=np.int32)
        if genes.ndim != 2:
            raise ValueError(f"genes has shape {genes.shape}; expected (n, order)")
        object.__setattr__(self, "genes", genes)
        if self.cells is not None:
            cells = np.ascontiguousarray(self.cells, dtype=np.int32)
            if cells.shape != (len(genes),):
                raise ValueError(
                    f"cells has shape {cells.shape}; expected ({len(genes)},), one row for each"
                    " event"
                )
            object.__setattr__(self, "cells", cells)

    def __len__(self) -> int:
        return len(self.genes)

    @property
    def order(self) -> int:
        """Number of genes that each event removes."""
        return int(self.genes.shape[1])

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(
            f"knockouts are a batch of {len(self)} events, which is not iterated over; take their"
            " arrays: knockouts.genes (n, order), the columns of the removed genes, and"
            " knockouts.cells (n,), the row of each event's cell, or None for a population"
        )

    def __getitem__(self, rows: Any) -> Knockouts:
        if np.ndim(rows) == 0 and not isinstance(rows, slice):
            raise TypeError(
                f"knockouts[{rows!r}] asks for one event, and gives none; knockouts.genes[{rows!r}]"
                f" has its genes, knockouts[{rows!r}:][:1] is a batch of it alone"
            )
        return Knockouts(self.genes[rows], None if self.cells is None else self.cells[rows])

    @classmethod
    def none(cls, n: int) -> Knockouts:
        """Order 0 for the first n cells: nothing removed."""
        return cls(np.empty((n, 0), np.int32), np.arange(n, dtype=np.int32))

    @classmethod
    def singles(cls, assemblages: BoolArray) -> Knockouts:
        """Every single knockout that can be asked, grouped by cell.

        Of each gene that is on in a cell of `assemblages` (cells, G), if another one is on too.
        """
        on = np.asarray(assemblages, dtype=bool)
        cells, genes = np.nonzero(on & (on.sum(1) > 1)[:, None])
        return cls(genes.astype(np.int32)[:, None], cells.astype(np.int32))

    def remove_from(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The row of each event's cell with the removed genes set to 0 (or False).

        Parameters
        ----------
        rows : (cells, G) array

        Returns
        -------
        (n, G) array

        Raises
        ------
        ValueError
            Where the events name no cells.
        """
        if self.cells is None:
            raise ValueError("these knockouts name no cells; give cells to remove genes from rows")
        taken: npt.NDArray[Any] = np.asarray(rows)[self.cells]  # fancy indexing copies
        np.put_along_axis(taken, self.genes.astype(np.intp), 0, axis=1)
        return taken


@dataclass(frozen=True, eq=False)
class Impacts:
    """Impacts of n events; None for a kind that the predictor does not give.

    Attributes
    ----------
    raw : (n,) float, >= 0, or None
        Bray-Curtis dissimilarity of the knockout's profile and the wild type's (DKO).
    propagated : (n,) float, >= 0, or None
        The same of the knockout's profile and the null, the wild type without the removed genes
        (DKI).
    """

    raw: FloatArray | None = None
    propagated: FloatArray | None = None


def normalise_rows(values: npt.NDArray[Any]) -> FloatArray:
    """(n, G) rows of `values` (n, G) over their sum, float64; a row whose sum is 0 stays 0."""
    rows = np.asarray(values, dtype=np.float64)
    total = rows.sum(axis=1, keepdims=True)
    shares: FloatArray = np.divide(rows, total, out=np.zeros_like(rows), where=total > 0)
    return shares


def bray_curtis(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> FloatArray:
    """Bray-Curtis dissimilarity of each row of a and b, sum|a-b| / sum(a+b).

    Parameters
    ----------
    a, b : (n, G) array, >= 0

    Returns
    -------
    (n,) float64
        0 where both rows are 0, NaN where one has NaN.

    Notes
    -----
    Bray & Curtis, Ecol. Monogr. 27:325 (1957).

    Examples
    --------
    >>> bray_curtis(np.array([[0.5, 0.5, 0.0]]), np.array([[0.5, 0.25, 0.25]]))
    array([0.25])
    """
    a, b = np.asarray(a), np.asarray(b)
    distance = np.zeros(len(a))
    step = max(1, 50_000 // max(1, a.shape[1]))  # rows whose temporaries fit a processor's cache
    for start in range(0, len(a), step):
        part = slice(start, start + step)
        x, y = np.asarray(a[part], np.float64), np.asarray(b[part], np.float64)
        total, apart = (x + y).sum(axis=1), x - y
        size = np.abs(apart, out=apart).sum(axis=1)
        np.divide(size, total, out=distance[part], where=~(total <= 0))  # NaN stays NaN
    return distance


def without_interaction(
    wild_type: npt.NDArray[Any], singles: Sequence[npt.NDArray[Any]], genes: IntArray
) -> FloatArray:
    """Profiles after removing several genes if their single knockouts did not interact.

    The changes of the single knockouts are added to the wild type, removed genes are set to 0, what
    falls below 0 is 0, and rows are renormalised (a row with nothing left stays 0). Where nothing
    responds this is the wild type without the removed genes, renormalised.

    Parameters
    ----------
    wild_type : (n, G) array
        Profile of each event's cell.
    singles : sequence of (n, G) arrays, one for each removed gene
        Profiles of the same cells after its knockout alone, in the order of the columns of `genes`.
    genes : (n, order) int
        The removed genes.

    Returns
    -------
    (n, G) float64

    Raises
    ------
    ValueError
        Where there is not one array for each removed gene.

    Examples
    --------
    >>> wild_type = np.array([[0.5, 0.25, 0.125, 0.125]])
    >>> singles = [np.array([[0, 0.75, 0, 0.25]]), np.array([[0.5, 0, 0.25, 0.25]])]
    >>> without_interaction(wild_type, singles, np.array([[0, 1]]))
    array([[0.  , 0.  , 0.25, 0.75]])
    """
    if len(singles) != np.shape(genes)[1]:
        raise ValueError(
            f"{len(singles)} single knockouts for events that remove {np.shape(genes)[1]} genes;"
            " give one for each"
        )
    before = np.asarray(wild_type, np.float64)
    rows = before.copy()
    for single in singles:
        rows += single - before
    np.put_along_axis(rows, np.asarray(genes, np.intp), 0.0, axis=1)
    return normalise_rows(np.maximum(rows, 0.0))
