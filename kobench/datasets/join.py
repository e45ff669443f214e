"""Several datasets joined as one, on the genes that all of them have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from kobench.cells import Cells
from kobench.dataset import Dataset
from kobench.datasets.groups import labels_of_groups
from kobench.datasets.matrices import tidy
from kobench.errors import UserError

#: With fewer genes in common data sets say too little of each other.
LEAST_GENES = 20

#: The columns of obs that say which data set a cell of `joined` comes from, and which group of it.
DATASET_KEY = "dataset"
GROUP_KEY = "group"


def joined(datasets: Mapping[str, Dataset]) -> Dataset:
    """The wild-type cells of several datasets, on the genes that all have, matched by name.

    Parameters
    ----------
    datasets : mapping of str to Dataset
        Two or more, by name.

    Returns
    -------
    Dataset
        Genes are sorted by name, and obs["dataset"] says where each cell comes from. Cells that
        express none of the genes are left out and counted in a note. It is "real" as soon as one of
        them is. Truth and perturbed cells are not carried over: transfer is between wild types.
        Where one of them has groups, obs["group"] has those of all, named after their dataset;
        every cell of a dataset without groups is a group of its own.

    Raises
    ------
    UserError
        For fewer than two datasets, for different working scales, and for fewer than 20 genes in
        common.
    """
    if len(datasets) < 2:
        raise UserError(
            f"split=dataset needs two datasets or more, not {len(datasets)}; name more of them"
            " with -d"
        )
    scale = _one_scale(datasets)
    genes = shared_genes({name: dataset.cells.var_names for name, dataset in datasets.items()})
    parts = [_part(name, dataset, genes) for name, dataset in datasets.items()]
    sizes = [part.X.shape[0] for part in parts]
    counts = [part.counts for part in parts]
    obs = {DATASET_KEY: np.repeat([part.name for part in parts], sizes)}
    grouped = any(dataset.group_key is not None for dataset in datasets.values())
    if grouped:
        obs[GROUP_KEY] = np.concatenate([part.groups for part in parts])
    cells = Cells(
        X=_stacked([part.X for part in parts]),
        var_names=np.array(genes),
        obs=obs,
        layers={} if any(one is None for one in counts) else {"counts": _stacked(counts)},
    )
    kinds = {dataset.kind for dataset in datasets.values()}
    named = [dataset.network for dataset in datasets.values()]
    return Dataset(
        cells=cells,
        scale=scale,
        kind="simulated" if kinds == {"simulated"} else "real",
        notes=tuple(note for part in parts for note in part.notes),
        group_key=GROUP_KEY if grouped else None,
        network=" + ".join(named) if all(named) else "",
        facts={
            "genes in all of the data sets": len(genes),
            **{f"cells of {part.name}": int(part.X.shape[0]) for part in parts},
        },
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """What one dataset gives: n cells on the shared genes, with counts where it has them.

    groups : (n,) str, the group of each cell, which no other dataset has.
    """

    name: str
    X: Any
    counts: Any
    groups: npt.NDArray[np.str_]
    notes: list[str]


def _one_scale(datasets: Mapping[str, Dataset]) -> str:
    """The working scale that all have; UserError where they differ."""
    (first, one), *others = datasets.items()
    for name, other in others:
        if other.scale != one.scale:
            raise UserError(
                f"split=dataset needs one working scale, but {first} is {one.scale!r} and {name} is"
                f" {other.scale!r}; choose parameters or cards of these datasets that give the same"
                " scale"
            )
    return one.scale


def _part(name: str, dataset: Dataset, genes: Sequence[str]) -> _Part:
    """The cells of one dataset that express any of the shared genes."""
    place = {str(gene): i for i, gene in enumerate(dataset.cells.var_names)}
    columns = np.array([place[gene] for gene in genes])
    X = dataset.cells.X[:, columns]
    expressed = np.asarray((X > 0).sum(axis=1)).ravel() > 0
    counts = dataset.cells.layers.get("counts")
    groups = labels_of_groups(dataset)
    if groups is None:
        groups = np.array([f"cell {i}" for i in range(len(expressed))])
    note = f"{name}: {len(genes):,} of {len(place):,} genes are in all of the data sets"
    empty = int((~expressed).sum())
    if empty:
        note += f"; {empty:,} of {len(expressed):,} cells express none of them and are left out"
    return _Part(
        name,
        X[expressed],
        None if counts is None else counts[:, columns][expressed],
        np.array([f"{name}: {group}" for group in groups[expressed].tolist()]),
        [note, *(f"{name}: {said}" for said in dataset.notes)],
    )


def shared_genes(names: Mapping[str, npt.NDArray[np.str_]]) -> list[str]:
    """The gene names that all datasets have, sorted.

    Parameters
    ----------
    names : mapping of str to (G,) str
        Dataset -> its genes.

    Raises
    ------
    UserError
        Where they are fewer than 20.
    """
    sets = [{str(gene) for gene in genes} for genes in names.values()]
    shared = set.intersection(*sets)
    if len(shared) < LEAST_GENES:
        folded = set.intersection(*({gene.casefold() for gene in genes} for genes in sets))
        hint = "check that all use the same kind of gene name"
        if len(folded) >= LEAST_GENES:
            hint = (
                f"{len(folded):,} are the same but for capital letters, as between mouse and human;"
                " rename the genes of one of them"
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
