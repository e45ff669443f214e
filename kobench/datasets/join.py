"""Several datasets joined as one, on the genes that all of them have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.datasets.validate import tidy
from kobench.errors import UserError

#: With fewer genes in common data sets say too little of each other.
LEAST_GENES = 20


#: The column that says which data set a cell of `joined` comes from.
DATASET_KEY = "dataset"


def joined(datasets: Mapping[str, Dataset]) -> Dataset:
    """One dataset of the wild-type cells of several, on the genes that all have, matched by name;
    obs["dataset"] is each cell's source.

    datasets : name -> dataset. Genes come sorted by name. Cells that express none of them are left
    out and counted in a note. Truth and perturbed cells are not carried over: transfer is between
    wild types. "real" as soon as one of them is. Raises UserError for fewer than two datasets, for
    different working scales, and for fewer than 20 genes in common.
    """
    if len(datasets) < 2:
        raise UserError(
            f"split=dataset needs two datasets or more, not {len(datasets)}; name more of them"
            " with -d"
        )
    (first, one), *others = datasets.items()
    for name, other in others:
        if other.scale != one.scale:
            raise UserError(
                f"split=dataset needs one working scale, but {first} is {one.scale!r} and {name} is"
                f" {other.scale!r}; choose parameters or cards of these datasets that give the same"
                " scale"
            )
    genes = shared_genes({name: dataset.cells.var_names for name, dataset in datasets.items()})
    parts, notes = [], []
    for name, dataset in datasets.items():
        place = {str(gene): i for i, gene in enumerate(dataset.cells.var_names)}
        columns = np.array([place[gene] for gene in genes])
        X = dataset.cells.X[:, columns]
        expressed = np.asarray((X > 0).sum(axis=1)).ravel() > 0
        counts = dataset.cells.layers.get("counts")
        parts.append(
            (name, X[expressed], None if counts is None else counts[:, columns][expressed])
        )
        empty = int((~expressed).sum())
        said = (
            f"; {empty:,} of {len(expressed):,} cells express none of them and are left out"
            if empty
            else ""
        )
        notes.append(
            f"{name}: {len(genes):,} of {len(place):,} genes are in all of the data sets{said}"
        )
        notes += [f"{name}: {note}" for note in dataset.notes]
    of_counts = [counts for _, _, counts in parts]
    cells = Cells(
        X=_stacked([X for _, X, _ in parts]),
        var_names=np.array(genes),
        obs={
            DATASET_KEY: np.repeat(
                [name for name, _, _ in parts], [X.shape[0] for _, X, _ in parts]
            )
        },
        layers=(
            {} if any(counts is None for counts in of_counts) else {"counts": _stacked(of_counts)}
        ),
    )
    kinds = {dataset.kind for dataset in datasets.values()}
    return Dataset(
        cells=cells,
        scale=one.scale,
        kind="simulated" if kinds == {"simulated"} else "real",
        notes=tuple(notes),
        facts={
            "genes in all of the data sets": len(genes),
            **{f"cells of {name}": int(X.shape[0]) for name, X, _ in parts},
        },
    )


def shared_genes(names: Mapping[str, npt.NDArray[np.str_]]) -> list[str]:
    """The gene names that all data sets have, sorted; UserError where they are fewer than 20.

    names : data set -> its genes.
    """
    sets = [{str(gene) for gene in genes} for genes in names.values()]
    shared = set.intersection(*sets)
    if len(shared) < LEAST_GENES:
        folded = set.intersection(*({gene.casefold() for gene in genes} for genes in sets))
        hint = (
            f"{len(folded):,} are the same but for capital letters, as between mouse and human;"
            " rename the genes of one of them"
            if len(folded) >= LEAST_GENES
            else "check that all use the same kind of gene name"
        )
        sizes = ", ".join(f"{name} {len(genes):,}" for name, genes in names.items())
        raise UserError(
            f"these datasets have {len(shared)} gene names in common ({sizes}), and {LEAST_GENES}"
            f" are needed; {hint}"
        )
    return sorted(shared)


def _stacked(matrices: Sequence[Any]) -> Any:
    """Rows of several matrices one below the other: sparse where all are, else dense."""
    if all(scipy.sparse.issparse(matrix) for matrix in matrices):
        return tidy(scipy.sparse.vstack(matrices, format="csr"))
    return np.vstack(
        [
            matrix.toarray() if scipy.sparse.issparse(matrix) else np.asarray(matrix)
            for matrix in matrices
        ]
    )


#: The column of a joined dataset's cells that says where each comes from.
DATASET_KEY = "dataset"
